# SPDX-License-Identifier: MIT
"""`python -m streamd sync [DIR]`: send what runs have left in the spool folder.

One line a file says what became of it. The exit code is 0 when nothing is left but the files of
runs that are still alive, else 1; so it can stand in a crontab.
"""

import argparse
import os
import sys
from typing import Any, List, Optional

from .courier import Outcome, Report, Round
from .leftover import list_files
from .spool import spool_folder
from .transport import HttpLink, SocketLink, Waker, default_socket_path

#: How long a turn may sleep.
TURN_S = 0.1


def make_link(to: str, waker: Waker) -> Any:
    """A link to an address: a path is a socket, all else a URL."""
    return SocketLink(to, waker) if to.startswith("/") else HttpLink(to, waker)


def describe(report: Report) -> str:
    """One line about one file."""
    name = os.path.basename(report.path)
    if report.outcome is Outcome.SENT:
        refused = f", {report.refused} refused" if report.refused else ""
        return f"{name}: {report.lines} lines sent{refused}"
    return f"{name}: {report.outcome.value}: {report.why}"


def sync(folder: str, to: Optional[str]) -> int:
    """Send the files of `folder` to the daemon each belongs to, or all of them to `to`."""
    waker = Waker()
    waker.open()
    told = 0
    left = False
    try:
        round_ = Round(
            list_files(folder), lambda own: make_link(to or own or default_socket_path(), waker)
        )
        over = False
        while not over:
            over = round_.turn(TURN_S)
            for report in round_.reports[told:]:
                print(describe(report), flush=True)
                left = left or report.outcome not in (Outcome.SENT, Outcome.LOCKED)
                told += 1
        round_.close()
    finally:
        waker.close()
    return 1 if left else 0


def main(arguments: Optional[List[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m streamd", description="Send what runs left.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("sync", help="send the files in the spool folder")
    command.add_argument("folder", nargs="?", metavar="DIR", help="default: the spool folder")
    to = command.add_mutually_exclusive_group()
    to.add_argument("--socket", metavar="PATH", help="the daemon's socket, whatever a file says")
    to.add_argument("--url", help="the daemon's address, whatever a file says")
    options = parser.parse_args(arguments)
    socket_path = os.path.abspath(options.socket) if options.socket else None
    return sync(options.folder or spool_folder(), options.url or socket_path)


if __name__ == "__main__":
    sys.exit(main())
