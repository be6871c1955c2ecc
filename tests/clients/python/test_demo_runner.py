# SPDX-License-Identifier: MIT
"""The demo runner's own logic: screen, children that do not start, verdicts. Its modes need the
daemon and are run against it elsewhere."""

import io
import os
import sys
import tempfile
import unittest
from contextlib import redirect_stdout
from unittest import mock

from support import ROOT

sys.path.insert(0, os.path.join(ROOT, "demo"))

from runner import benchmark, checks  # noqa: E402 - the path comes first
from runner.processes import Child, Daemon, Failed  # noqa: E402
from runner.screen import PLAIN_EVERY_S, Screen, print_stats, progress_line  # noqa: E402

METRICS = {
    "loss": 0.75,
    "val_loss": 10.0,
    "overallProgress": 41.6,
    "currentModel": 2,
    "totalModels": 3,
    "currentStep": 2500,
    "totalSteps": 2500,
    "estimatedTimeRemaining": 3661.5,
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class ScreenTest(unittest.TestCase):
    def test_on_a_terminal_one_line_is_replaced_and_what_is_said_stays_below_it(self) -> None:
        stream = Terminal()
        screen = Screen(stream)
        screen.update("one", now=0.0)
        screen.update("two", now=0.1)
        screen.say("done")
        self.assertEqual(stream.getvalue(), "\r\x1b[Kone\r\x1b[Ktwo\ndone\n")

    def test_elsewhere_it_is_a_plain_line_now_and_then_and_the_last_one(self) -> None:
        stream = io.StringIO()
        screen = Screen(stream)
        for at, text in ((0.0, "a"), (1.0, "b"), (PLAIN_EVERY_S, "c"), (PLAIN_EVERY_S + 1, "d")):
            screen.update(text, now=at)
        screen.update("d", last=True, now=PLAIN_EVERY_S + 2)
        screen.update("d", last=True, now=PLAIN_EVERY_S + 3)
        self.assertEqual(stream.getvalue(), "a\nc\nd\n")

    def test_the_progress_line_fits_into_80_columns_and_names_what_matters(self) -> None:
        line = progress_line({"latest_metrics": METRICS})
        self.assertLess(len(line), 80)
        for part in ("41.6%", "model 2/3", "2500/2500", "loss 0.7500", "61:01 left"):
            self.assertIn(part, line)

    def test_a_loss_that_is_not_finite_or_not_there_is_shown_as_such(self) -> None:
        self.assertIn("nan", progress_line({"latest_metrics": {**METRICS, "loss": None}}))
        self.assertIn("0.0%", progress_line({"latest_metrics": None}))

    def test_statistics_are_one_name_a_line(self) -> None:
        stream = io.StringIO()
        print_stats(Screen(stream), {"a": 1, "group": {"b": 2.5, "c": ["x", "y"]}})
        words = [line.split() for line in stream.getvalue().splitlines()[1:]]
        self.assertEqual(words, [["a", "1"], ["group.b", "2.5"], ["group.c", "x,", "y"]])


class ChildTest(unittest.TestCase):
    def program(self, text: str) -> str:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "program")
        with open(path, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def test_a_daemon_that_is_missing_or_dies_is_told_with_its_own_words(self) -> None:
        with self.assertRaisesRegex(Failed, "No such file"):
            Daemon("/nonexistent/streamd", 0)
        with self.assertRaisesRegex(Failed, "address already in use"):
            Daemon(self.program("echo 'address already in use' >&2; exit 1\n"), 0)

    def test_a_daemon_is_ready_with_its_line_and_ends_with_the_block(self) -> None:
        script = 'trap "exit 0" TERM\necho "listening on http://127.0.0.1:4711"\n'
        with Daemon(self.program(script + "while :; do sleep 0.01; done\n"), 0) as daemon:
            self.assertEqual(daemon.url, "http://127.0.0.1:4711")
            self.assertEqual(daemon.address, ("127.0.0.1", 4711))
            self.assertGreater(daemon.resident_kib(), 0)
        self.assertEqual(daemon.process.returncode, 0)

    def test_a_child_that_ignores_sigterm_is_killed(self) -> None:
        script = 'trap "" TERM\necho up\nwhile :; do sleep 0.01; done\n'
        child = Child([self.program(script)], stdout=-1)
        assert child.process.stdout is not None
        child.process.stdout.readline()
        with mock.patch("runner.processes.END_S", 0.05):
            self.assertEqual(child.end(), -9)


class VerdictTest(unittest.TestCase):
    def run_checks(self, passing: int) -> int:
        def passes(daemon: object, api: object) -> None:
            pass

        def fails(daemon: object, api: object) -> None:
            raise AssertionError("as told")

        cases = {str(at): passes if at < passing else fails for at in range(7)}
        daemon = mock.MagicMock()
        with mock.patch.object(checks, "CASES", cases), mock.patch.object(
            checks, "Daemon", daemon
        ), mock.patch.object(checks, "Api"), redirect_stdout(io.StringIO()):
            return checks.run(mock.MagicMock())

    def test_more_than_four_fifths_of_the_tests_have_to_pass(self) -> None:
        self.assertEqual([self.run_checks(passing) for passing in (7, 6, 5)], [0, 0, 1])

    def test_quantiles_and_savings(self) -> None:
        self.assertEqual(benchmark.quantile([1.0, 2.0, 3.0, 4.0], 0.5), 3.0)
        self.assertEqual(benchmark.quantile([1.0], 0.99), 1.0)
        self.assertIn("75% saved", benchmark.saving(1000, 250))


if __name__ == "__main__":
    unittest.main()
