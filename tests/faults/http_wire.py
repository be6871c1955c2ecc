# SPDX-License-Identifier: MIT
"""HTTP as bytes on a socket, for what no HTTP library lets a test send or see."""

import json
import re
import socket
from typing import Any, Dict, Union


class Response:
    def __init__(self, status: int, headers: Dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers  # by lower-case name; several of one name joined with a comma
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)


class Http:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.received = b""

    def close(self) -> None:
        self.sock.close()

    def send(self, text: Union[str, bytes]) -> None:
        """Give it all to the kernel, unless the daemon has hung up meanwhile."""
        try:
            self.sock.sendall(text.encode("latin-1") if isinstance(text, str) else text)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _more(self) -> bool:
        """Receive something; False at the end of the stream."""
        try:
            piece = self.sock.recv(65536)
        except ConnectionResetError:
            piece = b""
        self.received += piece
        return bool(piece)

    def rest(self) -> bytes:
        """Everything until the daemon closes the connection."""
        while self._more():
            pass
        taken, self.received = self.received, b""
        return taken

    def take(self, count: int) -> bytes:
        while len(self.received) < count:
            if not self._more():
                raise ConnectionError("the connection ended early: %r" % self.received[:200])
        taken, self.received = self.received[:count], self.received[count:]
        return taken

    def until(self, mark: bytes) -> bytes:
        """Take everything up to this mark, which is taken too."""
        while mark not in self.received:
            if not self._more():
                raise ConnectionError("the connection ended early: %r" % self.received[:200])
        return self.take(self.received.index(mark) + len(mark))

    def head(self) -> Response:
        """The next response without its body."""
        lines = self.until(b"\r\n\r\n").decode("latin-1").rstrip().split("\r\n")
        found = re.match(r"HTTP/1\.1 (\d{3}) ", lines[0] + " ")
        if not found:
            raise ConnectionError("no status line: %r" % lines[0])
        headers: Dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.lower()
            headers[name] = (
                headers[name] + ", " + value.strip() if name in headers else value.strip()
            )
        return Response(int(found.group(1)), headers, b"")

    def response(self, method: str = "GET") -> Response:
        response = self.head()
        has_body = method != "HEAD" and response.status >= 200 and response.status not in (204, 304)
        if has_body and response.headers.get("transfer-encoding") == "chunked":
            response.body = self.chunks()
        elif has_body:
            response.body = self.take(int(response.headers.get("content-length", "0")))
        return response

    def chunks(self) -> bytes:
        """A chunked body, to its end."""
        body = b""
        while size := int(self.until(b"\r\n"), 16):
            body += self.take(size)
            self.until(b"\r\n")
        self.until(b"\r\n")
        return body

    def request(
        self, method: str, path: str, *headers: str, body: Union[str, bytes] = b""
    ) -> Response:
        self.send(request(method, path, *headers, body=body))
        return self.response(method)

    def is_closed(self) -> bool:
        """Has the daemon hung up, without anything more to say?"""
        try:
            return self.sock.recv(1, socket.MSG_PEEK) == b""
        except ConnectionResetError:
            return True


def request(method: str, path: str, *headers: str, body: Union[str, bytes] = b"") -> bytes:
    """A request that is in order; a body brings its Content-Length."""
    payload = body.encode() if isinstance(body, str) else body
    lines = ["%s %s HTTP/1.1" % (method, path), "Host: 127.0.0.1", *headers]
    if payload or method in ("POST", "PUT", "PATCH"):
        lines.append("Content-Length: %d" % len(payload))
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + payload
