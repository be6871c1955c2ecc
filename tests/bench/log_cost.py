#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a call of the Python client's `log()` costs the training, one figure a line.

usage: log_cost.py [--seconds N]

Four states: `alive`, a daemon that reads and acknowledges; `absent`, none at all; `hung`, one that
was stopped (SIGSTOP) after it had answered; `slow-disk`, none, and a disk that takes 0.2 s for each
write and each fsync. In the last three the run's memory is filled first, so that what is logged
while we measure goes to the spool. The fake daemon is a process of its own, so that it cannot take
this one's interpreter lock.

`floor` is the least that any such call could do in the interpreter: copy the dict, read the clock,
append to a deque. After other work its code and data are cold, which is most of what either costs.
`paced` is what a training sees: 100 calls a second of five values, computing in between; `overhead`
is the part of the training's time that it spends in these calls. `woken` is the same with the
process asleep in between, which mostly measures a core coming out of its sleep; it also gives the
CPU time of everything the client does, sender thread included. `loop` calls without a pause, which
no training does: the queue overflows, and the drop counter says so.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from typing import Any, Callable, List, Optional

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "clients", "python"))

import streamd  # noqa: E402 - the path comes first
import streamd.spool  # noqa: E402

VALUES = {"loss": 1.5, "lr": 1e-3, "accuracy": 0.5, "grad_norm": 1.0, "tokens_per_s": 3e5}
CALLS_PER_S = 100
LOOP_CALLS = 100_000
#: More than the run's memory holds.
FILL_CALLS = 60_000
DISK_S = 0.2
LIMIT_P50_US = 5.0
LIMIT_P99_US = 60.0
LIMIT_OVERHEAD = 0.001

DAEMON = """
import json, socket, sys
def lines_of(peer):
    try:
        yield from peer.makefile("rb")
    except ConnectionError:
        pass
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(1)
print("ready", flush=True)
while True:
    peer, _ = server.accept()
    for raw in lines_of(peer):
        line = json.loads(raw)
        seq = line.get("seq")
        answer = {"type": "ack", "seq": seq} if seq else {"type": "started", "lastSeq": 0}
        try:
            peer.sendall(json.dumps(answer).encode() + b"\\n")
        except ConnectionError:
            break
"""


class Daemon:
    """A daemon in its own process, if the state has one."""

    def __init__(self, state: str, path: str) -> None:
        self._process: Optional["subprocess.Popen[bytes]"] = None
        if state in ("alive", "hung"):
            command = [sys.executable, "-c", DAEMON, path]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert self._process.stdout is not None
            self._process.stdout.readline()

    def hang(self) -> None:
        """Neither read nor answer any more, and keep the connection."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


class SlowDisk:
    """What the spool module sees as `os`: every write takes its time, without the lock, as ever."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        time.sleep(DISK_S)
        return os.pwrite(fd, data, offset)

    def fsync(self, fd: int) -> None:
        time.sleep(DISK_S)
        os.fsync(fd)


def fill(run: streamd.Run) -> None:
    """Log until memory is full, no faster than the sender thread takes it."""
    for step in range(FILL_CALLS):
        run.log(VALUES, step=step)
        while len(run._queue) > 5000:
            time.sleep(0.001)


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


def report(name: str, costs: List[float]) -> List[float]:
    """Print both quantiles; returns them."""
    quantiles = [costs[len(costs) // 2], costs[len(costs) * 99 // 100]]
    for quantile, cost in zip(("p50", "p99"), quantiles):
        print(f"python log() {name} {quantile} {cost:.2f} us", flush=True)
    return quantiles


def measure(state: str, seconds: int, folder: str) -> List[float]:
    """All three rhythms in one state; returns both quantiles and the overhead of paced calls."""
    calls = seconds * CALLS_PER_S
    path = os.path.join(folder, "streamd.sock")
    os.environ["STREAMD_SPOOL"] = os.path.join(folder, "spool")
    daemon = Daemon(state, path)
    run = streamd.init(socket_path=path)
    if state in ("alive", "hung"):
        while not run.connected:
            time.sleep(0.01)
    if state == "hung":
        daemon.hang()
    if state != "alive":
        fill(run)
    if state == "slow-disk":
        streamd.spool.os = SlowDisk()  # type: ignore[assignment]
    began = time.perf_counter()
    costs = cost_us(run, calls, compute)
    overhead = sum(costs) / 1e6 / (time.perf_counter() - began)
    paced = report(f"{state} paced", costs)
    print(f"python log() {state} paced overhead {overhead * 100:.4f} % of the training's time")
    cpu, wall = time.process_time(), time.perf_counter()
    report(f"{state} woken", cost_us(run, calls, time.sleep))
    share = (time.process_time() - cpu) / (time.perf_counter() - wall)
    print(f"python client {state} cpu {share * 100:.2f} % of a core at {CALLS_PER_S} calls/s")
    report(f"{state} loop", cost_us(run, LOOP_CALLS, lambda seconds: None))
    run.finish()
    lines = calls * 2 + LOOP_CALLS + 1 + (FILL_CALLS if state != "alive" else 0)
    print(f"python log() {state} dropped {run.dropped} of {lines} lines", flush=True)
    streamd.spool.os = os
    daemon.stop()
    return [*paced, overhead]


def verdict(what: str, worst: float, limit: float, unit: str) -> None:
    """Print one line; the limit informs, since an absolute time depends on the machine."""
    holds = "holds" if worst <= limit else "above"
    print(f"python log() paced {what} worst {worst:.4g} {unit}, limit {limit:.4g} {unit}: {holds}")


def main() -> int:
    """Measure all."""
    parser = argparse.ArgumentParser(description="Cost of log() in the Python client.")
    parser.add_argument("--seconds", type=int, default=5, help="length of a paced phase (5)")
    seconds = parser.parse_args().seconds
    floor, _ = report("floor paced", cost_us(Floor(), seconds * CALLS_PER_S, compute))
    rows = []
    for state in ("alive", "absent", "hung", "slow-disk"):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(measure(state, seconds, folder))
    p50, p99, overhead = (max(column) for column in zip(*rows))
    verdict("p50", p50, LIMIT_P50_US, "us")
    verdict("p99", p99, LIMIT_P99_US, "us")
    verdict("overhead", overhead * 100, LIMIT_OVERHEAD * 100, "%")
    print(f"python log() cost to floor {p50 / floor:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
