# SPDX-License-Identifier: MIT
"""Who asks instead of watching: scripts over HTTP, and an agent that waits."""

import json
import threading
from typing import Callable, Sequence

from harness import Daemon
from http_wire import Http
from watchers import GONE, Tally

REVISION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": REVISION,
    "io.modelcontextprotocol/clientCapabilities": {},
}
PATHS = (
    "/api/training/metrics/%s", "/api/training/status/%s", "/api/training/history/%s?limit=200",
    "/api/training/history/%s?fields=loss&points=200", "/api/training/insight/%s",
    "/api/training/sessions?run=%s", "/api/v1/operations", "/metrics", "/health",
)  # fmt: skip


class Asker(threading.Thread):
    """Asks again and again, on one connection while it lasts."""

    def __init__(self, current: Callable[[], Daemon], tally: Tally) -> None:
        super().__init__(daemon=True)
        self.current = current
        self.tally = tally
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.is_set():
            try:
                http = Http(self.current().connect())
            except GONE:
                self.ending.wait(0.02)
                continue
            try:
                while not self.ending.is_set():
                    self._ask(http)
            except GONE:
                pass
            except Exception as error:  # pylint: disable=broad-except
                self.tally.blame("asker failed", repr(error))
                return
            finally:
                http.close()

    def _ask(self, http: Http) -> None:
        raise NotImplementedError


class Poller(Asker):
    """A script: each path in turn, a few times a second."""

    pause_s = 0.2

    def __init__(self, current: Callable[[], Daemon], tally: Tally, runs: Sequence[str]) -> None:
        super().__init__(current, tally)
        self.runs = runs
        self.asked = 0

    def _ask(self, http: Http) -> None:
        self.asked += 1
        path = PATHS[self.asked % len(PATHS)]
        if "%s" in path:
            path %= self.runs[self.asked % len(self.runs)]
        answer = http.request("GET", path)
        draining = answer.status == 503
        if answer.status != 200 and not draining:
            self.tally.blame("bad answer", "%d to %s" % (answer.status, path))
        self.tally.add("requests answered")
        self.ending.wait(self.pause_s)


class Agent(Asker):
    """Waits for what happens next over MCP, and misses nothing that one daemon tells."""

    def __init__(self, current: Callable[[], Daemon], tally: Tally) -> None:
        super().__init__(current, tally)
        self.after = 0
        self.of = None  # the daemon that gave it

    def _ask(self, http: Http) -> None:
        asked = self.current()
        arguments = {"after_seq": self.after, "timeout_s": 5}
        params = {"name": "wait_for_event", "arguments": arguments, "_meta": META}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        answer = http.request(
            "POST", "/mcp", "MCP-Protocol-Version: " + REVISION, "Mcp-Method: tools/call",
            "Mcp-Name: wait_for_event", "Content-Type: application/json",
            "Accept: application/json, text/event-stream", body=json.dumps(body),
        )  # fmt: skip
        if answer.status == 503:
            raise ConnectionError("draining")
        told = answer.json()["result"]["structuredContent"]
        if told["missed"] and asked is self.of:
            self.tally.blame("agent missed", "%r after %d" % (told["missed"], self.after))
        if told["next_seq"] < self.after:
            self.tally.blame("agent set back", "%d after %d" % (told["next_seq"], self.after))
        self.after, self.of = told["next_seq"], asked
        self.tally.add("agent's waits")
        self.tally.add("agent's events", len(told["events"]))
