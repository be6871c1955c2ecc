# SPDX-License-Identifier: MIT
"""HTTP: polled metrics per server-CPU-second, whole answers and 304s, over keep-alive."""

from typing import List

from scenario.bench import Bench, Reading
from scenario.servers import STREAMD_DEFAULT, Running

KEYS = ("requests_per_cpu_s", "response_bytes")


def measure(bench: Bench) -> None:
    """The two answers a polling dashboard gets, alternating."""
    whole: List[Reading] = []
    unchanged: List[Reading] = []
    count = ("--requests", str(bench.plan.requests))
    for _ in range(bench.plan.rounds):
        with Running(bench, STREAMD_DEFAULT) as running:
            whole.append(bench.load("http", running, *count))
            unchanged.append(bench.load("http", running, "--revalidate", *count))
    for name, readings in (("metrics_200", whole), ("metrics_304", unchanged)):
        cheapest = max(readings, key=lambda reading: reading["requests_per_cpu_s"])
        bench.figures_of("http.streamd." + name, cheapest, KEYS)
