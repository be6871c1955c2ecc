# SPDX-License-Identifier: MIT
"""What the load scenarios share: how much of everything, and what is read of a daemon beside it."""

import json
import os
import re
import threading
import time
import urllib.request
from typing import Any, List, NamedTuple, Tuple

from scenario.durable import rss_kib
from scenario.servers import Running

HELD_LIMIT_MS = 1000  # nothing may hold the loop, and so everybody else, for longer


class Limits(NamedTuple):
    """How much is asked for."""

    subscribers: int  # of `sessions` and `storm`
    rooms: int
    ticks: int  # measured, at 10 Hz
    storm_hz: int
    dialects: Tuple[str, ...]  # of `storm`
    trainers: int
    trainer_ticks: int  # one line a second each
    crowded: int  # subscribers of `overload`
    easy_s: int
    overload_s: int
    stored: int  # runs of `idle`


FULL = Limits(10000, 1000, 60, 1, ("ws", "socketio"), 2000, 15, 5000, 4, 10, 100000)
SMALL = Limits(300, 30, 20, 5, ("ws",), 100, 2, 600, 1, 1, 5000)


def get(running: Running, path: str, timeout_s: float = 60.0) -> bytes:
    """The body of an answer."""
    with urllib.request.urlopen("http://%s%s" % (running.target, path), timeout=timeout_s) as answer:
        body: bytes = answer.read()
        return body


def get_json(running: Running, path: str) -> Any:
    return json.loads(get(running, path))


def counter(running: Running, name: str) -> float:
    """One of /metrics."""
    found = re.search(r"^streamd_%s (\S+)$" % name, get(running, "/metrics").decode(), re.MULTILINE)
    if not found:
        raise RuntimeError("no figure %s" % name)
    return float(found.group(1))


def held_ms(running: Running) -> float:
    """The longest that a wake-up of the last minute has held the loop."""
    return counter(running, "loop_held_max_us") / 1000


def peak_rss_kib(pid: int) -> int:
    """The most that was resident."""
    with open("/proc/%d/status" % pid, encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    raise RuntimeError("no VmHWM of %d" % pid)


class Beside(threading.Thread):
    """Looks at the daemon again and again while something else goes on; a context manager."""

    def __init__(self, running: Running) -> None:
        super().__init__(daemon=True)
        self.running = running
        self.ending = threading.Event()
        self.fds = 0
        self.rss_kib = 0

    def look(self) -> None:
        self.fds = max(self.fds, len(os.listdir("/proc/%d/fd" % self.running.pid)))
        self.rss_kib = max(self.rss_kib, rss_kib(self.running.pid))

    def run(self) -> None:
        while not self.ending.wait(0.5):
            self.look()

    def __enter__(self) -> "Beside":
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ending.set()
        self.join()


class Waits:
    """How long answers took, without what asker and daemon were kept from their cores by others."""

    def __init__(self, pid: int) -> None:
        self.taken_ms: List[float] = []
        self._tasks = ("thread-self", str(pid))
        self._from = (0.0, 0.0)

    def _starved_s(self) -> float:
        starved = 0.0
        for task in self._tasks:
            with open("/proc/%s/schedstat" % task, encoding="ascii") as file:
                starved += int(file.read().split()[1]) / 1e9
        return starved

    def begin(self) -> None:
        self._from = (time.monotonic(), self._starved_s())

    def end(self) -> None:
        took = time.monotonic() - self._from[0] - (self._starved_s() - self._from[1])
        self.taken_ms.append(took * 1000)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.taken_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
