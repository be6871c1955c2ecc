# SPDX-License-Identifier: MIT
"""streamd/window.py: nothing leaves before its ack, and memory is bounded."""

import json
import unittest

import support  # noqa: F401 - puts the client on the path

from streamd.window import Line, Window


def line(number: int, kind: str = "progress", size: int = 0) -> Line:
    return Line(number, kind, b'{"type":"%b"' % kind.encode(), b',"pad":"%b"}' % (b"x" * size))


def seqs(batch: bytes) -> list:
    return [json.loads(raw)["seq"] for raw in batch.splitlines()]


class WindowTest(unittest.TestCase):
    def test_lines_are_handed_out_once_and_stay_until_their_ack(self) -> None:
        window = Window()
        for number in (1, 2, 3):
            window.add(line(number))
        self.assertEqual(seqs(window.batch(1 << 20)), [1, 2, 3])
        self.assertEqual(window.batch(1 << 20), b"")
        window.ack(2)
        self.assertEqual(len(window), 1)

    def test_after_a_loss_what_was_not_acknowledged_is_sent_again_in_order(self) -> None:
        window = Window()
        for number in (1, 2, 3):
            window.add(line(number))
        window.batch(1 << 20)
        window.add(line(4))
        window.ack(1)
        window.rewind()
        self.assertEqual(seqs(window.batch(1 << 20)), [2, 3, 4])

    def test_a_batch_has_a_size_but_at_least_one_line(self) -> None:
        window = Window()
        window.add(line(1, size=5000))
        window.add(line(2, size=5000))
        self.assertEqual(seqs(window.batch(100)), [1])
        self.assertTrue(window.unsent)

    def test_a_resumed_session_goes_on_after_its_last_seq(self) -> None:
        window = Window()
        window.begin(100)
        window.add(line(1))
        self.assertEqual(seqs(window.batch(1 << 20)), [101])
        window.ack(100)
        self.assertEqual(len(window), 1)
        window.ack(101)
        self.assertEqual(len(window), 0)

    def test_a_full_window_gives_up_the_oldest_values_first_sent_or_not(self) -> None:
        window = Window(max_bytes=10_000)
        window.add(line(1, "epoch"))
        window.add(line(2))
        window.batch(1 << 20)
        evicted = sum(window.add(line(number, size=100)) for number in range(3, 60))
        window.rewind()
        kept = seqs(window.batch(1 << 20))
        self.assertEqual(kept[0], 1)
        self.assertEqual(kept[1:], list(range(60 - len(kept) + 1, 60)))
        self.assertEqual(evicted + len(kept), 59)

    def test_when_no_value_is_left_epochs_go_and_the_end_of_the_run_stays(self) -> None:
        window = Window(max_bytes=10_000)
        window.add(line(1, "complete"))
        for number in range(2, 200):
            window.add(line(number, "epoch"))
        kept = seqs(window.batch(1 << 20))
        self.assertEqual(kept[0], 1)
        self.assertLess(len(kept), 100)
        self.assertEqual(kept[-1], 199)

    def test_room_is_free_again_after_an_ack(self) -> None:
        window = Window(max_bytes=10_000)
        for number in range(1, 1000):
            self.assertEqual(window.add(line(number)), 0)
            window.batch(1 << 20)
            window.ack(number)

    def test_an_unnumbered_window_forgets_what_it_hands_out_and_knows_no_seq(self) -> None:
        window = Window(numbered=False)
        window.add(line(1))
        window.ack(50)
        self.assertEqual(json.loads(window.batch(1 << 20)), {"type": "progress", "pad": ""})
        window.rewind()
        self.assertEqual(len(window), 0)


if __name__ == "__main__":
    unittest.main()
