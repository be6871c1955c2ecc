# SPDX-License-Identifier: MIT
"""Twice what a core carries. First what that is: subscribers x Hz up to which all is delivered costs
so much CPU a message; then twice as many are offered, with events between them.

What has to hold is that it sheds by rule: values fewer, each the newest there was, and every event;
that everybody else is answered within a second; and that no memory grows.
"""

import socket
import threading
from typing import List

from scenario.bench import Bench, Reading
from scenario.limits import HELD_LIMIT_MS, Limits, Waits, get, held_ms, peak_rss_kib
from scenario.servers import STREAMD_DEFAULT, Running

ROOMS = 50
EASY_HZ = 10
EVENTS_S = 1  # an event of each run so often
SERVED_MS = 1000
OPTIONS = ("--max-rate", "1000", "--ping-interval-ms", "2000", "--ping-timeout-ms", "20000")
OPTIONS += ("--max-history-records", "100")  # so that what grows is not what is to be kept
KEYS = (
    "delivered_percent", "newest_percent", "messages", "cpu_s", "wall_s", "cpu_s_per_million", "server_wait_percent",
    "load_wait_percent", "latency_p50_us", "latency_p99_us", "events", "repeated", "bad_frames",
    "lost_connections",
)  # fmt: skip


class Askers(threading.Thread):
    """A page that asks /health and a trainer that pings, five times a second each."""

    def __init__(self, running: Running) -> None:
        super().__init__(daemon=True)
        self.running = running
        self.http = Waits(running.pid)
        self.trainer = Waits(running.pid)
        self.ending = threading.Event()
        self.failures: List[str] = []

    def run(self) -> None:
        try:
            trainer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            trainer.settimeout(60)
            trainer.connect(self.running.trainer)
            answers = trainer.makefile("rb")
            while not self.ending.wait(0.2):
                self.http.begin()
                get(self.running, "/health")
                self.http.end()
                self.trainer.begin()
                trainer.sendall(b'{"type":"ping"}\n')
                answers.readline()
                self.trainer.end()
            trainer.close()
        except OSError as error:
            self.failures.append(str(error))

    def __enter__(self) -> "Askers":
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ending.set()
        self.join()


def offer(bench: Bench, running: Running, subscribers: int, rate: int, seconds: int) -> Reading:
    return bench.load(
        "fanout", running, "--spread", "--subscribers", str(subscribers), "--rooms", str(ROOMS),
        "--rate", str(rate), "--ticks", str(rate * seconds), "--warm-ticks", str(rate // 4 + 1),
        "--events", str(rate * EVENTS_S), "--connecting", "256",
    )  # fmt: skip


def measure(bench: Bench, limits: Limits) -> None:
    """A rate that is carried, then one that is not."""
    subscribers = limits.crowded
    with Running(bench, STREAMD_DEFAULT._replace(options=OPTIONS)) as running:
        easy = offer(bench, running, subscribers, EASY_HZ, limits.easy_s)
        calm_kib = peak_rss_kib(running.pid)
    carried = bench.figure("overload.core_carries_per_s", 1e6 / easy["cpu_s_per_million"])
    rate = min(1000, int(2 * carried / subscribers) + 1)
    bench.figure("overload.offered_per_s", rate * subscribers)
    with Running(bench, STREAMD_DEFAULT._replace(options=OPTIONS)) as running:
        with Askers(running) as askers:
            reading = offer(bench, running, subscribers, rate, limits.overload_s)
        bench.figures_of("overload", reading, KEYS)
        bench.figure("overload.core_used", reading["cpu_s"] / reading["wall_s"])
        peak = bench.figure("overload.peak_rss_kib", peak_rss_kib(running.pid))
        held = bench.figure("overload.loop_held_max_ms", held_ms(running))
    bench.figure("overload.calm_rss_kib", calm_kib)
    for name, waits in (("http", askers.http), ("trainer_ping", askers.trainer)):
        bench.figure("overload.%s_p50_ms" % name, waits.percentile(0.5))
        most = bench.figure("overload.%s_max_ms" % name, waits.percentile(1.0))
        bench.gate("overload: slowest %s answer ms" % name, most, SERVED_MS)
    due = subscribers * limits.overload_s // EVENTS_S
    bench.gate("overload: events delivered %", 100 * reading["events"] / due, 100, True)
    bench.gate("overload: have the newest value in the end %", reading["newest_percent"], 100, True)
    bench.gate("overload: repeated or out of order", reading["repeated"] + reading["bad_frames"], 0)
    bench.gate("overload: connections lost", reading["lost_connections"], 0)
    bench.gate("overload: askers that failed", len(askers.failures), 0)
    bench.gate("overload: RSS beyond that of the calm KiB", peak - calm_kib, 65536)
    bench.gate("overload: longest hold of the loop ms", held, HELD_LIMIT_MS, decides=False)
