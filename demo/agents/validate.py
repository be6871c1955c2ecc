#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check the milestones of the operations API against a running daemon.

    validate.py [--url URL] [--host URL] [M1|M2|M3|M4 ...]

M1: no trainer is there, and every route has a valid answer. M2: epochs are pushed, and the same
agent command shows them. M3: epochs go by way of the host service, the relay that --host names
(the daemon itself without it), and nobody can tell. M4: what there is describes itself. Each check is a line; the exit code is 0 when all of them passed, 1 when
one did not, 3 when nobody answers. The operations it begins are named validate-..., and ended.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
import uuid
from typing import Any, Callable, Dict, List, Optional

from operations import DEFAULT_URL, DONE, TIMEOUT_S, get, route, run

FAILED = 1
PAUSE_S = 0.05
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


def no_trainer(url: str, _host: str, check: Checks) -> None:
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


def epochs() -> List[Dict[str, Any]]:
    """A dozen."""
    times = [f"2026-01-31T12:00:{i:02}Z" for i in range(12)]
    return [
        {"epoch": i, "train_loss": 1 - 0.05 * i, "val_loss": 1 - 0.04 * i, "timestamp": time}
        for i, time in enumerate(times)
    ]


def local(url: str, _host: str, check: Checks) -> None:
    """M2."""
    name = begin(url)
    for epoch in epochs():
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


def host_service(url: str, host: str, check: Checks) -> None:
    """M3."""
    near, far = begin(url), begin(url)
    good = True
    for epoch in epochs():
        send(url, route(near, "/metrics"), epoch)
        body = {"operation_id": far, "metrics": epoch}
        good = good and send(host, f"/sessions/{far}/metrics", body) == {"success": True}
    check("M3 the host service takes them", good)
    expected = get(url, route(near, "/metrics"))
    expected["data"]["operation_id"] = far
    deadline = time.monotonic() + TIMEOUT_S
    while get(url, route(far, "/metrics")) != expected and time.monotonic() < deadline:
        time.sleep(PAUSE_S)
    check("M3 the answer is the same", get(url, route(far, "/metrics")) == expected)
    for name in ("training_monitor.py", "loss_analyzer.py"):
        lines = agent(name, url, near)
        check(f"M3 {name} says the same", lines != [] and agent(name, host, far) == lines)
    for name in (near, far):
        send(url, route(name), {"reason": "validated"}, "DELETE")


def described(url: str, host: str, check: Checks) -> None:
    """M4."""
    paths = get(url, "/openapi.json")["paths"]
    routes = paths.get("/api/v1/operations/{id}/metrics", {})
    check("M4 the description names GET and POST of metrics", {"get", "post"} <= set(routes))
    paths = get(host, "/openapi.json")["paths"]
    check("M4 and the host service's POST", "post" in paths.get("/sessions/{id}/metrics", {}))


MILESTONES: Dict[str, Callable[[str, str, Checks], None]] = {
    "M1": no_trainer,
    "M2": local,
    "M3": host_service,
    "M4": described,
}


def main(argv: Optional[List[str]] = None) -> int:
    """The milestones that are asked for; all without any."""
    parser = argparse.ArgumentParser(description="Check the milestones of the operations API.")
    parser.add_argument("milestone", nargs="*", help="M1 to M4 (default: all)")
    parser.add_argument("--url", default=os.environ.get("STREAMD_URL", DEFAULT_URL))
    parser.add_argument("--host", help="the relay to go by (default: none, the daemon itself)")
    told = parser.parse_args(argv)
    unknown = [name for name in told.milestone if name not in MILESTONES]
    if unknown:
        parser.error(f"no such milestone: {unknown[0]}")
    check = Checks()
    get(told.url, "/health")
    for name, milestone in MILESTONES.items():
        if not told.milestone or name in told.milestone:
            milestone(told.url, told.host or told.url, check)
    return FAILED if check.failed else DONE


if __name__ == "__main__":
    sys.exit(run(main))
