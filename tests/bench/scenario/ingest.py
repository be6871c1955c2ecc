# SPDX-License-Identifier: MIT
"""Ingest: trainer lines taken in per server-CPU-second, nobody watching."""

from typing import Dict, List, Mapping, Sequence

from scenario.bench import Bench, Reading
from scenario.servers import BARE, FLASK, NODE, STREAMD_DEFAULT, Running, Server

KEYS = ("lines_per_cpu_s", "lines_per_wall_s", "rss_kib")
LINES_PER_CPU_S = 500000  # the acceptance line, one line a write


def one_round(bench: Bench, server: Server, batch: int, lines: int) -> Reading:
    """A fresh server and one trainer that never waits for anybody but the socket."""
    with Running(bench, server) as running:
        return bench.load("ingest", running, "--lines", str(lines), "--batch", str(batch))


def cheapest(readings: Sequence[Reading]) -> Reading:
    """The round that stands for a server: other work on the machine only ever adds to the cost."""
    return max(readings, key=lambda reading: reading["lines_per_cpu_s"])


def measure_batch(bench: Bench, batch: int, peers: Sequence[Server]) -> None:
    """One batch size: streamd and the bare reader alternating, each peer once."""
    rounds: Dict[Server, List[Reading]] = {STREAMD_DEFAULT: [], BARE: []}
    for _ in range(bench.plan.rounds):
        for server, readings in rounds.items():
            readings.append(one_round(bench, server, batch, bench.plan.ingest_lines))
    for peer in peers:
        rounds[peer] = [one_round(bench, peer, batch, bench.plan.ingest_lines // 10)]
    best = {server: cheapest(readings) for server, readings in rounds.items()}
    for server, reading in best.items():
        bench.figures_of("ingest.%s.batch%d" % (server.name, batch), reading, KEYS)
    ratio = best[BARE]["lines_per_cpu_s"] / best[STREAMD_DEFAULT]["lines_per_cpu_s"]
    bench.figure("ingest.streamd.batch%d.cost_to_bare" % batch, ratio)


def measure(bench: Bench, missing: Mapping[str, str]) -> None:
    """One line a write, and a hundred."""
    peers = [peer for peer in (NODE, FLASK) if peer.name not in missing]
    for batch in (1, 100):
        measure_batch(bench, batch, peers)
    measured = bench.figures["ingest.streamd.batch1.lines_per_cpu_s"]
    bench.gate("ingest lines/CPU-s, one a write", measured, LINES_PER_CPU_S, True, decides=False)
