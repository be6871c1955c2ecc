# SPDX-License-Identifier: MIT
"""Ten thousand subscribers, each of one of a thousand runs, every run told of ten times a second.

The runs are on disk, and interpreted; the thousand trainers are spread over the tenth of a second.
"""

import tempfile

from scenario.bench import Bench
from scenario.limits import HELD_LIMIT_MS, Limits, held_ms, peak_rss_kib
from scenario.servers import STREAMD_WS, Running

SLICES = 100
KEYS = (
    "delivered_percent", "messages", "cpu_s", "wall_s", "cpu_s_per_million", "server_wait_percent",
    "load_wait_percent", "latency_p50_us", "latency_p99_us", "rss_bytes_per_connection",
    "wire_bytes_per_message", "repeated", "bad_frames", "lost_connections",
)  # fmt: skip
P99_LIMIT_MS = 100


def measure(bench: Bench, limits: Limits) -> None:
    """One run, plain frames, which are the dearer ones to write."""
    with tempfile.TemporaryDirectory(dir=bench.scratch) as data:
        with Running(bench, STREAMD_WS._replace(data=data)) as running:
            reading = bench.load(
                "fanout", running, "--spread", "--subscribers", str(limits.subscribers),
                "--rooms", str(limits.rooms), "--slices", str(SLICES), "--connecting", "256",
                "--ticks", str(limits.ticks), "--warm-ticks", "20",
            )  # fmt: skip
            bench.figures_of("sessions", reading, KEYS)
            core = bench.figure(
                "sessions.server_cores_used", reading["cpu_s"] / reading["wall_s"]
            )
            bench.figure("sessions.peak_rss_kib", peak_rss_kib(running.pid))
            held = bench.figure("sessions.loop_held_max_ms", held_ms(running))
    bench.gate("sessions: delivered %", reading["delivered_percent"], 100, True)
    bench.gate("sessions: connections lost", reading["lost_connections"], 0)
    bench.gate("sessions: p99 ms", reading["latency_p99_us"] / 1000, P99_LIMIT_MS, decides=False)
    bench.gate("sessions: longest hold of the loop ms", held, HELD_LIMIT_MS, decides=False)
    bench.gate("sessions: cores of the server", core, 1.0)
