# SPDX-License-Identifier: MIT
"""The demo's four modes as people start them, on the real daemon and real trainings, only shorter."""

import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from typing import List, Tuple

from wire_daemon import BINARY, ROOT

RUNNER = os.path.join(ROOT, "demo", "run.py")
TRAINER = os.path.join(os.path.dirname(BINARY), "demo-trainer")
STEPS = 20
ENDLESS = 100_000
END_S = 120.0


class Demo(unittest.TestCase):
    """demo/run.py and what it says."""

    def trainer(self, steps: int) -> str:
        """The demo's trainer, with a number of steps of ours."""
        folder = tempfile.mkdtemp(prefix="streamd-demo-test-")
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "trainer")
        with open(path, "w", encoding="ascii") as script:
            script.write(f'#!/bin/sh\nexec "{TRAINER}" "$@" --steps {steps}\n')
        os.chmod(path, 0o755)
        return path

    def start(self, mode: str, *options: str) -> "subprocess.Popen[str]":
        """The runner in a mode, on a free port, deaf to Ctrl+C as a script's background jobs are."""
        command = [sys.executable, RUNNER, mode, "--streamd", BINARY, "--port", "0", *options]
        deaf = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]
        process = subprocess.Popen([*deaf, *command], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        assert process.stdout
        self.addCleanup(process.stdout.close)
        return process

    def run_whole(self, mode: str, *options: str) -> Tuple[int, str]:
        """Exit status and output of a mode that ends by itself."""
        process = self.start(mode, *options)
        said, _ = process.communicate(timeout=END_S)
        return process.returncode, said

    def listen_for(self, process: "subprocess.Popen[str]", pattern: str) -> "re.Match[str]":
        """The first line that matches."""
        assert process.stdout
        heard: List[str] = []
        for line in process.stdout:
            heard.append(line)
            found = re.search(pattern, line)
            if found:
                return found
        raise AssertionError(f"no line matches {pattern}: {heard}")

    def interrupt(self, process: "subprocess.Popen[str]") -> str:
        """Ctrl+C; what was said from there to the end, which is a good one."""
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=END_S)
        self.assertEqual(process.returncode, 0, said)
        return said

    def assert_free(self, port: str) -> None:
        """Nobody listens there any more."""
        with socket.socket() as probe:
            self.assertNotEqual(probe.connect_ex(("127.0.0.1", int(port))), 0)

    def test_demo_trains_and_tells_its_statistics(self) -> None:
        """Session, config, the URL, the end of the training and the counters; exit 0."""
        code, said = self.run_whole("demo", "--trainer", self.trainer(STEPS), "--models", "2")
        self.assertEqual(code, 0, said)
        for what in (
            r"^Live at http://127\.0\.0\.1:\d+/\?run=demo-",
            r"^Session demo-",
            r"^  model_count +2$",
            r"^Training completed: 2 of 2 models$",
            r"^Final statistics$",
            r"^  sessions_created +1$",
            r"^  performance_stats\.max_update_rate +10",
        ):
            self.assertRegex(said, re.compile(what, re.MULTILINE))

    def test_demo_is_ended_early_without_complaint(self) -> None:
        """Ctrl+C in the middle of a training."""
        process = self.start("demo", "--trainer", self.trainer(ENDLESS))
        port = self.listen_for(process, r"^Live at http://127\.0\.0\.1:(\d+)/").group(1)
        self.assertIn("Final statistics", self.interrupt(process))
        self.assert_free(port)

    def test_demo_keeps_serving_what_was_trained(self) -> None:
        """--keep: the daemon is there until Ctrl+C."""
        process = self.start("demo", "--trainer", self.trainer(STEPS), "--models", "1", "--keep")
        self.listen_for(process, r"^Training completed: 1 of 1 models")
        port = self.listen_for(process, r"^Serving on at http://127\.0\.0\.1:(\d+)").group(1)
        with socket.create_connection(("127.0.0.1", int(port))):
            pass
        self.assertIn("Final statistics", self.interrupt(process))
        self.assert_free(port)

    def test_ctrl_c_is_for_the_demo_and_not_for_who_started_it(self) -> None:
        """On a terminal, below a shell as `make` has one: both end well, Ctrl+Z is no trap."""
        demo = f"{sys.executable} {RUNNER} demo --keep --port 0 --models 1 --streamd {BINARY}"
        script = f"{demo} --trainer {self.trainer(STEPS)}; echo ended with $?"
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv("/bin/sh", ["sh", "-c", script])
        self.addCleanup(os.close, terminal)
        said = b""
        while b"Serving on" not in said:
            said += os.read(terminal, 4096)
        os.write(terminal, b"\x1a\x03")
        while b"ended with" not in said.replace(b"\r\n", b"") or not said.endswith(b"\n"):
            said += os.read(terminal, 4096)
        self.assertIn(b"ended with 0", said)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)

    def test_server_has_a_live_session_and_prints_its_id(self) -> None:
        """A session whose id is printed, one after the other, until Ctrl+C."""
        process = self.start("server", "--trainer", self.trainer(STEPS), "--models", "1")
        first = self.listen_for(process, r"^Session (live-\S+)").group(1)
        second = self.listen_for(process, r"^Session (live-\S+)").group(1)
        self.assertNotEqual(first, second)
        self.assertIn("Final statistics", self.interrupt(process))

    def test_all_seven_integration_tests_pass(self) -> None:
        """The mode `test`, whose own threshold would be content with six."""
        code, said = self.run_whole("test")
        self.assertEqual((code, said.splitlines()[-1]), (0, "7 of 7 passed (100%)"), said)

    def test_the_benchmark_meets_its_thresholds(self) -> None:
        """More than 5 metrics a second, less than 5 % errors."""
        code, said = self.run_whole("benchmark", "--duration", "1")
        self.assertEqual((code, said.splitlines()[-1]), (0, "Benchmark passed"), said)


if __name__ == "__main__":
    unittest.main()
