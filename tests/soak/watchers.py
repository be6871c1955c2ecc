# SPDX-License-Identifier: MIT
"""Watchers, a thread each, that hold the daemon to P-31: no gap behind `since`, nothing twice.

A point's number `v` is its seq and so its offset. Behind `since` every offset has to come, up to
what was acknowledged before the watcher asked; live ones may be left out, but rise. The events of a
run come one by one for as long as a connection lasts.
"""

import json
import random
import re
import socket
import struct
import threading
from collections import Counter
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from harness import Daemon
from http_wire import Http, request
from polling import Polling
from sender import Ledger, value
from websocket import TEXT, WebSocket

Event = Tuple[str, Any]
GONE = (OSError, ConnectionError, ValueError)


class Tally:
    """What all watchers came to."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: Counter = Counter()
        self.wrong: List[str] = []

    def add(self, what: str, count: int = 1) -> None:
        with self.lock:
            self.counts[what] += count

    def blame(self, kind: str, text: str) -> None:
        with self.lock:
            self.counts[kind] += 1
            self.wrong.append("%s: %s" % (kind, text))


def plain(daemon: Daemon, run: str, since: Optional[int], *headers: str) -> Iterator[Event]:
    path = "/ws?sessionId=%s%s" % (run, "" if since is None else "&since=%d" % since)
    ws = WebSocket(daemon.connect(), path, *headers)
    yield "open", ws.http.sock
    while True:
        got = ws.message()
        if got.opcode != TEXT:
            raise ConnectionError("closed")
        message = json.loads(got.payload)
        yield message["event"], message.get("data")


def deflated(daemon: Daemon, run: str, since: Optional[int]) -> Iterator[Event]:
    extension = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    return plain(daemon, run, since, extension)


def sse(daemon: Daemon, run: str, since: Optional[int]) -> Iterator[Event]:
    http = Http(daemon.connect())
    path = "/api/training/events/%s%s" % (run, "" if since is None else "?since=%d" % since)
    http.send(request("GET", path))
    if http.head().status != 200:
        raise ConnectionError("not streamed")
    yield "open", http.sock
    while True:
        block = http.until(b"\n\n").decode()
        found = re.search(r"^event: (\S+)\ndata: (.*)$", block, re.MULTILINE)
        if found:
            yield found.group(1), json.loads(found.group(2))


def polling(daemon: Daemon, run: str, since: Optional[int]) -> Iterator[Event]:
    session = Polling(Http(daemon.connect()), Http(daemon.connect()))
    yield "open", session.polls.sock
    try:
        ask: Dict[str, Any] = {"sessionId": run}
        if since is not None:
            ask["since"] = since
        session.emit("subscribe_session", ask)
        while True:
            name, data = json.loads(session.packet("42")[2:])
            yield name, data
    finally:
        session.close()


DIALECTS: Dict[str, Callable[..., Iterator[Event]]] = {
    "ws": plain, "ws deflate": deflated, "sse": sse, "polling": polling,
}  # fmt: skip


class Watcher(threading.Thread):
    """One place among the watchers: who leaves it is followed by another, or comes back."""

    def __init__(self, current: Callable[[], Daemon], dialect: str, ledger: Ledger, tally: Tally):
        super().__init__(daemon=True)
        self.current = current
        self.dialect = dialect
        self.ledger = ledger
        self.tally = tally
        self.random = random.Random()
        self.ending = threading.Event()
        self.sock: Optional[socket.socket] = None
        self.left = False  # of its own will
        self.last: Optional[int] = None  # offset
        self.epoch = ""

    # ---- for the soak ----

    def leave(self, abruptly: bool) -> None:
        """From another thread: the connection is closed under its reader."""
        sock = self.sock
        if not sock:
            return
        self.left = True
        if abruptly:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    # ---- the thread ----

    def run(self) -> None:
        while not self.ending.is_set():
            events: Optional[Iterator[Event]] = None
            try:
                events = DIALECTS[self.dialect](self.current(), self.ledger.session, self.last)
                self._follow(events)
            except GONE:
                pass
            except Exception as error:  # pylint: disable=broad-except
                self.tally.blame("watcher failed", "%s %r" % (self.dialect, error))
                return
            self._gone(events)

    def _gone(self, events: Optional[Iterator[Event]]) -> None:
        sock, self.sock = self.sock, None
        if sock:
            sock.close()
        if events:
            events.close()  # type: ignore[attr-defined]
        if self.left and self.random.random() < 0.5:
            self.last = None  # somebody else, who wants what is new
        self.left = False
        self.ending.wait(0.02)

    def _follow(self, events: Iterator[Event]) -> None:
        since, acked = self.last, self.ledger.acked
        model: Optional[int] = None
        for name, data in events:
            if name == "open":
                self.sock = data
                self.tally.add("joined " + self.dialect)
                self.tally.add("came back with since", since is not None)
            elif name == "session_status":
                self._status(since, data)
            elif name == "progress_update":
                self._update(data, acked if since is not None else 0)
            elif name == "model_completed":
                if model is not None and data["modelIndex"] != model + 1:
                    self._blame("event missing", "%d after %d" % (data["modelIndex"], model))
                model = data["modelIndex"]
                self.tally.add("events")

    def _status(self, since: Optional[int], data: Any) -> None:
        if since is not None and data.get("recovered") is not True:
            self._blame("not recovered", "since %d" % since)
        if self.epoch and data["epoch"] != self.epoch:
            self._blame("epoch changed", "%s to %s" % (self.epoch, data["epoch"]))
        self.epoch = data["epoch"]

    def _update(self, data: Any, complete_to: int) -> None:
        """`complete_to`: up to there each offset has to come."""
        offset, last = data["offset"], self.last
        if last is not None:
            if offset <= last:
                self._blame("repeat", "%d after %d" % (offset, last))
            elif offset != last + 1 and last < complete_to:
                self._blame("gap", "%d after %d, of %d" % (offset, last, complete_to))
        if data["metrics"]["v"] != value(self.ledger.session, offset):
            self._blame("wrong value", "at %d" % offset)
        self.last = offset
        self.tally.add("updates " + self.dialect)

    def _blame(self, kind: str, text: str) -> None:
        self.tally.blame(kind, "%s %s %s" % (self.dialect, self.ledger.session, text))
