# SPDX-License-Identifier: MIT
"""A watcher as people write them: an unmodified python3-socketio client, and what it heard."""

import threading
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from runner.processes import Failed

DEADLINE_S = 10.0
PACKAGES = "python3-socketio python3-websocket python3-requests"


class Heard(NamedTuple):
    """One event as it came in; `at` is monotonic."""

    event: str
    data: Dict[str, Any]
    at: float


class Watcher:
    """One Socket.IO connection; a context manager. Events are kept in the order they came."""

    def __init__(self, url: str, transports: Optional[List[str]] = None) -> None:
        try:
            import requests  # noqa: F401 - what python3-socketio polls with
            import socketio
            import websocket  # noqa: F401 - and what it streams with
        except ImportError as error:
            raise Failed(f"{error.name} is missing: apt install {PACKAGES}") from error
        self._url = url
        self._transports = transports
        self._changed = threading.Condition()  # re-entrant: conditions look at `heard`
        self._heard: List[Heard] = []
        self._client = socketio.Client(reconnection=False)
        self._refused = socketio.exceptions.ConnectionError
        self._client.on("*", self._on_event)

    def __enter__(self) -> "Watcher":
        try:
            self._client.connect(self._url, transports=self._transports)
        except self._refused as error:
            raise Failed(f"cannot watch {self._url}: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()

    def emit(self, event: str, data: Any) -> None:
        self._client.emit(event, data)

    def subscribe(self, session: str) -> None:
        """Join the session's room; returns when the daemon has said so, if it knows the session."""
        self._client.call("subscribe_session", {"sessionId": session}, timeout=DEADLINE_S)

    @property
    def transport(self) -> str:
        return str(self._client.transport())

    @property
    def heard(self) -> List[Heard]:
        with self._changed:
            return list(self._heard)

    def of(self, event: str, session: Optional[str] = None) -> List[Heard]:
        """What was heard of one event, of one session."""
        return [
            one
            for one in self.heard
            if one.event == event and session in (None, one.data.get("sessionId"))
        ]

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait until `condition` gives something; AssertionError names `what` did not come."""
        with self._changed:
            found = self._changed.wait_for(condition, DEADLINE_S)
        assert found, f"{what} did not come; heard {[one.event for one in self._heard]}"
        return found

    def wait_for(self, event: str, session: Optional[str] = None, count: int = 1) -> Heard:
        """The `count`th such event, once it is there."""
        self.wait(lambda: len(self.of(event, session)) >= count, event)
        return self.of(event, session)[count - 1]

    def _on_event(self, event: str, *arguments: Any) -> None:
        at = time.monotonic()
        data = arguments[0] if arguments and isinstance(arguments[0], dict) else {}
        with self._changed:
            self._heard.append(Heard(event, data, at))
            self._changed.notify_all()
