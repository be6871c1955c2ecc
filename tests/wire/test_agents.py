# SPDX-License-Identifier: MIT
"""The agent scripts, run as people run them: one command with an operation's id."""

import os
import subprocess
import sys
from typing import Any, List

from wire_daemon import DEADLINE_S, ROOT, Daemon, WireTest

AGENTS = os.path.join(ROOT, "demo", "agents")


class Agents(WireTest):
    """Their lines are what other scripts look for."""

    def agent(self, name: str, url: str, *arguments: str, code: int = 0) -> List[str]:
        """The lines it prints; it must end with that code."""
        command = [sys.executable, os.path.join(AGENTS, name), *arguments, "--url", url]
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=DEADLINE_S,
            env=environment,
            check=False,
        )
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode().splitlines()

    def epochs(self, daemon: Daemon, name: str, losses: List[Any]) -> None:
        """Epochs of a run with these train and validation losses."""
        trainer = self.trainer(daemon, name)
        for i, (train, val) in enumerate(losses):
            metrics = {"epoch": i, "train_loss": train, "val_loss": val}
            trainer.push({"type": "epoch", "sessionId": name, "metrics": metrics})

    def test_the_monitor_says_that_there_is_nothing_yet(self) -> None:
        daemon = self.daemon()
        daemon.json("/api/v1/operations", {"operation_id": "run"})
        lines = self.agent("training_monitor.py", daemon.url, "run")
        self.assertEqual(lines[0], "⏳ No metrics yet (API returns empty)")
        self.assertTrue(lines[1].startswith('   Response structure: {"success": true, "data":'))
        self.assertEqual(len(lines), 2)

    def test_the_monitor_has_a_line_for_each_epoch(self) -> None:
        daemon = self.daemon()
        self.epochs(daemon, "run", [(0.82341, 0.8912), (0.5, None), (0, 1)])
        expected = [
            "✅ Epoch 0: train_loss=0.8234, val_loss=0.8912",
            "✅ Epoch 1: train_loss=0.5000, val_loss=n/a",
            "✅ Epoch 2: train_loss=0.0000, val_loss=1.0000",
        ]
        self.assertEqual(self.agent("training_monitor.py", daemon.url, "run"), expected)
        daemon.json("/api/v1/operations/run/metrics", {"epoch": 3, "train_loss": 1})
        trainer = self.trainer(daemon)
        trainer.push({"type": "complete", "sessionId": "run"})
        lines = self.agent("training_monitor.py", daemon.url, "run", "--follow")
        self.assertEqual(lines, [*expected, "✅ Epoch 3: train_loss=1.0000, val_loss=n/a"])

    def test_the_milestones_are_met(self) -> None:
        lines = self.agent("validate.py", self.daemon().url)
        self.assertEqual([line for line in lines if not line.startswith("ok  ")], [])
        self.assertEqual(len(lines), 11)

    def test_whoever_is_not_known_is_told_on_stderr(self) -> None:
        daemon = self.daemon()
        for name in ("training_monitor.py", "loss_analyzer.py"):
            self.assertEqual(self.agent(name, daemon.url, "nobody", code=3), [])
            self.assertEqual(self.agent(name, "http://127.0.0.1:1", "nobody", code=3), [])

    def test_the_analyzer_waits_for_ten_epochs(self) -> None:
        daemon = self.daemon()
        self.epochs(daemon, "run", [(1, 1)] * 9)
        lines = self.agent("loss_analyzer.py", daemon.url, "run", code=1)
        self.assertEqual(lines, ["❌ Not enough data yet"])

    def test_the_analyzer_reports_trend_best_and_what_to_do(self) -> None:
        daemon = self.daemon()
        vals = [0.8912, 0.8, 0.7, 0.65, 0.6, 0.55, 0.5, 0.4123, 0.42, 0.7548]
        self.epochs(daemon, "run", [(0.9 - 0.001 * i, val) for i, val in enumerate(vals)])
        self.assertEqual(
            self.agent("loss_analyzer.py", daemon.url, "run"),
            [
                "📈 Loss Trend Analysis",
                "   Recent trend (last 10 epochs): improving",
                "   Change: -15.3%",
                "   Val loss: 0.8912 → 0.7548",
                "🏆 Best Performance",
                "   Epoch 7 with val_loss=0.4123",
                "   2 epochs since improvement",
                "💡 Recommendation: CONTINUE TRAINING",
                "   Model is still improving",
            ],
        )

    def test_the_recommendation_follows_the_flags(self) -> None:
        daemon = self.daemon()
        cases = {
            "over": ([(1 - 0.05 * i, 1 + 0.05 * i) for i in range(10)], "USE CHECKPOINT"),
            "flat": ([(1, 0.5)] * 11, "STOP TRAINING"),
            "up": ([(1 + 0.1 * i, None) for i in range(10)], "STOP TRAINING"),
            "no": ([(1, None)] * 10, "CONTINUE TRAINING"),
        }
        for name, (losses, action) in cases.items():
            self.epochs(daemon, name, losses)
            lines = self.agent("loss_analyzer.py", daemon.url, name)
            self.assertIn(f"💡 Recommendation: {action}", lines, name)
