# SPDX-License-Identifier: MIT
"""Ctrl+C for the runner alone.

A terminal sends it to everybody in the foreground: to `make` too, which would report the demo that
was ended in order as interrupted. So the runner is its own foreground while it runs.
"""

import contextlib
import os
import signal
from typing import Iterator

TERMINAL = 0  # stdin, as with every job control


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Owns the terminal's foreground until left; nothing where there is no such terminal.

    A runner that a shell started has it already. Ctrl+Z is off meanwhile: the shell would be waiting
    for somebody who is not stopped.
    """
    if not os.isatty(TERMINAL) or os.getpid() == os.getpgrp():
        yield
        return
    before = os.tcgetpgrp(TERMINAL)
    if before != os.getpgrp():
        yield  # in the background
        return
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    os.setpgid(0, 0)
    take(os.getpid())
    try:
        yield
    finally:
        take(before)


def take(group: int) -> None:
    """Put a group into the foreground, from wherever we are."""
    usual = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(TERMINAL, group)
    signal.signal(signal.SIGTTOU, usual)
