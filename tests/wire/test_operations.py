# SPDX-License-Identifier: MIT
"""The operations API, asked by an unmodified client: python3-requests."""

import shutil
import tempfile
import threading
from typing import Any, Dict

import requests
from wire_daemon import DEADLINE_S, WireTest

EPOCH = {
    "train_loss": 0.8234,
    "train_accuracy": 0.5,
    "val_loss": 0.8912,
    "val_accuracy": None,
    "learning_rate": 0.001,
    "duration": 12.5,
    "timestamp": "2026-01-31T12:00:00Z",
}


class Client:
    """As clients of the reference API are written."""

    def __init__(self, url: str) -> None:
        self.base = url + "/api/v1/operations"

    def metrics(self, operation_id: str) -> Dict[str, Any]:
        """What get_operation_metrics gives."""
        answer = requests.get(f"{self.base}/{operation_id}/metrics", timeout=DEADLINE_S)
        answer.raise_for_status()
        data = answer.json()["data"]
        assert data["operation_id"] == operation_id
        return data["metrics"]

    def add(self, operation_id: str, payload: Any) -> requests.Response:
        """POST of an epoch."""
        url = f"{self.base}/{operation_id}/metrics"
        return requests.post(url, json=payload, timeout=DEADLINE_S)

    def cancel(self, operation_id: str, reason: str) -> requests.Response:
        """DELETE with a body."""
        url = f"{self.base}/{operation_id}"
        return requests.delete(url, json={"reason": reason, "force": False}, timeout=DEADLINE_S)


class Operations(WireTest):
    """One client, whatever the run is."""

    def test_epochs_of_a_trainer_are_there_at_once(self) -> None:
        daemon = self.daemon()
        client = Client(daemon.url)
        trainer = self.trainer(daemon, "run")
        self.assertEqual(client.metrics("run"), {})
        trainer.push({"type": "epoch", "sessionId": "run", "metrics": {"epoch": 0, **EPOCH}})
        self.assertEqual(client.add("run", {"epoch": 1, **EPOCH, "val_loss": 0.5}).status_code, 200)
        metrics = client.metrics("run")
        self.assertEqual([e["epoch"] for e in metrics["epochs"]], [0, 1])
        self.assertEqual(metrics["epochs"][1], {"epoch": 1, **EPOCH, "val_loss": 0.5})
        self.assertEqual((metrics["best_epoch"], metrics["best_val_loss"]), (1, 0.5))
        self.assertIs(type(metrics["epochs"][0]["duration"]), float)

    def test_who_cancels_has_the_trainer_told(self) -> None:
        daemon = self.daemon()
        client = Client(daemon.url)
        trainer = self.trainer(daemon, "run")
        told = trainer._answers  # pylint: disable=protected-access
        answer = client.cancel("run", "it is flat")
        self.assertEqual(answer.status_code, 200)
        self.assertTrue(answer.json()["data"]["task_cancelled"])
        self.assertEqual(answer.json()["data"]["cancellation_reason"], "it is flat")
        line = told.readline()
        self.assertIn('"command":"stop"', line)
        self.assertIn('"reason":"it is flat"', line)
        again = client.cancel("run", "still")
        self.assertEqual(again.status_code, 400)
        self.assertIn("detail", again.json())
        trainer.push({"type": "complete", "sessionId": "run"})
        status = requests.get(f"{client.base}/run", timeout=DEADLINE_S).json()["data"]["status"]
        self.assertEqual(status, "cancelled")

    def test_three_at_a_time_do_not_mix(self) -> None:
        client = Client(self.daemon().url)
        ids = ["a", "b", "c"]

        def run(name: str) -> None:
            requests.post(client.base, json={"operation_id": name}, timeout=DEADLINE_S)
            for i in range(20):
                client.add(name, {"epoch": i, "train_loss": ord(name)})

        threads = [threading.Thread(target=run, args=(name,)) for name in ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)
        for name in ids:
            epochs = client.metrics(name)["epochs"]
            self.assertEqual([e["epoch"] for e in epochs], list(range(20)))
            self.assertEqual({e["train_loss"] for e in epochs}, {float(ord(name))})

    def test_nothing_of_it_is_lost_with_the_process(self) -> None:
        folder = tempfile.mkdtemp(prefix="streamd-operations-")
        self.addCleanup(shutil.rmtree, folder)
        first = self.daemon(data=folder)
        client = Client(first.url)
        requests.post(client.base, json={"operation_id": "run"}, timeout=DEADLINE_S)
        load = {"operation_id": "load", "operation_type": "data_load"}
        requests.post(client.base, json=load, timeout=DEADLINE_S)
        client.add("load", {"rows": [1, {"two": "zwei"}]})
        for i in range(12):
            client.add("run", {"epoch": i, "train_loss": 1.0, "val_loss": 1.0 + i})
        client.cancel("load", "enough")
        before = (client.metrics("run"), client.metrics("load"))
        first.kill()
        again = Client(self.daemon(data=folder).url)
        self.assertEqual((again.metrics("run"), again.metrics("load")), before)
        self.assertTrue(before[0]["is_plateaued"])
        data = requests.get(f"{again.base}/load", timeout=DEADLINE_S).json()["data"]
        self.assertEqual((data["status"], data["error_message"]), ("cancelled", "enough"))

