# SPDX-License-Identifier: MIT
"""What trainers leave on disk and send later, in both languages, to the real daemon."""

import os
import shutil
import subprocess
import sys
import tempfile
from typing import Any, List

from wire_daemon import BINARY, ROOT, WireTest

CLIENT = os.path.join(ROOT, "clients", "python")
C_TRAINER = os.path.join(os.path.dirname(BINARY), "demo-trainer")
END_S = 120.0
STEPS = 3000

TRAINING = f"""
import sys, streamd
with streamd.init(project="p", session_id=sys.argv[1], resume=len(sys.argv) > 2) as run:
    for step in range(1, {STEPS} + 1):
        run.log({{"loss": 1.0 / step}}, step=step)
assert run.dropped == 0
"""


class Spool(WireTest):
    """Processes that end before a daemon has all they said."""

    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="streamd-spool-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.socket_path = os.path.join(self.folder, "trainer.sock")
        self.spool = os.path.join(self.folder, "spool")

    def run_process(self, *command: str) -> str:
        """A process with our socket and our spool, to its good end; what it printed."""
        environment = dict(
            os.environ,
            PYTHONPATH=CLIENT,
            STREAMD_SOCKET=self.socket_path,
            STREAMD_SPOOL=self.spool,
        )
        done = subprocess.run(
            command, env=environment, timeout=END_S, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout

    def train_in_python(self, *arguments: str) -> None:
        self.run_process(sys.executable, "-c", TRAINING, *arguments)

    def train_in_c(self) -> None:
        self.run_process(C_TRAINER, "--steps", "20", "--models", "1")

    def files(self) -> List[str]:
        return os.listdir(self.spool)

    def steps(self, daemon: Any, session: str) -> List[int]:
        records = daemon.json(f"/api/training/history/{session}?limit=1000000")["data"]
        return [record["currentStep"] for record in records]

    def test_a_run_that_no_daemon_saw_is_there_after_sync(self) -> None:
        """Whole, in order, and ended."""
        self.train_in_python("r1")
        daemon = self.daemon(socket_path=self.socket_path)
        said = self.run_process(sys.executable, "-m", "streamd", "sync")
        self.assertRegex(said, rf"^\d+-\d+-r1.ndjson: {STEPS + 1} lines sent\n$")
        self.assertEqual(self.files(), [])
        self.assertEqual(self.steps(daemon, "r1"), list(range(1, STEPS + 1)))
        self.assertEqual(daemon.json("/api/training/status/r1")["data"]["status"], "completed")

    def test_parts_of_one_run_are_put_together_in_order(self) -> None:
        """Three processes, two of them without a daemon; and nothing is said twice."""
        self.train_in_python("r1")
        self.train_in_python("r1", "resume")
        daemon = self.daemon(socket_path=self.socket_path)
        self.train_in_python("r1", "resume")
        self.assertEqual(self.files(), [])
        self.assertEqual(daemon.json("/api/training/status/r1")["data"]["status"], "completed")
        stats = daemon.json("/api/training/stats")["data"]
        self.assertEqual(stats["total_metrics_processed"], 3 * STEPS)
        self.assertEqual(stats["errors_encountered"], 0)

    def test_either_client_sends_what_the_other_left(self) -> None:
        """The file is one format."""
        self.train_in_python("of-python")
        self.train_in_c()
        self.assertEqual(len(self.files()), 2)
        daemon = self.daemon(socket_path=self.socket_path)
        self.train_in_c()
        self.assertEqual(self.files(), [])
        self.assertEqual(self.steps(daemon, "of-python"), list(range(1, STEPS + 1)))
        daemon.stop()

        self.train_in_c()
        daemon = self.daemon(socket_path=self.socket_path)
        self.run_process(sys.executable, "-m", "streamd", "sync")
        self.assertEqual(self.files(), [])
        (run,) = daemon.json("/api/training/sessions")["data"]["sessions"]
        self.assertEqual(run["status"], "completed")
