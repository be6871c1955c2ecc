# SPDX-License-Identifier: MIT
"""streamd/courier.py and leftover.py: what an earlier process left, turn by turn."""

import os
import tempfile
import unittest
import unittest.mock
from typing import Any, Callable, List, Optional, Tuple

from support import FakeClock, FakeLink

from streamd import courier
from streamd.courier import LOCKED_PATIENCE_S, PATIENCE_S, Outcome, Round, Rounds
from streamd.leftover import Leftover, list_files
from streamd.spool import Spool
from streamd.window import Line, Window

TO = "/run/streamd.sock"


class FolderTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.clock = FakeClock()
        self.link = FakeLink(self.clock)

    def leave(
        self, session: str, lines: int = 3, to: str = TO, fresh: bool = True, keep: bool = True
    ) -> str:
        """The file of a run that ended unheard; with `keep` false it is still alive."""
        start = {"type": "start", "sessionId": session, "resume": False}
        spool = Spool(start, to, folder=self.folder)
        window = Window(1 if not keep else 1 << 20, spool=spool, fresh=fresh)
        head = b'{"type":"progress","sessionId":"%b"' % session.encode()
        before = set(list_files(self.folder))
        for number in range(1, lines + 1):
            window.add(Line(number, "progress", head, b',"metrics":{"loss":%d}}' % number))
        if keep:
            self.assertEqual(window.keep(), 0)
        else:
            self.addCleanup(window.abandon)
        (path,) = set(list_files(self.folder)) - before
        return path

    def make_link(self, to: Optional[str]) -> Any:
        return self.link if to == TO else None

    def acknowledge(self) -> None:
        if self.link.written:
            self.link.answers.append({"type": "ack", "seq": self.link.written[-1]["seq"]})

    def seqs(self) -> List[int]:
        return [line["seq"] for line in self.link.written]


