# SPDX-License-Identifier: MIT
"""Fork, exit and interpreter shutdown, each in a process of its own."""

import os
import subprocess
import sys
import textwrap
import unittest
from typing import List

from support import CLIENT, DEADLINE_S, FakeDaemon

PRELUDE = """
import os, sys, multiprocessing
import streamd
run = streamd.init(session_id="r")
"""


class ProcessTest(unittest.TestCase):
    def setUp(self) -> None:
        self.daemon = FakeDaemon()
        self.daemon.__enter__()
        self.addCleanup(self.daemon.__exit__)
        self.book = self.daemon.book

    def script(self, body: str) -> "subprocess.CompletedProcess[str]":
        """Run a training script to its end; a hang is a failure."""
        environment = dict(os.environ, PYTHONPATH=CLIENT, STREAMD_SOCKET=self.daemon.path)
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        # Python 3.12 and later warn of any fork beside a thread, and the sender is one.
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c"]
        return subprocess.run(
            [*command, PRELUDE + textwrap.dedent(body)],
            env=environment,
            capture_output=True,
            timeout=DEADLINE_S * 3,
            text=True,
        )

    def kinds(self) -> List[str]:
        return [line["type"] for line in self.book.lines]

    # the end of the process

    def test_a_script_that_just_ends_completes_its_run(self) -> None:
        result = self.script('run.log({"loss": 1.0})')
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertEqual(self.kinds(), ["start", "progress", "complete"])

    def test_a_script_that_dies_of_an_exception_fails_its_run(self) -> None:
        result = self.script('raise ValueError("loss is gone")')
        self.assertEqual(result.returncode, 1)
        self.assertEqual(self.book.lines[-1]["type"], "fail")
        self.assertEqual(self.book.lines[-1]["error"], "ValueError: loss is gone")

    def test_an_old_error_at_a_prompt_does_not_fail_the_run(self) -> None:
        self.script('sys.ps1 = ">>> "; sys.last_value = ValueError("an hour ago")')
        self.assertEqual(self.kinds(), ["start", "complete"])

    def test_a_finished_run_is_not_ended_again(self) -> None:
        self.script("run.finish()")
        self.assertEqual(self.kinds(), ["start", "complete"])

    def test_a_script_exits_in_bounded_time_under_a_hung_daemon(self) -> None:
        self.daemon.hung = True
        result = self.script('run.log({"loss": 1.0})')
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_a_script_exits_without_a_word_when_there_is_no_daemon(self) -> None:
        self.daemon.stop()
        result = self.script('run.log({"loss": 1.0})')
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.daemon.start()

    # fork

    def test_a_forked_child_that_does_not_log_is_never_heard_of(self) -> None:
        result = self.script(
            """
            run.log({"loss": 1.0})
            for _ in range(3):
                if os.fork() == 0:
                    sys.exit(0)
            for _ in range(3):
                os.wait()
            run.log({"loss": 2.0})
            """
        )
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(self.kinds(), ["start", "progress", "progress", "complete"])
        self.assertEqual(self.book.connections, 1)

    def test_lines_queued_before_a_fork_are_sent_by_the_parent_alone(self) -> None:
        self.script(
            """
            for value in range(500):
                run.log({"loss": float(value)})
            if os.fork() == 0:
                run.log({"loss": -1.0})
                sys.exit(0)
            os.wait()
            """
        )
        losses = self.book.metrics("loss")
        self.assertEqual(sorted(losses), [-1.0] + [float(value) for value in range(500)])

    def test_an_inert_child_holds_no_socket_so_that_the_daemon_sees_its_parent_go(self) -> None:
        result = self.script(
            """
            while not run.connected:
                pass
            if os.fork() == 0:
                links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
                held = [os.readlink(link) for link in links if os.path.islink(link)]
                print([name for name in held if name.startswith("socket:")], flush=True)
                os._exit(0)
            os.wait()
            """
        )
        self.assertEqual(result.stdout, "[]\n")

    def test_a_child_that_logs_is_a_second_publisher_without_seq_that_ends_nothing(self) -> None:
        result = self.script(
            """
            while not run.connected:
                pass
            if os.fork() == 0:
                run.log({"loss": 7.0})
                sys.exit(0)
            os.wait()
            run.log({"loss": 8.0})
            """
        )
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(self.book.connections, 2)
        self.assertEqual([line["resume"] for line in self.book.of("start")], [False, True])
        child, parent = self.book.of("progress")
        self.assertEqual((child["metrics"]["loss"], "seq" in child), (7.0, False))
        self.assertEqual((parent["metrics"]["loss"], parent["seq"]), (8.0, 1))
        self.assertEqual(len(self.book.of("complete")), 1)

    def test_a_block_around_a_fork_is_ended_by_the_process_that_opened_it(self) -> None:
        self.script(
            """
            with run:
                if os.fork() == 0:
                    sys.exit(3)
                os.wait()
                run.log({"loss": 1.0})
            """
        )
        self.assertEqual(self.kinds(), ["start", "progress", "complete"])

    def test_a_child_may_finish_the_run_when_it_says_so(self) -> None:
        self.script(
            """
            if os.fork() == 0:
                run.finish()
                os._exit(0)
            os.wait()
            os._exit(0)
            """
        )
        self.assertEqual(self.kinds().count("complete"), 1)

    def test_pool_workers_as_a_dataloader_has_them_do_not_disturb(self) -> None:
        result = self.script(
            """
            context = multiprocessing.get_context("fork")
            with context.Pool(2) as pool:
                for value in pool.map(abs, range(10)):
                    run.log({"loss": float(value)})
            """
        )
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(self.book.metrics("loss"), [float(value) for value in range(10)])
        self.assertEqual(self.book.connections, 1)

    def test_the_parent_s_connection_survives_the_child_s_end(self) -> None:
        self.script(
            """
            while not run.connected:
                pass
            if os.fork() == 0:
                sys.exit(0)
            os.wait()
            for value in range(100):
                run.log({"loss": 1.0})
            run.finish()
            """
        )
        self.assertEqual(len(self.book.of("progress")), 100)
        self.assertEqual(len(self.book.of("start")), 1)

    def test_a_grandchild_logs_too(self) -> None:
        self.script(
            """
            if os.fork() == 0:
                if os.fork() == 0:
                    run.log({"loss": 3.0})
                    sys.exit(0)
                os.wait()
                sys.exit(0)
            os.wait()
            """
        )
        self.assertEqual(self.book.metrics("loss"), [3.0])


if __name__ == "__main__":
    unittest.main()
