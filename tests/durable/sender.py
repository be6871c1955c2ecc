# SPDX-License-Identifier: MIT
"""Trainers that lose nothing: what is not acknowledged is kept and sent again after a resume.

Each holds the daemon to its word as it goes. Every point's values follow from its session and its
number, so that whoever reads them back can tell what was sent from what was not.
"""

import json
import random
import select
import socket
import threading
import time
import zlib
from collections import deque
from typing import Any, Deque, Dict, List, Optional, Sequence, Tuple

from harness import eventually

UNACKED_MAX = 4000  # of one session: then its trainer waits
BURST_MAX = 200
ENDS_ONE_IN = 50  # bursts that are followed by the end of the run, and its resumption


def value(session: str, number: int) -> int:
    """What a session's point of that number says in `v`."""
    return (number * 2654435761 + zlib.crc32(session.encode())) % (1 << 50)


def loss(number: int) -> float:
    return 1.0 / number


def point(session: str, number: int) -> str:
    """Its line. The number is also the seq."""
    metrics = '{"step":%d,"loss":%r,"v":%d}' % (number, loss(number), value(session, number))
    form = '{"type":"progress","sessionId":"%s","seq":%d,"metrics":%s}\n'
    return form % (session, number, metrics)


class Ledger:
    """One session as its trainer knows it: all up to `acked` is kept, nothing past `sent` exists."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.sent = 0
        self.acked = 0
        self.unacked: Deque[Tuple[int, str]] = deque()
        self.resumed = False  # on this connection: points may go out

    def make(self, count: int) -> str:
        """The next so many points."""
        lines = []
        for number in range(self.sent + 1, self.sent + count + 1):
            line = point(self.session, number)
            self.unacked.append((number, line))
            lines.append(line)
        self.sent += count
        return "".join(lines)

    def accept(self, seq: int) -> None:
        """Everything up to it was promised to be kept."""
        while self.unacked and self.unacked[0][0] <= seq:
            self.unacked.popleft()
        self.acked = max(self.acked, seq)


class Sender(threading.Thread):
    """One trainer with some sessions, in bursts, on the daemon's socket for as long as it takes."""

    def __init__(
        self, socket_path: str, sessions: Sequence[str], seed: int, pause_s: float = 0.01
    ) -> None:
        super().__init__(daemon=True)
        self.socket_path = socket_path
        self.ledgers = {session: Ledger(session) for session in sessions}
        self.random = random.Random(seed)
        self.pause_s = pause_s
        self.producing = True
        self.unacked_max = UNACKED_MAX
        self.burst_at = 0.0
        self.ending = threading.Event()
        self.wrong: List[str] = []
        self.connections = 0
        self.told_to_resend = 0
        self.heard_at = time.monotonic()  # the last ack
        self.sock: Optional[socket.socket] = None
        self.out = b""
        self.received = b""

    # ---- for the test ----

    def settle(self, deadline_s: float = 30.0) -> None:
        """Make no more points, and wait until all there are have been acknowledged."""
        self.producing = False
        eventually(
            "every point to be acknowledged",
            lambda: bool(self.wrong) or all(not l.unacked for l in self.ledgers.values()),
            deadline_s,
        )

    def stop(self) -> None:
        self.ending.set()
        self.join()
        self._hang_up()

    def acked(self) -> Dict[str, int]:
        return {ledger.session: ledger.acked for ledger in self.ledgers.values()}

    # ---- the thread ----

    def run(self) -> None:
        while not self.ending.is_set():
            try:
                self._connect()
                while not self.ending.is_set():
                    self._exchange()
            except (ConnectionError, FileNotFoundError, socket.timeout):
                self._hang_up()
                self.ending.wait(0.002)
            except Exception as error:  # pylint: disable=broad-except
                self.wrong.append("the trainer failed: %r" % error)
                return

    def _hang_up(self) -> None:
        if self.sock:
            self.sock.close()
        self.sock = None

    def _connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(5.0)
        self.sock.connect(self.socket_path)
        self.sock.setblocking(False)
        self.connections += 1
        self.received = b""
        self.out = b""
        for ledger in self.ledgers.values():
            ledger.resumed = False
            self.out += self._start(ledger)

    def _start(self, ledger: Ledger) -> bytes:
        return b'{"type":"start","sessionId":"%s","resume":true}\n' % ledger.session.encode()

    def _exchange(self) -> None:
        """One look at the socket, and perhaps a burst."""
        assert self.sock
        wait_s = 0.05 if self.out else max(0.0, self.burst_at - time.monotonic())
        readable, writable, _ = select.select(
            [self.sock], [self.sock] if self.out else [], [], wait_s
        )
        if writable:
            self.out = self.out[self.sock.send(self.out) :]
        if readable:
            self._read()
        if not self.out and self.producing and time.monotonic() >= self.burst_at:
            self.burst_at = time.monotonic() + self.random.random() * self.pause_s
            self._burst()
        elif not self.producing:
            self.burst_at = time.monotonic() + 0.05

    def _burst(self) -> None:
        ledger = self.random.choice(list(self.ledgers.values()))
        if not ledger.resumed or len(ledger.unacked) > self.unacked_max:
            return
        self.out += ledger.make(self.random.randint(1, BURST_MAX)).encode()
        if self.random.randrange(ENDS_ONE_IN) == 0:
            self.out += b'{"type":"complete","sessionId":"%s"}\n' % ledger.session.encode()
            self.out += self._start(ledger)

    def _read(self) -> None:
        assert self.sock
        piece = self.sock.recv(65536)
        if not piece:
            raise ConnectionError("hung up")
        *lines, self.received = (self.received + piece).split(b"\n")
        for line in lines:
            self._hear(json.loads(line))

    def _hear(self, answer: Dict[str, Any]) -> None:
        kind = answer["type"]
        if kind == "started":
            self._resume(self.ledgers[answer["sessionId"]], answer["lastSeq"])
        elif kind == "ack":
            ledger = self.ledgers[answer["sessionId"]]
            if answer["seq"] > ledger.sent:
                self.wrong.append("acknowledged what was never sent: %r" % answer)
            ledger.accept(answer["seq"])
            self.heard_at = time.monotonic()
        elif kind == "error" and answer["code"] == "resend":
            self.told_to_resend += 1
        else:
            self.wrong.append("unexpected answer: %r" % answer)

    def _resume(self, ledger: Ledger, last_seq: int) -> None:
        """What the daemon does not have is sent again, once a connection."""
        if not ledger.acked <= last_seq <= ledger.sent:
            self.wrong.append(
                "%s resumes at %d of acked %d and sent %d"
                % (ledger.session, last_seq, ledger.acked, ledger.sent)
            )
        ledger.accept(last_seq)
        if not ledger.resumed:
            self.out += "".join(line for _, line in ledger.unacked).encode()
        ledger.resumed = True


def fleet(
    socket_path: str, prefix: str, trainers: int, sessions: int, seed: int, pause_s: float
) -> List[Sender]:
    """So many trainers with so many sessions each, which have begun."""
    made = []
    for i in range(trainers):
        names = ["%s-%d.%d" % (prefix, i, k) for k in range(sessions)]
        made.append(Sender(socket_path, names, seed * 1000 + i, pause_s))
        made[-1].start()
    return made
