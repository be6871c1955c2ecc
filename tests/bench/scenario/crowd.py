# SPDX-License-Identifier: MIT
"""Two thousand trainers at once, a numbered line a second each, acknowledged when it is on disk;
and what those hear that come when there is no place any more."""

import tempfile

from scenario.bench import Bench
from scenario.limits import HELD_LIMIT_MS, Beside, Limits, held_ms
from scenario.servers import STREAMD_DEFAULT, Running

KEYS = (
    "connect_s", "started", "refused", "lines", "acked", "cpu_s", "ack_p50_us", "ack_p99_us",
    "ack_max_us",
)  # fmt: skip


def crowd(bench: Bench, running: Running, trainers: int, ticks: int):  # type: ignore[no-untyped-def]
    return bench.load(
        "crowd", running, "--connections", str(trainers), "--ticks", str(ticks), "--rate", "1"
    )


def measure(bench: Bench, limits: Limits) -> None:
    """All served; then half of them with no place for the other half."""
    with tempfile.TemporaryDirectory(dir=bench.scratch) as data:
        server = STREAMD_DEFAULT._replace(
            data=data, options=("--max-trainers", str(limits.trainers))
        )
        with Running(bench, server) as running:
            with Beside(running) as beside:
                reading = crowd(bench, running, limits.trainers, limits.trainer_ticks)
            bench.figures_of("crowd", reading, KEYS)
            bench.figure("crowd.fds", beside.fds)
            bench.figure("crowd.peak_rss_kib", beside.rss_kib)
            held = bench.figure("crowd.loop_held_max_ms", held_ms(running))
    bench.gate("crowd: lines acked %", 100 * reading["acked"] / reading["lines"], 100, True)
    bench.gate("crowd: trainers refused or told of errors", reading["refused"] + reading["errors"], 0)
    bench.gate("crowd: descriptors beyond trainers", beside.fds - limits.trainers, 64)
    bench.gate("crowd: longest hold of the loop ms", held, HELD_LIMIT_MS, decides=False)
    half = limits.trainers // 2
    server = STREAMD_DEFAULT._replace(options=("--max-trainers", str(half)))
    with Running(bench, server) as running:
        reading = crowd(bench, running, limits.trainers, 2)
    bench.figure("crowd.full.refused", reading["refused"])
    bench.figure("crowd.full.told_why", reading["errors"])
    bench.gate("crowd: refused past the limit", reading["refused"], limits.trainers - half, True)
    bench.gate("crowd: told why", reading["errors"], limits.trainers - half, True)
    bench.gate("crowd: lines acked of those inside %",
               100 * reading["acked"] / reading["lines"], 100, True)  # fmt: skip
