# SPDX-License-Identifier: MIT
"""What is known of a run outlives the daemon: it follows from the records, and is read back."""

import json
from typing import Any, Dict

from harness import Daemon
from place import DurableTest
from trainer_wire import Trainer


class ReckoningLife(DurableTest):
    def insight(self, daemon: Daemon, session: str) -> Dict[str, Any]:
        found: Dict[str, Any] = daemon.get("/api/training/insight/" + session).json()["data"]
        return found

    def test_a_run_that_is_over_means_the_same_after_a_restart(self) -> None:
        daemon = self.daemon()
        trainer = Trainer(daemon.socket_path)
        trainer.ask(json.dumps({"type": "start", "sessionId": "r", "config": {"epochs": 40}}))
        for step in range(400):
            metrics = {"step": step, "epoch": step // 10, "loss": 0.9 ** (step / 10) + 0.5}
            if step % 10 == 9:
                metrics["val_loss"] = metrics["loss"] + step / 1000
            trainer.send(json.dumps({"type": "progress", "metrics": metrics}) + "\n")
        trainer.ask('{"type":"ping"}')
        live = self.insight(daemon, "r")
        self.assertEqual(live["monitor"], "val_loss")
        self.assertEqual(live["evaluations"], 40)
        trainer.ask('{"type":"complete"}\n{"type":"ping"}')
        over = self.insight(daemon, "r")
        self.assertEqual(over["phase"], "CONVERGED")
        trainer.close()
        self.stop(daemon)
        daemon = self.daemon()
        self.assertIsNone(daemon.get("/api/training/status/r").json()["data"]["phase"])
        for _ in range(2):
            self.assertEqual(self.insight(daemon, "r"), over)
        self.assertEqual(daemon.get("/api/training/status/r").json()["data"]["phase"], "CONVERGED")
        self.stop(daemon)
