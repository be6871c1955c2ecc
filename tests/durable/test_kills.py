# SPDX-License-Identifier: MIT
"""#139: the daemon is killed under load again and again, and started again."""

import threading
import unittest
from typing import List

from place import DurableTest, rounds, sweep
from sender import Sender
from stored import check_integrity, check_kept, check_trainers

LOAD_S = 0.4  # a daemon lives at most this long under load
START_S = 0.03  # and this long when it is killed while it starts
FLEET_ROUNDS = 10  # then the trainers end and others come


class Kills(DurableTest):
    def setUp(self) -> None:
        super().setUp()
        self.pause = threading.Event()  # never set: kills come by the clock, not by a condition
        self.now_sending: List[Sender] = []
        self.points = 0

    def options(self) -> List[str]:
        return ["--commit-interval-ms", str(self.random.choice((0, 10, 50, 100)))]

    def kill_while_it_starts(self) -> None:
        daemon = self.spawn(*self.options())
        self.pause.wait(self.random.random() * START_S)
        daemon.check_alive()
        daemon.kill()

    def kill_under_load(self, number: int) -> None:
        daemon = self.daemon(*self.options())
        if not self.now_sending:
            self.now_sending = self.fleet(daemon, "k%d." % number)
        self.pause.wait(self.random.random() * LOAD_S)
        daemon.check_alive()
        daemon.kill()

    def one_round(self, number: int) -> None:
        if self.random.randrange(5) == 0:
            self.kill_while_it_starts()
        self.kill_under_load(number)
        check_trainers(self.now_sending)
        check_integrity(self.data)
        if number % FLEET_ROUNDS == 0:
            self.end_fleet()

    def end_fleet(self) -> None:
        """All they have is acknowledged in the end, and is there after one more kill."""
        daemon = self.daemon()
        self.settle(self.now_sending)
        daemon.check_alive()
        daemon.kill()
        self.stop_senders(self.now_sending)
        self.points += check_kept(self.data, self.now_sending)
        self.now_sending = []

    def test_139_killed_again_and_again(self) -> None:
        """#139 store: kill -9 at random times under load, 200 rounds (25 by default) -> every acked point is there once, in order, none is invented; seq and offsets go on; integrity_check ok"""
        count = rounds(25, 200)
        sweep(count, self.one_round)
        if self.now_sending:
            self.end_fleet()
        self.stop(self.daemon())
        self.assertEqual(check_kept(self.data, self.senders), self.points)
        print("%d kills, %d points kept, each once" % (count, self.points))


if __name__ == "__main__":
    unittest.main()
