# SPDX-License-Identifier: MIT
"""
The agent scripts, run as people run them: one command with an operation's id, and the address of
what is beside the trainer: the daemon, or a relay to it. In both modes the same lines are expected.
"""

import json
import os
import subprocess
import sys
from typing import Any, List, NamedTuple

from wire_daemon import DEADLINE_S, ROOT, Program, eventually
from wire_relay import RelayTest

AGENTS = os.path.join(ROOT, "demo", "agents")


class Place(NamedTuple):
    """Where things are."""

    hub: Program  # has the runs
    beside: Program  # is beside the trainer, and is asked by the agents


class LocalMode(RelayTest):
    """Their lines are what other scripts look for."""

    def place(self) -> Place:
        """One daemon for all."""
        daemon = self.daemon()
        return Place(daemon, daemon)

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

    def epochs(self, place: Place, name: str, losses: List[Any]) -> None:
        """Epochs of a run with these train and validation losses, once they are there."""
        trainer = self.trainer(place.beside, name)
        for i, (train, val) in enumerate(losses):
            metrics = {"epoch": i, "train_loss": train, "val_loss": val}
            trainer.push({"type": "epoch", "sessionId": name, "metrics": metrics})
        self.await_epochs(place, name, len(losses))

    def await_epochs(self, place: Place, name: str, count: int) -> None:
        """So many have come where the runs are."""
        key = f'"total_epochs_completed": {count},'
        path = f"/api/v1/operations/{name}/metrics"
        eventually(f"{count} epochs", lambda: key in json.dumps(place.hub.json(path)))

    def test_the_monitor_says_that_there_is_nothing_yet(self) -> None:
        place = self.place()
        place.hub.json("/api/v1/operations", {"operation_id": "run"})
        lines = self.agent("training_monitor.py", place.beside.url, "run")
        self.assertEqual(lines[0], "⏳ No metrics yet (API returns empty)")
        self.assertTrue(lines[1].startswith('   Response structure: {"success": true, "data":'))
        self.assertEqual(len(lines), 2)

    def test_the_monitor_has_a_line_for_each_epoch(self) -> None:
        place = self.place()
        self.epochs(place, "run", [(0.82341, 0.8912), (0.5, None), (0, 1)])
        expected = [
            "✅ Epoch 0: train_loss=0.8234, val_loss=0.8912",
            "✅ Epoch 1: train_loss=0.5000, val_loss=n/a",
            "✅ Epoch 2: train_loss=0.0000, val_loss=1.0000",
        ]
        self.assertEqual(self.agent("training_monitor.py", place.beside.url, "run"), expected)
        posted = {"operation_id": "run", "metrics": {"epoch": 3, "train_loss": 1}}
        self.assertEqual(place.beside.json("/sessions/run/metrics", posted), {"success": True})
        self.await_epochs(place, "run", 4)
        trainer = self.trainer(place.beside)
        trainer.push({"type": "complete", "sessionId": "run"})
        lines = self.agent("training_monitor.py", place.beside.url, "run", "--follow")
        self.assertEqual(lines, [*expected, "✅ Epoch 3: train_loss=1.0000, val_loss=n/a"])

    def test_the_milestones_are_met(self) -> None:
        place = self.place()
        lines = self.agent("validate.py", place.hub.url, "--host", place.beside.url)
        self.assertEqual([line for line in lines if not line.startswith("ok  ")], [])
        self.assertEqual(len(lines), 17)

    def test_whoever_is_not_known_is_told_on_stderr(self) -> None:
        place = self.place()
        for name in ("training_monitor.py", "loss_analyzer.py"):
            self.assertEqual(self.agent(name, place.beside.url, "nobody", code=3), [])
            self.assertEqual(self.agent(name, "http://127.0.0.1:1", "nobody", code=3), [])

    def test_the_analyzer_waits_for_ten_epochs(self) -> None:
        place = self.place()
        self.epochs(place, "run", [(1, 1)] * 9)
        lines = self.agent("loss_analyzer.py", place.beside.url, "run", code=1)
        self.assertEqual(lines, ["❌ Not enough data yet"])

    def test_the_analyzer_reports_trend_best_and_what_to_do(self) -> None:
        place = self.place()
        vals = [0.8912, 0.8, 0.7, 0.65, 0.6, 0.55, 0.5, 0.4123, 0.42, 0.7548]
        self.epochs(place, "run", [(0.9 - 0.001 * i, val) for i, val in enumerate(vals)])
        self.assertEqual(
            self.agent("loss_analyzer.py", place.beside.url, "run"),
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
        place = self.place()
        cases = {
            "over": ([(1 - 0.05 * i, 1 + 0.05 * i) for i in range(10)], "USE CHECKPOINT"),
            "flat": ([(1, 0.5)] * 11, "STOP TRAINING"),
            "up": ([(1 + 0.1 * i, None) for i in range(10)], "STOP TRAINING"),
            "no": ([(1, None)] * 10, "CONTINUE TRAINING"),
        }
        for name, (losses, action) in cases.items():
            self.epochs(place, name, losses)
            lines = self.agent("loss_analyzer.py", place.beside.url, name)
            self.assertIn(f"💡 Recommendation: {action}", lines, name)


class HostMode(LocalMode):
    """The same scripts, lines and exit codes when the trainer is elsewhere."""

    def place(self) -> Place:
        hub, relay = self.both()
        return Place(hub, relay)
