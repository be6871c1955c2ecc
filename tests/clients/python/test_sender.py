# SPDX-License-Identifier: MIT
"""streamd/sender.py, turn by turn, with a clock and a link of the test's own."""

import collections.abc
import gc
import json
import logging
import os
import tempfile
import unittest
import weakref
from typing import Any, Callable, Iterator, List, Optional

from support import FakeClock, FakeLink, FakeWaker

from streamd.backoff import Backoff
from streamd.courier import Rounds
from streamd.queue import Queue
from streamd.sender import FLUSH_S, QUIET_AFTER_S, STARTED_TIMEOUT_S, Sender
from streamd.spool import Spool
from streamd.window import Window


class Quitter(collections.abc.Mapping):
    """A mapping that ends the thread that reads it."""

    def __getitem__(self, key: Any) -> Any:
        raise SystemExit

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        raise SystemExit


class Turns:
    """Stands for the sender's thread: to join it is to turn until it is done."""

    def __init__(self, test: "SenderTest") -> None:
        self._test = test

    def join(self, timeout: float) -> None:
        self._test.turn_until(lambda: self._test.sender.done)


class SenderTest(unittest.TestCase):
    def make(
        self,
        reachable: bool = True,
        numbered: bool = True,
        max_bytes: int = 1 << 20,
        folder: Optional[str] = None,
    ) -> None:
        self.clock = FakeClock()
        self.link = FakeLink(self.clock, reachable)
        self.queue = Queue()
        self.controls: List[Any] = []
        start = {"type": "start", "sessionId": "r1", "resume": False}
        self.carried: List[FakeLink] = []
        rounds = Rounds(folder, "r1", self.carry, self.clock) if folder else None
        spool = Spool(start, "here", folder=folder, clock=self.clock) if folder else None
        self.sender = Sender(
            "r1",
            start,
            self.queue,
            self.link,
            FakeWaker(),
            Window(max_bytes, numbered, spool),
            lambda order: self.controls.append((order["command"], order.get("reason", ""))),
            Backoff(rand=lambda: 1.0),
            self.clock,
            rounds,
        )

    def carry(self, to: Optional[str]) -> Any:
        """A link for an earlier file; its daemon acknowledges at once."""
        link = FakeLink(self.clock, self.link.reachable)
        write = link.write

        def write_and_acknowledge(batch: bytes) -> None:
            write(batch)
            link.answers.append({"type": "ack", "seq": link.written[-1]["seq"]})

        link.write = write_and_acknowledge  # type: ignore[method-assign]
        self.carried.append(link)
        return link

    def folder(self) -> str:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        return temporary.name

    def setUp(self) -> None:
        self.make()

    def log(self, value: Any, step: Any = None) -> None:
        self.put({"loss": value}, step)

    def put(self, payload: Any, step: Any = None) -> None:
        """As log() does, at second 5."""
        self.queue.values.append((next(self.queue.order), "progress", payload, step, 5.0))

    def turn_until(self, condition: Callable[[], bool], turns: int = 200) -> None:
        for _ in range(turns):
            if condition():
                return
            self.sender.step()
        self.fail("never came true")

    def connect(self) -> None:
        self.turn_until(lambda: self.sender.connected)

    def lose(self) -> None:
        self.link.answers.append(ConnectionResetError("gone"))
        self.turn_until(lambda: not self.sender.connected)

    def losses(self) -> List[float]:
        return [line["metrics"]["loss"] for line in self.link.written]

    # connecting

    def test_start_is_first_and_nothing_follows_before_its_answer(self) -> None:
        self.link.started_answer = None
        self.log(1.0)
        self.sender.step()
        self.sender.step()
        self.assertEqual(self.link.starts, [{"type": "start", "sessionId": "r1", "resume": False}])
        self.assertEqual(self.link.written, [])
        self.link.answers.append({"type": "started", "lastSeq": 0})
        self.turn_until(lambda: self.losses() == [1.0])

    def test_a_line_has_type_session_seq_metrics_and_the_time_it_was_logged(self) -> None:
        self.connect()
        self.log(1.0, step=7)
        self.turn_until(lambda: bool(self.link.written))
        self.assertEqual(
            self.link.written,
            [
                {
                    "type": "progress",
                    "sessionId": "r1",
                    "seq": 1,
                    "metrics": {"timestamp": 5.0, "loss": 1.0, "step": 7},
                }
            ],
        )

    def test_the_user_s_own_timestamp_wins(self) -> None:
        self.connect()
        self.put({"loss": 1.0, "timestamp": 9.0})
        self.turn_until(lambda: bool(self.link.written))
        self.assertEqual(self.link.written[0]["metrics"]["timestamp"], 9.0)

    def test_an_absent_daemon_is_asked_again_after_growing_delays(self) -> None:
        self.make(reachable=False)
        self.turn_until(lambda: len(self.link.opened_at) == 9)
        asked = self.link.opened_at
        delays = [round(later - earlier, 6) for earlier, later in zip(asked, asked[1:])]
        self.assertEqual(delays, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])

    def test_an_absent_daemon_is_one_debug_line_in_the_log(self) -> None:
        self.make(reachable=False)
        with self.assertLogs("streamd", logging.DEBUG) as logs:
            self.turn_until(lambda: len(self.link.opened_at) == 20)
        self.assertEqual(len(logs.records), 1)
        self.assertEqual(logs.records[0].levelno, logging.DEBUG)

    def test_a_daemon_that_comes_late_gets_start_and_then_all_that_was_logged(self) -> None:
        self.make(reachable=False)
        for value in (1.0, 2.0):
            self.log(value)
            self.sender.step()
        self.turn_until(lambda: len(self.link.opened_at) == 5)
        self.link.reachable = True
        self.turn_until(lambda: self.losses() == [1.0, 2.0])
        self.assertEqual([line["resume"] for line in self.link.starts], [False])

    def test_a_daemon_that_does_not_answer_start_is_left_after_a_while(self) -> None:
        self.link.started_answer = None
        self.turn_until(lambda: len(self.link.opened_at) == 2)
        waited = self.link.opened_at[1] - self.link.opened_at[0]
        self.assertAlmostEqual(waited, STARTED_TIMEOUT_S + 0.1)

    def test_an_error_in_place_of_started_is_a_refusal_and_backs_off(self) -> None:
        self.link.started_answer = {"type": "error", "code": "auth", "message": "no"}
        with self.assertLogs("streamd", logging.WARNING) as logs:
            self.turn_until(lambda: len(self.link.opened_at) == 4)
        self.assertFalse(self.sender.connected)
        self.assertEqual(len(logs.records), 1)
        self.assertAlmostEqual(self.link.opened_at[3] - self.link.opened_at[2], 0.4)

    def test_the_first_delay_is_short_again_after_a_good_connection(self) -> None:
        self.make(reachable=False)
        self.turn_until(lambda: len(self.link.opened_at) == 6)
        self.link.reachable = True
        self.connect()
        self.link.reachable = False
        self.lose()
        lost = self.clock.now
        self.turn_until(lambda: len(self.link.opened_at) == 8)
        self.assertAlmostEqual(self.link.opened_at[7] - lost, 0.1)

    # resending

    def test_after_a_loss_start_says_resume_and_the_rest_from_last_seq_is_sent_again(self) -> None:
        self.connect()
        for value in (1.0, 2.0, 3.0):
            self.log(value)
        self.turn_until(lambda: self.losses() == [1.0, 2.0, 3.0])
        self.link.started_answer = {"type": "started", "lastSeq": 2}
        self.lose()
        self.log(4.0)
        self.turn_until(lambda: len(self.link.written) == 5)
        self.assertTrue(self.link.starts[1]["resume"])
        self.assertEqual([line["seq"] for line in self.link.written], [1, 2, 3, 3, 4])

    def test_what_is_acknowledged_is_not_sent_again(self) -> None:
        self.connect()
        self.log(1.0)
        self.turn_until(lambda: len(self.link.written) == 1)
        self.link.answers.append({"type": "ack", "sessionId": "r1", "seq": 1})
        self.sender.step()
        self.link.started_answer = {"type": "started", "lastSeq": 0}  # a daemon that forgot all
        self.lose()
        self.connect()
        self.sender.step()
        self.assertEqual(len(self.link.written), 1)

    def test_a_run_resumed_in_a_new_process_goes_on_after_the_old_one_s_seq(self) -> None:
        self.link.started_answer = {"type": "started", "lastSeq": 40}
        self.log(1.0)
        self.turn_until(lambda: len(self.link.written) == 1)
        self.assertEqual(self.link.written[0]["seq"], 41)

    def test_a_child_sends_no_seq_and_takes_no_notice_of_the_parent_s(self) -> None:
        self.make(numbered=False)
        self.link.started_answer = {"type": "started", "lastSeq": 40}
        self.log(1.0)
        self.turn_until(lambda: len(self.link.written) == 1)
        self.assertNotIn("seq", self.link.written[0])

    # what cannot be sent

    def test_a_line_that_cannot_be_sent_is_counted_and_the_next_one_goes(self) -> None:
        self.connect()
        with self.assertLogs("streamd", logging.WARNING):
            self.put(None)
            self.put(Quitter())
            self.queue.put_event("model_completed", "third", 0.0)
            self.put({f"{i:0100}": 1.0 for i in range(999)})
            self.log(2.0, step=object())
            self.turn_until(lambda: bool(self.link.written))
        self.assertEqual(self.losses(), [2.0])
        self.assertEqual(self.queue.dropped, 4)

    def test_memory_is_bounded_while_the_daemon_is_away_and_the_newest_values_stay(self) -> None:
        self.make(reachable=False, max_bytes=50_000)
        self.queue.put_event("model_completed", 0, 0.0)
        with self.assertLogs("streamd", logging.WARNING) as logs:
            for value in range(2000):
                self.log(float(value))
                self.sender.step()
        self.assertEqual(len([r for r in logs.records if r.levelno >= logging.WARNING]), 1)
        self.link.reachable = True
        self.turn_until(lambda: bool(self.link.written) and self.link.written[-1]["seq"] == 2001)
        self.assertEqual(self.link.written[0]["type"], "model_completed")
        kept = [line["metrics"]["loss"] for line in self.link.written[1:]]
        self.assertEqual(kept, [float(value) for value in range(2000 - len(kept), 2000)])
        self.assertEqual(self.queue.dropped, 2000 - len(kept))

    def test_a_logged_object_is_released_although_no_daemon_is_there(self) -> None:
        class Tensor:
            def item(self) -> float:
                return 1.0

        self.make(reachable=False)
        tensor = Tensor()
        gone = weakref.ref(tensor)
        self.log(tensor)
        del tensor
        self.sender.step()
        gc.collect()
        self.assertIsNone(gone())

    def test_a_line_refused_over_http_is_given_up_and_the_others_are_sent_again(self) -> None:
        self.connect()
        for value in (1.0, 2.0, 3.0):
            self.log(value)
        self.turn_until(lambda: len(self.link.written) == 3)
        self.link.answers += [{"type": "ack", "seq": 1}, {"type": "refused", "message": "bad"}]
        self.turn_until(lambda: len(self.link.written) == 4)
        self.assertEqual(self.losses(), [1.0, 2.0, 3.0, 3.0])
        self.assertEqual(self.queue.dropped, 1)

    # what the daemon says

    def test_control_lines_reach_the_run_and_those_of_other_sessions_do_not(self) -> None:
        self.connect()
        self.link.answers += [
            {"type": "control", "sessionId": "r1", "command": "pause", "reason": "why"},
            {"type": "control", "sessionId": "r2", "command": "stop"},
            {"type": "control", "command": "stop"},
        ]
        self.sender.step()
        self.assertEqual(self.controls, [("pause", "why"), ("stop", "")])

    def test_unknown_answers_and_errors_do_not_break_the_connection(self) -> None:
        self.connect()
        with self.assertLogs("streamd", logging.WARNING) as logs:
            for _ in range(5):
                self.link.answers += [{}, {"type": "novel"}, {"type": "error", "code": "syntax"}]
                self.sender.step()
        self.assertTrue(self.sender.connected)
        self.assertEqual(len(logs.records), 1)

    # the spool

    def test_past_its_memory_the_run_goes_on_in_a_file_and_nothing_is_lost_or_out_of_order(
        self,
    ) -> None:
        folder = self.folder()
        self.make(reachable=False, max_bytes=50_000, folder=folder)
        for value in range(2000):
            self.log(float(value))
            self.sender.step()
        self.assertEqual(len(os.listdir(folder)), 1)
        self.link.reachable = True
        reachable_at = self.clock.now
        self.turn_until(lambda: len(self.link.written) == 2000)
        self.assertLess(self.link.opened_at[-1] - reachable_at, 6.0)  # not held up by its own file
        self.assertEqual(self.losses(), [float(value) for value in range(2000)])
        self.assertEqual([line["seq"] for line in self.link.written], list(range(1, 2001)))
        self.link.answers.append({"type": "ack", "seq": 2000})
        self.sender.step()
        self.assertEqual((os.listdir(folder), self.queue.dropped), ([], 0))

    def test_a_daemon_that_hangs_and_dies_gets_the_rest_from_where_it_stood(self) -> None:
        folder = self.folder()
        self.make(max_bytes=50_000, folder=folder)
        self.connect()
        for value in range(2000):
            self.log(float(value))
            self.sender.step()
        self.turn_until(lambda: len(self.link.written) == 2000)
        self.link.started_answer = {"type": "started", "lastSeq": 700}
        self.lose()
        self.turn_until(lambda: len(self.link.written) == 3300)
        self.assertEqual([line["seq"] for line in self.link.written[2000:]], list(range(701, 2001)))

    def test_a_daemon_that_asks_for_it_again_gets_it_on_a_new_connection(self) -> None:
        self.connect()
        for value in (1.0, 2.0, 3.0):
            self.log(value)
        self.turn_until(lambda: len(self.link.written) == 3)
        self.link.started_answer = {"type": "started", "lastSeq": 1}
        self.link.answers.append({"type": "error", "code": "resend", "message": "disk full"})
        self.turn_until(lambda: len(self.link.written) == 5)
        self.assertEqual([start["resume"] for start in self.link.starts], [False, True])
        self.assertEqual([line["seq"] for line in self.link.written[3:]], [2, 3])
        self.assertEqual(self.queue.dropped, 0)

    def test_what_its_own_session_left_goes_before_a_run_that_is_resumed(self) -> None:
        folder = self.folder()
        self.make(reachable=False, folder=folder)
        self.log(1.0)
        self.turn_until(lambda: len(self.link.opened_at) == 2)
        self.finish()
        self.make(folder=folder)
        self.log(2.0)
        self.turn_until(lambda: bool(self.link.written))
        self.assertEqual([line["seq"] for line in self.carried[0].written], [1])
        self.assertEqual(os.listdir(folder), [])

    def test_what_others_left_goes_beside_the_run_and_finish_waits_for_it(self) -> None:
        folder = self.folder()
        spool = Spool({"type": "start", "sessionId": "r2"}, folder=folder)
        spool.number_base(0)
        line = b'{"type":"complete","sessionId":"r2","seq":1}\n'
        self.assertTrue(spool.append(line, 1, 1, False))
        spool.close()
        self.make(folder=folder)
        self.connect()
        self.finish()
        self.assertEqual([line["sessionId"] for line in self.carried[0].written], ["r2"])
        self.assertEqual(os.listdir(folder), [])

    # sleeping

    def test_steady_lines_are_gathered_and_need_no_waking(self) -> None:
        self.connect()
        self.log(1.0)
        self.sender.step()
        self.link.slept.clear()
        self.sender.step()
        self.assertEqual(self.link.slept, [FLUSH_S])

    def test_a_quiet_run_sleeps_until_it_is_woken(self) -> None:
        asleep: List[bool] = []
        self.connect()
        self.log(1.0)
        self.sender.step()
        poll = self.link.poll

        def watching(timeout: float) -> List[Any]:
            asleep.append(self.queue.asleep)
            return poll(timeout)

        self.link.poll = watching  # type: ignore[method-assign]
        turns = int(QUIET_AFTER_S / FLUSH_S) + 2
        for _ in range(turns):
            self.sender.step()
        self.assertEqual((asleep[0], asleep[-1]), (False, True))
        self.assertGreater(self.link.slept[-1], 10.0)

    def test_a_line_put_just_before_the_sleep_is_not_slept_over(self) -> None:
        self.connect()
        encode = self.sender._encode_queue

        def encode_then_log() -> None:
            encode()
            self.log(1.0)

        self.sender._encode_queue = encode_then_log  # type: ignore[method-assign]
        self.link.slept.clear()
        self.sender.step()
        self.assertEqual(self.link.slept, [0.0])

    # the end

    def finish(self, timeout: float = 2.0) -> float:
        """Finish; returns how long that took by the fake clock."""
        began = self.clock.now
        self.sender._thread = Turns(self)  # type: ignore[assignment]
        self.sender.finish(timeout)
        return self.clock.now - began

    def test_finish_ends_as_soon_as_everything_is_acknowledged(self) -> None:
        self.connect()
        self.log(1.0)
        self.turn_until(lambda: bool(self.link.written))
        self.link.answers.append({"type": "ack", "seq": 1})
        self.assertLess(self.finish(), 0.2)
        self.assertEqual(self.queue.dropped, 0)

    def test_finish_gives_up_at_its_deadline_and_counts_what_is_left(self) -> None:
        self.connect()
        self.log(1.0)
        self.turn_until(lambda: bool(self.link.written))
        self.assertAlmostEqual(self.finish(2.0), 2.0, places=3)
        self.assertEqual(self.queue.dropped, 1)

    def test_what_is_left_at_the_end_is_kept_for_a_later_process(self) -> None:
        folder = self.folder()
        self.make(folder=folder)
        self.connect()
        self.log(1.0)
        self.turn_until(lambda: bool(self.link.written))
        self.queue.close_with("complete", None, 5.0)
        self.assertAlmostEqual(self.finish(2.0), 2.0, places=3)
        self.assertEqual(self.queue.dropped, 0)
        (name,) = os.listdir(folder)
        with open(os.path.join(folder, name)) as file:
            kinds = [json.loads(line)["type"] for line in file]
        self.assertEqual(kinds, ["start", "progress", "complete"])

    def test_an_acknowledgement_that_comes_late_but_in_time_leaves_no_file(self) -> None:
        folder = self.folder()
        self.make(folder=folder)
        self.connect()
        self.log(1.0)
        self.turn_until(lambda: bool(self.link.written))
        poll = self.link.poll
        committed = self.clock.now + 0.1

        def poll_committing(timeout: float) -> List[Any]:
            if self.clock.now >= committed:
                self.link.answers.append({"type": "ack", "seq": 1})
            return poll(timeout)

        self.link.poll = poll_committing  # type: ignore[method-assign]
        self.assertLess(self.finish(2.0), 0.3)
        self.assertEqual((os.listdir(folder), self.queue.dropped), ([], 0))

    def test_finish_does_not_wait_for_a_daemon_that_was_never_there(self) -> None:
        self.make(reachable=False)
        self.turn_until(lambda: len(self.link.opened_at) == 7)
        self.log(1.0)
        self.assertEqual(self.finish(), 0.0)
        self.assertEqual(self.queue.dropped, 1)

    def test_finish_asks_once_more_at_once_whatever_the_backoff_says(self) -> None:
        self.make(reachable=False)
        self.turn_until(lambda: len(self.link.opened_at) == 7)
        self.link.reachable = True
        self.finish()
        self.assertEqual(len(self.link.starts), 1)

    def test_finish_waits_for_a_daemon_that_was_there_and_is_restarting(self) -> None:
        self.connect()
        self.log(1.0)
        self.turn_until(lambda: bool(self.link.written))
        self.link.reachable = False
        self.lose()
        self.assertAlmostEqual(self.finish(2.0), 2.0, places=3)


if __name__ == "__main__":
    unittest.main()
