# SPDX-License-Identifier: MIT
"""demo/agents/supervisor.py against a real daemon and a scripted run: a real client of MCP."""

import json
import math
import os
import re
import subprocess
import sys
import threading
from typing import Any, Dict, List

from wire_daemon import DEADLINE_S, ROOT, Daemon, Trainer, WireTest

SUPERVISOR = os.path.join(ROOT, "demo", "agents", "supervisor.py")
EPOCHS = 150
EPOCH_S = 0.01


def noise(n: int) -> float:
    """Within about -1..1, the same each time."""
    return math.sin(n * 12.9898) * 0.7 + math.sin(n * 4.1) * 0.3


class ScriptedRun(threading.Thread):
    """Trains until it is told to stop, or its epochs are over. `val_loss` gives each epoch's."""

    def __init__(self, daemon: Daemon, name: str, val_loss: Any) -> None:
        super().__init__(daemon=True)
        self._trainer = Trainer(daemon)
        self._val_loss = val_loss
        self._works = threading.Event()
        self.name = name
        self.ended_at = EPOCHS
        self.reason = ""
        self._trainer.push(
            {"type": "start", "sessionId": name, "config": {"epochs": EPOCHS, "devices": 8}}
        )

    def _push(self, line: Dict[str, Any]) -> bool:
        """True when a stop came meanwhile."""
        self._trainer._socket.sendall((json.dumps(line) + '\n{"type":"ping"}\n').encode())
        stop = False
        while (said := json.loads(self._trainer._answers.readline()))["type"] != "pong":
            if said["type"] == "control" and said["command"] == "stop":
                self.reason = said.get("reason", "")
                stop = True
        return stop

    def run(self) -> None:
        for epoch in range(EPOCHS):
            metrics = {
                "epoch": epoch,
                "step": epoch * 100,
                "train_loss": 1 / (1 + epoch / 8),
                "val_loss": self._val_loss(epoch),
                "timestamp": 1700000000 + 600 * epoch,
            }
            self._works.wait(EPOCH_S)  # this is the work; nobody ends it
            if self._push({"type": "epoch", "sessionId": self.name, "metrics": metrics}):
                self.ended_at = epoch
                break
        self._trainer.push({"type": "complete", "sessionId": self.name})
        self._trainer.close()


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
        run = ScriptedRun(daemon, "flat", lambda e: 0.5 + math.exp(-e / 4) + 0.005 * noise(e))
        run.start()
        lines = self.supervise("--url", daemon.url)
        run.join(DEADLINE_S)
        self.assertLess(run.ended_at, EPOCHS * 2 / 3, "\n".join(lines))
        self.assertIn("a further gain has become unlikely", run.reason)
        self.assertTrue(any(line.startswith("stop accepted") for line in lines), lines)
        self.assertIn("status: completed", lines)
        cost = re.fullmatch(r"(\d+) calls, (\d+) tokens \(characters / 4\)", lines[-1])
        assert cost, lines
        self.assertLessEqual(int(cost.group(1)), 12, "\n".join(lines))
        self.assertLessEqual(int(cost.group(2)), 10000, "\n".join(lines))
        order = daemon.json("/api/training/control/flat")["data"]["orders"][0]
        self.assertEqual((order["command"], order["state"]), ("stop", "done"))
        self.assertEqual(order["who"]["via"], "mcp")
        self.assertEqual(order["who"]["client"], "streamd-supervisor")
        self.assertTrue(any("streamd-supervisor" in line for line in lines), lines)

    def test_a_run_that_overfits_is_stopped_at_the_second_look(self) -> None:
        daemon = self.daemon()
        run = ScriptedRun(daemon, "over", lambda e: 0.5 + math.exp(-e / 5) + 0.02 * max(0, e - 15))
        run.start()
        lines = self.supervise("over", "--url", daemon.url, "--patience-s", "0")
        run.join(DEADLINE_S)
        self.assertLess(run.ended_at, EPOCHS * 2 / 3, "\n".join(lines))
        self.assertIn("OVERFITTING_RISK", run.reason)

    def test_a_run_that_gets_better_is_let_run(self) -> None:
        daemon = self.daemon()
        run = ScriptedRun(daemon, "good", lambda e: 2 * math.exp(-e / 60) + 0.002 * noise(e))
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
