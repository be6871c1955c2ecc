#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The benchmark of streamd: the daemon, the kernel's floor and four peers, in one run.

usage: run.py [--quick] [--json FILE] [--curves FILE] STREAMD LOAD BARE

Prints one figure a line, `name value`, with the unit in the name; then the acceptance lines and a
table. What is compared is CPU time of the server process, within one run, in alternating rounds:
the same machine an hour later, or another one, gives other absolute figures and nearly the same
ratios. So ratios, counts and sizes decide the exit status; absolute times only inform.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile

from scenario import durable, fanout, ingest, polling, saturation, spread, startup, table
from scenario.bench import FULL, QUICK, Bench, Programs
from scenario.servers import missing_peers


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure streamd beside its floor and its peers.")
    parser.add_argument("streamd", help="the daemon's executable")
    parser.add_argument("load", help="the compiled load generator (load*.c)")
    parser.add_argument("bare", help="the compiled floor (bare_send.c)")
    parser.add_argument("--quick", action="store_true", help="about a minute, small numbers")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    parser.add_argument("--curves", default="", help="archive of real training curves")
    parser.add_argument("--node", default="node", help="the node executable for the peers")
    return parser.parse_args()


def raise_file_limit() -> None:
    """Servers inherit this limit; ten thousand subscribers need it."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def measure(bench: Bench, curves: str) -> None:
    """All scenarios, cheapest first."""
    missing = missing_peers(bench)
    startup.measure(bench)
    polling.measure(bench)
    ingest.measure(bench, missing)
    durable.measure(bench)
    spread.measure(bench, curves)
    saturation.measure(bench)
    fanout.measure(bench, missing)


def main() -> int:
    """Measure, print, and fail when an acceptance line that decides does not hold."""
    arguments = parse_arguments()
    programs = Programs(
        *(os.path.abspath(path) for path in (arguments.streamd, arguments.load, arguments.bare)),
        arguments.node,
    )
    raise_file_limit()
    cores = sorted(os.sched_getaffinity(0))
    scratch = tempfile.mkdtemp(prefix="streamd-bench-")
    bench = Bench(programs, QUICK if arguments.quick else FULL, scratch, cores)
    try:
        measure(bench, arguments.curves)
    finally:
        shutil.rmtree(scratch)
    table.print_all(bench)
    if arguments.json:
        bench.save(arguments.json)
    return 0 if all(gate.holds() for gate in bench.gates if gate.decides) else 1


if __name__ == "__main__":
    sys.exit(main())
