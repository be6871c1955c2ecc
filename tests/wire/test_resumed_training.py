# SPDX-License-Identifier: MIT
"""demo/trainer.py is killed, and goes on from its last checkpoint that is whole."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import Any, Dict, List

from wire_daemon import DEADLINE_S, ROOT, Daemon, WireTest, eventually

TRAINER = os.path.join(ROOT, "demo", "trainer.py")
STEPS = 80
EVERY = 10


class ResumedTraining(WireTest):
    """A trainer in Python, with checkpoints."""

    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="streamd-checkpoints-test-")
        self.addCleanup(shutil.rmtree, self.folder)

    def trainer(self, *options: str) -> "subprocess.Popen[str]":
        """A training of `STEPS` steps."""
        command = [sys.executable, TRAINER, "--models", "1", "--steps", str(STEPS), *options]
        command += ["--socket", self.live.socket_path]
        made = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.addCleanup(made.communicate)
        self.addCleanup(made.kill)
        return made

    def records(self, session: str, query: str = "") -> List[Dict[str, Any]]:
        """What the daemon has of each step."""
        path = f"/api/training/history/{session}?limit=1000000{query}"
        found: List[Dict[str, Any]] = self.live.json(path)["data"]
        return [record for record in found if record.get("grad_norm") is not None]

    def checkpoints(self) -> List[str]:
        """Oldest first."""
        return sorted(name for name in os.listdir(self.folder) if not name.endswith(".new"))

    def test_a_killed_training_goes_on_from_its_last_whole_checkpoint(self) -> None:
        """With the losses of one that was never killed; history shows the steps made twice."""
        self.live: Daemon = self.daemon("--no-throttle")
        unbroken = self.trainer("--session", "unbroken")
        options = ("--checkpoints", self.folder, "--checkpoint-every", str(EVERY))
        first = self.trainer("--session", "killed", "--step-delay", "0.01", *options)
        eventually("two checkpoints and more", lambda: len(self.records("killed")) > 2 * EVERY + 5)
        first.send_signal(signal.SIGKILL)
        first.wait(DEADLINE_S)
        damaged, whole = self.checkpoints()[-1], self.checkpoints()[-2]
        with open(os.path.join(self.folder, damaged, "payload"), "r+b") as file:
            file.truncate(1000)
        second = self.trainer(*options)
        self.assertEqual(second.wait(DEADLINE_S * 2), 0)
        self.assertEqual(unbroken.wait(DEADLINE_S * 2), 0)

        status = self.live.json("/api/training/status/killed")["data"]["status"]
        self.assertEqual(status, "completed")
        stands, unbroken_records = self.records("killed"), self.records("unbroken")
        self.assertEqual([r["currentStep"] for r in stands], list(range(1, STEPS + 1)))
        for name in ("loss", "grad_norm", "val_loss"):
            expected = [record[name] for record in unbroken_records]
            self.assertEqual([record[name] for record in stands], expected, name)
        resumed_at = int(whole.split("-step")[1])
        replaced = [r for r in self.records("killed", "&branches=1") if r.get("superseded")]
        steps = [record["currentStep"] for record in replaced]
        self.assertEqual(steps, list(range(resumed_at + 1, resumed_at + 1 + len(steps))))
        self.assertGreater(len(steps), EVERY)
        self.assertNotIn(damaged, self.checkpoints())
        summary = self.live.json("/api/training/sessions/killed")["data"]["summary"]["grad_norm"]
        lowest = min(record["grad_norm"] for record in stands)
        self.assertEqual((summary["count"], summary["min"]), (STEPS, float("%.6g" % lowest)))
