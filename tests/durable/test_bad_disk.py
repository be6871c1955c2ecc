# SPDX-License-Identifier: MIT
"""#36, #140-#144, #161, #193: writes and syncs that fail, or take their time, under the real daemon."""

import errno
import os
import time
import unittest
from typing import List, NamedTuple

import bad_disk
from bad_disk import SYNC, TRUNCATE, WRITE, BadDisk
from harness import Daemon, eventually
from place import DurableTest, rounds, sweep
from sender import Sender
from stored import FILES, check_integrity, check_kept, check_trainers, copy

RED_WITHIN_S = 5.0
CALLS_OF_A_START = 400  # more than a start makes


class Kind(NamedTuple):
    name: str
    which: int
    error: int
    partly: bool = False


KINDS = (
    Kind("EIO on write", WRITE, errno.EIO),
    Kind("ENOSPC amid a write", WRITE, errno.ENOSPC, True),
    Kind("EIO on sync", SYNC, errno.EIO),
    Kind("EIO on everything", WRITE | SYNC | TRUNCATE, errno.EIO),
)


class BadDisks(DurableTest):
    def setUp(self) -> None:
        super().setUp()
        self.disk = BadDisk(self.folder, self.data)
        self.addCleanup(self.disk.close)

    def on_bad_disk(self, *options: str) -> Daemon:
        return self.daemon(*options, variables=self.disk.variables())

    def end(self, daemon: Daemon) -> None:
        """Well again: all is acknowledged, and is there after a kill."""
        self.disk.mend()
        self.await_health(daemon, 200)
        self.settle(self.senders)
        daemon.check_alive()
        daemon.kill()
        self.stop_senders(self.senders)
        self.assertGreater(check_kept(self.data, self.senders), 0)
        check_integrity(self.data)

    def test_142_fails_for_a_while(self) -> None:
        """#142 store: EIO on write or fsync from call N on, for a few calls or until mended -> /health red within 5 s, nothing acked that is not kept, live goes on; then all is kept, without a restart"""
        daemon = self.on_bad_disk()
        live = self.live(daemon)
        senders = self.fleet(daemon, "eio")

        def one_round(number: int) -> None:
            kind = KINDS[number % len(KINDS)]
            self.disk.fail(kind.which, number, error=kind.error, partly=kind.partly)
            eventually("the disk to fail", lambda: self.disk.failures() > 0)
            self.await_health(daemon, 503, RED_WITHIN_S)
            live.check()
            self.disk.mend()
            self.await_health(daemon, 200)
            self.progress(senders, 1)

        sweep(rounds(4, 60), one_round)
        self.end(daemon)

    def test_142_killed_while_it_fails(self) -> None:
        """#142 store: killed while writes or fsyncs fail -> what was acked is there, nothing was acked meanwhile"""

        def one_round(number: int) -> None:
            kind = KINDS[number % len(KINDS)]
            daemon = self.on_bad_disk()
            senders = self.fleet(daemon, "dies%d." % number, 1, 2)
            self.progress(senders, 50)
            self.disk.fail(kind.which, number, error=kind.error, partly=kind.partly)
            self.await_health(daemon, 503, RED_WITHIN_S)
            live = self.live(daemon)  # time for the last acks to be read
            acked = senders[0].acked()
            live.check()
            self.assertEqual(senders[0].acked(), acked)
            daemon.kill()
            self.disk.mend()
            check_kept(self.data, senders)
            daemon = self.on_bad_disk()
            self.settle(senders)
            self.stop(daemon)
            self.stop_senders(senders)
            check_kept(self.data, senders)

        sweep(rounds(2, 24), one_round)

    def test_144_the_nth_call(self) -> None:
        """#144 store: short write, ENOSPC and EIO at call N = 1, 2, ... under load -> no crash, no corruption, each is survived without a restart"""
        daemon = self.on_bad_disk()
        senders = self.fleet(daemon, "nth")
        self.progress(senders, 50)

        def one_round(number: int) -> None:
            kind = KINDS[number % len(KINDS)]
            nth = (number - 1) // len(KINDS) + 1
            self.disk.fail(kind.which, nth, nth, kind.error, kind.partly)
            eventually("the call", lambda: self.disk.failures() > 0)
            self.progress(senders, 1)
            daemon.check_alive()

        sweep(rounds(16, 400), one_round)
        self.end(daemon)

    def test_144_the_nth_call_of_a_start(self) -> None:
        """#144 store: EIO, ENOSPC at call N = 1, 2, ... of a start on a log to recover -> it starts, or says why not; what was acked is there afterwards"""
        daemon = self.on_bad_disk()
        senders = self.fleet(daemon, "start", 1, 3)
        self.progress(senders, 300)
        self.stop_senders(senders)
        daemon.kill()

        def one_round(number: int) -> None:
            kind = KINDS[number % len(KINDS)]
            nth = (number - 1) // len(KINDS) + 1
            self.disk.fail(kind.which, nth, error=kind.error, partly=kind.partly)
            daemon = self.spawn(variables=self.disk.variables())
            try:
                daemon.listening()
            except AssertionError:
                self.assertIn("reason=", self.refused(daemon))
            else:
                daemon.check_alive()
                daemon.kill()
            self.disk.mend()
            check_kept(self.data, senders)

        sweep(rounds(16, 160), one_round)
        self.stop(self.on_bad_disk())
        check_kept(self.data, senders)

    def test_143_slow_sync(self) -> None:
        """#143 store: every fsync takes 5 s -> live updates and heartbeats come on time, acks wait, none is lost"""
        daemon = self.on_bad_disk("--ping-interval-ms", "200")
        live = self.live(daemon)
        senders = self.fleet(daemon, "slow")
        self.progress(senders, 50)
        self.disk.slow(5.0)
        before = live.pings
        start = time.monotonic()
        eventually("heartbeats", lambda: live.pings >= before + 30, 10.0)
        self.assertLess(time.monotonic() - start, 8.0)
        live.check()
        self.assertEqual(daemon.get("/health").status, 200)
        check_trainers(senders)
        self.disk.slow(0.0)
        self.end(daemon)

    def test_036_faster_than_the_disk(self) -> None:
        """#36 store: a trainer that writes faster than a slow disk -> it is not read past --max-unkept-bytes, memory bounded; then all is kept"""
        daemon = self.on_bad_disk("--max-unkept-bytes", str(1 << 20))
        senders = self.fleet(daemon, "fast", 1, 2, pause_s=0.0)
        senders[0].unacked_max = 1 << 20
        self.progress(senders, 50)
        before = daemon.rss_bytes()
        self.disk.slow(600.0)  # not a sync ends before the disk is fast again
        eventually("more than memory takes", lambda: daemon.counter("unkept_bytes") > 1 << 20, 60.0)
        self.await_waiting(senders[0])
        self.assertLess(daemon.counter("unkept_bytes"), 4 << 20)
        self.assertLess(daemon.rss_bytes() - before, 64 << 20)
        self.disk.slow(0.0)
        self.end(daemon)

    def await_waiting(self, sender: Sender) -> None:
        """Half a second passes in which it cannot write what it has."""
        seen = [0, time.monotonic()]

        def holds() -> bool:
            sent = sum(ledger.sent for ledger in sender.ledgers.values())
            if sent != seen[0]:
                seen[:] = [sent, time.monotonic()]
            return bool(sender.out) and time.monotonic() - seen[1] > 0.5

        eventually("the trainer to wait", holds, 30.0)

    def test_161_checkpoints_at_peak(self) -> None:
        """#161 store: checkpoints under full load, each sync 50 ms -> every live update within a second, the log stays bounded"""
        daemon = self.on_bad_disk()
        live = self.live(daemon)
        senders = self.fleet(daemon, "peak", pause_s=0.0)
        self.disk.slow(0.05)
        database = os.path.join(self.data, FILES[0])
        size = os.path.getsize(database)
        eventually("a checkpoint", lambda: os.path.getsize(database) > size, 60.0)
        live.check(40)
        self.progress(senders, 1000)
        live.check()
        self.assertLess(os.path.getsize(os.path.join(self.data, FILES[1])), 64 << 20)
        self.disk.slow(0.0)
        self.end(daemon)

    def test_193_health_under_full_load(self) -> None:
        """#193 process: /health and /metrics under full load -> 100 answers within half a second each (100 ms on a machine of one's own); red once the store cannot write"""
        daemon = self.on_bad_disk()
        senders = self.fleet(daemon, "load", 4, 1, pause_s=0.0)
        self.progress(senders, 100)
        for number in range(100):
            start = time.monotonic()
            self.assertEqual(daemon.get(("/health", "/metrics")[number % 2]).status, 200)
            self.assertLess(time.monotonic() - start, 0.5)
        self.disk.fail(WRITE)
        self.await_health(daemon, 503, RED_WITHIN_S)
        self.end(daemon)

    def test_140_power_loss(self) -> None:
        """#140 store: power lost at random, of each file what was synced, and any of the newer pages -> opens; everything acked is there"""

        def one_round(number: int) -> None:
            shadow = self.scratch()
            copy(self.data, shadow)  # what the daemon before has left in good order
            daemon = self.daemon(variables=self.disk.variables(shadow))
            senders = self.fleet(daemon, "power%d." % number, 1, 3, pause_s=0.01)
            self.progress(senders, self.random.randrange(1, 3000))
            daemon.kill()
            self.stop_senders(senders)
            bad_disk.lose_power(self.data, shadow, self.random)
            self.stop(self.daemon())
            check_kept(self.data, senders)
            check_integrity(self.data)

        sweep(rounds(3, 50), one_round)


if __name__ == "__main__":
    unittest.main()
