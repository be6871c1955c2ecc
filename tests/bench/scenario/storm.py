# SPDX-License-Identifier: MIT
"""Ten thousand subscribers are cut off at once, miss two updates each, and come back at once.

Each asks from where it was (`since`), while every run is told of once a second. Back is who has his
subscription again, caught up who has all that was pushed until the return began.
"""

from scenario.bench import Bench
from scenario.limits import HELD_LIMIT_MS, Limits, held_ms
from scenario.servers import STREAMD_DEFAULT, Running

KEYS = (
    "back_s", "caught_up_s", "caught_up_p50_us", "caught_up_p99_us", "cpu_s", "server_wait_s",
    "gaps", "repeated", "rss_before_kib", "rss_kib", "lost_connections",
)  # fmt: skip
RECOVERED_S = 30


def measure(bench: Bench, limits: Limits) -> None:
    """Both dialects."""
    for dialect in limits.dialects:
        name = "storm.%s" % dialect
        with Running(bench, STREAMD_DEFAULT._replace(dialect=dialect)) as running:
            reading = bench.load(
                "storm", running, "--dialect", dialect, "--spread",
                "--subscribers", str(limits.subscribers), "--rooms", str(limits.rooms),
                "--rate", str(limits.storm_hz), "--slices", "30", "--ticks", "2", "--warm-ticks", "2",
                "--connecting", str(limits.subscribers),
            )  # fmt: skip
            bench.figures_of(name, reading, KEYS)
            held = bench.figure(name + ".loop_held_max_ms", held_ms(running))
        starved = reading["server_wait_s"] > reading["caught_up_s"] / 4  # others had its core
        bench.gate(
            name + ": all caught up, s", reading["caught_up_s"], RECOVERED_S, decides=not starved
        )
        bench.gate(name + ": gaps and repeats", reading["gaps"] + reading["repeated"], 0)
        bench.gate(name + ": connections lost", reading["lost_connections"], 0)
        bench.gate(name + ": longest hold of the loop ms", held, HELD_LIMIT_MS, decides=False)
