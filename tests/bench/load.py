#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The daemon at its limits, one after the other: `make load`, about five minutes.

usage: load.py [--quick] [--json FILE] [--only NAME]... STREAMD LOAD

Prints one figure a line, `name value`, with the unit in the name; then what has to hold. Shares,
counts and CPU times decide the exit status; times by the wall inform where they are measured in
fractions of a second, since another program on the machine would decide them.
"""

import argparse
import os
import shutil
import sys
import tempfile
from typing import Callable, Dict

from run import raise_file_limit
from scenario import crowd, idle, overload, sessions, storm, table
from scenario.bench import QUICK, Bench, Programs
from scenario.limits import FULL, SMALL, Limits

SCENARIOS: Dict[str, Callable[[Bench, Limits], None]] = {
    "sessions": sessions.measure,
    "crowd": crowd.measure,
    "storm": storm.measure,
    "overload": overload.measure,
    "idle": idle.measure,
}


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Take streamd to its limits.")
    parser.add_argument("streamd", help="the daemon's executable")
    parser.add_argument("load", help="the compiled load generator (load*.c)")
    parser.add_argument("--quick", action="store_true", help="little of everything")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    parser.add_argument("--only", action="append", choices=list(SCENARIOS), help="may be repeated")
    return parser.parse_args()


def main() -> int:
    """Measure, print, and fail when something that decides does not hold."""
    arguments = parse_arguments()
    programs = Programs(os.path.abspath(arguments.streamd), os.path.abspath(arguments.load), "", "")
    raise_file_limit()
    scratch = tempfile.mkdtemp(prefix="streamd-load-")
    bench = Bench(programs, QUICK, scratch, sorted(os.sched_getaffinity(0)))
    try:
        for name in arguments.only or SCENARIOS:
            SCENARIOS[name](bench, SMALL if arguments.quick else FULL)
    finally:
        shutil.rmtree(scratch)
    table.print_gates(bench)
    if arguments.json:
        bench.save(arguments.json)
    return 0 if all(gate.holds() for gate in bench.gates if gate.decides) else 1


if __name__ == "__main__":
    sys.exit(main())