class RoundTest(FolderTest):
    def go(self, each_turn: Optional[Callable[[], None]] = None) -> List[Tuple[Outcome, int]]:
        """A round from its beginning to its end; what became of each file."""
        self.round = Round(list_files(self.folder), self.make_link, self.clock)
        for _ in range(500):
            if self.round.turn(1.0):
                return [(report.outcome, report.lines) for report in self.round.reports]
            (each_turn or self.acknowledge)()
        raise AssertionError("the round never ended")

    def test_an_empty_or_absent_folder_is_a_round_without_work(self) -> None:
        self.assertEqual(self.go(), [])
        self.folder = os.path.join(self.folder, "absent")
        self.assertEqual(self.go(), [])

    def test_a_file_is_sent_in_order_and_goes_when_all_is_acknowledged(self) -> None:
        path = self.leave("r1", 2000)
        self.assertEqual(self.go(), [(Outcome.SENT, 2000)])
        self.assertEqual(self.seqs(), list(range(1, 2001)))
        self.assertEqual(self.link.starts[0]["sessionId"], "r1")
        self.assertIs(self.link.starts[0]["resume"], True)
        self.assertFalse(os.path.exists(path))

    def test_it_stays_while_anything_is_not_acknowledged(self) -> None:
        path = self.leave("r1", 3)
        round_ = Round([path], self.make_link, self.clock)
        for _ in range(10):
            round_.turn(0.0)
        self.link.answers.append({"type": "ack", "seq": 2})
        round_.turn(0.0)
        self.assertTrue(os.path.exists(path))
        self.link.answers.append({"type": "ack", "seq": 3})
        round_.turn(0.0)
        self.assertFalse(os.path.exists(path))

    def test_what_the_daemon_has_is_not_sent_again(self) -> None:
        self.leave("r1", 5)
        self.link.started_answer = {"type": "started", "lastSeq": 3}
        self.assertEqual(self.go(), [(Outcome.SENT, 2)])
        self.assertEqual(self.seqs(), [4, 5])

    def test_a_file_that_the_daemon_has_entirely_just_goes(self) -> None:
        path = self.leave("r1", 5)
        self.link.started_answer = {"type": "started", "lastSeq": 5}
        self.assertEqual(self.go(), [(Outcome.SENT, 0)])
        self.assertEqual((self.seqs(), os.path.exists(path)), ([], False))

    def test_a_torn_last_line_and_a_damaged_one_are_passed_over(self) -> None:
        path = self.leave("r1", 3)
        with open(path, "r+b") as file:
            data = file.read()
            at = data.index(b'"seq":2')
            file.seek(at)
            file.write(b"\0\0\0\0")
            file.seek(0, os.SEEK_END)
            file.write(b'{"type":"progress","sessionId":"r1","seq":4,"metr')
        self.assertEqual(self.go(), [(Outcome.SENT, 2)])
        self.assertEqual(self.seqs(), [1, 3])
        self.assertFalse(os.path.exists(path))

    def test_a_stretch_of_nothing_longer_than_a_batch_is_passed_over_too(self) -> None:
        path = self.leave("r1", 2)
        with open(path, "ab") as file:
            file.write(b"\0" * 300_000)
            file.write(b'\n{"type":"complete","sessionId":"r1","seq":3}\n')
            file.write(b"\0" * 300_000)
        self.assertEqual(self.go(), [(Outcome.SENT, 3)])
        self.assertEqual(self.seqs(), [1, 2, 3])

    def test_an_empty_file_goes_and_a_stranger_s_stays(self) -> None:
        empty = os.path.join(self.folder, "1-1-a.ndjson")
        stranger = os.path.join(self.folder, "2-1-b.ndjson")
        for path, text in ((empty, ""), (stranger, "hello\n")):
            with open(path, "w") as file:
                file.write(text)
        self.assertEqual(self.go(), [(Outcome.SENT, 0), (Outcome.UNUSABLE, 0)])
        self.assertEqual(os.listdir(self.folder), ["2-1-b.ndjson"])

    def test_no_symlink_is_followed(self) -> None:
        path = self.leave("r1")
        os.rename(path, os.path.join(self.folder, "elsewhere"))
        os.symlink(os.path.join(self.folder, "elsewhere"), path)
        self.assertEqual(self.go(), [(Outcome.UNUSABLE, 0)])

    def test_the_file_of_a_living_run_is_left_alone(self) -> None:
        path = self.leave("r1", keep=False)
        self.assertEqual(self.go(), [(Outcome.LOCKED, 0)])
        self.assertEqual((self.link.starts, os.path.exists(path)), ([], True))

    def test_a_file_that_somebody_else_is_sending_is_left_alone(self) -> None:
        sending = Leftover(self.leave("r1"))
        self.addCleanup(sending.close)
        self.assertEqual(self.go(), [(Outcome.LOCKED, 0)])

    def test_a_file_removed_between_its_listing_and_its_turn_is_nothing(self) -> None:
        path = self.leave("r1")
        self.round = Round([path], self.make_link, self.clock)
        os.unlink(path)
        while not self.round.turn():
            pass
        self.assertEqual(self.round.reports, [])

    def test_a_file_for_another_daemon_is_left_alone(self) -> None:
        path = self.leave("r1", to="http://elsewhere:5001")
        self.assertEqual(self.go(), [])
        self.assertTrue(os.path.exists(path))

    def test_without_a_daemon_nothing_is_lost(self) -> None:
        path = self.leave("r1")
        self.link.reachable = False
        self.assertEqual(self.go(), [(Outcome.UNANSWERED, 0)])
        self.link.reachable = True
        self.assertEqual(self.go(), [(Outcome.SENT, 3)])
        self.assertFalse(os.path.exists(path))

    def test_a_daemon_that_never_answers_or_never_acknowledges_is_left_after_a_while(self) -> None:
        self.leave("r1")
        began = self.clock.now
        self.assertEqual(self.go(lambda: None), [(Outcome.FAILED, 0)])
        self.assertLess(self.clock.now - began, PATIENCE_S + 2)
        self.link.started_answer = None
        self.assertEqual(self.go(lambda: None), [(Outcome.UNANSWERED, 0)])
        self.assertEqual(len(os.listdir(self.folder)), 1)

    def test_a_daemon_that_wants_all_again_gets_it_in_the_next_round(self) -> None:
        self.leave("r1")
        resend = [{"type": "error", "code": "resend", "message": "the disk is full"}]

        def answer() -> None:
            while self.link.written and resend:
                self.link.answers.append(resend.pop())

        self.assertEqual(self.go(answer), [(Outcome.FAILED, 0)])
        self.link.written.clear()
        self.assertEqual(self.go(), [(Outcome.SENT, 3)])
        self.assertEqual(self.seqs(), [1, 2, 3])

    def test_a_refused_last_line_does_not_hold_the_file_for_ever(self) -> None:
        self.leave("r1", 3)

        def refuse() -> None:
            if self.link.written and not self.round.reports:
                self.link.answers += [
                    {"type": "error", "code": "metrics"},
                    {"type": "ack", "seq": 2},
                ]
                self.link.written.clear()

        self.assertEqual(self.go(refuse), [(Outcome.SENT, 2)])
        self.assertEqual(self.round.reports[0].refused, 1)

    def test_over_http_a_refused_line_is_passed_over_and_the_rest_sent_again(self) -> None:
        self.leave("r1", 4)
        refused = [{"type": "ack", "seq": 1}, {"type": "refused", "message": "bad"}]

        def answer() -> None:
            if refused and self.link.written:
                self.link.answers += refused
                refused.clear()
            else:
                self.acknowledge()

        self.assertEqual(self.go(answer), [(Outcome.SENT, 3)])
        self.assertEqual(self.seqs(), [1, 2, 3, 4, 3, 4])

    def test_a_later_file_of_a_run_waits_for_the_earlier_one(self) -> None:
        sending = Leftover(self.leave("r1"))
        self.leave("r1")
        self.leave("r2")
        outcomes = [outcome for outcome, _ in self.go()]
        self.assertEqual(outcomes, [Outcome.LOCKED, Outcome.FAILED, Outcome.SENT])
        sending.close()
        self.assertEqual([outcome for outcome, _ in self.go()], [Outcome.SENT, Outcome.SENT])

    def test_relative_numbers_are_settled_by_the_first_answer_and_never_again(self) -> None:
        path = self.leave("r1", 3, fresh=False)
        self.link.started_answer = {"type": "started", "lastSeq": 40}
        round_ = Round([path], self.make_link, self.clock)
        for _ in range(5):
            round_.turn(0.0)
        self.assertEqual(self.seqs(), [41, 42, 43])
        round_.close()  # killed before the acknowledgement came
        self.link.written.clear()
        self.link.started_answer = {"type": "started", "lastSeq": 42}
        self.assertEqual(self.go(), [(Outcome.SENT, 1)])
        self.assertEqual(self.seqs(), [43])

    def test_lines_under_way_are_bounded(self) -> None:
        self.leave("r1", 3000)
        with unittest.mock.patch.object(courier, "UNDER_WAY_MAX", 1000):
            self.assertEqual(self.go(lambda: None), [(Outcome.FAILED, 0)])
        self.assertLess(len(self.link.written), 2200)


