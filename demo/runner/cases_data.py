# SPDX-License-Identifier: MIT
"""The integration tests that need no watcher: components, numbers, errors, sessions."""

import json
import math
import os
import socket
import stat
import uuid
from typing import Any, Dict

from runner.api import Api, encode
from runner.processes import Daemon

DEADLINE_S = 10.0

#: Names of the statistics, as existing callers know them.
COUNTERS = (
    "sessions_created",
    "total_metrics_processed",
    "transformations_successful",
    "websocket_messages_sent",
    "errors_encountered",
    "active_sessions",
)
GROUPS = {
    "compatibility_stats": (
        "transformations_cached",
        "validation_rules_count",
        "fallback_available",
        "supported_formats",
    ),
    "performance_stats": ("throttling_enabled", "max_update_rate", "buffered_sessions"),
}
INTERFACE = [
    "loss",
    "perplexity",
    "grokProgress",
    "modelParams",
    "currentStep",
    "totalSteps",
    "currentModel",
    "totalModels",
    "overallProgress",
    "trainingTime",
    "estimatedTimeRemaining",
    "timestamp",
]


class Trainer:
    """A trainer's connection, line by line. A context manager."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(DEADLINE_S)
        self._socket.connect(path)
        self._answers = self._socket.makefile("rb")

    def tell(self, line: Any) -> None:
        """Send a line: a dict, or bytes where it is to be bad."""
        self._socket.sendall(line if isinstance(line, bytes) else encode(line))

    def ask(self, line: Any) -> Dict[str, Any]:
        """Send a line and return the next answer."""
        self.tell(line)
        return dict(json.loads(self._answers.readline()))

    def __enter__(self) -> "Trainer":
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.close()
        self._socket.close()


def components(daemon: Daemon, api: Api) -> None:
    """Every part answers: health, statistics, metrics, page, trainers' socket."""
    health = api.get("/health")
    assert health.status == 200 and health.json, "no health"
    stats = api.stats()
    missing = [name for name in COUNTERS if name not in stats]
    for group, names in GROUPS.items():
        missing += [f"{group}.{name}" for name in names if name not in stats.get(group, {})]
    assert not missing, f"statistics lack {missing}"
    assert stats["compatibility_stats"]["validation_rules_count"] == 11
    assert b"streamd_" in api.get("/metrics").body, "no Prometheus text"
    assert api.get("/").status == 200, "no page"
    mode = os.stat(daemon.socket).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600, oct(mode)
    with Trainer(daemon.socket) as trainer:
        assert trainer.ask({"type": "ping"}) == {"type": "pong"}


def transformation(daemon: Daemon, api: Api) -> None:
    """The derived fields follow their formulas, payloads are rounded, history is not."""
    losses = (2.5, 0.0, 1.234567891, 11.0, 1e-5, 3.0)
    for number, loss in enumerate(losses):
        session = f"transform-{number}"
        metrics = {"loss": loss, "step": 30, "total_steps": 120, "modelIndex": 1}
        start = {"type": "start", "sessionId": session, "config": {"model_count": 4}}
        line = {"type": "progress", "sessionId": session, "metrics": {**metrics, "lr": 1.5e-5}}
        assert api.push(start, line).status == 200
        shown = api.data("metrics", session)
        assert list(shown)[: len(INTERFACE)] == INTERFACE, list(shown)
        expected = {
            "loss": round(loss, 4),
            "perplexity": round(math.exp(min(loss, 10.0)), 4),
            "grokProgress": round(min(max((2 - loss) / 2 * 100, 0.0), 100.0), 1),
            "overallProgress": round((1 * 100 + 30 / 120 * 100) / 4, 1),
            "currentStep": 30,
            "totalSteps": 120,
            "currentModel": 2,
            "totalModels": 4,
            "learning_rate": 1.5e-5,
        }
        wrong = {
            name: (shown[name], want) for name, want in expected.items() if shown[name] != want
        }
        assert not wrong, f"loss {loss}: shown, expected {wrong}"
        assert api.history(session)[-1]["loss"] == loss, "history is rounded"


def errors(daemon: Daemon, api: Api) -> None:
    """What is wrong is said and survived, and a trainer that comes back loses nothing."""
    with Trainer(daemon.socket) as trainer:
        bad = [
            b"hello\n",
            b'{"a":1}{"b":2}\n',
            b'{"type":"progress","metrics":[[[\n',
            b"\xff\xfe\n",
        ]
        bad += [encode({"type": "no such type"}), encode({"type": "start", "sessionId": "a b"})]
        for line in bad:
            assert trainer.ask(line)["type"] == "error", line
        assert trainer.ask({"type": "ping"}) == {"type": "pong"}, "the connection did not go on"
        trainer.ask({"type": "start", "sessionId": "recovery"})
        for seq in (1, 2):
            ack = trainer.ask({"type": "progress", "seq": seq, "metrics": {"loss": 1.0 / seq}})
            assert (ack["type"], ack["seq"]) == ("ack", seq), ack
    with Trainer(daemon.socket) as trainer:
        again = trainer.ask({"type": "start", "sessionId": "recovery", "resume": True})
        assert again["lastSeq"] == 2, again
        for seq in (2, 3):
            trainer.ask({"type": "progress", "seq": seq, "metrics": {"loss": 1.0 / seq}})
    assert [entry["loss"] for entry in api.history("recovery")] == [1.0, 0.5, 1 / 3]
    nan = {"type": "progress", "sessionId": "recovery", "metrics": {"loss": float("nan")}}
    assert api.push(nan).status == 200
    shown = api.data("metrics", "recovery")
    assert shown["loss"] is None and shown["nonFinite"]["loss"] == "NaN", shown
    refused = api.push({"type": "ping"}, b"hello\n")
    assert refused.status == 400 and refused.json["accepted"] == 1, refused
    assert api.get("/api/training/status/nobody").status == 404
    assert api.get("/health").status == 200


def sessions(daemon: Daemon, api: Api) -> None:
    """Sessions get an id of their own or keep the given one, with config, and are listed."""
    config = {"model_count": 2, "batch_size": 8, "note": "any JSON", "nested": {"a": [1, None]}}
    with Trainer(daemon.socket) as trainer:
        made = trainer.ask({"type": "start", "config": config, "project": "p", "name": "n"})
        assert made["type"] == "started" and made["lastSeq"] == 0, made
        assert uuid.UUID(made["sessionId"]).version == 4
        other = trainer.ask({"type": "start", "sessionId": "my.session:1"})
        assert other["sessionId"] == "my.session:1"
    status = api.data("status", made["sessionId"])
    assert status["config"] == config, status["config"]
    assert status["total_models"] == 2 and status["models_completed"] == 0, status
    listed = [one["session_id"] for one in api.data("sessions")["sessions"]]
    assert listed[:2] == ["my.session:1", made["sessionId"]], listed
