# SPDX-License-Identifier: MIT
"""Runs side by side: which is better, how surely, since when, and when a target is reached."""

import json
import math
from typing import Any, Dict

from harness import Daemon
from place import DurableTest
from trainer_wire import Trainer


def wobble(step: int, seed: int) -> float:
    """Within about -1..1, the same each time."""
    return math.sin(step * 12.9898 + seed * 78.233) * 0.7 + math.sin(step * 4.1 + seed) * 0.3


class Compare(DurableTest):
    def train(self, daemon: Daemon, session: str, floor: float, config: Dict[str, Any]) -> None:
        trainer = Trainer(daemon.socket_path)
        trainer.ask(json.dumps({"type": "start", "sessionId": session, "config": config}))
        for step in range(0, 1000, 2):
            loss = 2.0 - step / 1000 if step < 500 else 1.5 - floor * (step - 500) / 500
            metrics = {
                "step": step,
                "val_loss": loss + 0.005 * wobble(step, len(session)),
                "timestamp": 1000.0 + step,
            }
            trainer.send(json.dumps({"type": "progress", "metrics": metrics}))
        trainer.ask('{"type":"complete"}')
        trainer.close()

    def compare(self, daemon: Daemon, query: str) -> Dict[str, Any]:
        answer = daemon.get("/api/training/compare?" + query)
        self.assertEqual(answer.status, 200, answer.body)
        found: Dict[str, Any] = answer.json()["data"]
        return found

    def test_why_one_is_better_than_the_other(self) -> None:
        daemon = self.daemon()
        shared = {"batch_size": 32, "optimizer": {"name": "adam"}}
        self.train(daemon, "a", 1.0, {**shared, "optimizer": {"name": "adam", "lr": 0.01}})
        self.train(daemon, "bb", 0.2, {**shared, "optimizer": {"name": "adam", "lr": 0.1}})
        found = self.compare(daemon, "ids=bb,a")
        self.assertEqual((found["metric"], found["goal"], found["better"]), ("val_loss", "min", "a"))
        (pair,) = found["pairs"]
        self.assertEqual((pair["better"], pair["other"]), ("a", "bb"))
        self.assertTrue(pair["certain"])
        self.assertTrue(480 <= pair["parted_at"] <= 600, pair["parted_at"])
        self.assertEqual(
            pair["config"], [{"key": "optimizer/lr", "better": "0.01", "other": "0.1"}]
        )
        self.assertIn("optimizer/lr 0.01 / 0.1", pair["why"])
        finals = {run["sessionId"]: run["final"] for run in found["runs"]}
        self.assertLess(finals["a"]["hi"], finals["bb"]["lo"])
        self.assertEqual([run["records"] for run in found["runs"]], [500, 500])

    def test_a_run_and_itself_under_another_name(self) -> None:
        daemon = self.daemon()
        self.train(daemon, "a", 0.5, {"lr": 1})
        self.train(daemon, "b", 0.5, {"lr": 1})
        (pair,) = self.compare(daemon, "ids=a,b")["pairs"]
        self.assertFalse(pair["certain"])
        self.assertIsNone(pair["parted_at"])
        self.assertIn("configurations are the same", pair["why"])

    def test_when_a_target_is_reached(self) -> None:
        daemon = self.daemon()
        self.train(daemon, "a", 1.0, {})
        self.train(daemon, "bb", 0.2, {})
        found = self.compare(daemon, "ids=a,bb&target=val_loss%3C1.2")
        a, b = (run["target"] for run in found["runs"])
        self.assertTrue(a["reached"])
        self.assertTrue(640 <= a["at"] <= 660, a)
        self.assertEqual(a["after_seconds"], a["at"])
        self.assertFalse(b["reached"])
        self.assertTrue(b["expected"])
        self.assertTrue(b["earliest"] <= 1250 <= b["latest"], b)
        self.assertTrue(1150 <= b["at"] <= 1350, b)
        only = self.compare(daemon, "ids=bb&target=val_loss%3E5")["runs"][0]["target"]
        self.assertFalse(only["reached"] or only["expected"])

    def test_what_is_asked_wrongly_is_said(self) -> None:
        daemon = self.daemon()
        self.train(daemon, "a", 1.0, {})
        many = ",".join("r%d" % i for i in range(9))
        for query, status, why in (
            ("", 400, "ids must name runs"),
            ("ids=a,nobody", 404, "Session not found"),
            ("ids=" + many, 404, "Session not found"),
            ("ids=a&target=val_loss", 400, "target must be"),
            ("ids=a&target=val_loss%3Cx", 400, "target must be"),
            ("ids=a&metric=", 400, "metric must be"),
        ):
            answer = daemon.get("/api/training/compare?" + query)
            self.assertEqual(answer.status, status, query)
            self.assertIn(why, answer.json()["error"])
