# SPDX-License-Identifier: MIT
"""Fan-out as it mostly is: many watchers, each of one run, who come and go; plain and compressed.

Every subscriber is in one of ten rooms and every message is a write of its own, so what is measured
beside the bare send() loop is the writing itself. The rounds of all servers alternate. With curves
at hand the same is done over real training streams, while 1 % of the watchers a second go and come
back: that is what a compressed message costs in bytes and in CPU, beside messages that refer to
nothing (`independent`, which is what a client gets that asks for server_no_context_takeover).
"""

import json
import math
import os
import tarfile
from typing import List, Sequence, Tuple

from scenario import fanout
from scenario.bench import Bench, Reading
from scenario.servers import BARE, STREAMD_WS, STREAMD_WS_DEFLATE, UPDATES_ONLY, Running, Server

ROOMS = 10
POINTS_LEAST = 200  # of a run, to be played
CHURN_PERCENT = "1"
COST_LIMIT = 0.80  # of the bare loop's CPU a message
BYTES_LIMIT = 60
RSS_LIMIT = 2560
BURST_P50_MS = 6
PLAIN = STREAMD_WS._replace(options=UPDATES_ONLY)
DEFLATE = PLAIN._replace(deflate=True)
WITHOUT_RING = PLAIN._replace(options=UPDATES_ONLY + ("--no-io-uring",))
KEYS = (
    "cpu_s_per_million",
    "wire_bytes_per_message",
    "frame_bytes_per_update",
    "delivered_percent",
    "server_wait_percent",
    "latency_p50_us",
    "latency_p99_us",
    "rss_bytes_per_connection",
    "compressed_percent",
    "bad_frames",
    "lost_connections",
)

Named = Tuple[str, Server, Tuple[str, ...]]

WRITING: Tuple[Named, ...] = (
    ("bare", BARE, ()),
    ("streamd.plain", PLAIN, ()),
    ("streamd.deflate", DEFLATE, ()),
    ("streamd.no_io_uring", WITHOUT_RING, ()),
)
STREAMS: Tuple[Named, ...] = (
    ("plain", STREAMD_WS, ()),
    ("deflate", STREAMD_WS_DEFLATE, ()),
    ("independent", STREAMD_WS_DEFLATE, ("--independent",)),
)


