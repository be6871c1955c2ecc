# SPDX-License-Identifier: MIT
"""streamd/backoff.py: 0.1 s doubling to 5 s, jitter in the upper half, never the global random."""

import random
import unittest

import support  # noqa: F401 - puts the client on the path

from streamd.backoff import Backoff


class BackoffTest(unittest.TestCase):
    def test_the_ceiling_doubles_from_a_tenth_to_five_seconds(self) -> None:
        backoff = Backoff(rand=lambda: 1.0)
        delays = [backoff.next_delay() for _ in range(8)]
        self.assertEqual(delays, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])

    def test_the_jitter_never_halves_a_delay(self) -> None:
        backoff = Backoff(rand=lambda: 0.0)
        self.assertEqual([backoff.next_delay() for _ in range(3)], [0.05, 0.1, 0.2])

    def test_two_trainers_do_not_come_back_together(self) -> None:
        first, second = Backoff(), Backoff()
        self.assertNotEqual(first.next_delay(), second.next_delay())

    def test_a_reset_begins_again(self) -> None:
        backoff = Backoff(rand=lambda: 1.0)
        backoff.next_delay()
        backoff.next_delay()
        backoff.reset()
        self.assertEqual(backoff.next_delay(), 0.1)

    def test_the_training_s_random_numbers_stay_what_its_seed_says(self) -> None:
        random.seed(7)
        expected = random.random()
        random.seed(7)
        Backoff().next_delay()
        self.assertEqual(random.random(), expected)


if __name__ == "__main__":
    unittest.main()
