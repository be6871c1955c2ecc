# SPDX-License-Identifier: MIT
"""The integration tests with an unmodified Socket.IO client watching."""

import time

from runner.api import Api
from runner.cases_data import INTERFACE, Trainer
from runner.processes import PYTHON_TRAINER, Daemon, start_trainer
from runner.watch import Watcher

END_S = 60.0
#: Answers to a question, and what the daemon thinks of a run: not part of the run's own sequence.
ASIDE = (
    "session_status",
    "session_history",
    "session_cleanup",
    "phase_changed",
    "alert",
    "insight",
)


def streaming(daemon: Daemon, api: Api) -> None:
    """The reference's sequence of events, over polling with upgrade and over WebSocket alone."""
    for transports in (None, ["websocket"], ["polling"]):
        session = f"stream-{'-'.join(transports or ['default'])}"
        with Watcher(daemon.url, transports) as watcher, Trainer(daemon.socket) as trainer:
            assert watcher.wait_for("connection_established").data["client_id"]
            if transports != ["polling"]:
                assert watcher.transport == "websocket", watcher.transport
            watcher.emit("subscribe_session", {})
            watcher.wait_for("error")
            watcher.subscribe(session)
            trainer.ask({"type": "start", "sessionId": session, "config": {"model_count": 1}})
            trainer.tell({"type": "progress", "metrics": {"loss": 1.0, "step": 1}})
            update = watcher.wait_for("progress_update").data
            assert update["status"] == "running" and update["metrics"]["loss"] == 1.0, update
            missing = [name for name in INTERFACE if name not in update["metrics"]]
            assert not missing, f"progress_update lacks {missing}"
            trainer.tell({"type": "model_completed", "modelIndex": 0})
            trainer.tell({"type": "complete"})
            watcher.wait_for("training_completed")
            watcher.emit("get_session_history", {"sessionId": session})
            assert len(watcher.wait_for("session_history").data["history"]) == 1
            expected = ["training_started", "progress_update", "model_completed"]
            order = [one.event for one in watcher.heard if one.event not in ASIDE]
            assert order[2:] == [*expected, "training_completed"], order


def performance(daemon: Daemon, api: Api) -> None:
    """50 pushes at 10 ms are at most 15 frames; the newest arrives; payloads are small."""
    session, pushes = "throttle", 50
    with Watcher(daemon.url, ["websocket"]) as watcher, Trainer(daemon.socket) as trainer:
        trainer.ask({"type": "start", "sessionId": session})
        watcher.subscribe(session)
        before = len(watcher.of("progress_update"))
        began = time.monotonic()
        for step in range(1, pushes + 1):
            line = {"loss": 1 / step, "step": step, "gradient": 0.123456789}
            trainer.tell({"type": "progress", "metrics": line})
            time.sleep(max(0.0, began + step * 0.01 - time.monotonic()))
        last = watcher.wait(
            lambda: [
                one
                for one in watcher.of("progress_update")
                if one.data["metrics"]["currentStep"] == pushes
            ],
            "the newest value",
        )
        frames = len(watcher.of("progress_update")) - before
        assert frames <= 15, f"{frames} frames"
        metrics = last[0].data["metrics"]
        assert metrics["loss"] == round(1 / pushes, 4), metrics["loss"]
        assert metrics["gradient"] == 0.123457, metrics["gradient"]
    identity, packed = (
        api.get(f"/api/training/history/{session}", Accept_Encoding=coding)
        for coding in ("identity", "gzip")
    )
    assert b": " not in identity.body and b", " not in identity.body, "spaces in JSON"
    assert packed.headers.get("content-encoding") == "gzip", packed.headers
    assert len(packed.body) < len(identity.body) / 2, "gzip saves too little"
    stats = api.stats()["performance_stats"]
    assert stats["throttling_enabled"] is True and stats["max_update_rate"] == 10.0, stats


def end_to_end(daemon: Daemon, api: Api) -> None:
    """A real training of three models, by the Python client, watched from start to end."""
    session, models = "end-to-end", 3
    with Watcher(daemon.url) as watcher:
        watcher.subscribe(session)
        trainer = start_trainer(PYTHON_TRAINER, daemon.socket, session, models, 1, "--steps", "100")
        try:
            assert trainer.process.wait(END_S) == 0, trainer.last_words()
        finally:
            trainer.end()
        watcher.wait_for("training_completed", session)
        assert len(watcher.of("training_started", session)) == 1
        assert len(watcher.of("training_completed", session)) == 1
        done = [one.data["modelIndex"] for one in watcher.of("model_completed", session)]
        assert done == list(range(models)), done
        updates = [one.data["metrics"] for one in watcher.of("progress_update")]
        overall = [one["overallProgress"] for one in updates]
        assert len(updates) > 5 and overall == sorted(overall), overall
    status = api.data("status", session)
    assert (status["status"], status["models_completed"]) == ("completed", models), status
    losses = [entry["loss"] for entry in api.history(session) if "grad_norm" in entry]
    assert len(losses) == models * 100, f"{len(losses)} records in history"
    assert losses[99] < losses[0], "the model did not learn"
