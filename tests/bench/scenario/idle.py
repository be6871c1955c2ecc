# SPDX-License-Identifier: MIT
"""A hundred thousand runs that nobody trains any more: a start that finds them on disk, what is asked
of them, and the sweeps that let them leave the live list and then the store."""

import tempfile
import time

from scenario.bench import Bench
from scenario.durable import cpu_s, fill, rss_kib
from scenario.limits import HELD_LIMIT_MS, Limits, get, get_json, held_ms
from scenario.servers import STREAMD_DEFAULT, Running

ROOM_FOR_ALL = ("--max-sessions", "1000000")
SHORT_LIVES = ROOM_FOR_ALL + ("--live-idle-s", "1s", "--retain", "1s")
START_CPU_S = 5
ANSWER_MS = 100  # of CPU
SWEPT_BY_S = 150  # a sweep a minute, and the store after the second
ASKED = (
    ("sessions", "/api/training/sessions"),
    ("sessions_last_page", "/api/training/sessions?limit=100&offset=%(last)d"),
    ("sessions_1000", "/api/training/sessions?limit=1000"),
    ("sessions_search", "/api/training/sessions?q=run-%(middle)d"),
    ("status", "/api/training/status/run-%(middle)d"),
    ("metrics", "/api/training/metrics/run-%(middle)d"),
    ("history", "/api/training/history/run-%(middle)d"),
    ("insight", "/api/training/insight/run-%(middle)d"),
    ("operations", "/api/v1/operations"),
    ("stats", "/api/training/stats"),
    ("prometheus", "/metrics"),
)
ROUNDS = 5


def ask_all(bench: Bench, running: Running, stored: int) -> None:
    """The cheapest of a few rounds of each: more is what others did to the machine."""
    worst = 0.0
    for name, path in ASKED:
        taken = []
        for _ in range(ROUNDS):
            before = cpu_s(running.pid)
            get(running, path % {"last": stored - 100, "middle": stored // 2})
            taken.append((cpu_s(running.pid) - before) * 1000)
        worst = max(worst, bench.figure("idle.%s_cpu_ms" % name, min(taken)))
    bench.gate("idle: dearest answer, CPU ms", worst, ANSWER_MS)


def sweep(bench: Bench, running: Running) -> None:
    """Until all have left the live list and then the store; others are asked all the while."""
    began = time.monotonic()
    before = cpu_s(running.pid)
    worst = slowest = 0.0
    left = 1
    while left > 0 and time.monotonic() - began < SWEPT_BY_S:
        time.sleep(0.2)
        asked = time.monotonic()
        get(running, "/health")
        slowest = max(slowest, (time.monotonic() - asked) * 1000)
        worst = max(worst, held_ms(running))
        left = get_json(running, "/api/training/sessions?status=any&limit=1")["data"]["total"]
    bench.figure("idle.swept_after_s", time.monotonic() - began)
    bench.figure("idle.sweep_cpu_s", cpu_s(running.pid) - before)
    bench.figure("idle.sweep_slowest_health_ms", slowest)
    bench.figure("idle.sweep_loop_held_max_ms", worst)
    bench.gate("idle: runs that the sweeps have left over", left, 0)
    bench.gate("idle: longest hold of the loop in a sweep ms", worst, HELD_LIMIT_MS)


def measure(bench: Bench, limits: Limits) -> None:
    """Fill, start, ask, start again with short lives, sweep."""
    with tempfile.TemporaryDirectory(dir=bench.scratch) as data:
        server = STREAMD_DEFAULT._replace(data=data, options=ROOM_FOR_ALL)
        with Running(bench, server) as running:
            fill(running.trainer, limits.stored)
            bench.figure("idle.fill_cpu_s", cpu_s(running.pid))
        with Running(bench, server) as running:
            bench.figure("idle.start_ms", running.start_ms)
            start = bench.figure("idle.start_cpu_s", cpu_s(running.pid))
            rss = bench.figure("idle.start_rss_kib", rss_kib(running.pid))
            bench.figure("idle.start_bytes_per_run", rss * 1024 / limits.stored)
            ask_all(bench, running, limits.stored)
            bench.figure("idle.asked_loop_held_max_ms", held_ms(running))
        with Running(bench, server._replace(options=SHORT_LIVES)) as running:
            sweep(bench, running)
    bench.gate("idle: CPU s of a start", start, START_CPU_S)
