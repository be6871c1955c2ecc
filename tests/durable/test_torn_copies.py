# SPDX-License-Identifier: MIT
"""#140, #146, #147: copies taken at any moment, and torn, zeroed or altered, as a fresh daemon
meets them."""

import json
import os
import shutil
import signal
import threading
import unittest
from typing import Callable, Dict, List, Tuple

from harness import Daemon, eventually
from place import DurableTest, rounds, sweep
from sender import Sender
from stored import FILES, check_kept, check_true, copy, ledgers_of, read_store

PAGE = 4096


def alter(path: str, change: Callable[[bytearray], None]) -> None:
    """In place; an empty file stays as it is."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    if content:
        change(content)
    with open(path, "wb") as file:
        file.write(content)


class TornCopies(DurableTest):
    """One daemon goes on writing; each copy is opened by another one."""

    def setUp(self) -> None:
        super().setUp()
        self.writer = self.daemon()
        self.now_sending: List[Sender] = self.fleet(self.writer, "torn", 2, 2)
        self.progress(self.now_sending, 2000)
        for sender in self.now_sending:
            sender.pause_s = 1.0  # each round reads all there is
        self.pause = threading.Event()

    def frozen_copy(self, to: str) -> Dict[str, int]:
        """Of one moment, with what had been acknowledged before."""
        self.writer.process.send_signal(signal.SIGSTOP)
        try:
            self.await_stopped()
            acked = {l.session: l.acked for l in ledgers_of(self.now_sending)}
            copy(self.data, to)
        finally:
            self.writer.process.send_signal(signal.SIGCONT)
        return acked

    def await_stopped(self) -> None:
        """All its threads stand still."""
        tasks = "/proc/%d/task" % self.writer.process.pid

        def holds() -> bool:
            states = []
            for task in os.listdir(tasks):
                with open("%s/%s/stat" % (tasks, task), encoding="ascii") as stat:
                    states.append(stat.read().rsplit(")", 1)[1].split()[0])
            return all(state == "T" for state in states)

        eventually("the daemon to stand still", holds)

    def open_copy(self, data: str) -> bool:
        """It starts and ends well, or refuses with a reason; nothing else."""
        folder = self.scratch()
        daemon = self.spawn(data=data, folder=folder)
        try:
            daemon.listening()
        except AssertionError:
            self.assertIn("reason=", self.refused(daemon))
            return False
        self.ask_for_all(daemon)
        self.stop(daemon)
        return True

    def ask_for_all(self, daemon: Daemon) -> None:
        """What it serves was sent."""
        for ledger in ledgers_of(self.now_sending):
            path = "/api/training/history/%s?limit=100000000" % ledger.session
            answer = daemon.get(path + "&format=ndjson")
            self.assertEqual(answer.status, 200)
            records = [json.loads(line) for line in answer.body.splitlines()]
            check_true(ledger.session, records, ledger.sent)

    def check_copy_true(self, data: str) -> None:
        """All that can be read of it was sent."""
        records = read_store(data).records
        for ledger in ledgers_of(self.now_sending):
            check_true(ledger.session, records.get(ledger.session, []), ledger.sent)

    def test_140_copies_of_one_moment(self) -> None:
        """#140 store: db and log copied at a random instant, all at once -> opens; everything acked before is there"""

        def one_round(_: int) -> None:
            self.pause.wait(self.random.random() * 0.2)
            data = os.path.join(self.scratch(), "copy")
            acked = self.frozen_copy(data)
            self.assertTrue(self.open_copy(data))
            records = read_store(data).records
            for session, least in acked.items():
                self.assertGreaterEqual(len(records.get(session, [])), least)
            self.check_copy_true(data)

        sweep(rounds(3, 50), one_round)

    def test_140_copies_while_it_writes(self) -> None:
        """#140 store: db and log copied one after the other while it writes -> opens or is refused with a reason; nothing is served that was not sent"""

        def one_round(number: int) -> None:
            self.pause.wait(self.random.random() * 0.1)
            data = os.path.join(self.scratch(), "copy")
            copy(self.data, data)
            if number % 3 == 0:
                os.remove(os.path.join(data, FILES[1]))
            self.open_copy(data)
            self.check_copy_true(data)

        sweep(rounds(3, 50), one_round)

    def mutilations(self) -> List[Tuple[str, Callable[[bytearray], None]]]:
        def cut(content: bytearray) -> None:
            del content[self.random.randrange(len(content)) :]

        def zero(content: bytearray) -> None:
            at = self.random.randrange(len(content)) // PAGE * PAGE
            content[at : at + PAGE] = b"\0" * len(content[at : at + PAGE])

        def flip(content: bytearray) -> None:
            for _ in range(self.random.choice((1, 1, 8, 64))):
                content[self.random.randrange(len(content))] ^= 1 << self.random.randrange(8)

        return [("cut", cut), ("zero", zero), ("flip", flip)]

    def test_146_torn_files(self) -> None:
        """#146 store: db or log cut off, 4 kB zeroed, bits flipped, at random -> starts with what can be read, or refuses with a reason; never crashes, never serves what was not sent"""
        base = os.path.join(self.scratch(), "base")
        self.frozen_copy(base)

        def one_round(number: int) -> None:
            if number % 10 == 0:
                shutil.rmtree(base)
                self.frozen_copy(base)
            data = os.path.join(self.scratch(), "copy")
            copy(base, data)
            name, change = self.mutilations()[number % 3]
            for file in self.random.choice((FILES[:1], FILES[1:], FILES)):
                alter(os.path.join(data, file), change)
            try:
                if self.open_copy(data):
                    self.check_copy_true(data)
                self.open_copy(data)
            except AssertionError as error:
                raise AssertionError("%s: %s" % (name, error)) from error

        sweep(rounds(9, 300), one_round)

    def test_147_log_of_another_store(self) -> None:
        """#147 store: the log is missing, or another store's -> what the file has is served, nothing of the other's"""
        mine = os.path.join(self.scratch(), "mine")
        self.frozen_copy(mine)
        other = self.daemon(data=os.path.join(self.folder, "other"), folder=self.scratch())
        others = self.fleet(other, "other", 1, 1)
        self.progress(others, 500)
        self.stop_senders(others)
        other.kill()
        log = os.path.join(mine, FILES[1])
        shutil.copyfile(os.path.join(self.folder, "other", FILES[1]), log)
        self.open_copy(mine)
        self.check_copy_true(mine)
        self.assertNotIn(others[0].ledgers.popitem()[0], read_store(mine).records)
        missing = os.path.join(self.scratch(), "missing")
        self.frozen_copy(missing)
        os.remove(os.path.join(missing, FILES[1]))
        self.open_copy(missing)
        self.check_copy_true(missing)

    def tearDown(self) -> None:
        self.settle(self.now_sending)
        self.stop(self.writer)
        check_kept(self.data, self.now_sending)
        super().tearDown()


if __name__ == "__main__":
    unittest.main()
