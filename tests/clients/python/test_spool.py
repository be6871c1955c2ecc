# SPDX-License-Identifier: MIT
"""streamd/spool.py under streamd/window.py: file and memory are one stream on any disk."""

import json
import os
import resource
import tempfile
import unittest
from typing import Any, List
from unittest import mock

from support import FakeClock

from streamd.leftover import Leftover, Locked
from streamd.spool import RETRY_AFTER_S, SYNC_EVERY_S, Spool, numbered_lines, spool_folder
from streamd.window import Line, Window

START = {"type": "start", "sessionId": "r1", "project": "p", "resume": False}


class SpoolTest(unittest.TestCase):
    def setUp(self) -> None:
        parent = tempfile.TemporaryDirectory()
        self.addCleanup(parent.cleanup)
        self.folder = os.path.join(parent.name, "state", "spool")
        self.clock = FakeClock()
        self.said: List[Any] = []
        self.number = 0
        self.make()

    def make(self, memory: int = 10_000, disk: int = 1 << 20, fresh: bool = True) -> None:
        spool = Spool(START, "/run/streamd.sock", disk, self.folder, self.clock)
        self.window = Window(memory, spool=spool, fresh=fresh)
        self.window.on_trouble(lambda text, lines: self.said.append((text, lines)))

    def add(self, lines: int, kind: str = "progress", size: int = 0) -> int:
        """Append so many lines; returns how many had to go."""
        gone = 0
        for _ in range(lines):
            self.number += 1
            head = b'{"type":"%b","sessionId":"r1"' % kind.encode()
            line = Line(self.number, kind, head, b',"pad":"%b"}' % (b"x" * size))
            gone += self.window.add(line)
        return gone

    def files(self) -> List[str]:
        return os.listdir(self.folder) if os.path.isdir(self.folder) else []

    def path(self) -> str:
        (name,) = self.files()
        return os.path.join(self.folder, name)

    def stored(self) -> List[Any]:
        with open(self.path(), "rb") as file:
            return [json.loads(line) for line in file]

    def send(self) -> List[int]:
        """All there is to send, as it comes."""
        seqs: List[int] = []
        while self.window.unsent:
            seqs += [json.loads(line)["seq"] for line in self.window.batch(4096).splitlines()]
        return seqs

    # where and how

    def test_the_folder_is_the_variable_s_or_the_user_s_state(self) -> None:
        with mock.patch.dict(os.environ, STREAMD_SPOOL="/a", XDG_STATE_HOME="/b", HOME="/c"):
            self.assertEqual(spool_folder(), "/a")
            os.environ["STREAMD_SPOOL"] = ""
            self.assertEqual(spool_folder(), "/b/streamd/spool")
            del os.environ["XDG_STATE_HOME"]
            self.assertEqual(spool_folder(), "/c/.local/state/streamd/spool")

    def test_there_is_no_file_while_memory_is_enough(self) -> None:
        self.add(50)
        self.assertEqual(self.files(), [])
        self.window.ack(50)
        self.assertEqual(self.window.keep(), 0)
        self.assertEqual(self.files(), [])

    def test_a_file_is_the_user_s_alone_and_begins_with_start_resumed(self) -> None:
        self.add(200)
        self.assertEqual(os.stat(self.folder).st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(self.path()).st_mode & 0o777, 0o600)
        self.assertEqual(
            self.stored()[0],
            {
                "type": "start",
                "sessionId": "r1",
                "project": "p",
                "resume": True,
                "spoolTo": "/run/streamd.sock",
            },
        )

    def test_its_lines_are_complete_and_in_order(self) -> None:
        self.add(200)
        lines = self.stored()[1:]
        self.assertEqual([line["seq"] for line in lines], list(range(1, len(lines) + 1)))
        self.assertEqual(lines[0], {"type": "progress", "sessionId": "r1", "seq": 1, "pad": ""})

    # one stream

    def test_file_and_memory_are_sent_as_one_stream_and_the_file_goes_with_its_ack(self) -> None:
        self.assertEqual(self.add(1000), 0)
        self.assertEqual(len(self.window), 1000)
        self.assertEqual(self.send(), list(range(1, 1001)))
        path = self.path()
        self.window.ack(999)
        self.window.ack(1000)
        self.assertEqual((len(self.window), os.path.exists(path)), (0, False))

    def test_after_a_loss_the_stream_goes_on_behind_the_last_ack_without_repeats(self) -> None:
        self.add(1000)
        self.send()
        self.window.ack(37)
        self.window.rewind()
        self.add(5)
        self.assertEqual(self.send(), list(range(38, 1006)))

    def test_what_was_sent_from_memory_and_then_moved_to_the_file_is_not_sent_again(self) -> None:
        self.add(50)
        self.assertEqual(self.send(), list(range(1, 51)))
        self.add(100)
        self.assertGreater(len(self.stored()), 1)
        self.assertEqual(self.send(), list(range(51, 151)))
        self.window.rewind()
        self.assertEqual(self.send(), list(range(1, 151)))

    def test_a_file_that_was_acknowledged_makes_room_for_another(self) -> None:
        for _ in range(3):
            self.add(1000)
            self.assertEqual(len(self.files()), 1)
            self.window.ack(self.number)
            self.assertEqual(self.files(), [])

    def test_a_line_refused_out_of_the_file_is_passed_over(self) -> None:
        self.add(200)
        self.send()
        self.window.ack(1)
        self.window.refuse_oldest()
        self.window.rewind()
        self.assertEqual(self.send(), list(range(3, 201)))

    # the end

    def test_what_is_unsent_at_the_end_is_in_the_file_up_to_the_last_line(self) -> None:
        self.add(300)
        self.send()
        self.window.ack(250)
        self.add(1, "complete")
        self.assertEqual(self.window.keep(), 0)
        seqs = [line["seq"] for line in self.stored()[1:]]
        self.assertEqual(seqs[-51:], list(range(251, 302)))
        self.assertEqual(self.stored()[-1]["type"], "complete")

    def test_a_run_that_memory_held_leaves_a_file_too(self) -> None:
        self.add(3)
        self.assertEqual(self.window.keep(), 0)
        self.assertEqual([line["seq"] for line in self.stored()[1:]], [1, 2, 3])

    def test_without_a_spool_what_is_left_is_lost_and_counted(self) -> None:
        self.make(disk=0)
        self.add(3)
        self.assertEqual(self.window.keep(), 3)
        self.assertEqual(self.files(), [])

    # the bound

    def test_past_the_bound_the_oldest_values_in_memory_go_and_the_end_is_kept(self) -> None:
        self.make(disk=40_000)
        self.add(1, "epoch")
        gone = self.add(3000)
        gone += self.add(1, "complete")
        self.assertGreater(gone, 1000)
        gone += self.window.keep()
        self.assertLessEqual(os.path.getsize(self.path()), 40_000)
        lines = self.stored()[1:]
        self.assertEqual(len(lines) + gone, 3002)
        self.assertEqual((lines[0]["type"], lines[-1]["type"]), ("epoch", "complete"))
        seqs = [line["seq"] for line in lines]
        self.assertEqual(seqs, sorted(seqs))
        self.assertEqual(seqs[-2], 3001)  # the newest value

    def test_a_bound_that_is_tiny_holds_and_loses_what_it_must(self) -> None:
        self.make(disk=600)
        gone = self.add(100, size=100)
        gone += self.window.keep()
        self.assertLessEqual(os.path.getsize(self.path()), 600)
        self.assertEqual(len(self.stored()) - 1 + gone, 100)

    # the disk

    def limit_file_size(self, most: int) -> None:
        """A disk that is full: no file of this process grows beyond `most` bytes."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, before)

    def test_a_full_disk_leaves_whole_lines_and_the_run_goes_on_in_memory(self) -> None:
        self.limit_file_size(5_000)
        gone = self.add(500)
        self.assertGreater(gone, 0)
        self.assertTrue(all(lines == 0 for _, lines in self.said))
        seqs = [line["seq"] for line in self.stored()[1:]]
        self.assertEqual(seqs, list(range(1, len(seqs) + 1)))
        sent = self.send()
        self.assertEqual((len(sent) + gone, sent[-1]), (500, 500))
        self.assertEqual(sent, sorted(sent))

    def test_a_failed_disk_is_left_alone_for_a_while_and_then_tried_again(self) -> None:
        with mock.patch("os.pwrite", side_effect=OSError(28, "No space left on device")) as write:
            self.add(500)
            self.assertEqual(write.call_count, 1)
        self.assertEqual(self.files(), [])
        self.add(100)
        self.assertEqual(self.files(), [])
        self.clock.now += RETRY_AFTER_S
        self.add(100)
        self.assertEqual(len(self.files()), 1)

    def test_a_folder_that_cannot_be_is_said_and_costs_no_more(self) -> None:
        self.folder = os.path.join(os.path.abspath(__file__), "spool")
        self.make()
        self.add(200)
        self.assertEqual([lines for _, lines in self.said], [0])
        self.assertIn("going on in memory", self.said[0][0])

    def test_the_end_of_the_run_tries_the_disk_once_more(self) -> None:
        with mock.patch("os.pwrite", side_effect=OSError(5, "Input/output error")):
            gone = self.add(300)
        self.assertEqual(self.window.keep(), 0)
        self.assertEqual(len(self.stored()) - 1 + gone, 300)

    def test_a_file_that_cannot_be_read_any_more_is_given_up_and_counted(self) -> None:
        self.add(300)
        stored = len(self.stored()) - 1
        with mock.patch("os.pread", side_effect=OSError(5, "Input/output error")):
            sent = self.send()
        self.assertEqual(sent[-1], 300)
        self.assertEqual(sum(lines for _, lines in self.said), stored)
        self.assertEqual(self.files(), [])

    def test_the_disk_is_flushed_rarely_and_at_the_end(self) -> None:
        with mock.patch("os.fsync") as fsync:
            self.add(2000)
            self.assertEqual(fsync.call_count, 0)
            self.clock.now += SYNC_EVERY_S
            self.add(1000)
            self.assertEqual(fsync.call_count, 1)
            self.window.keep()
            self.assertEqual(fsync.call_count, 2)

    # the lock

    def test_a_file_is_locked_while_its_run_lives_and_free_afterwards(self) -> None:
        self.add(200)
        with self.assertRaises(Locked):
            Leftover(self.path())
        self.window.keep()
        file = Leftover(self.path())
        self.assertEqual((file.session, file.to, file.base), ("r1", "/run/streamd.sock", 0))
        file.close()

    # numbering

    def lines_of(self, path: str, last_seq: int) -> List[int]:
        """The numbers that whoever sends the file gives its lines."""
        file = Leftover(path)
        file.begin(last_seq)
        seqs = [seq for seq, _ in file.read(0)]
        file.close()
        return seqs

    def test_a_file_of_an_unknown_session_is_numbered_from_1_and_says_so(self) -> None:
        self.make(fresh=False)
        self.add(3)
        self.window.keep()
        self.assertEqual(self.stored()[0]["seqBase"], "?" * 20)
        self.assertEqual([line["seq"] for line in self.stored()[1:]], [1, 2, 3])

    def test_the_first_daemon_that_answers_settles_its_numbers_for_good(self) -> None:
        self.make(fresh=False)
        self.add(3)
        self.window.keep()
        self.assertEqual(self.lines_of(self.path(), 40), [41, 42, 43])
        self.assertEqual(self.stored()[0]["seqBase"], "00000000000000000040")
        self.assertEqual(self.lines_of(self.path(), 42), [41, 42, 43])

    def test_a_run_that_learns_where_its_session_stands_sends_its_file_from_there(self) -> None:
        self.make(fresh=False)
        self.add(200)
        self.window.begin(1000)
        self.window.ack(1000)
        self.assertEqual(self.stored()[0]["seqBase"], "00000000000000001000")
        self.assertEqual(self.send(), list(range(1001, 1201)))
        self.window.ack(1150)
        self.window.rewind()
        self.assertEqual(self.send(), list(range(1151, 1201)))
        self.add(100)
        self.assertEqual(self.window.keep(), 0)
        self.assertEqual(self.lines_of(self.path(), 1150)[-1], 1300)

    def test_a_file_that_cannot_say_its_numbers_is_sent_by_nobody_else(self) -> None:
        self.make(fresh=False)
        self.add(200)
        with mock.patch("os.pwrite", side_effect=OSError(5, "Input/output error")):
            self.window.begin(1000)
        self.assertEqual(self.files(), [])
        self.assertEqual(self.send(), list(range(1001, 1201)))

    def test_a_file_begun_after_the_daemon_s_answer_has_the_final_numbers(self) -> None:
        self.make(fresh=False)
        self.window.begin(1000)
        self.add(200)
        self.assertNotIn("seqBase", self.stored()[0])
        self.assertEqual(self.stored()[1]["seq"], 1001)
        self.assertEqual(self.send(), list(range(1001, 1201)))
        self.window.ack(1200)
        self.assertEqual(self.files(), [])


class LineTest(unittest.TestCase):
    def test_only_whole_lines_of_ours_are_taken(self) -> None:
        good = b'{"type":"progress","sessionId":"a","seq":%d,"metrics":{"loss":NaN}}\n'
        data = b"".join(
            [
                good % 1,
                b"\0\0\0\0\n",
                b"\n",
                b'{"type":"progress","sessionId":"a"}\n',
                b'{"type":"progress","sessionId":"a b","seq":2}\n',
                b'{"type":"progress","sessionId":"a","seq":x}\n',
                good % 7,
                (good % 8)[:-5],
            ]
        )
        self.assertEqual(numbered_lines(data, 10, 0), [(11, good % 11), (17, good % 17)])
        self.assertEqual(numbered_lines(data, 0, 6), [(7, good % 7)])


if __name__ == "__main__":
    unittest.main()
