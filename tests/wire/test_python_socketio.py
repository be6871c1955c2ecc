# SPDX-License-Identifier: MIT
"""Debian's python3-socketio, unmodified, in the three ways in which it can connect."""

import unittest
from typing import Any, Dict, List, Optional

import socketio
from wire_daemon import DEADLINE_S, Daemon, Inbox, WireTest

#: What the daemon thinks of a run, which older clients do not know.
OPINIONS = ("phase_changed", "alert", "insight")

WAYS: Dict[str, Optional[List[str]]] = {
    "by default": None,
    "on WebSocket only": ["websocket"],
    "on polling only": ["polling"],
}


def steps(count: int, start: int = 1) -> List[Dict[str, Any]]:
    """Records of run `a` whose step counts up."""
    return [
        {"type": "progress", "sessionId": "a", "metrics": {"loss": 1.0, "step": start + i}}
        for i in range(count)
    ]


class PythonSocketIO(WireTest):
    """A sync client and what it hears."""

    def client(self, daemon: Daemon, transports: Optional[List[str]]) -> "socketio.Client":
        """A connected client; `heard` gets (event, data) of all it is sent."""
        client = socketio.Client(reconnection=False)
        self.heard = Inbox()
        client.on("*", lambda event, data: self.heard.put((event, data)))
        client.on("disconnect", lambda *_: self.heard.put(("disconnect", None)))
        client.connect(daemon.url, transports=transports, wait_timeout=DEADLINE_S)
        self.addCleanup(client.disconnect)
        self.wait_for("connection_established")
        return client

    def wait_for(self, event: str) -> None:
        """Wait until this event has been heard."""
        self.heard.wait(event, lambda heard: any(name == event for name, _ in heard))

    def events(self) -> List[str]:
        """The names heard so far."""
        return [name for name, _ in self.heard.all]

    def test_a_run_is_seen_whole(self) -> None:
        """The events of a run, in their order."""
        for way, transports in WAYS.items():
            with self.subTest(way):
                daemon = self.daemon("--no-throttle")
                client = self.client(daemon, transports)
                ack = client.call("subscribe_session", {"sessionId": "a"}, timeout=DEADLINE_S)
                self.assertEqual(ack, {"success": True, "sessionId": "a"})
                trainer = self.trainer(daemon, "a")
                self.wait_for("training_started")
                trainer.push(*steps(1))
                self.wait_for("progress_update")
                trainer.push({"type": "model_completed", "sessionId": "a", "modelIndex": 0})
                self.wait_for("model_completed")
                trainer.push({"type": "complete", "sessionId": "a"})
                self.wait_for("training_completed")
                self.assertEqual(
                    [event for event in self.events() if event not in OPINIONS],
                    [
                        "connection_established",
                        "training_started",
                        "progress_update",
                        "model_completed",
                        "training_completed",
                    ],
                )

    def test_history_is_asked_for(self) -> None:
        """get_session_history answers with an event and an acknowledgement."""
        for way, transports in WAYS.items():
            with self.subTest(way):
                daemon = self.daemon()
                self.trainer(daemon, "a").push(*steps(30))
                client = self.client(daemon, transports)
                asked = {"sessionId": "a", "limit": 10}
                ack = client.call("get_session_history", asked, timeout=DEADLINE_S)
                self.assertTrue(ack["success"])
                self.wait_for("session_history")
                history = dict(self.heard.all)["session_history"]["history"]
                self.assertEqual([entry["offset"] for entry in history], list(range(21, 31)))

    def test_many_events_at_once_do_not_disconnect(self) -> None:
        """python-engineio takes at most 16 packets of one poll and hangs up at more."""
        for way, transports in WAYS.items():
            with self.subTest(way):
                daemon = self.daemon("--no-throttle")
                trainer = self.trainer(daemon, "a")
                client = self.client(daemon, transports)
                client.call("subscribe_session", {"sessionId": "a"}, timeout=DEADLINE_S)
                trainer.push(
                    *(
                        {"type": "model_completed", "sessionId": "a", "modelIndex": index}
                        for index in range(200)
                    ),
                    {"type": "complete", "sessionId": "a"},
                )
                self.wait_for("training_completed")
                self.heard.wait("all", lambda heard: len(heard) == 203)
                # The client hands each packet to a thread of its own, so the order is lost there.
                completed = [data for name, data in self.heard.all if name == "model_completed"]
                self.assertEqual(
                    sorted(data["modelIndex"] for data in completed), list(range(200))
                )
                self.assertNotIn("disconnect", self.events())

    def test_a_missing_session_id_is_an_error_event(self) -> None:
        """The connection stays."""
        daemon = self.daemon()
        client = self.client(daemon, None)
        client.emit("subscribe_session", {})
        self.wait_for("error")
        self.assertIn(("error", {"message": "sessionId required"}), self.heard.all)
        self.assertTrue(client.connected)

    def test_heartbeats_keep_it(self) -> None:
        """Pings are answered, on polling and on a WebSocket."""
        for way, transports in WAYS.items():
            with self.subTest(way):
                daemon = self.daemon("--ping-interval-ms", "100", "--ping-timeout-ms", "1000")
                trainer = self.trainer(daemon, "a")
                client = self.client(daemon, transports)
                client.call("subscribe_session", {"sessionId": "a"}, timeout=DEADLINE_S)
                for step in range(1, 12):
                    trainer.push(*steps(1, step))
                    self.heard.wait(f"step {step}", lambda heard, step=step: reached(heard, step))
                self.assertNotIn("disconnect", self.events())


def reached(heard: list, step: int) -> bool:
    """Has an update of this step been heard?"""
    return any(n == "progress_update" and d["metrics"]["currentStep"] == step for n, d in heard)


if __name__ == "__main__":
    unittest.main()
