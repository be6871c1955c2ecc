# SPDX-License-Identifier: MIT
"""demo/agents/supervisor.py against a real daemon and a scripted run: a real client of MCP."""

import json
import math
import os
import re
import subprocess
import sys
import threading
import unittest
from typing import Any, Callable, Dict, Iterable, Iterator, List

from wire_daemon import DEADLINE_S, ROOT, Daemon, Trainer, WireTest, eventually
from wire_relay import Relay

sys.path.append(os.path.join(ROOT, "demo", "agents"))
import supervisor  # pylint: disable=wrong-import-position

SUPERVISOR = os.path.join(ROOT, "demo", "agents", "supervisor.py")
DEMO = os.path.join(ROOT, "tests", "vectors", "demo_grokked.csv")
EPOCHS = 150


def noise(n: int) -> float:
    """Within about -1..1, the same each time."""
    return math.sin(n * 12.9898) * 0.7 + math.sin(n * 4.1) * 0.3


Lines = List[Dict[str, Any]]


class ScriptedRun(threading.Thread):
    """
    Says an epoch's lines after the other, until it is told to stop or they are over. An epoch is
    longer than a supervisor takes to react, as real ones are: it ends when he waits again.
    """

    def __init__(self, daemon: Daemon, name: str, epochs: int, script: Iterable[Lines]) -> None:
        super().__init__(daemon=True)
        self._trainer = Trainer(daemon)
        self._script = script
        self._daemon = daemon
        self.name = name
        self.ended_at = epochs
        self.reason = ""
        config = {"epochs": epochs, "devices": 8}
        self._trainer.push({"type": "start", "sessionId": name, "config": config})

    def _push(self, lines: Lines) -> bool:
        """True when a stop came meanwhile."""
        text = "".join(json.dumps(line) + "\n" for line in [*lines, {"type": "ping"}])
        self._trainer._socket.sendall(text.encode())
        stop = False
        while (said := json.loads(self._trainer._answers.readline()))["type"] != "pong":
            if said["type"] == "control" and said["command"] == "stop":
                self.reason = said.get("reason", "")
                stop = True
        return stop

    def run(self) -> None:
        for epoch, lines in enumerate(self._script):
            if epoch > 0:
                eventually("a supervisor", lambda: self._daemon.gauge("mcp_calls") >= 1)
            if self._push(lines):
                self.ended_at = epoch
                break
        self._trainer.push({"type": "complete", "sessionId": self.name})
        self._trainer.close()


def invented(daemon: Daemon, name: str, val_loss: Callable[[int], float]) -> ScriptedRun:
    """A run of EPOCHS with that validation loss."""

    def script() -> Iterator[Lines]:
        for epoch in range(EPOCHS):
            metrics = {
                "epoch": epoch,
                "step": epoch * 100,
                "train_loss": 1 / (1 + epoch / 8),
                "val_loss": val_loss(epoch),
                "timestamp": 1700000000 + 600 * epoch,
            }
            yield [{"type": "epoch", "sessionId": name, "metrics": metrics}]

    return ScriptedRun(daemon, name, EPOCHS, script())


def demo(daemon: Daemon, name: str) -> ScriptedRun:
    """The demo's training of 60,000 steps as it was recorded, a hundred steps an epoch."""
    with open(DEMO, encoding="ascii") as file:
        rows = [line.split(",") for line in file if not line.startswith("#")]

    def script() -> Iterator[Lines]:
        lines: Lines = []
        for i, (loss, val_loss) in enumerate(rows):
            step = 4 * i or 1
            metrics: Dict[str, Any] = {"step": step, "loss": float(loss), "val_loss": float(val_loss)}
            metrics.update(totalSteps=60000, timestamp=1700000000 + 0.01 * step)
            kind = "progress" if step % 100 else "epoch"
            if kind == "epoch":
                metrics["epoch"] = step // 100
            lines.append({"type": kind, "sessionId": name, "metrics": metrics})
            if kind == "epoch":
                yield lines
                lines = []

    return ScriptedRun(daemon, name, 600, script())


