# SPDX-License-Identifier: MIT
"""RFC 6455 from the client's side, with every liberty that a bad client takes."""

import json
import os
import socket
import struct
import zlib
from typing import Any, Callable, List, NamedTuple, Optional, Union

from http_wire import Http, Response, request

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
RSV1 = 4
DROPPED = 0  # in place of a close code: the connection ended without a close frame
NO_CODE = 1005


class Frame(NamedTuple):
    opcode: int
    payload: bytes
    fin: bool
    rsv: int


def frame(
    opcode: int,
    payload: Union[str, bytes] = b"",
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
    declared: Optional[int] = None,
) -> bytes:
    """One frame; `declared` is the length it claims to have."""
    data = payload.encode() if isinstance(payload, str) else payload
    length = len(data) if declared is None else declared
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    mask_bit = 0x80 if masked else 0
    if length < 126:
        head = struct.pack("!BB", first, mask_bit | length)
    elif length < 65536:
        head = struct.pack("!BBH", first, mask_bit | 126, length)
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, length)
    if not masked:
        return head + data
    mask = os.urandom(4)
    return head + mask + apply_mask(data, mask)


def apply_mask(data: bytes, mask: bytes) -> bytes:
    repeated = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(
        len(data), "big"
    )


def close_payload(code: int, reason: bytes = b"") -> bytes:
    return struct.pack("!H", code) + reason


def close_code_in(received: bytes) -> int:
    """The code of the close frame in all that was received after the handshake, or DROPPED."""
    at = 0
    while at + 2 <= len(received):
        opcode, length, start = received[at] & 0x0F, received[at + 1], at + 2
        if length == 126:
            length, start = struct.unpack_from("!H", received, start)[0], start + 2
        elif length == 127:
            length, start = struct.unpack_from("!Q", received, start)[0], start + 8
        if opcode == CLOSE:
            return struct.unpack_from("!H", received, start)[0] if length else NO_CODE
        at = start + length
    return DROPPED


def handshake(path: str = "/ws", *headers: str) -> bytes:
    return request(
        "GET",
        path,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *headers
    )


class WebSocket:
    """Opens at once. Pings are answered unless `answers_pings` is turned off."""

    def __init__(self, sock: socket.socket, path: str = "/ws", *headers: str) -> None:
        self.http = Http(sock)
        self.answers_pings = True
        self.http.send(handshake(path, *headers))
        self.response: Response = self.http.head()
        if self.response.status != 101:
            raise ConnectionError("not upgraded: %d" % self.response.status)
        self.agreed = self.response.headers.get("sec-websocket-extensions", "")
        self.inflater = zlib.decompressobj(-zlib.MAX_WBITS)

    def close(self) -> None:
        self.http.close()

    def raw(self, data: bytes) -> None:
        self.http.send(data)

    def send(self, opcode: int, payload: Union[str, bytes] = b"", **liberties: Any) -> None:
        self.raw(frame(opcode, payload, **liberties))

    def text(self, payload: Union[str, bytes]) -> None:
        self.send(TEXT, payload)

    def frame(self) -> Frame:
        first, second = self.http.take(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self.http.take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self.http.take(8))
        if second & 0x80:
            raise AssertionError("the daemon masked a frame")
        payload = self.http.take(length)
        return Frame(first & 0x0F, payload, bool(first & 0x80), first >> 4 & 7)

    def inflated(self) -> Frame:
        """The next frame with its payload as it was meant."""
        got = self.frame()
        if not got.rsv & RSV1:
            return got
        if "server_no_context_takeover" in self.agreed:
            self.inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        text = self.inflater.decompress(got.payload + b"\0\0\xff\xff")
        return got._replace(payload=text)

    def message(self) -> Frame:
        """The next frame that is neither ping nor pong."""
        while True:
            got = self.inflated()
            if got.opcode not in (PING, PONG):
                return got
            if got.opcode == PING and self.answers_pings:
                self.send(PONG, got.payload)

    def close_code(self) -> int:
        """Read on to the end: the code of the close frame, or DROPPED."""
        try:
            while True:
                got = self.frame()
                if got.opcode == CLOSE:
                    return struct.unpack("!H", got.payload[:2])[0] if got.payload else NO_CODE
        except ConnectionError:
            return DROPPED

    def close_reason(self) -> str:
        """Read on to the close frame, which there must be."""
        while True:
            got = self.frame()
            if got.opcode == CLOSE:
                return got.payload[2:].decode()

    # ---- the plain dialect of /ws ----

    def emit(self, event: str, data: Any = None, **more: Any) -> None:
        self.text(json.dumps({"event": event, "data": data, **more}))

    def event(self, name: str, matches: Callable[[Any], bool] = lambda data: True) -> Any:
        """Read on to an event of that name whose data matches."""
        while True:
            got = self.message()
            if got.opcode != TEXT:
                raise ConnectionError("a frame that is no text: %r" % (got,))
            message = json.loads(got.payload)
            if message["event"] == name and matches(message.get("data")):
                return message.get("data")

    def events_until(self, name: str) -> List[Any]:
        """All messages up to the first of that name, which is the last of them."""
        seen: List[Any] = []
        while True:
            seen.append(json.loads(self.message().payload))
            if seen[-1]["event"] == name:
                return seen

    def ask(self, event: str, data: Any = None) -> Any:
        """The acknowledgement's data."""
        self.emit(event, data, id=7)
        while True:
            message = json.loads(self.message().payload)
            if message["event"] == "ack" and message["id"] == 7:
                return message["data"]
