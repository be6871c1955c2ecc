# SPDX-License-Identifier: MIT
"""
The acceptance list of the operations view, item by item (S0.n), with the same script in local and in
host mode: everything is said to, and asked of, whatever is beside the trainer.

S0.19, S0.20, S0.25, S0.31 and S0.32 are in test_agents.py, S0.24 in test_relay.py.
"""

import json
import os
import sys
import time
from typing import Any, Dict, List

import requests
from wire_daemon import DEADLINE_S, ROOT, Program, Trainer, eventually
from wire_relay import RelayTest

sys.path.append(os.path.join(ROOT, "demo", "agents"))
from mcp import Client, Refused  # pylint: disable=wrong-import-position

FIELDS = ["epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy"]
FIELDS += ["learning_rate", "duration", "timestamp"]
FLAT = {"train_loss": 1, "val_loss": 0.5}


def golden(name: str) -> List[Dict[str, Any]]:
    """A file of vectors."""
    path = os.path.join(ROOT, "tests", "vectors", name)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class LocalMode(RelayTest):
    """The daemon is beside the trainer."""

    hub: Program
    beside: Program

    def setUp(self) -> None:
        self.place()

    def place(self, *options: str) -> None:
        """Starts what there is to be; the options are the hub's."""
        self.hub = self.beside = self.daemon(*options)

    # ---- how it is asked ----

    def ask(self, method: str, path: str, body: Any = None, raw: bytes = b"") -> requests.Response:
        """A request, and whoever is sent on goes on."""
        url = self.beside.url + "/api/v1/operations" + path
        headers = {"Content-Type": "application/json"}
        data = raw or (None if body is None else json.dumps(body).encode())
        return requests.request(method, url, data=data, headers=headers, timeout=DEADLINE_S)

    def begin(self, name: str, **config: Any) -> None:
        """An operation without a trainer."""
        answer = self.ask("POST", "", {"operation_id": name, **config})
        self.assertEqual(answer.status_code, 200, answer.text)

    def data(self, path: str) -> Any:
        """What a GET has to say."""
        return self.ask("GET", path).json()["data"]

    def metrics(self, name: str) -> Dict[str, Any]:
        """Of an operation."""
        return self.data(f"/{name}/metrics")["metrics"]

    def count(self, name: str) -> int:
        """Epochs of an operation; 0 also when it has not come yet."""
        body = self.ask("GET", f"/{name}/metrics").json()
        return len(body.get("data", {"metrics": {}})["metrics"].get("epochs", []))

    def tell(self, name: str, *epochs: Dict[str, Any]) -> None:
        """Epochs, by the host service's route of whatever is beside; return when they are there."""
        due = self.count(name) + len(epochs)
        for epoch in epochs:
            body = {"operation_id": name, "metrics": epoch}
            self.assertEqual(self.beside.json(f"/sessions/{name}/metrics", body), {"success": True})
        eventually(f"{due} epochs", lambda: self.count(name) == due)

    # ---- the list ----

    def test_metrics_are_taken_and_shown(self) -> None:
        self.begin("run", epochs=7)
        with self.subTest("S0.2: empty, exactly"):
            self.assertEqual(self.ask("GET", "/run/metrics").json()["data"]["metrics"], {})
        first = dict(zip(FIELDS, [0, 0.9, 0.5, None, None, 0.001, 2.5, "2026-01-31T12:00:00Z"]))
        second = {"epoch": 1, "train_loss": 0.8, "val_loss": 0.7}
        self.tell("run", first)
        self.tell("run", second)
        with self.subTest("S0.1: the envelope"):
            body = self.ask("GET", "/run/metrics").json()
            self.assertEqual(list(body), ["success", "data"])
            self.assertEqual(list(body["data"]), ["operation_id", "operation_type", "metrics"])
            self.assertEqual(body["data"]["operation_type"], "training")
        epochs = self.metrics("run")["epochs"]
        with self.subTest("S0.3: in order, S0.7: all fields, their types, nulls"):
            self.assertEqual([list(epoch) for epoch in epochs], [FIELDS, FIELDS])
            self.assertEqual(epochs[0], first)
            self.assertEqual([epoch["epoch"] for epoch in epochs], [0, 1])
            self.assertIs(type(epochs[0]["epoch"]), int)
            self.assertIs(type(epochs[0]["duration"]), float)
        with self.subTest("S0.13: planned and completed"):
            metrics = self.metrics("run")
            counts = (metrics["total_epochs_planned"], metrics["total_epochs_completed"])
            self.assertEqual(counts, (7, 2))
        with self.subTest("S0.14: metrics in the status where they are asked for"):
            self.assertIsNone(self.data("/run").get("metrics"))
            self.assertEqual(self.data("/run?include_metrics=true")["metrics"], self.metrics("run"))

    def test_what_is_wrong_is_said_and_changes_nothing(self) -> None:
        self.begin("run")
        with self.subTest("S0.4: an unknown id"):
            for method, path in (
                ("GET", "/nobody/metrics"),
                ("POST", "/nobody/metrics"),
                ("GET", "/nobody"),
                ("DELETE", "/nobody"),
                ("GET", "/nobody/results"),
            ):
                answer = self.ask(method, path, {"epoch": 0, "train_loss": 1})
                if method == "GET":
                    answer = self.ask(method, path)
                self.assertEqual(answer.status_code, 404, path)
                self.assertEqual(answer.json(), {"detail": "Operation not found: nobody"})
        with self.subTest("S0.5: bad payloads, by both roads"):
            for raw in (b"[]", b'"x"', b'{"epoch":', b"7"):
                self.assertIn(self.ask("POST", "/run/metrics", raw=raw).status_code, (400, 422))
                url = self.beside.url + "/sessions/run/metrics"
                for body in (raw, b'{"operation_id":"run","metrics":' + raw + b"}"):
                    answer = requests.post(url, data=body, timeout=DEADLINE_S)
                    self.assertIn(answer.status_code, (400, 422), body)
            self.assertEqual(self.metrics("run"), {})

    def test_another_jobs_keys_stay_as_they_are(self) -> None:
        keys = [
            {"rows": [1, {"two": "zwei"}], "ratio": 1.5, "done": None, "epoch": 0, "train_loss": 0.5},
            {"ratio": 2, "späť": ["x"], "count": 12345678901234567890},
            {"by": "socket", "val/loss": {"a": []}},
        ]
        self.begin("load", operation_type="data_load", symbol="EURUSD")
        with self.subTest("S0.2: nothing said yet"):
            self.assertEqual(self.data("/load/metrics")["metrics"], {})
            self.assertEqual(self.data("/load")["status"], "pending")
        with self.subTest("S0.6: unchanged, in order, whoever says them"):
            added = {"message": "Metrics added successfully", "operation_id": "load"}
            answer = self.ask("POST", "/load/metrics", keys[0])
            self.assertEqual(answer.json(), {"success": True, **added})
            body = {"operation_id": "load", "metrics": keys[1]}
            self.assertEqual(self.beside.json("/sessions/load/metrics", body), {"success": True})
            # A job that has a socket says it there.
            trainer = self.trainer(self.beside)
            trainer.push({"type": "report", "sessionId": "load", "report": keys[2]})
            merged = {**keys[0], **keys[1], **keys[2]}
            eventually("all keys", lambda: self.metrics("load") == merged)
            text = (
                '{"success":true,"data":{"operation_id":"load","operation_type":"data_load",'
                '"metrics":{"rows":[1,{"two":"zwei"}],"ratio":2,"done":null,"epoch":0,'
                '"train_loss":0.5,"sp\\u00e4\\u0165":["x"],"count":12345678901234567890,'
                '"by":"socket","val/loss":{"a":[]}}}}'
            )
            self.assertEqual(self.ask("GET", "/load/metrics").text, text)
        with self.subTest("S0.6: and no training analysis"):
            whole = self.data("/load?include_metrics=true")
            self.assertEqual((whole["status"], whole["metrics"]), ("running", merged))
            self.assertEqual(whole["metadata"]["symbol"], "EURUSD")
            self.assertEqual(whole["operation_type"], "data_load")
        with self.subTest("S0.17: they are its results"):
            self.ask("PATCH", "/load/status", {"status": "completed"})
            self.assertEqual(self.ask("GET", "/load/results").json()["results"], merged)
        with self.subTest("S0.5: bad ones, and one that is over"):
            for metrics in ([], "x", None, 7):
                body = {"operation_id": "load", "metrics": metrics}
                answer = self.beside.json("/sessions/load/metrics", body)
                self.assertEqual(answer["error"]["code"], "VALIDATION_ERROR")
            self.assertEqual(self.metrics("load"), merged)
        with self.subTest("an id is taken once"):
            again = self.ask("POST", "", {"operation_id": "load"})
            self.assertEqual(again.status_code, 409)
            self.assertEqual(again.json(), {"detail": "Operation exists: load"})

    def test_the_analysis_is_the_reference_s(self) -> None:
        cases = golden("analysis.json")
        for case in cases:
            self.begin(case["name"], epochs=case["expect"]["total_epochs_planned"] or None)
        for case in cases:
            # S0.28: after each epoch it is up to date.
            self.tell(case["name"], *case["input_epochs"])
            with self.subTest("S0.8 to S0.11", case=case["name"]):
                metrics = self.metrics(case["name"])
                self.assertEqual({key: metrics[key] for key in case["expect"]}, case["expect"])
        with self.subTest("S0.11: at 10, not at 9"):
            self.begin("flat")
            for i, plateaued in ((9, False), (10, True)):
                told = self.count("flat")
                self.tell("flat", *({"epoch": e, **FLAT} for e in range(told, i + 1)))
                metrics = self.metrics("flat")
                seen = (metrics["epochs_since_improvement"], metrics["is_plateaued"])
                self.assertEqual(seen, (i, plateaued))
        self.begin("up")
        self.tell("up", *({"epoch": i, "train_loss": 1 + 0.1 * i} for i in range(10)))
        with self.subTest("S0.12, S0.26, S0.27: health"):
            health = self.metrics("up")["health"]
            self.assertTrue(health["is_diverging"])
            self.assertEqual(health["recommendation"], "stop")
            self.assertIn("epoch 10", health["summary"])

    def test_how_long_a_plateau_is_can_be_said(self) -> None:
        self.place("--plateau-epochs", "3")
        self.begin("flat")
        for i, plateaued in ((0, False), (1, False), (2, False), (3, True)):
            self.tell("flat", {"epoch": i, **FLAT})
            with self.subTest("S0.11", since=i):
                self.assertIs(self.metrics("flat")["is_plateaued"], plateaued)

    def test_agents_ask_by_the_names_they_know(self) -> None:
        self.begin("run", epochs=4)
        self.begin("load", operation_type="data_load")
        self.tell("run", {"epoch": 0, **FLAT})
        client = Client(self.beside.url + "/mcp/operations", "test")
        with self.subTest("S0.18: the five tools, and what they answer"):
            names = {"get_operation_metrics", "get_operation_status", "list_operations"}
            names |= {"cancel_operation", "get_operation_results"}
            self.assertLessEqual(names, set(client.tools()))
            body = self.ask("GET", "/run/metrics").json()
            self.assertEqual(client.call("get_operation_metrics", operation_id="run"), body)
            body = self.ask("GET", "/run").json()
            self.assertEqual(client.call("get_operation_status", operation_id="run"), body)
            listed = client.call("list_operations", operation_type="data_load")
            self.assertEqual([row["operation_id"] for row in listed["data"]], ["load"])
            with self.assertRaisesRegex(Refused, "Operation not finished"):
                client.call("get_operation_results", operation_id="run")
            gone = client.call("cancel_operation", operation_id="run", reason="flat")
            self.assertEqual(gone["data"]["cancellation_reason"], "flat")
            results = client.call("get_operation_results", operation_id="run")
            self.assertEqual(results, self.ask("GET", "/run/results").json())
            with self.assertRaisesRegex(Refused, "Operation not found: nobody"):
                client.call("get_operation_metrics", operation_id="nobody")

    def test_operations_are_listed_and_ended(self) -> None:
        trainer = self.trainer(self.beside, "run")
        self.begin("load", operation_type="data_load", symbol="EURUSD")
        self.begin("done")
        self.ask("PATCH", "/done/status", {"status": "running"})
        self.ask("PATCH", "/done/status", {"status": "completed"})
        eventually("the run", lambda: self.ask("GET", "/run").status_code == 200)
        with self.subTest("S0.15: filters and counts"):
            every = self.ask("GET", "").json()
            self.assertEqual((every["total_count"], every["active_count"]), (3, 2))
            named = lambda query: {o["operation_id"] for o in self.ask("GET", query).json()["data"]}
            self.assertEqual(named("?operation_type=data_load"), {"load"})
            self.assertEqual(named("?status=completed"), {"done"})
            self.assertEqual(named("?active_only=true"), {"run", "load"})
            pages = [named(f"?limit=1&offset={i}") for i in range(4)]
            self.assertEqual(pages[3], set())
            self.assertEqual(set().union(*pages), {"run", "load", "done"})
        with self.subTest("S0.17: results"):
            answer = self.ask("GET", "/run/results")
            self.assertEqual(answer.status_code, 400)
            self.assertIn("Operation not finished (status: ", answer.json()["detail"])
            self.assertEqual(self.ask("GET", "/done/results").json()["status"], "completed")
        with self.subTest("S0.16: the trainer is told, once"):
            self.control(trainer)
            again = self.ask("DELETE", "/run", {"reason": "still"})
            self.assertEqual(again.status_code, 400)

    def control(self, trainer: Trainer) -> None:
        """A cancel reaches it."""
        eventually("a trainer", lambda: self.hub.json("/health")["trainers"] == 1)
        answer = self.ask("DELETE", "/run", {"reason": "flat", "force": False}).json()["data"]
        self.assertEqual(answer["status"], "cancelled")
        self.assertEqual(answer["cancellation_reason"], "flat")
        self.assertTrue(answer["task_cancelled"])
        told = trainer._answers  # pylint: disable=protected-access
        line = json.loads(told.readline())
        self.assertEqual((line["type"], line["command"], line["reason"]), ("control", "stop", "flat"))
        self.assertEqual(self.data("/run")["status"], "cancelled")

    def test_epochs_of_trainers_are_there_at_once_and_apart(self) -> None:
        names = ["a", "b", "c"]
        trainers = {name: self.trainer(self.beside, name) for name in names}
        for i in range(100):
            for name in names:
                metrics = {"epoch": i, "train_loss": ord(name) / (i + 1), "val_loss": 1 / (i + 1)}
                line = {"type": "epoch", "sessionId": name, "seq": i + 1, "metrics": metrics}
                trainers[name].push(line)
        said = time.monotonic()
        eventually("all epochs", lambda: all(self.count(name) == 100 for name in names))
        with self.subTest("S0.22: within a second"):
            self.assertLess(time.monotonic() - said, 1.0)
        with self.subTest("S0.29: 100 epochs are small and quick"):
            took_s = []
            for _ in range(5):
                begun = time.monotonic()
                answer = self.ask("GET", "/a/metrics")
                took_s.append(time.monotonic() - begun)
            self.assertLess(min(took_s), 0.1)
            self.assertLess(len(answer.content), 50_000)
        with self.subTest("S0.30: they do not mix"):
            for name in names:
                losses = [epoch["train_loss"] for epoch in self.metrics(name)["epochs"]]
                self.assertEqual(losses, [ord(name) / (i + 1) for i in range(100)])

    def test_without_a_trainer_every_route_answers(self) -> None:
        with self.subTest("S0.21"):
            self.assertEqual(self.ask("GET", "").json()["data"], [])
            for path in ("/health", "/metrics", "/openapi.json", "/api/training/sessions"):
                answer = requests.get(self.beside.url + path, timeout=DEADLINE_S)
                self.assertEqual(answer.status_code, 200, path)
        with self.subTest("S0.33: the description names both endpoints"):
            paths = self.hub.json("/openapi.json")["paths"]
            self.assertLessEqual({"get", "post"}, set(paths["/api/v1/operations/{id}/metrics"]))
            self.assertIn("post", self.beside.json("/openapi.json")["paths"]["/sessions/{id}/metrics"])


class HostMode(LocalMode):
    """A relay is beside the trainer. S0.23, S0.25: the same script, the same bodies."""

    def place(self, *options: str) -> None:
        self.hub, self.beside = self.both(*options)
