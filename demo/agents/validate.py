#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check the milestones of the operations API against a running daemon.

    validate.py [--url URL] [M1|M2 ...]

M1: no trainer is there, and every route has a valid answer. M2: epochs are pushed, and the same
agent command shows them. Each check is a line; the exit code is 0 when all of them passed, 1 when
one did not, 3 when nobody answers. The operations it begins are named validate-..., and ended.
"""

import argparse
import json
import os
import subprocess
import sys
import urllib.request
import uuid
from typing import Any, Callable, Dict, List, Optional

from operations import DEFAULT_URL, DONE, TIMEOUT_S, get, route, run

FAILED = 1
HERE = os.path.dirname(os.path.abspath(__file__))


def send(url: str, path: str, body: Dict[str, Any], method: str = "POST") -> Dict[str, Any]:
    """What the route answers."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(
        url.rstrip("/") + path, json.dumps(body).encode(), headers, method=method
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return json.load(answer)


def begin(url: str) -> str:
    """A new operation's id."""
    name = f"validate-{uuid.uuid4().hex[:12]}"
    return send(url, "/api/v1/operations", {"operation_id": name})["data"]["operation_id"]


def agent(name: str, url: str, operation_id: str) -> List[str]:
    """The lines that the agent command prints."""
    command = [sys.executable, os.path.join(HERE, name), operation_id, "--url", url]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=False)
    return done.stdout.decode("utf-8").splitlines()


class Checks:
    """Passed and failed, a line each."""

    def __init__(self) -> None:
        self.failed = 0

    def __call__(self, what: str, good: bool) -> None:
        print(f"{'ok  ' if good else 'FAIL'} {what}")
        self.failed += not good


def no_trainer(url: str, check: Checks) -> None:
    """M1."""
    name = begin(url)
    metrics = get(url, route(name, "/metrics"))["data"]["metrics"]
    check("M1 metrics are empty before the first epoch", metrics == {})
    listed = get(url, "/api/v1/operations?limit=1000")
    check("M1 the list has the operation", any(o["operation_id"] == name for o in listed["data"]))
    check("M1 its status is pending", get(url, route(name))["data"]["status"] == "pending")
    lines = agent("training_monitor.py", url, name)
    check("M1 the monitor says so", lines[:1] == ["⏳ No metrics yet (API returns empty)"])
    lines = agent("loss_analyzer.py", url, name)
    check("M1 the analyzer waits", lines == ["❌ Not enough data yet"])
    send(url, route(name), {"reason": "validated"}, "DELETE")


def local(url: str, check: Checks) -> None:
    """M2."""
    name = begin(url)
    for i in range(12):
        epoch = {"epoch": i, "train_loss": 1 - 0.05 * i, "val_loss": 1 - 0.04 * i}
        send(url, route(name, "/metrics"), epoch)
    metrics = get(url, route(name, "/metrics"))["data"]["metrics"]
    check("M2 all epochs are there", [e["epoch"] for e in metrics["epochs"]] == list(range(12)))
    check("M2 the best epoch is the last", metrics["best_epoch"] == 11)
    lines = agent("training_monitor.py", url, name)
    check("M2 the monitor has a line for each", len(lines) == 12)
    check("M2 and the losses in it", lines[0] == "✅ Epoch 0: train_loss=1.0000, val_loss=1.0000")
    lines = agent("loss_analyzer.py", url, name)
    check("M2 the analyzer says to go on", "💡 Recommendation: CONTINUE TRAINING" in lines)
    send(url, route(name), {"reason": "validated"}, "DELETE")
    status = get(url, route(name))["data"]["status"]
    check("M2 a cancelled one is cancelled", status == "cancelled")


MILESTONES: Dict[str, Callable[[str, Checks], None]] = {"M1": no_trainer, "M2": local}


def main(argv: Optional[List[str]] = None) -> int:
    """The milestones that are asked for; all without any."""
    parser = argparse.ArgumentParser(description="Check the milestones of the operations API.")
    parser.add_argument("milestone", nargs="*", help="M1, M2 (default: all)")
    parser.add_argument("--url", default=os.environ.get("STREAMD_URL", DEFAULT_URL))
    told = parser.parse_args(argv)
    unknown = [name for name in told.milestone if name not in MILESTONES]
    if unknown:
        parser.error(f"no such milestone: {unknown[0]}")
    check = Checks()
    get(told.url, "/health")
    for name, milestone in MILESTONES.items():
        if not told.milestone or name in told.milestone:
            milestone(told.url, check)
    return FAILED if check.failed else DONE


if __name__ == "__main__":
    sys.exit(run(main))
