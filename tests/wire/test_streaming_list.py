# SPDX-License-Identifier: MIT
"""Items of the acceptance list of streaming (S2.n) that nothing else shows; docs/reliability.md has the
table of all that are about load."""

import json
import signal
import subprocess
import sys
import urllib.request
from typing import Any, Dict

from wire_daemon import DEADLINE_S, Daemon, Inbox, WireTest, eventually

import socketio

QUICK = ("--ping-interval-ms", "300", "--ping-timeout-ms", "1500")

# A client as people have it, in a process of its own that can be frozen.
CLIENT = """
import sys, time, socketio
client = socketio.Client(reconnection=False)
client.connect(sys.argv[1], transports=[sys.argv[2]])
client.call("subscribe_session", {"sessionId": sys.argv[3]})
print("subscribed", flush=True)
time.sleep(60)
"""


class HalfOpen(WireTest):
    """S2.14: a peer whose machine is there and answers nothing, as after a crash or an unplugged cable."""

    def frozen(self, daemon: Daemon, transport: str, session: str) -> None:
        """A client that has subscribed and then stands still, its connections open."""
        client = subprocess.Popen(
            [sys.executable, "-c", CLIENT, daemon.url, transport, session], stdout=subprocess.PIPE
        )
        assert client.stdout
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        self.assertEqual(client.stdout.readline(), b"subscribed\n")
        client.send_signal(signal.SIGSTOP)

    def test_who_stands_still_is_dropped_with_its_subscriptions(self) -> None:
        daemon = self.daemon(*QUICK)
        healthy = socketio.Client(reconnection=False)
        lost = Inbox()
        healthy.on("disconnect", lambda *_: lost.put("disconnect"))
        healthy.connect(daemon.url, transports=["websocket"], wait_timeout=DEADLINE_S)
        self.addCleanup(healthy.disconnect)
        self.frozen(daemon, "websocket", "a")
        self.frozen(daemon, "polling", "b")
        eventually("both to be dropped", lambda: daemon.gauge("peers") == 1)
        self.assertEqual(daemon.gauge("peers_closed_timeout"), 2)
        self.assertEqual(daemon.gauge("rooms"), 0)
        self.assertEqual(lost.all, [])


class Payload(WireTest):
    """S2.39: without spaces, and rounded."""

    def test_what_is_sent_is_short(self) -> None:
        """At least an eighth less than what Python's json makes of the same record."""
        daemon = self.daemon()
        metrics: Dict[str, Any] = {
            "loss": 1.234567891234,
            "perplexity": 3.436718391234,
            "step": 1234,
            "totalSteps": 90000,
            "currentModel": 1,
            "totalModels": 3,
            "trainingTime": 123.456789123,
            "lr": 0.000312345678,
            "grad_norm": 0.987654321987,
        }
        self.trainer(daemon, "a").push({"type": "progress", "sessionId": "a", "metrics": metrics})
        with urllib.request.urlopen(daemon.url + "/api/training/metrics/a") as answer:
            sent = answer.read().decode()
        record = json.loads(sent)
        self.assertEqual(sent, json.dumps(record, separators=(",", ":"), ensure_ascii=False))
        entry = daemon.json("/api/training/history/a")["data"][0]
        record["data"] = {name: entry[name] for name in record["data"]}  # at full precision
        saved = 1 - len(sent) / len(json.dumps(record))
        self.assertGreater(saved, 0.125)
