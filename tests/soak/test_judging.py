# SPDX-License-Identifier: MIT
"""The soak finds what it looks for: growth, gaps, repeats, events that are missing. No daemon."""

import unittest
from typing import Any, Iterator, List, Optional

from figures import Flatness, Sample
from sender import Ledger, value
from watchers import Event, Tally, Watcher

SECONDS = 600.0


def samples(rss_per_s: float, fds_per_s: float = 0.0) -> List[Sample]:
    """Once a second, with an up and down that is none of a trend."""
    return [
        Sample(
            s, int(20e6 + rss_per_s * s + 200e3 * (s % 7 == 0)), int(300 + fds_per_s * s) + s % 3
        )
        for s in range(1, int(SECONDS) + 1)
    ]


class Flat(unittest.TestCase):
    def test_what_does_not_grow_is_flat(self) -> None:
        """up and down are no growth"""
        self.assertEqual(Flatness(samples(0), SECONDS).violations(), [])

    def test_what_grows_is_found(self) -> None:
        """4 bytes a line at 1 kHz, a descriptor in twenty seconds"""
        (text,) = Flatness(samples(4000), SECONDS).violations()
        self.assertIn("memory grows", text)
        (text,) = Flatness(samples(0, 0.05), SECONDS).violations()
        self.assertIn("descriptors grow", text)

    def test_the_slope_is_told_in_bytes_a_second(self) -> None:
        """with an error that is small beside it"""
        flat = Flatness(samples(1000), SECONDS)
        self.assertAlmostEqual(flat.per_s, 1000, delta=100)
        self.assertLess(flat.error, 100)


class Judge(unittest.TestCase):
    def setUp(self) -> None:
        self.ledger = Ledger("run")
        self.ledger.acked = 20
        self.tally = Tally()

    def heard(self, since: Optional[int], *told: Any) -> List[str]:
        """Of what a watcher that came with `since` finds wrong with offsets and other events."""
        nowhere: Any = lambda: None
        watcher = Watcher(nowhere, "ws", self.ledger, self.tally)
        watcher.last, watcher.epoch = since, "e"

        def events() -> Iterator[Event]:
            for each in told:
                if isinstance(each, int):
                    metrics = {"v": value("run", each)}
                    yield "progress_update", {"offset": each, "metrics": metrics}
                else:
                    yield each

        watcher._follow(events())  # pylint: disable=protected-access
        return [text.split(":")[0] for text in self.tally.wrong]

    def test_live_updates_may_skip_and_not_fall(self) -> None:
        """newest wins, never an older one"""
        self.assertEqual(self.heard(None, 5, 9, 30), [])
        self.assertEqual(self.heard(None, 5, 9, 9, 8), ["repeat", "repeat"])

    def test_behind_since_all_of_it_comes(self) -> None:
        """up to what was acknowledged"""
        self.assertEqual(self.heard(17, 18, 19, 20, 25, 40), [])
        self.assertEqual(self.heard(17, 19, 20), ["gap"])

    def test_a_hole_across_the_end_of_what_was_acknowledged(self) -> None:
        """is one, too"""
        self.assertEqual(self.heard(18, 19, 25), ["gap"])

    def test_values_are_those_that_were_sent(self) -> None:
        """not another point's"""
        wrong = ("progress_update", {"offset": 3, "metrics": {"v": value("run", 4)}})
        self.assertEqual(self.heard(None, wrong), ["wrong value"])

    def test_events_come_one_by_one(self) -> None:
        """none is left out or told again"""
        model = [("model_completed", {"modelIndex": i}) for i in range(6)]
        self.assertEqual(self.heard(None, *model[2:5]), [])
        self.assertEqual(self.heard(None, model[2], model[4], model[4]), ["event missing"] * 2)

    def test_who_comes_back_is_told_so(self) -> None:
        """recovered, in the same epoch"""
        good = {"recovered": True, "epoch": "e"}
        self.assertEqual(self.heard(20, ("session_status", good)), [])
        bad = {"recovered": False, "epoch": "f"}
        wrong = self.heard(20, ("session_status", bad))
        self.assertEqual(wrong, ["not recovered", "epoch changed"])


if __name__ == "__main__":
    unittest.main()
