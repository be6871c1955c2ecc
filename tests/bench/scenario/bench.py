# SPDX-License-Identifier: MIT
"""What every scenario is given: the programs, the plan, and where figures go."""

import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

Reading = Dict[str, float]


class Plan(NamedTuple):
    """How much is measured: the quick plan for every push, the full one for claims."""

    name: str
    rounds: int  # of the servers that are compared with each other
    peer_rounds: int  # of those that the peers are in, too
    sizes: Tuple[int, ...]  # subscribers of one room
    rooms_sizes: Tuple[int, ...]  # subscribers of ten rooms
    ticks: int  # measured ticks a round, at 10 Hz
    warm_ticks: int
    probes: int  # first updates of quiet sessions
    ingest_lines: int
    requests: int
    idle_connections: int
    starts: int
    kept_lines: int  # into one run that is on disk
    stored_runs: Tuple[int, ...]  # that a start finds
    demo_steps: int
    late_s: int  # after this no disturbed round is measured again


QUICK = Plan(
    "quick", 2, 1, (200,), (200,), 15, 5, 150, 200000, 40000, 1000, 5, 500000, (10000,), 1000, 60
)
FULL = Plan(
    "full",
    2,
    2,
    (1000, 5000, 10000),
    (5000,),
    30,
    15,
    500,
    1000000,
    200000,
    10000,
    20,
    10000000,
    (10000, 100000),
    10000,
    360,
)


class Programs(NamedTuple):
    """The executables a run needs."""

    streamd: str
    load: str
    bare: str
    node: str


class Gate(NamedTuple):
    """One acceptance line, measured."""

    name: str
    measured: float
    limit: float
    at_least: bool
    decides: bool  # absolute times depend on the machine and only inform

    def holds(self) -> bool:
        """Whether the measured value is on the right side of the limit."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


class Bench:
    """One run: takes readings, prints one figure a line, remembers them."""

    def __init__(self, programs: Programs, plan: Plan, scratch: str, cores: Sequence[int]) -> None:
        self.programs = programs
        self.plan = plan
        self.scratch = scratch
        self.server_cores = {cores[0]}
        self.load_cores = {cores[-1]}
        self.figures: Dict[str, float] = {}
        self.gates: List[Gate] = []
        self.skipped: List[str] = []
        self.absent: Dict[str, str] = {}  # what the table says of a server that was not measured
        self._started = time.monotonic()

    def is_late(self) -> bool:
        """Whether the plan has no time left for measuring anything again."""
        return time.monotonic() - self._started > self.plan.late_s

    def figure(self, name: str, value: float) -> float:
        """Print and keep one figure."""
        self.figures[name] = value
        print("%s %s" % (name, tidy(value)), flush=True)
        return value

    def figures_of(self, prefix: str, reading: Reading, keys: Sequence[str]) -> None:
        """Print some of what was read in one round."""
        for key in keys:
            self.figure("%s.%s" % (prefix, key), reading[key])

    def skip(self, what: str, why: str) -> None:
        """Say that something was not measured; nothing is left out silently."""
        self.skipped.append("%s: %s" % (what, why))
        print("skipped %s: %s" % (what, why), flush=True)

    def gate(
        self, name: str, measured: float, limit: float, at_least: bool = False, decides: bool = True
    ) -> None:
        """Hold a measured value against an acceptance line."""
        self.gates.append(Gate(name, measured, limit, at_least, decides))

    def load(self, mode: str, server: Any, *arguments: str) -> Reading:
        """Run the load generator against a running server and return what it read."""
        command = [self.programs.load, mode, "--server-pid", str(server.pid)]
        command += ["--target", server.target, "--trainer", server.trainer]
        command += ["--publish"] * server.publishes
        note("%s %s %s" % (mode, server.name, " ".join(arguments)))
        done = subprocess.run(
            command + list(arguments), stdout=subprocess.PIPE, timeout=300, check=False
        )
        if done.returncode != 0:
            raise RuntimeError("load %s against %s failed" % (mode, server.name))
        return parse_reading(done.stdout.decode())

    def save(self, path: str) -> None:
        """Write everything as JSON."""
        report = {
            "plan": self.plan._asdict(),
            "machine": machine(),
            "figures": self.figures,
            "gates": [dict(gate._asdict(), holds=gate.holds()) for gate in self.gates],
            "skipped": self.skipped,
        }
        with open(path, "w", encoding="utf-8") as out:
            json.dump(report, out, indent=2)
            out.write("\n")


def parse_reading(text: str) -> Reading:
    """The `name value` lines of the load generator."""
    pairs = [line.split() for line in text.splitlines()]
    return {name: float(value) for name, value in pairs}


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def tidy(value: float) -> str:
    """Four significant digits, or the whole number."""
    return "%d" % value if value == int(value) else "%.4g" % value if value < 1e4 else "%.0f" % value


def note(text: str) -> None:
    """Progress for whoever is waiting; figures go to stdout, this does not."""
    print("  " + text, file=sys.stderr, flush=True)


def machine() -> Dict[str, Any]:
    """What the absolute figures belong to."""
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": os.uname().release,
        "load_average": os.getloadavg()[0],
    }
