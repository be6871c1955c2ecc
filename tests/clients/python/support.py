# SPDX-License-Identifier: MIT
"""Puts the client on the path and fakes what it talks to: daemon, link, clock.

The fake daemons keep what they were told under one condition variable, so that a test waits for
exactly what it wants to see and for nothing else.
"""

import contextlib
import http.server
import json
import os
import socket
import socketserver
import sys
import tempfile
import threading
from typing import Any, Callable, Dict, List, Optional

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
CLIENT = os.path.join(ROOT, "clients", "python")
sys.path.insert(0, CLIENT)
sys.dont_write_bytecode = True

#: No test may touch the files of the user who runs it.
SPOOL = tempfile.TemporaryDirectory(prefix="streamd-test-spool-")
os.environ["STREAMD_SPOOL"] = SPOOL.name
#: Lines are compared whole.
os.environ["STREAMD_NO_SYSTEM"] = "1"

DEADLINE_S = 30.0
Line = Dict[str, Any]


class Book:
    """What a daemon was told, and what it remembers of each session's `seq`."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.lines: List[Line] = []
        self.last_seq: Dict[str, int] = {}
        self.acking = True
        self.connections = 0

    def enter(self, raw: bytes) -> Optional[Line]:
        """Note a line and return the answer that the contract asks for."""
        line: Line = json.loads(raw)
        with self.changed:
            self.lines.append(line)
            self.changed.notify_all()
        session = line.get("sessionId", "")
        if line["type"] == "start":
            return {
                "type": "started",
                "sessionId": session,
                "lastSeq": self.last_seq.get(session, 0),
            }
        if line["type"] == "ping":
            return {"type": "pong"}
        if "seq" in line and self.acking:
            self.last_seq[session] = max(line["seq"], self.last_seq.get(session, 0))
            return {"type": "ack", "sessionId": session, "seq": self.last_seq[session]}
        return None

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds; it is looked at whenever something came in."""
        with self.changed:
            if not self.changed.wait_for(condition, DEADLINE_S):
                raise AssertionError(f"never came true; the daemon saw {self.lines}")

    def of(self, kind: str) -> List[Line]:
        return [line for line in self.lines if line["type"] == kind]

    def metrics(self, field: str) -> List[Any]:
        return [line["metrics"].get(field) for line in self.of("progress")]


class _Trainer(socketserver.StreamRequestHandler):
    """One trainer's connection."""

    def handle(self) -> None:
        daemon: FakeDaemon = self.server.daemon_of_test  # type: ignore[attr-defined]
        daemon.joined(self)
        if daemon.hung:
            daemon.released.wait()
        else:
            with contextlib.suppress(OSError):
                self._converse(daemon.book)
        daemon.left(self)

    def _converse(self, book: Book) -> None:
        for raw in self.rfile:
            answer = book.enter(raw)
            if answer:
                self.tell(answer)

    def tell(self, answer: Line) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(json.dumps(answer).encode() + b"\n")


class FakeDaemon:
    """Speaks the trainer protocol on a Unix socket. `hung` takes connections and reads nothing."""

    def __init__(self, path: Optional[str] = None, hung: bool = False) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = path or os.path.join(self.folder.name, "streamd.sock")
        self.hung = hung
        self.released = threading.Event()
        self.book = Book()
        self.trainers: List[_Trainer] = []
        self._server: Optional[socketserver.ThreadingUnixStreamServer] = None

    def start(self) -> "FakeDaemon":
        server = socketserver.ThreadingUnixStreamServer(self.path, _Trainer)
        server.daemon_threads = True
        server.daemon_of_test = self  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self._server = server
        return self

    def joined(self, trainer: _Trainer) -> None:
        with self.book.changed:
            self.trainers.append(trainer)
            self.book.connections += 1
            self.book.changed.notify_all()

    def left(self, trainer: _Trainer) -> None:
        with self.book.changed:
            self.trainers.remove(trainer)
            self.book.changed.notify_all()

    def tell(self, answer: Line) -> None:
        """Send an answer of the test's own to every trainer."""
        for trainer in list(self.trainers):
            trainer.tell(answer)

    def stop(self) -> None:
        """Die: the socket file goes, every connection breaks."""
        self.released.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            os.unlink(self.path)
            self._server = None
        for trainer in list(self.trainers):
            with contextlib.suppress(OSError):
                trainer.connection.shutdown(socket.SHUT_RDWR)
        self.book.wait(lambda: not self.trainers)

    def __enter__(self) -> "FakeDaemon":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.folder.cleanup()


class _Ingest(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # noqa: N802 - the name is the base class's
        daemon: FakeHttpDaemon = self.server.daemon_of_test  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        daemon.requests.append((self.path, self.headers["Content-Type"]))
        status, reply = daemon.answer(body)
        data = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


class FakeHttpDaemon:
    """POST /api/training/ingest. A line whose metrics hold `bad` is refused with 400."""

    def __init__(self) -> None:
        self.book = Book()
        self.requests: List[Any] = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Ingest)
        self._server.daemon_threads = True
        self._server.daemon_of_test = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, body: bytes) -> Any:
        last, accepted = 0, 0
        for raw in body.splitlines():
            if "bad" in json.loads(raw).get("metrics", {}):
                reply = {"success": False, "error": "bad line", "accepted": accepted}
                return 400, {**reply, "lastSeq": last}
            answer = self.book.enter(raw) or {}
            last = answer.get("seq", answer.get("lastSeq", last))
            accepted += 1
        return 200, {"accepted": accepted, "lastSeq": last}

    def __enter__(self) -> "FakeHttpDaemon":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class FakeClock:
    """Seconds that pass only when the test, or a fake sleep, says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FakeLink:
    """A link whose daemon is a script: `answers` come out of the next poll, sleeping moves the
    clock. `reachable=False` refuses connections."""

    def __init__(self, clock: FakeClock, reachable: bool = True) -> None:
        self.clock = clock
        self.reachable = reachable
        self.started_answer: Optional[Line] = {"type": "started", "lastSeq": 0}
        self.answers: List[Any] = []
        self.opened_at: List[float] = []
        self.starts: List[Line] = []
        self.written: List[Line] = []
        self.slept: List[float] = []
        self.idle = True

    def open(self, start: bytes) -> None:
        self.opened_at.append(self.clock.now)
        if not self.reachable:
            raise ConnectionRefusedError("nobody there")
        self.starts.append(json.loads(start))
        if self.started_answer:
            self.answers.append(self.started_answer)

    def write(self, batch: bytes) -> None:
        self.written += [json.loads(line) for line in batch.splitlines()]

    def poll(self, timeout: float) -> List[Line]:
        answers, self.answers = self.answers, []
        if not answers:
            self.clock.now += timeout
            self.slept.append(timeout)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    def close(self) -> None:
        self.answers = []


class FakeWaker:
    """Counts instead of waking; its thread is the test."""

    def __init__(self) -> None:
        self.woken = 0

    def open(self) -> None:
        pass

    def wake(self) -> None:
        self.woken += 1

    def close(self) -> None:
        pass
