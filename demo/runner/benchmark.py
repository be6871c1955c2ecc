# SPDX-License-Identifier: MIT
"""Mode `benchmark`: five sessions push at a steady rate, one unmodified client watches them all.

The time of each push is kept here under its number, which travels in the record, so that latency is
measured on one clock and to the microsecond. An update that was replaced by a newer one is no loss:
that is what the throttle is for. A line answered with an error is one, and so is a session whose
last value or whose end did not arrive.
"""

import argparse
import time
from typing import Any, Dict, List, Tuple

from runner.api import Api, encode
from runner.cases_data import Trainer
from runner.processes import Daemon, Failed
from runner.watch import Watcher

SESSIONS = 5
PUSHES_PER_S = 100
THROUGHPUT_MIN = 5.0
ERROR_RATE_MAX = 0.05


class Load:
    """The pushing side: one connection a session, all paced by one loop."""

    def __init__(self, path: str) -> None:
        self.names = [f"benchmark-{number}" for number in range(SESSIONS)]
        self._trainers = [Trainer(path) for _ in self.names]
        self.sent_at: Dict[Tuple[str, int], float] = {}
        self.bytes = 0
        self.seconds = 0.0
        self.last = 0

    def start(self) -> None:
        for name, trainer in zip(self.names, self._trainers):
            trainer.ask({"type": "start", "sessionId": name, "config": {"model_count": 1}})

    def push_for(self, duration: float) -> None:
        """Push one record a session and tick; a tick that comes late is made up for."""
        began = time.monotonic()
        total = max(1, int(duration * PUSHES_PER_S))
        for number in range(1, total + 1):
            for name, trainer in zip(self.names, self._trainers):
                self._push(name, trainer, number, total)
            time.sleep(max(0.0, began + number / PUSHES_PER_S - time.monotonic()))
        self.last = total
        self.seconds = time.monotonic() - began

    def _push(self, name: str, trainer: Trainer, number: int, total: int) -> None:
        metrics = {"loss": 2.5 / number, "step": number, "totalSteps": total, "number": number}
        line = encode({"type": "progress", "sessionId": name, "metrics": metrics})
        self.bytes += len(line)
        self.sent_at[name, number] = time.monotonic()
        trainer.tell(line)

    def complete(self) -> None:
        for trainer in self._trainers:
            trainer.tell({"type": "complete"})

    def close(self) -> None:
        for trainer in self._trainers:
            trainer.__exit__()


def run(options: argparse.Namespace) -> int:
    """Measure for --duration seconds; exit 0 when both thresholds hold."""
    with Daemon(options.streamd, options.port) as daemon, Watcher(daemon.url) as watcher:
        api = Api(daemon.address)
        load = Load(daemon.socket)
        try:
            load.start()
            for name in load.names:
                watcher.subscribe(name)
            load.push_for(options.duration)
            load.complete()
            lost = missing(watcher, load)
        finally:
            load.close()
        return report(load, lost, watcher, api, daemon)


def missing(watcher: Watcher, load: Load) -> int:
    """Sessions whose last value or whose end did not come, after waiting for them."""
    lost = 0
    for name in load.names:
        try:
            watcher.wait_for("training_completed", name)
        except AssertionError:
            lost += 1
            continue
        numbers = [one.data["metrics"]["number"] for one in watcher.of("progress_update", name)]
        lost += not numbers or numbers[-1] != load.last
    return lost


def latencies_ms(watcher: Watcher, load: Load) -> List[float]:
    """From the push of a value to its arrival, sorted."""
    found = []
    for one in watcher.of("progress_update"):
        sent = load.sent_at.get((one.data["sessionId"], one.data["metrics"].get("number", 0)))
        if sent is not None:
            found.append((one.at - sent) * 1000)
    if not found:
        raise Failed("no update reached the watcher")
    return sorted(found)


def report(load: Load, lost: int, watcher: Watcher, api: Api, daemon: Daemon) -> int:
    """Print the results block and judge it."""
    stats: Dict[str, Any] = api.stats()
    traffic = stats["network_stats"]
    pushed = SESSIONS * load.last
    throughput = stats["total_metrics_processed"] / load.seconds
    error_rate = (stats["errors_encountered"] + lost) / pushed
    delays = latencies_ms(watcher, load)
    path = f"/api/training/history/{load.names[0]}?limit=1000"
    plain, packed = (len(api.get(path, Accept_Encoding=c).body) for c in ("identity", "gzip"))
    print(f"Benchmark results ({SESSIONS} sessions, {load.seconds:.1f} s)")
    print(f"  throughput           {throughput:.1f} metrics/s (must be > {THROUGHPUT_MIN:g})")
    print(f"  error rate           {error_rate:.2%} (must be < {ERROR_RATE_MAX:.0%})")
    print(f"  updates delivered    {len(delays)} of {pushed} pushed, newest wins")
    print(f"  latency p50, p99     {delay(delays, 0.5)}, {delay(delays, 0.99)}, throttle included")
    print(f"  pushed -> watched    {saving(load.bytes, traffic['messages_bytes_wire'])}")
    print(f"  history -> gzip      {saving(plain, packed)}")
    print(f"  daemon memory        {daemon.resident_kib() / 1024:.1f} MiB")
    good = throughput > THROUGHPUT_MIN and error_rate < ERROR_RATE_MAX
    print("Benchmark passed" if good else "Benchmark FAILED")
    return 0 if good else 1


def delay(ordered: List[float], share: float) -> str:
    return f"{quantile(ordered, share):.2f} ms"


def quantile(ordered: List[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def saving(before: int, after: int) -> str:
    """Network efficiency in words."""
    return f"{before:,} bytes before, {after:,} after ({1 - after / before:.0%} saved)"