class Supervisor(WireTest):
    """What it does, and what it costs."""

    def supervise(self, *arguments: str, code: int = 0) -> List[str]:
        """The lines it prints."""
        done = subprocess.run(
            [sys.executable, SUPERVISOR, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout.splitlines()

    def test_a_plateaued_run_is_stopped_before_its_last_third(self) -> None:
        daemon = self.daemon()
        run = invented(daemon, "flat", lambda e: 0.5 + math.exp(-e / 4) + 0.005 * noise(e))
        run.start()
        lines = self.supervise("--url", daemon.url)
        run.join(DEADLINE_S)
        self.assertLess(run.ended_at, EPOCHS * 2 / 3, "\n".join(lines))
        self.assertIn("a further gain has become unlikely", run.reason)
        self.assertTrue(any(line.startswith("stop accepted") for line in lines), lines)
        self.assertIn("status: completed", lines)
        self.assert_cheap(lines)
        order = daemon.json("/api/training/control/flat")["data"]["orders"][0]
        self.assertEqual((order["command"], order["state"]), ("stop", "done"))
        self.assertEqual(order["who"]["via"], "mcp")
        self.assertEqual(order["who"]["client"], "streamd-supervisor")
        self.assertTrue(any("streamd-supervisor" in line for line in lines), lines)

    def assert_cheap(self, lines: List[str]) -> None:
        """No more than 12 calls and 10,000 tokens."""
        cost = re.fullmatch(r"(\d+) calls, (\d+) tokens \(characters / 4\)", lines[-1])
        assert cost, lines
        self.assertLessEqual(int(cost.group(1)), 12, "\n".join(lines))
        self.assertLessEqual(int(cost.group(2)), 10000, "\n".join(lines))

    def test_the_demo_is_let_find_its_rule_and_stopped_when_it_lies_flat(self) -> None:
        hub = self.daemon()
        relay = Relay(self.new_folder(), hub.url, spool=self.new_folder())
        self.addCleanup(relay.stop)
        run = demo(hub, "demo")
        run.start()
        lines = self.supervise("demo", "--url", relay.url)  # which sends it on
        run.join(DEADLINE_S)
        self.assertGreater(run.ended_at, 50, "\n".join(lines))
        self.assertLess(run.ended_at, 600 * 2 / 3, "\n".join(lines))
        self.assertIn("a further gain has become unlikely", run.reason)
        self.assertIn("PLATEAU", run.reason)
        self.assertIn("status: completed", lines)
        self.assert_cheap(lines)

    def test_a_run_that_overfits_is_stopped_at_the_second_look(self) -> None:
        daemon = self.daemon()
        run = invented(daemon, "over", lambda e: 0.5 + math.exp(-e / 5) + 0.02 * max(0, e - 15))
        run.start()
        lines = self.supervise("over", "--url", daemon.url, "--patience-s", "0")
        run.join(DEADLINE_S)
        self.assertLess(run.ended_at, EPOCHS * 2 / 3, "\n".join(lines))
        self.assertIn("OVERFITTING_RISK", run.reason)

    def test_a_run_that_gets_better_is_let_run(self) -> None:
        daemon = self.daemon()
        run = invented(daemon, "good", lambda e: 2 * math.exp(-e / 60) + 0.002 * noise(e))
        run.start()
        lines = self.supervise("good", "--url", daemon.url)
        run.join(DEADLINE_S)
        self.assertEqual(run.ended_at, EPOCHS, "\n".join(lines))
        self.assertFalse(any(line.startswith("stop ") for line in lines), lines)

    def test_it_says_when_there_is_nothing_to_watch(self) -> None:
        daemon = self.daemon()
        self.supervise("--url", daemon.url, code=1)
        self.supervise("nobody", "--url", daemon.url, code=3)
        self.supervise("--url", "http://127.0.0.1:1", code=3)


class Told:
    """A client that is told what was agreed on, in order, and notes what it is asked."""

    def __init__(self, *answers: Dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: List[str] = []

    def call(self, tool: str, /, **_: Any) -> Dict[str, Any]:
        """The next answer."""
        self.asked.append(tool)
        return self.answers.pop(0)


def verdict(word: str, action: str) -> Dict[str, Any]:
    """What assess_health answers."""
    return {"verdict": word, "summary": "", "seq": 0, "recommendation": {"action": action, "reason": ""}}


def events(*kinds: str, status: str = "") -> Dict[str, Any]:
    """What wait_for_event answers."""
    return {
        "next_seq": 0,
        "events": [{"type": kind, "text": "", "data": {"status": status}} for kind in kinds],
    }


class Patience(unittest.TestCase):
    """Whether it looks again."""

    def test_news_of_a_run_in_doubt_wait_and_advice_does_not(self) -> None:
        client = Told(
            verdict("stop_soon", "consider_stop"),
            events("alert"),
            events(),
            events("recommendation"),
            verdict("stop_soon", "stop"),
            {"accepted": True},
            events("status", status="stopped"),
        )
        supervisor.Supervisor(client, "run", False, 3600).run()
        waits = ["wait_for_event"] * 3
        end = ["assess_health", "request_stop", "wait_for_event"]
        self.assertEqual(client.asked, ["assess_health", *waits, *end])

    def test_the_second_look_is_enough(self) -> None:
        client = Told(
            verdict("stop_soon", "consider_stop"),
            verdict("stop_soon", "consider_stop"),
            {"accepted": True},
            events("status", status="stopped"),
        )
        supervisor.Supervisor(client, "run", False, 0).run()
        self.assertEqual(client.asked.count("assess_health"), 2)
