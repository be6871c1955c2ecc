# SPDX-License-Identifier: MIT
"""streamd.Checkpoints: when a training is saved, where it goes on, and that it is never disturbed."""

import errno
import logging
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from typing import Any, List
from unittest import mock

from support import CLIENT, DEADLINE_S, FakeDaemon

import streamd
from streamd import checkpoint_folder as disk


class CheckpointsTest(unittest.TestCase):
    def setUp(self) -> None:
        parent = tempfile.TemporaryDirectory()
        self.addCleanup(parent.cleanup)
        self.folder = os.path.join(parent.name, "run")
        self.state = 0
        self.checkpoints = self.make()

    def make(self, **options: Any) -> streamd.Checkpoints:
        made = streamd.Checkpoints(self.folder, lambda path: pickle.dumps(self.state), **options)
        self.addCleanup(made.close)
        return made

    def train(self, first: int, last: int) -> List[int]:
        """Steps of a training; those that were saved."""
        saved = []
        for step in range(first, last + 1):
            self.state = step
            if self.checkpoints.step(step):
                saved.append(step)
        return saved

    def kept(self) -> List[str]:
        return disk.names(self.folder)

    def damage(self, name: str) -> None:
        with open(os.path.join(self.folder, name, "payload"), "ab") as file:
            file.write(b"!")

    def again(self, **options: Any) -> Any:
        """Another process comes after this one; what it recovers."""
        self.checkpoints.close()
        self.checkpoints = self.make(**options)
        return self.checkpoints.recover()

    def test_each_hundredth_step_is_saved_and_three_are_kept(self) -> None:
        self.assertEqual(self.train(1, 99), [])
        self.assertEqual(self.train(100, 650), [100, 200, 300, 400, 500, 600])
        self.assertEqual(self.kept(), ["000004-step400", "000005-step500", "000006-step600"])

    def test_every_and_keep_can_be_chosen(self) -> None:
        self.checkpoints = self.make(every=10, keep=1)
        self.assertEqual(self.train(0, 35), [10, 20, 30])
        self.assertEqual(self.kept(), ["000003-step30"])
        self.checkpoints.close()
        self.checkpoints = self.make(every=0)
        self.assertEqual(self.train(1, 500), [])
        self.assertIsNotNone(self.checkpoints.save(500))

    def test_steps_may_come_in_strides(self) -> None:
        saved = [step for step in range(0, 500, 70) if self.checkpoints.step(step)]
        self.assertEqual(saved, [140, 210, 350, 420])

    def test_recovery_takes_the_newest_and_saving_goes_on_from_there(self) -> None:
        self.train(1, 250)
        found = self.again()
        self.assertEqual((found.step, pickle.loads(found.read())), (200, 200))
        self.assertEqual(self.train(201, 300), [300])

    def test_damaged_ones_are_skipped_said_and_removed_after_the_next(self) -> None:
        self.train(1, 300)
        self.damage("000003-step300")
        self.damage("000002-step200")
        with self.assertLogs("streamd", logging.WARNING) as logs:
            self.assertEqual(self.again().step, 100)
        self.assertEqual(len(logs.output), 2)
        self.assertIn("000003-step300 is skipped: payload is not what was saved", logs.output[0])
        self.assertEqual(len(self.kept()), 3)
        self.train(101, 200)
        self.assertEqual(self.kept(), ["000001-step100", "000004-step200"])
        self.assertEqual(self.checkpoints.status["stats"]["skipped"], 2)

    def test_where_nothing_is_whole_it_begins_anew(self) -> None:
        self.assertIsNone(self.checkpoints.recover())
        self.train(1, 100)
        self.damage("000001-step100")
        with self.assertLogs("streamd", logging.WARNING):
            self.assertIsNone(self.again())

    def test_a_training_that_went_back_stands_where_it_went_last(self) -> None:
        self.train(1, 500)
        self.assertEqual(self.train(1, 120), [100])
        self.assertEqual(self.again().step, 100)

    def test_a_checkpoint_asked_for_is_saved_with_the_next_step(self) -> None:
        with FakeDaemon() as daemon:
            run = streamd.init(socket_path=daemon.path)
            self.addCleanup(run.finish, 0.0)
            run.on_control(self.checkpoints.on_control)
            asked = threading.Event()
            run.on_control(lambda command, reason: asked.set() if command == "checkpoint" else None)
            daemon.book.wait(lambda: bool(daemon.book.lines))
            for command in ("pause", "checkpoint"):
                daemon.tell({"type": "control", "sessionId": run.id, "command": command})
            self.assertTrue(asked.wait(DEADLINE_S))
            self.assertEqual(self.train(7, 20), [7])
            run.finish()
        (name,) = self.kept()
        with open(os.path.join(self.folder, name, "manifest.json"), encoding="ascii") as file:
            self.assertIn('"reason": "control"', file.read())

    def test_whatever_fails_the_training_goes_on_and_is_told_once(self) -> None:
        full = OSError(errno.ENOSPC, "No space left on device")
        self.train(1, 100)
        with self.assertLogs("streamd", logging.WARNING) as logs:
            with mock.patch("os.fsync", side_effect=full):
                self.assertEqual(self.train(101, 350), [])
        self.assertEqual(len(logs.output), 1)
        self.assertIn("[resource_exhaustion]", logs.output[0])
        status = self.checkpoints.status
        self.assertEqual((status["count"], status["stats"]["failed"]), (1, 2))
        self.assertIn("No space left", status["stats"]["last_error"])
        self.assertEqual(self.train(351, 400), [400])

    def test_nothing_it_is_given_raises(self) -> None:
        def bad(path: str) -> None:
            raise RuntimeError("no weights today")

        with self.assertLogs("streamd", logging.WARNING):
            for save in (bad, None, lambda path: "text"):
                one = streamd.Checkpoints(self.folder, save, every="x", keep="y")  # type: ignore[arg-type]
                self.assertIsNone(one.save(1))
                self.assertIsNone(one.step("two"))  # type: ignore[arg-type]
                self.assertIsNone(one.save(None))  # type: ignore[arg-type]
                one.close()
            nowhere = streamd.Checkpoints(5, bad)
            self.assertIsNone(nowhere.step(100))
            self.assertIsNone(nowhere.recover())
        self.assertFalse(nowhere.status["enabled"] or nowhere.status["active"])

    def test_who_interrupts_a_save_is_obeyed(self) -> None:
        def interrupted(path: str) -> None:
            raise KeyboardInterrupt

        one = streamd.Checkpoints(self.folder, interrupted)
        self.addCleanup(one.close)
        with self.assertRaises(KeyboardInterrupt):
            one.step(100)
        self.assertEqual(os.listdir(self.folder), [])

    def test_another_process_saves_only_once_the_first_has_ended(self) -> None:
        self.train(1, 100)
        second = self.make()
        with self.assertLogs("streamd", logging.WARNING) as logs:
            self.assertIsNone(second.step(100))
            self.assertIsNone(second.step(200))
        self.assertEqual(len(logs.output), 1)
        self.assertEqual((second.status["active"], second.status["count"]), (False, 1))
        self.checkpoints.close()
        self.assertIsNotNone(second.step(300))
        self.assertTrue(second.status["active"])

    def test_a_forked_worker_saves_nothing(self) -> None:
        self.train(1, 100)
        child = os.fork()
        if child == 0:
            os._exit(0 if self.checkpoints.step(200) is None else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(self.train(101, 200), [200])

    def test_a_kill_in_the_middle_of_a_save_costs_only_that_one(self) -> None:
        self.train(1, 100)
        self.checkpoints.close()
        script = (
            "import os, signal, sys, streamd\n"
            "def save(path):\n"
            "    open(path, 'wb').write(b'half')\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
            "streamd.Checkpoints(sys.argv[1], save).save(200)\n"
        )
        environment = dict(os.environ, PYTHONPATH=CLIENT)
        died = subprocess.run([sys.executable, "-c", script, self.folder], env=environment)
        self.assertEqual(died.returncode, -signal.SIGKILL)
        self.assertEqual(disk.unfinished(self.folder), ["000002-step200.new"])
        self.assertEqual(self.again().step, 100)
        self.train(101, 200)
        self.assertEqual(os.listdir(self.folder), self.kept())

    def test_the_status_says_all(self) -> None:
        status = self.checkpoints.status
        self.assertEqual(list(status), ["enabled", "active", "count", "options", "stats"])
        options = {"folder": self.folder, "every": 100, "keep": 3, "attempts_max": 3}
        self.assertEqual(status["options"], options)
        self.assertEqual((status["enabled"], status["active"], status["count"]), (True, False, 0))
        self.train(1, 500)
        self.checkpoints.recover()
        status = self.checkpoints.status
        stats = {name: status["stats"][name] for name in ("saved", "failed", "removed", "skipped")}
        self.assertEqual(stats, {"saved": 5, "failed": 0, "removed": 2, "skipped": 0})
        self.assertEqual((status["active"], status["count"]), (True, 3))
        self.assertEqual(status["stats"]["last_step"], 500)
        self.assertEqual(status["stats"]["last_bytes"], len(pickle.dumps(500)))
        self.assertGreater(status["stats"]["last_seconds"], 0)

    def test_after_three_recoveries_the_report_advises_less(self) -> None:
        self.train(1, 100)
        error = RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        for attempts in range(3):
            report = self.checkpoints.report(error)
            self.assertEqual((report["class"], report["attempts"]), ("cuda_oom", attempts))
            self.assertIn("halve the batch size", report["suggestion"])
            self.checkpoints.recover()
        self.assertIn("batch size of 8 and 10 epochs", self.checkpoints.report(error)["suggestion"])


if __name__ == "__main__":
    unittest.main()
