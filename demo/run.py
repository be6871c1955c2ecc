#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The demo runner: starts the daemon and real trainers, and shows or checks what comes out.

demo        three models train, live in the terminal and at the printed URL; statistics; exit 0
server      the daemon with one live session after the other, until Ctrl+C
test        seven integration tests; exit 0 when more than 80 % pass
benchmark   five sessions push for a while; exit 0 when the thresholds hold
"""

import argparse
import os
import signal
import sys
from typing import Any, Callable, Dict

from runner import benchmark, checks, demo, server
from runner.processes import DEFAULT_DAEMON, DEFAULT_TRAINER, Failed
from runner.terminal import alone

MODES: Dict[str, Callable[[argparse.Namespace], int]] = {
    "demo": demo.run,
    "server": server.run,
    "test": checks.run,
    "benchmark": benchmark.run,
}


def parse_options() -> argparse.Namespace:
    """The command line; `test` and `benchmark` take a free port unless told otherwise."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("mode", choices=sorted(MODES), nargs="?", default="demo")
    parser.add_argument(
        "--streamd",
        default=os.environ.get("STREAMD", DEFAULT_DAEMON),
        help="the daemon's executable ($STREAMD, build/release/streamd)",
    )
    parser.add_argument(
        "--trainer",
        default=DEFAULT_TRAINER,
        help="the trainer: an executable, or a .py (build/release/demo-trainer)",
    )
    parser.add_argument("--port", type=int, help="0: a free one (5001; test, benchmark: 0)")
    parser.add_argument("--models", type=int, default=3, help="models a session trains (3)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same training (1)")
    parser.add_argument("--duration", type=float, default=10.0, help="benchmark: seconds (10)")
    parser.add_argument("--keep", action="store_true", help="demo: serve on until Ctrl+C")
    options = parser.parse_args()
    if options.port is None:
        options.port = 5001 if options.mode in ("demo", "server") else 0
    return options


def interrupt(*_: Any) -> None:
    """Whoever ends us, everything that was started is ended too."""
    raise KeyboardInterrupt


def main() -> int:
    options = parse_options()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        with alone():
            return MODES[options.mode](options)
    except Failed as error:
        print(f"{options.mode}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
