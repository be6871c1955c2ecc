# SPDX-License-Identifier: MIT
"""A real daemon for the tests of one class, and a healthy client beside every bad one.

$STREAMD names the binary. A class says with which options it wants its daemon. After every test the
daemon must be alive, must have served the healthy client within a second all the while, and must
have printed no sanitizer's report; it must end with 0 when the class is done.
"""

import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from typing import Callable, List, Mapping, Optional, Sequence, Tuple

from http_wire import Http
from trainer_wire import Trainer, progress
from websocket import WebSocket

sys.dont_write_bytecode = True

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
STREAMD = os.path.join(ROOT, os.environ.get("STREAMD", "build/release/streamd"))
DEADLINE_S = 15.0
SERVED_WITHIN_S = 1.0
REPORT = re.compile(r"Sanitizer|runtime error:|Assertion")

# Freed memory is kept by ASan to find who still uses it; less of it, so that RSS says something.
SANITIZERS = {"ASAN_OPTIONS": "quarantine_size_mb=8:allocator_release_to_os_interval_ms=100"}


def starved_s(task: str) -> float:
    """How long a thread has been ready to run while others had the processor."""
    with open("/proc/%s/schedstat" % task, encoding="ascii") as schedstat:
        return int(schedstat.read().split()[1]) / 1e9


