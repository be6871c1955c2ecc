# SPDX-License-Identifier: MIT
"""#141: the disk fills up under the real daemon. Mounting a small one takes root."""

import os
import time
import unittest
from typing import List

from bad_disk import SmallDisk
from harness import Daemon, eventually
from place import DurableTest
from sender import Sender
from stored import check_integrity, check_kept, check_trainers

MIB = 1 << 20
RED_WITHIN_S = 5.0


@unittest.skipUnless(os.geteuid() == 0, "only root may mount a small disk")
class FullDisk(DurableTest):
    def small_disk(self, size: int) -> SmallDisk:
        disk = SmallDisk(self.data, size)
        self.addCleanup(disk.unmount)
        return disk

    def end(self, daemon: Daemon) -> None:
        """Space is there again: it recovers by itself, and then a kill takes nothing."""
        self.await_health(daemon, 200)
        self.settle(self.senders)
        daemon.check_alive()
        daemon.kill()
        self.stop_senders(self.senders)
        check_kept(self.data, self.senders)
        check_integrity(self.data)

    def await_red(self, daemon: Daemon, senders: List[Sender]) -> None:
        """A full disk does not hurt before the log needs more room than it has. Then /health must
        say so soon after the last ack."""
        self.await_health(daemon, 503, 30.0)
        since_ack_s = time.monotonic() - max(sender.heard_at for sender in senders)
        self.assertLess(since_ack_s, RED_WITHIN_S)

    def test_141_filled_by_others(self) -> None:
        """#141 store: the last byte of the disk is taken -> /health red within 5 s of the last ack, live goes on; freed: recovers without restart, everything is kept"""
        disk = self.small_disk(48 * MIB)
        daemon = self.daemon()
        live = self.live(daemon)
        senders = self.fleet(daemon, "full")
        self.progress(senders, 30)
        disk.fill()
        self.await_red(daemon, senders)
        live.check(20)
        disk.relieve()
        self.await_health(daemon, 200)
        live.check()
        self.end(daemon)

    def test_141_filled_by_the_runs_themselves(self) -> None:
        """#141 store: the runs fill the disk, the daemon is killed and started there -> what was acked is there; with more room the trainers go on where they were"""
        disk = self.small_disk(MIB)
        daemon = self.daemon()
        senders = self.fleet(daemon, "own", pause_s=0.002)
        self.await_red(daemon, senders)
        check_trainers(senders)
        daemon.kill()
        check_kept(self.data, senders)
        full = self.spawn()
        try:
            full.listening()
        except AssertionError:
            self.assertIn("reason=", self.refused(full))
        else:
            full.kill()
        check_kept(self.data, senders)
        disk.grow(64 * MIB)
        daemon = self.daemon()
        self.progress(senders, 100)
        self.end(daemon)

    def test_141_sheds_and_asks_again(self) -> None:
        """#141 store: full for longer than --max-unkept-bytes can wait -> runs go on live only, unacked; then trainers are told to resend, a new epoch begins, everything is kept once"""
        disk = self.small_disk(48 * MIB)
        daemon = self.daemon("--max-unkept-bytes", str(MIB))
        live = self.live(daemon)
        senders = self.fleet(daemon, "shed")
        for sender in senders:
            sender.unacked_max = 1 << 20
        epoch = self.epoch(daemon)
        self.progress(senders, 30)
        disk.fill()
        self.await_red(daemon, senders)
        eventually("shedding", lambda: "live only from now on" in daemon.log(), 60.0)
        live.check(20)
        self.assertLess(daemon.counter("unkept_bytes"), 4 * MIB)
        disk.relieve()
        self.await_health(daemon, 200)
        eventually("a resend", lambda: all(sender.told_to_resend for sender in senders))
        self.assertNotEqual(self.epoch(daemon), epoch)
        self.assertGreater(daemon.counter("records_shed"), 0)
        self.end(daemon)

    def epoch(self, daemon: Daemon) -> str:
        return str(daemon.get("/api/training/status/live").json()["data"]["epoch"])


if __name__ == "__main__":
    unittest.main()
