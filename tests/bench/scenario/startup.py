# SPDX-License-Identifier: MIT
"""Start time, memory of the idle daemon, and memory of an idle connection."""

from scenario.bench import Bench, median
from scenario.servers import STREAMD_DEFAULT, Running

IDLE_DAEMON_KIB = 10 * 1024
IDLE_CONNECTION_BYTES = 2048
START_MS = 50


def measure(bench: Bench) -> None:
    """Several starts; then one daemon with connections that ask for nothing."""
    starts = []
    for _ in range(bench.plan.starts):
        with Running(bench, STREAMD_DEFAULT) as running:
            starts.append(running.start_ms)
    bench.figure("start.streamd.p50_ms", median(starts))
    bench.figure("start.streamd.max_ms", max(starts))
    count = bench.plan.idle_connections
    with Running(bench, STREAMD_DEFAULT) as running:
        reading = bench.load("fanout", running, "--rooms", "0", "--subscribers", str(count))
    bench.figure("idle.streamd.rss_kib", reading["rss_idle_kib"])
    per_connection = reading["rss_bytes_per_connection"]
    bench.figure("idle.streamd.n%d.rss_bytes_per_connection" % count, per_connection)
    bench.gate("idle daemon RSS KiB", reading["rss_idle_kib"], IDLE_DAEMON_KIB)
    bench.gate("idle connection RSS bytes", per_connection, IDLE_CONNECTION_BYTES)
    bench.gate("start ms (median)", median(starts), START_MS, decides=False)