def eventually(what: str, holds: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
    """Ask again until it holds."""
    end = time.monotonic() + deadline_s
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("waited %.0f s for %s" % (deadline_s, what))
        time.sleep(0.005)


class Daemon:
    """One streamd on a free port, with a socket of its own and, unless told where, nothing on disk."""

    def __init__(
        self,
        *options: str,
        folder: Optional[str] = None,
        data: Optional[str] = None,
        variables: Optional[Mapping[str, str]] = None,
        limits: Sequence[Tuple[int, int]] = (),
        umask: int = 0o022
    ) -> None:
        self.folder = folder or tempfile.mkdtemp(prefix="streamd-faults-")
        self.socket_path = os.path.join(self.folder, "trainer.sock")
        self.log_path = os.path.join(self.folder, "log")
        given = ["--listen", "127.0.0.1:0", "--socket", self.socket_path]
        given += ["--data", data] if data else ["--ephemeral"]

        def confine() -> None:
            os.umask(umask)
            for which, most in limits:
                resource.setrlimit(which, (most, most))

        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [STREAMD, *given, *options],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **SANITIZERS, **(variables or {})},
                preexec_fn=confine,
            )
        self.ports: List[int] = []

    def listening(self, listeners: int = 1) -> "Daemon":
        """Wait until it says where."""
        assert self.process.stdout
        while len(self.ports) < listeners:
            line = self.process.stdout.readline().decode()
            found = re.match(r"listening on http://.*:(\d+)$", line)
            if not found:
                self.process.wait(DEADLINE_S)
                raise AssertionError("ended without listening:\n" + self.log())
            self.ports.append(int(found.group(1)))
        return self

    @property
    def port(self) -> int:
        return self.ports[0]

    def log(self) -> str:
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def check_alive(self) -> None:
        if self.process.poll() is not None:
            raise AssertionError(
                "the daemon died (%s):\n%s" % (self.process.returncode, self.log())
            )
        if REPORT.search(self.log()):
            raise AssertionError("a sanitizer's report:\n" + self.log())

    def stop(self) -> None:
        """End it, and hold it to ending well."""
        self.check_alive()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        text = self.log()
        self.forget()
        if status != 0 or REPORT.search(text):
            raise AssertionError("it ended with %s:\n%s" % (status, text))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.close_stdout()

    def close_stdout(self) -> None:
        if self.process.stdout:
            self.process.stdout.close()

    def forget(self) -> None:
        self.close_stdout()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what can be seen of it from outside ----

    def connect(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), DEADLINE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def http(self) -> Http:
        return Http(self.connect())

    def counter(self, name: str) -> int:
        """One figure of /metrics."""
        text = self.get("/metrics").body.decode()
        found = re.search(r"^streamd_%s (\S+)$" % name, text, re.MULTILINE)
        if not found:
            raise AssertionError("no counter " + name)
        return int(float(found.group(1)))

    def get(self, path: str, *headers: str):
        http = self.http()
        try:
            return http.request("GET", path, *headers)
        finally:
            http.close()

    def rss_bytes(self) -> int:
        with open("/proc/%d/statm" % self.process.pid, encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def fds(self) -> int:
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def starved_s(self) -> float:
        return starved_s(str(self.process.pid))

    def cpu_s(self) -> float:
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Healthy:
    """A trainer and a watcher of it, one update after the other, in a thread of its own."""

    session = "healthy"
    pause_s = 0.05
    late_s = SERVED_WITHIN_S

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.trainer = Trainer(daemon.socket_path)
        self.watcher = WebSocket(daemon.connect(), "/ws?sessionId=" + self.session)
        self.rounds = 0
        self.worst_s = 0.0
        self.failure: Optional[BaseException] = None
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            while not self.ending.wait(self.pause_s):
                start = self._clock_s()
                self._round(self.rounds + 1)
                self.worst_s = max(self.worst_s, self._clock_s() - start)
                self.rounds += 1
        except BaseException as error:  # pylint: disable=broad-except
            self.failure = error

    def _clock_s(self) -> float:
        return time.monotonic()

    def _round(self, step: int) -> None:
        self.trainer.send(progress(self.session, {"loss": 1, "step": step}))
        self._hear(step)

    def _hear(self, step: int) -> None:
        self.watcher.event("progress_update", lambda data: data["metrics"]["currentStep"] == step)

    def begin(self) -> None:
        self.worst_s = 0.0

    def check(self, rounds: int = 2) -> None:
        """So many more end, and none since `begin` or the last check was late."""
        after = self.rounds + rounds
        eventually(
            "the %s client to be served" % self.session,
            lambda: self.rounds >= after or self.failure is not None,
        )
        if self.failure:
            raise AssertionError("the %s client was not served: %r" % (self.session, self.failure))
        if self.worst_s > self.late_s:
            raise AssertionError("the %s client waited %.2f s" % (self.session, self.worst_s))
        self.begin()

    def stop(self) -> None:
        self.ending.set()
        self.thread.join()
        self.trainer.close()
        self.watcher.close()


class Probe(Healthy):
    """The healthy client beside every bad one, and a page that asks /health.

    How long it waits is the daemon's doing, except for what either spends ready to run while a busy
    machine runs something else.
    """

    session = "probe"

    def __init__(self, daemon: Daemon) -> None:
        self.http = daemon.http()
        super().__init__(daemon)

    def _clock_s(self) -> float:
        return super()._clock_s() - self.daemon.starved_s() - starved_s("thread-self")

    def _round(self, step: int) -> None:
        super()._round(step)
        status = self.http.request("GET", "/health").status
        if status != 200:
            raise AssertionError("/health answered %d" % status)

    def stop(self) -> None:
        super().stop()
        self.http.close()


class FaultTest(unittest.TestCase):
    """What every class of bad inputs has in common."""

    options: Tuple[str, ...] = ()
    limits: Tuple[Tuple[int, int], ...] = ()
    listeners = 1
    daemon: Daemon
    probe: Probe

    @classmethod
    def setUpClass(cls) -> None:
        cls.daemon = Daemon(*cls.options, limits=cls.limits)
        cls.addClassCleanup(cls.daemon.forget)
        cls.daemon.listening(cls.listeners)
        cls.probe = Probe(cls.daemon)
        cls.probe.check()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.probe.stop()
        cls.daemon.stop()

    def setUp(self) -> None:
        self.probe.begin()

    def tearDown(self) -> None:
        self.daemon.check_alive()
        self.probe.check()

    # ---- clients that are closed with their test ----

    def http(self) -> Http:
        http = self.daemon.http()
        self.addCleanup(http.close)
        return http

    def trainer(self) -> Trainer:
        trainer = Trainer(self.daemon.socket_path)
        self.addCleanup(trainer.close)
        return trainer

    def websocket(self, path: str = "/ws", *headers: str) -> WebSocket:
        ws = WebSocket(self.daemon.connect(), path, *headers)
        self.addCleanup(ws.close)
        return ws

    def exchange(self, text) -> bytes:
        """Bytes on a connection of their own: all that is answered until it is closed."""
        http = self.http()
        http.send(text)
        return http.rest()

    def status_of(self, text) -> int:
        """Of what is answered to these bytes, before the connection is closed; 0: nothing."""
        found = re.match(rb"HTTP/1\.[01] (\d{3}) ", self.exchange(text))
        return int(found.group(1)) if found else 0
