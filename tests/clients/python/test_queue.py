# SPDX-License-Identifier: MIT
"""streamd/queue.py: bounded, ordered, lock-free for the putters."""

import threading
import unittest
from collections import deque

import support  # noqa: F401 - puts the client on the path

from streamd.queue import Queue


def kinds(queue: Queue) -> list:
    return [item[1:3] for item in iter(queue.take, None)]


def put(queue: Queue, value: int) -> None:
    """As log() does."""
    queue.values.append((next(queue.order), "progress", value, None, 0.0))


class QueueTest(unittest.TestCase):
    def test_values_and_events_come_out_in_the_order_they_went_in(self) -> None:
        queue = Queue()
        queue.put_event("epoch", 0, 0.0)
        put(queue, 1)
        queue.put_event("epoch", 2, 0.0)
        queue.put_event("epoch", 3, 0.0)
        put(queue, 4)
        self.assertEqual([payload for _, payload in kinds(queue)], [0, 1, 2, 3, 4])

    def test_an_overfull_queue_gives_up_its_oldest_values_and_counts_them(self) -> None:
        queue = Queue(values_max=3)
        for value in range(10):
            put(queue, value)
        self.assertEqual([payload for _, payload in kinds(queue)], [7, 8, 9])
        self.assertEqual(queue.dropped, 7)

    def test_events_outlive_the_values_around_them_and_keep_their_place(self) -> None:
        queue = Queue(values_max=2)
        put(queue, 0)
        queue.put_event("model_completed", 0, 0.0)
        for value in range(1, 5):
            put(queue, value)
        self.assertEqual(kinds(queue), [("model_completed", 0), ("progress", 3), ("progress", 4)])

    def test_a_number_that_comes_late_is_not_missing(self) -> None:
        queue = Queue()
        slow = next(queue.order)
        put(queue, 1)
        queue.take()
        self.assertEqual(queue.dropped, 1)
        queue.values.append((slow, "progress", 0, None, 0.0))
        queue.take()
        self.assertEqual(queue.dropped, 0)

    def test_a_flood_of_events_is_refused_at_its_own_bound(self) -> None:
        queue = Queue(events_max=2)
        for index in range(5):
            queue.put_event("epoch", index, 0.0)
        self.assertEqual([payload for _, payload in kinds(queue)], [0, 1])
        self.assertEqual(queue.dropped, 3)

    def test_length_counts_the_value_that_waits_behind_an_event(self) -> None:
        queue = Queue()
        queue.put_event("epoch", 0, 0.0)
        put(queue, 1)
        queue.take()
        self.assertEqual(len(queue), 1)

    def test_a_closed_queue_ignores_what_is_put(self) -> None:
        queue = Queue()
        queue.close()
        put(queue, 1)
        queue.put_event("epoch", 1, 0.0)
        self.assertEqual((len(queue), queue.dropped), (0, 0))

    def test_the_end_of_the_run_finds_room_in_a_full_queue(self) -> None:
        queue = Queue(events_max=1)
        queue.put_event("epoch", 0, 0.0)
        queue.close_with("complete", "", 0.0)
        queue.put_event("epoch", 1, 0.0)
        self.assertEqual([kind for kind, _ in kinds(queue)], ["epoch", "complete"])
        self.assertEqual(queue.dropped, 0)

    def test_a_value_put_just_before_an_event_that_is_seen_first_comes_out_first(self) -> None:
        class Racing(deque):
            """A value and then an event are put while the taker looks for events."""

            def __len__(self) -> int:
                if not started:
                    started.append(True)
                    put(queue, 0)
                    queue.put_event("epoch", 1, 0.0)
                return super().__len__()

        started: list = []
        queue = Queue()
        queue._events = Racing()
        self.assertEqual(kinds(queue), [("progress", 0), ("epoch", 1)])

    def test_no_line_is_lost_or_uncounted_between_four_putters_and_the_taker(self) -> None:
        queue = Queue(values_max=50)
        each, putters = 20_000, 4
        alive = threading.Event()

        def flood() -> None:
            alive.wait()
            for value in range(each):
                put(queue, value)

        threads = [threading.Thread(target=flood) for _ in range(putters)]
        for thread in threads:
            thread.start()
        alive.set()
        taken = 0
        while any(thread.is_alive() for thread in threads) or len(queue):
            taken += queue.take() is not None
        self.assertEqual(taken + queue.dropped, each * putters)


if __name__ == "__main__":
    unittest.main()
