#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a call of the Python client's `log()` costs the training, one figure a line.

usage: log_cost.py [--seconds N]

Three daemons: one that reads and acknowledges, none at all, one that takes the connection and never
reads. The fake daemon is a process of its own, so that it cannot take this one's interpreter lock.

`floor` is the least that any such call could do in the interpreter: copy the dict, read the clock,
append to a deque. After other work its code and data are cold, which is most of what either costs.
`paced` is what a training sees: 100 calls a second of five values, computing in between. `woken` is
the same with the process asleep in between, which mostly measures a core coming out of its sleep;
it also gives the CPU time of everything the client does, sender thread included. `loop` calls
without a pause, which no training does: the queue overflows, and the drop counter says so.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from typing import Any, Callable, List, Optional

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "clients", "python"))

import streamd  # noqa: E402 - the path comes first

VALUES = {"loss": 1.5, "lr": 1e-3, "accuracy": 0.5, "grad_norm": 1.0, "tokens_per_s": 3e5}
CALLS_PER_S = 100
LOOP_CALLS = 100_000
LIMIT_US = 5.0

DAEMON = """
import json, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(1)
print("ready", flush=True)
while True:
    peer, _ = server.accept()
    if sys.argv[2] == "hung":
        sys.stdin.read()
    for raw in peer.makefile("rb"):
        line = json.loads(raw)
        seq = line.get("seq")
        answer = {"type": "ack", "seq": seq} if seq else {"type": "started", "lastSeq": 0}
        peer.sendall(json.dumps(answer).encode() + b"\\n")
"""


class Daemon:
    """A daemon in its own process: `alive`, `hung`, or `absent`, which is none."""

    def __init__(self, manner: str, path: str) -> None:
        self._process: Optional["subprocess.Popen[bytes]"] = None
        if manner != "absent":
            command = [sys.executable, "-c", DAEMON, path, manner]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert self._process.stdout is not None
            self._process.stdout.readline()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


def compute(seconds: float) -> None:
    """A training step: interpreter work that keeps the core and its caches busy."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        sum(value * value for value in range(200))


class Floor:
    """Stands in for a run and does the least."""

    def __init__(self) -> None:
        self._queue: "deque[Any]" = deque(maxlen=1000)

    def log(self, metrics: Any, step: Any = None) -> None:
        self._queue.append((metrics.copy(), step, time.time()))


def cost_us(run: Any, calls: int, pause: Callable[[float], None]) -> List[float]:
    """Microseconds of each call, sorted; `pause` fills the time between two."""
    costs = []
    for step in range(calls):
        began = time.perf_counter_ns()
        run.log(VALUES, step=step)
        costs.append((time.perf_counter_ns() - began) / 1e3)
        pause(1 / CALLS_PER_S)
    return sorted(costs)


def report(name: str, costs: List[float]) -> float:
    """Print both quantiles; returns the median."""
    median = costs[len(costs) // 2]
    print(f"python log() {name} p50 {median:.2f} us")
    print(f"python log() {name} p99 {costs[len(costs) * 99 // 100]:.2f} us", flush=True)
    return median


def measure(manner: str, seconds: int) -> float:
    """All three rhythms with one kind of daemon; returns the median cost of a paced call."""
    calls = seconds * CALLS_PER_S
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "streamd.sock")
        daemon = Daemon(manner, path)
        run = streamd.init(socket_path=path)
        paced = report(f"{manner} paced", cost_us(run, calls, compute))
        cpu, wall = time.process_time(), time.perf_counter()
        report(f"{manner} woken", cost_us(run, calls, time.sleep))
        share = (time.process_time() - cpu) / (time.perf_counter() - wall)
        print(f"python client {manner} cpu {share * 100:.2f} % of a core at {CALLS_PER_S} calls/s")
        report(f"{manner} loop", cost_us(run, LOOP_CALLS, lambda seconds: None))
        run.finish()
        print(f"python log() {manner} dropped {run.dropped} of {calls * 2 + LOOP_CALLS + 1} lines")
        daemon.stop()
    return paced


def main() -> int:
    """Measure all; the limit informs, since an absolute time depends on the machine."""
    parser = argparse.ArgumentParser(description="Cost of log() in the Python client.")
    parser.add_argument("--seconds", type=int, default=5, help="length of a paced phase (5)")
    seconds = parser.parse_args().seconds
    floor = report("floor paced", cost_us(Floor(), seconds * CALLS_PER_S, compute))
    worst = max(measure(manner, seconds) for manner in ("alive", "absent", "hung"))
    verdict = "holds" if worst <= LIMIT_US else "above"
    print(f"python log() paced p50 worst {worst:.2f} us, limit {LIMIT_US:.2f} us: {verdict}")
    print(f"python log() cost to floor {worst / floor:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
