# SPDX-License-Identifier: MIT
"""A relay for one test, and a trainer that keeps what is not acknowledged."""

import json
import os
import socket
import threading
import time
import urllib.request
from typing import Any, Dict, List, Optional, Tuple

from wire_daemon import DEADLINE_S, Program, WireTest


class Relay(Program):
    """`streamd relay` beside a trainer."""

    def __init__(
        self,
        folder: str,
        hub: str,
        *options: str,
        spool: str,
        socket_path: Optional[str] = None,
        listen: str = "127.0.0.1:0",
    ) -> None:
        arguments = ["relay", "--to", hub, "--spool", spool, *options]
        super().__init__(folder, socket_path, *arguments, listen=listen)


class Far:
    """A trainer's connection, read line by line."""

    def __init__(self, program: Program) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(DEADLINE_S)
        self._socket.connect(program.socket_path)
        self._answers = self._socket.makefile("r", encoding="utf-8")

    def send(self, *lines: Dict[str, Any]) -> None:
        """Write lines in one write."""
        self._socket.sendall("".join(json.dumps(line) + "\n" for line in lines).encode())

    def next(self) -> Dict[str, Any]:
        """The next answer, whatever it is."""
        return json.loads(self._answers.readline())

    def hear(self, kind: str, **fields: Any) -> Dict[str, Any]:
        """Read on to the answer of this type with these fields."""
        for text in self._answers:
            answer = json.loads(text)
            if answer["type"] == kind and fields.items() <= answer.items():
                return answer
        raise AssertionError(f"the connection ended before {kind} {fields}")

    def begin(self, session_id: str, **fields: Any) -> int:
        """Say `start`; answers lastSeq."""
        self.send({"type": "start", "sessionId": session_id, **fields})
        return self.hear("started")["lastSeq"]

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()


def record(seq: int, **fields: Any) -> Dict[str, Any]:
    """One numbered line, its step the number."""
    return {"type": "progress", "seq": seq, "metrics": {"step": seq, "loss": 1 / (seq + 1)}, **fields}


class Stubborn(threading.Thread):
    """
    A trainer of a new run that says lines at a pace and is done when all are acknowledged: it
    connects again when it is cut off, resumes, and sends again what was not acknowledged.
    """

    def __init__(self, where: str, name: str, per_s: float) -> None:
        super().__init__(daemon=True)
        self.where = where
        self.name_ = name
        self.per_s = per_s
        self.acked = 0
        self.said = 0
        self.cuts = 0
        self.begun = False
        self.longest_wait_s = 0.0
        self.ending = threading.Event()
        self.failure: Optional[BaseException] = None

    def run(self) -> None:
        try:
            self._run()
        except BaseException as error:  # pylint: disable=broad-exception-caught
            self.failure = error

    def _run(self) -> None:
        begun = time.monotonic()
        total: Optional[int] = None
        link: Optional[socket.socket] = None
        sent = 0
        text = b""
        while total is None or self.acked < total:
            if self.ending.is_set() and total is None:
                total = self.said + 1
            now = time.monotonic()
            if total is None:
                self.said = max(self.said, int((now - begun) * self.per_s))
            if link is None:
                link = self._connect()
                if link is None:
                    time.sleep(0.02)
                    continue
                sent, text = -1, b""
            try:
                try:
                    came = link.recv(65536)
                    if not came:
                        raise ConnectionResetError
                    text += came
                except (BlockingIOError, socket.timeout):
                    pass
                *lines, text = text.split(b"\n")
                for line in lines:
                    answer = json.loads(line)
                    if answer["type"] == "started":
                        self.begun = True
                        sent = answer["lastSeq"]
                        self.acked = max(self.acked, sent)
                    elif answer["type"] == "ack":
                        self.acked = max(self.acked, answer["seq"])
                if sent >= 0:
                    sent = self._say(link, sent, total)
            except OSError:
                link.close()
                link = None
                self.cuts += 1
        if link:
            link.close()

    def _connect(self) -> Optional[socket.socket]:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(self.where)
            start = {"type": "start", "sessionId": self.name_, "resume": self.begun}
            link.sendall(json.dumps(start).encode() + b"\n")
            link.settimeout(0.02)
            return link
        except OSError:
            link.close()
            return None

    def _say(self, link: socket.socket, sent: int, total: Optional[int]) -> int:
        last = min(self.said, sent + 500)
        lines: List[Dict[str, Any]] = [record(seq) for seq in range(sent + 1, last + 1)]
        if total is not None and last == self.said and sent < total:
            lines.append({"type": "complete", "seq": total})
        if not lines:
            return sent
        link.settimeout(DEADLINE_S)
        begun = time.monotonic()
        link.sendall("".join(json.dumps(line) + "\n" for line in lines).encode())
        self.longest_wait_s = max(self.longest_wait_s, time.monotonic() - begun)
        link.settimeout(0.02)
        return lines[-1]["seq"]


class RelayTest(WireTest):
    """Test cases with a hub and a relay."""

    def relay(self, hub: str, *options: str, **more: Any) -> Relay:
        """A relay that is ended, and judged, with the test."""
        more.setdefault("spool", self.new_folder())
        made = Relay(self.new_folder(), hub, *options, **more)
        self.addCleanup(made.stop)
        return made

    def far(self, program: Program) -> Far:
        """A connection that is closed with the test."""
        made = Far(program)
        self.addCleanup(made.close)
        return made

    def both(self, *options: str) -> Tuple[Program, Relay]:
        """A hub, and a relay to it."""
        hub = self.daemon(*options)
        return hub, self.relay(hub.url)


def spooled(folder: str) -> List[str]:
    """The files that hold something for later."""
    return [name for name in os.listdir(folder) if name.endswith(".ndjson")]


def steps(hub: Program, name: str) -> List[int]:
    """The steps in the hub's history, in order."""
    path = f"/api/training/history/{name}?limit=10000000&format=csv&fields=currentStep"
    with urllib.request.urlopen(hub.url + path, timeout=20 * DEADLINE_S) as answer:
        head, *rows = answer.read().decode().split()
    at = head.split(",").index("currentStep")
    return [int(row.split(",")[at]) for row in rows]