def inflate_every(subscribers: int) -> int:
    """Of how many connections one is inflated: not always of the same room."""
    every = max(1, subscribers // fanout.INFLATED_CONNECTIONS)
    while math.gcd(every, ROOMS) > 1:
        every += 1
    return every


def one_round(bench: Bench, named: Named, subscribers: int, more: Sequence[str]) -> Reading:
    """A fresh server, everybody in one room of ten, the planned ticks."""
    _, server, own = named
    arguments = ["--dialect", "ws", "--rooms", str(ROOMS), "--spread"]
    arguments += ["--deflate"] * server.deflate + list(own) + list(more)
    arguments += ["--subscribers", str(subscribers)]
    arguments += ["--inflate-every", str(inflate_every(subscribers))]
    arguments += ["--ticks", str(bench.plan.ticks), "--warm-ticks", str(bench.plan.warm_ticks)]
    with Running(bench, server) as running:
        return bench.load("fanout", running, *arguments)


def alternate(
    bench: Bench, servers: Sequence[Named], subscribers: int, more: Sequence[str] = ()
) -> List[List[Reading]]:
    """All in turn, round after round, each round beginning with another one."""
    readings: List[List[Reading]] = [[] for _ in servers]
    for turn in range(bench.plan.rounds):
        for i in range(len(servers)):
            at = (turn + i) % len(servers)
            readings[at].append(one_round(bench, servers[at], subscribers, more))
    return readings


def gate_writing(bench: Bench, name: str, readings: List[Reading], floor: List[Reading]) -> None:
    """The acceptance lines on what a message costs and a connection holds."""
    sure = bool(fanout.undisturbed(readings) and fanout.undisturbed(floor))
    decides = sure and bench.plan.name == "full"
    best = fanout.cheapest(readings)
    cost = fanout.cost_ratio(readings, floor)
    bench.gate("cost/bare %s" % name, cost, COST_LIMIT, decides=decides)
    # Of two hundred connections the heap's own steps are hundreds of bytes each.
    full = bench.plan.name == "full"
    held = best["rss_bytes_per_connection"]
    bench.gate("bytes a connection %s" % name, held, RSS_LIMIT, decides=full)
    p50_ms = best["latency_p50_us"] / 1000
    bench.gate("burst p50 ms %s" % name, p50_ms, BURST_P50_MS, decides=False)
    faults = sum(reading[key] for reading in readings for key in ("bad_frames", "lost_connections"))
    bench.gate("bad or lost %s" % name, faults, 0)


def measure_writing(bench: Bench, subscribers: int) -> None:
    """The cost of a message beside a bare send() loop."""
    rounds = alternate(bench, WRITING, subscribers)
    for (name, _, _), readings in zip(WRITING, rounds):
        prefix = "spread.%s.n%d" % (name, subscribers)
        bench.figures_of(prefix, fanout.cheapest(readings), KEYS)
        bench.figure(prefix + ".cost_to_bare", fanout.cost_ratio(readings, rounds[0]))
        if name in ("streamd.plain", "streamd.deflate"):
            gate_writing(bench, "spread %s n%d" % (name, subscribers), readings, rounds[0])


def finite(value: object) -> bool:
    """Whether JSON can carry it as a number."""
    return isinstance(value, (int, float)) and math.isfinite(value)


def write_metrics(curves: str, path: str) -> bool:
    """The metrics of ten real runs, one object a line, run after run; false when there are none."""
    runs: List[List[str]] = []
    with tarfile.open(curves) as archive:
        for member in sorted(archive.getmembers(), key=lambda each: each.name):
            held = archive.extractfile(member)
            points = [json.loads(line) for line in held.read().splitlines()[1:]] if held else []
            metrics = [{k: v for k, v in point.items() if finite(v)} for point in points]
            if len(metrics) >= POINTS_LEAST:
                runs.append([json.dumps(each) for each in metrics if each][:POINTS_LEAST])
    step = max(1, len(runs) // ROOMS)
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(line + "\n" for run in runs[::step][:ROOMS] for line in run)
    return len(runs) >= ROOMS


def measure_streams(bench: Bench, subscribers: int, curves: str) -> None:
    """Bytes and CPU of a compressed message on real training streams, under churn."""
    path = os.path.join(bench.scratch, "metrics.jsonl")
    if not os.path.isfile(curves) or not write_metrics(curves, path):
        bench.skip("real training streams", "no curves at %r" % curves)
        return
    more = ("--metrics", path, "--churn", CHURN_PERCENT)
    rounds = alternate(bench, STREAMS, subscribers, more)
    for (name, _, _), readings in zip(STREAMS, rounds):
        prefix = "streams.%s.n%d" % (name, subscribers)
        bench.figures_of(prefix, fanout.cheapest(readings), KEYS)
        bench.figure(prefix + ".cost_to_independent", fanout.cost_ratio(readings, rounds[2]))
    each = fanout.cheapest(rounds[1])["frame_bytes_per_update"]
    bench.gate("bytes an update, real streams n%d" % subscribers, each, BYTES_LIMIT, decides=False)
    cost = fanout.cost_ratio(rounds[1], rounds[2])
    sure = bool(fanout.undisturbed(rounds[1]) and fanout.undisturbed(rounds[2]))
    bench.gate("cost/independent n%d" % subscribers, cost, 1.0, decides=sure)


def measure(bench: Bench, curves: str) -> None:
    """At each size that ten rooms are measured at."""
    for subscribers in bench.plan.rooms_sizes:
        measure_writing(bench, subscribers)
        measure_streams(bench, subscribers, curves)
