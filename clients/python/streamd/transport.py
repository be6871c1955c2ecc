# SPDX-License-Identifier: MIT
"""The two ways to a daemon, and the only place that touches a socket.

A link is opened with a `start` line, takes bytes while it is `idle`, and gives the daemon's answers
as decoded objects out of `poll`, which is also where the sender thread sleeps. SocketLink is the
Unix socket and never blocks on a daemon that does not read; HttpLink posts the same lines to a
remote one and makes its replies look like the socket's answers. Every failure is an OSError.
"""

import contextlib
import http.client
import json
import os
import selectors
import socket
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import urlsplit

CONNECT_TIMEOUT_S = 1.0
HTTP_TIMEOUT_S = 5.0
READ_BYTES = 65_536
ANSWER_MAX_BYTES = 1_048_576
INGEST_PATH = "/api/training/ingest"
# A daemon's death must not become a SIGPIPE, even where the training restored the default action.
SEND_FLAGS = getattr(socket, "MSG_NOSIGNAL", 0)

Answer = Dict[str, Any]


def default_socket_path() -> str:
    """$STREAMD_SOCKET, else the daemon's own default for this user."""
    named = os.environ.get("STREAMD_SOCKET")
    if named:
        return named
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        return os.path.join(runtime, "streamd.sock")
    return f"/tmp/streamd-{os.getuid() if hasattr(os, 'getuid') else 0}.sock"


class Waker:
    """Ends the sender's sleep from any thread or signal handler: one byte, never waiting."""

    def __init__(self) -> None:
        self._ours: Optional[socket.socket] = None
        self._theirs: Optional[socket.socket] = None

    def open(self) -> None:
        """Make the pair: as late as the thread, since a forked child needs neither."""
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)

    def wake(self) -> None:
        """Without an open pair nobody is asleep."""
        if self._theirs is not None:
            # Full: the sleeper wakes anyway. Closed: it has ended.
            with contextlib.suppress(OSError):
                self._theirs.send(b"\0", SEND_FLAGS)

    def sleep(self, timeout: float, other: Optional[socket.socket] = None, events: int = 0) -> int:
        """Sleep until woken, `other` is ready or the time is up; returns what `other` is ready for.

        poll rather than epoll: an epoll set is shared with a forked child, and a child's changes
        to it would be ours.
        """
        assert self._ours is not None
        with getattr(selectors, "PollSelector", selectors.SelectSelector)() as selector:
            selector.register(self._ours, selectors.EVENT_READ)
            if other is not None:
                selector.register(other, events)
            ready = {key.fileobj: mask for key, mask in selector.select(max(0.0, timeout))}
        if self._ours in ready:
            _drain(self._ours)
        return ready.get(other, 0) if other is not None else 0

    def close(self) -> None:
        for end in (self._ours, self._theirs):
            if end is not None:
                end.close()


def _drain(sock: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while len(sock.recv(READ_BYTES)) == READ_BYTES:
            pass


class SocketLink:
    """A Unix stream socket. Borrows the waker; owns its socket and one batch being written."""

    def __init__(self, path: str, waker: Waker) -> None:
        self._path = path
        self._waker = waker
        self._sock: Optional[socket.socket] = None
        self._pending = memoryview(b"")
        self._received = b""

    def open(self, start: bytes) -> None:
        """Connect and write the `start` line; `started` will come out of `poll`."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(CONNECT_TIMEOUT_S)  # a daemon that hangs with a full backlog
            sock.connect(self._path)
            sock.setblocking(False)
        except BaseException:
            sock.close()
            raise
        self._sock = sock
        self.write(start)

    @property
    def idle(self) -> bool:
        """The last batch has left entirely."""
        return not self._pending

    def write(self, batch: bytes) -> None:
        """Take a batch; what the socket does not accept at once goes out during `poll`."""
        self._pending = memoryview(batch)
        self._flush()

    def poll(self, timeout: float) -> List[Answer]:
        """Sleep at most `timeout` seconds; returns the answers that came in."""
        if self._sock is None:
            self._waker.sleep(timeout)
            return []
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._pending else 0)
        ready = self._waker.sleep(timeout, self._sock, events)
        if ready & selectors.EVENT_WRITE:
            self._flush()
        return self._receive() if ready & selectors.EVENT_READ else []

    def close(self) -> None:
        """Forget the connection. In a forked child this leaves the parent's end as it is."""
        if self._sock is not None:
            self._sock.close()
        self._sock = None
        self._pending = memoryview(b"")
        self._received = b""

    def _flush(self) -> None:
        assert self._sock is not None
        while self._pending:
            try:
                written = self._sock.send(self._pending, SEND_FLAGS)
            except BlockingIOError:
                return
            self._pending = self._pending[written:]

    def _receive(self) -> List[Answer]:
        assert self._sock is not None
        received = self._sock.recv(READ_BYTES)
        if not received:
            raise ConnectionResetError("the daemon closed the connection")
        *lines, self._received = (self._received + received).split(b"\n")
        if len(self._received) > ANSWER_MAX_BYTES:
            raise ConnectionAbortedError("the daemon's answer has no end")
        return [answer for answer in map(decode_answer, lines) if answer]


class HttpLink:
    """POST /api/training/ingest. Blocks its caller, the sender thread, for a bounded time."""

    def __init__(self, url: str, waker: Waker) -> None:
        parts = urlsplit(url if "//" in url else "//" + url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port
        self._path = parts.path.rstrip("/") + INGEST_PATH
        self._waker = waker
        self._answers: List[Answer] = []
        self._http: Optional[http.client.HTTPConnection] = None

    idle = True

    def open(self, start: bytes) -> None:
        """Post the `start` line; the reply's `lastSeq` becomes the `started` answer."""
        status, reply = self._post(start)
        if status != 200:
            raise ConnectionRefusedError(f"{status} {reply.get('error', '')}")
        self._answers.append({"type": "started", "lastSeq": reply.get("lastSeq", 0)})

    def write(self, batch: bytes) -> None:
        """Post a batch; the reply's `lastSeq` becomes an `ack`, a bad line a `refused`."""
        status, reply = self._post(batch)
        if status not in (200, 400):
            raise ConnectionAbortedError(f"{status} {reply.get('error', '')}")
        self._answers.append({"type": "ack", "seq": reply.get("lastSeq", 0)})
        if status == 400:
            self._answers.append({"type": "refused", "message": reply.get("error", "bad line")})

    def poll(self, timeout: float) -> List[Answer]:
        """The answers at once if there are any, else sleep at most `timeout` seconds."""
        if not self._answers:
            self._waker.sleep(timeout)
        answers, self._answers = self._answers, []
        return answers

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
        self._http = None
        self._answers = []

    def _post(self, body: bytes) -> Tuple[int, Answer]:
        if self._http is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            self._http = kind(self._host, self._port, timeout=HTTP_TIMEOUT_S)
        try:
            self._http.request("POST", self._path, body, {"Content-Type": "application/x-ndjson"})
            response = self._http.getresponse()
            return response.status, decode_answer(response.read(ANSWER_MAX_BYTES))
        except http.client.HTTPException as error:
            raise ConnectionAbortedError(repr(error)) from error


def decode_answer(line: bytes) -> Answer:
    """The JSON object in `line`, or an empty one: the daemon's future is not our crash."""
    try:
        answer = json.loads(line)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