class RoundsTest(FolderTest):
    def setUp(self) -> None:
        super().setUp()
        self.rounds = Rounds(self.folder, "r1", self.make_link, self.clock)

    def test_before_the_run_goes_what_its_own_session_left_and_beside_it_the_rest(self) -> None:
        self.leave("r2")
        self.leave("r1")
        while self.rounds.before():
            self.acknowledge()
        self.assertEqual([start["sessionId"] for start in self.link.starts], ["r1"])
        self.rounds.begin()
        while self.rounds.beside():
            self.acknowledge()
        self.assertEqual([start["sessionId"] for start in self.link.starts], ["r1", "r2"])
        self.assertEqual(os.listdir(self.folder), [])

    def test_the_run_does_not_begin_before_them_without_a_daemon(self) -> None:
        self.leave("r1")
        self.link.reachable = False
        for _ in range(20):
            with self.assertRaises(ConnectionRefusedError):
                while self.rounds.before():
                    pass
            self.clock.now += 5.0

    def test_it_waits_a_while_for_whoever_is_sending_them(self) -> None:
        sending = Leftover(self.leave("r1"))
        self.addCleanup(sending.close)

        def begins() -> bool:
            while self.rounds.before():
                pass
            return True

        with self.assertRaises(ConnectionAbortedError):
            begins()
        self.clock.now += LOCKED_PATIENCE_S - 1
        with self.assertRaises(ConnectionAbortedError):
            begins()
        self.clock.now += 1
        self.assertTrue(begins())

    def test_there_is_nothing_to_do_beside_before_a_daemon_has_answered(self) -> None:
        self.leave("r2")
        self.assertFalse(self.rounds.beside())

    def test_closing_lets_go_of_the_file(self) -> None:
        path = self.leave("r2")
        self.rounds.begin()
        self.rounds.beside()
        self.rounds.close()
        Leftover(path).close()


if __name__ == "__main__":
    unittest.main()
