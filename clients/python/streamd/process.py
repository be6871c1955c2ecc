# SPDX-License-Identifier: MIT
"""What becomes of the open runs when the process forks or ends.

A forked child (a DataLoader worker, most often) inherits every run object and none of the threads.
Its runs are made inert at once: empty queue, no connection, the parent's descriptors closed without
a word to the daemon. Should the child log after all, its run opens a connection of its own.
At the end of the process the runs left open are ended: failed if the interpreter is dying of an
exception, completed otherwise.
"""

import atexit
import logging
import os
import sys
from typing import TYPE_CHECKING, Optional, Set

if TYPE_CHECKING:  # run.py imports this module
    from .run import Run

log = logging.getLogger("streamd")

_open_runs: "Set[Run]" = set()


def enter(run: "Run") -> None:
    """Keep `run`, and therefore its sender, until it leaves or the process ends."""
    _open_runs.add(run)


def leave(run: "Run") -> None:
    _open_runs.discard(run)


def unhandled_error() -> Optional[BaseException]:
    """The exception that ended the script, as the interpreter left it when printing it.

    At a prompt it is any earlier exception, and means nothing.
    """
    if hasattr(sys, "ps1"):
        return None
    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return error if isinstance(error, BaseException) else None


def _at_exit() -> None:
    error = unhandled_error()
    for run in list(_open_runs):
        run.leave(error)


def _in_forked_child() -> None:
    for run in list(_open_runs):
        try:
            run.become_child()
        except Exception as error:
            log.debug("run %s: not usable in this child: %r", run.id, error)


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_child)
