# SPDX-License-Identifier: MIT
"""A store's folder and the daemons that follow each other on it; what all tests here share.

scripts/run-tests puts tests/faults, whose harness this stands on, on the path.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import Callable, List, Mapping, Optional

import stored
from harness import DEADLINE_S, Daemon, eventually
from live import Live
from sender import Sender, fleet

SEED = int(os.environ.get("STREAMD_SEED", "0")) or random.randrange(1, 1 << 30)


def rounds(usual: int, most: int) -> int:
    """How often: a share of all there are, unless $STREAMD_KILLS asks for more of them."""
    asked = int(os.environ.get("STREAMD_KILLS", "0"))
    return min(most, max(usual, usual * asked // 25)) if asked else usual


class DurableTest(unittest.TestCase):
    """One folder a test; its daemons and trainers are ended with it."""

    def setUp(self) -> None:
        self.random = random.Random(SEED)
        self.folder = self.scratch()
        self.data = os.path.join(self.folder, "data")
        self.daemons: List[Daemon] = []
        self.senders: List[Sender] = []

    def run(self, result: Optional[unittest.TestResult] = None) -> Optional[unittest.TestResult]:
        before = len(result.failures) + len(result.errors) if result else 0
        answer = super().run(result)
        if result and len(result.failures) + len(result.errors) > before:
            print("%s failed with STREAMD_SEED=%d" % (self.id(), SEED), file=sys.stderr)
        return answer

    def scratch(self) -> str:
        folder = tempfile.mkdtemp(prefix="streamd-durable-")
        self.addCleanup(shutil.rmtree, folder, True)
        return folder

    # ---- daemons ----

    def spawn(
        self,
        *options: str,
        data: Optional[str] = None,
        folder: Optional[str] = None,
        variables: Optional[Mapping[str, str]] = None
    ) -> Daemon:
        """A daemon that may not listen yet, or never."""
        daemon = Daemon(
            *options, folder=folder or self.folder, data=data or self.data, variables=variables
        )
        self.daemons.append(daemon)
        self.addCleanup(self._end, daemon)
        return daemon

    def daemon(self, *options: str, **more: object) -> Daemon:
        """One that listens."""
        return self.spawn(*options, **more).listening()  # type: ignore[arg-type]

    def _end(self, daemon: Daemon) -> None:
        if daemon.process.poll() is None:
            daemon.kill()
        daemon.close_stdout()

    def stop(self, daemon: Daemon) -> None:
        """In good order; its folder stays."""
        daemon.check_alive()
        daemon.process.terminate()
        status = daemon.process.wait(DEADLINE_S)
        daemon.close_stdout()
        self.assertEqual(status, 0, daemon.log())

    def refused(self, daemon: Daemon) -> str:
        """It does not start, and says why."""
        try:
            status = daemon.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.fail("it started:\n" + daemon.log())
        daemon.close_stdout()
        self.assertEqual(status, 1, daemon.log())
        return daemon.log()

    # ---- how the daemon is ----

    def live(self, daemon: Daemon) -> Live:
        made = Live(daemon)
        self.addCleanup(made.stop)
        made.check()
        return made

    def await_health(self, daemon: Daemon, status: int, deadline_s: float = DEADLINE_S) -> None:
        def holds() -> bool:
            daemon.check_alive()
            return bool(daemon.get("/health").status == status)

        try:
            eventually("/health to answer %d" % status, holds, deadline_s)
        except AssertionError as error:
            raise AssertionError("%s:\n%s" % (error, daemon.log()[-2000:])) from error

    # ---- trainers ----

    def fleet(
        self,
        daemon: Daemon,
        prefix: str,
        trainers: int = 2,
        sessions: int = 3,
        pause_s: float = 0.03
    ) -> List[Sender]:
        seed = self.random.randrange(1 << 20)
        made = fleet(daemon.socket_path, prefix, trainers, sessions, seed, pause_s)
        for sender in made:
            self.addCleanup(sender.stop)
        self.senders += made
        return made

    def progress(self, senders: List[Sender], points: int = 200) -> None:
        """Go on until each session has had so many points more acknowledged."""
        before = [ledger.acked for ledger in stored.ledgers_of(senders)]
        eventually(
            "the trainers to get on",
            lambda: any(sender.wrong for sender in senders)
            or all(
                ledger.acked >= old + points
                for ledger, old in zip(stored.ledgers_of(senders), before)
            ),
            30.0,
        )
        stored.check_trainers(senders)

    def settle(self, senders: List[Sender]) -> None:
        for sender in senders:
            sender.settle()
        stored.check_trainers(senders)

    def stop_senders(self, senders: List[Sender]) -> None:
        for sender in senders:
            sender.stop()
        stored.check_trainers(senders)


def sweep(count: int, body: Callable[[int], None]) -> None:
    """Numbered rounds; the one that fails is named."""
    for number in range(1, count + 1):
        try:
            body(number)
        except AssertionError as error:
            raise AssertionError("round %d of %d: %s" % (number, count, error)) from error
