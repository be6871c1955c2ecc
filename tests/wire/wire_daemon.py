# SPDX-License-Identifier: MIT
"""A real daemon for one test: port 0, a socket of its own, nothing on disk unless a folder is named.

$STREAMD names the binary. A test fails when its daemon died, left a sanitizer's report or did not
exit with 0. Waiting is always for a condition, with a deadline.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from typing import Any, Callable, Dict, Optional

sys.dont_write_bytecode = True
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BINARY = os.path.join(ROOT, os.environ.get("STREAMD", "build/release/streamd"))
DEADLINE_S = 15.0
CLEAN = 0


def eventually(what: str, holds: Callable[[], bool], within_s: float = DEADLINE_S) -> None:
    """Ask again and again until it holds."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within_s} s for {what}")
        time.sleep(0.002)


class Program:
    """The process, and how to ask it."""

    def __init__(
        self, folder: str, socket_path: Optional[str], *arguments: str, listen: str = "127.0.0.1:0"
    ) -> None:
        self.socket_path = socket_path or os.path.join(folder, "trainer.sock")
        self._log = open(os.path.join(folder, "log"), "w+", encoding="utf-8")
        command = [BINARY, *arguments, "--listen", listen, "--socket", self.socket_path]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self._process.stdout
        found = re.match(r"listening on (http://\S+)", self._process.stdout.readline())
        assert found, self.log()
        self.url = found.group(1)

    def log(self) -> str:
        """What it has written to stderr."""
        self._log.seek(0)
        return self._log.read()

    def json(self, path: str, body: Optional[Dict[str, Any]] = None) -> Any:
        """The JSON of a route, whatever its status; with a body it is a POST."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def gauge(self, name: str) -> float:
        """One number of /metrics."""
        with urllib.request.urlopen(self.url + "/metrics", timeout=DEADLINE_S) as answer:
            found = re.search(rf"^streamd_{name} (\S+)$", answer.read().decode(), re.MULTILINE)
        assert found, name
        return float(found.group(1))

    def hold(self, still: bool) -> None:
        """Have it stand still, its connections open, or go on."""
        self._process.send_signal(signal.SIGSTOP if still else signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.send_signal(signal.SIGKILL)
        self._end(-signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator would, and hold it against what it promises."""
        if self._process.returncode is not None:
            return
        assert self._process.poll() is None, f"the daemon died:\n{self.log()}"
        self._process.send_signal(signal.SIGTERM)
        self._end(CLEAN)

    def _end(self, expected: int) -> None:
        try:
            code = self._process.wait(DEADLINE_S)
            log = self.log()
            assert code == expected, f"the daemon ended with {code}:\n{log}"
            assert not re.search(r"Sanitizer|runtime error:|Assertion", log), log
        finally:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout
            self._process.stdout.close()
            self._log.close()


class Daemon(Program):
    """The daemon itself."""

    def __init__(
        self,
        folder: str,
        socket_path: Optional[str],
        *options: str,
        data: Optional[str] = None,
        listen: str = "127.0.0.1:0",
    ) -> None:
        store = ["--data", data] if data else ["--ephemeral"]
        super().__init__(folder, socket_path, *store, *options, listen=listen)


class Trainer:
    """A trainer on the Unix socket that waits until its lines have been taken."""

    def __init__(self, daemon: Program) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(DEADLINE_S)
        self._socket.connect(daemon.socket_path)
        self._answers = self._socket.makefile("r", encoding="utf-8")

    def push(self, *lines: Dict[str, Any]) -> None:
        """Write lines in one write; return when the daemon has taken them."""
        text = "".join(json.dumps(line) + "\n" for line in [*lines, {"type": "ping"}])
        self._socket.sendall(text.encode())
        while json.loads(self._answers.readline())["type"] != "pong":
            pass

    def hears(self, kind: str) -> Dict[str, Any]:
        """The next line of that type that the daemon says."""
        line: Dict[str, Any] = {}
        while line.get("type") != kind:
            line = json.loads(self._answers.readline())
        return line

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()


class Inbox:
    """What came in, in order, from other threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.all: list = []

    def put(self, item: Any) -> None:
        """Add one."""
        with self._changed:
            self.all.append(item)
            self._changed.notify_all()

    def wait(self, what: str, holds: Callable[[list], bool]) -> None:
        """Wait until what has come in is enough."""
        with self._changed:
            if not self._changed.wait_for(lambda: holds(self.all), DEADLINE_S):
                raise AssertionError(f"waited {DEADLINE_S} s for {what}; came {self.all[-5:]}")


class WireTest(unittest.TestCase):
    """Test cases that start daemons."""

    def new_folder(self) -> str:
        """A folder that goes with the test."""
        made = tempfile.mkdtemp(prefix="streamd-wire-")
        self.addCleanup(shutil.rmtree, made)
        return made

    def daemon(
        self,
        *options: str,
        socket_path: Optional[str] = None,
        data: Optional[str] = None,
        listen: str = "127.0.0.1:0",
    ) -> Daemon:
        """A daemon that is ended, and judged, with the test."""
        made = Daemon(self.new_folder(), socket_path, *options, data=data, listen=listen)
        self.addCleanup(made.stop)
        return made

    def trainer(self, daemon: Program, *session_ids: str) -> Trainer:
        """A trainer whose sessions have begun."""
        made = Trainer(daemon)
        self.addCleanup(made.close)
        made.push(*({"type": "start", "sessionId": name} for name in session_ids))
        return made
