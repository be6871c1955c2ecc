# SPDX-License-Identifier: MIT
"""What must go on whatever the disk does: a line of a trainer reaches a watcher, at once."""

import json
import threading
import time
from typing import Optional

from harness import Daemon, eventually
from trainer_wire import Trainer, progress
from websocket import PING, PONG, WebSocket

SESSION = "live"
LATE_S = 1.0


class Live:
    """A trainer without seq and a watcher of it, one update after the other."""

    def __init__(self, daemon: Daemon) -> None:
        self.trainer = Trainer(daemon.socket_path)
        self.watcher = WebSocket(daemon.connect(), "/ws?sessionId=" + SESSION)
        self.rounds = 0
        self.worst_s = 0.0
        self.pings = 0
        self.failure: Optional[BaseException] = None
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            while not self.ending.wait(0.02):
                self._round()
        except BaseException as error:  # pylint: disable=broad-except
            self.failure = error

    def _round(self) -> None:
        start = time.monotonic()
        step = self.rounds + 1
        self.trainer.send(progress(SESSION, {"loss": 1, "step": step}))
        while not self._is_told(step):
            continue
        self.worst_s = max(self.worst_s, time.monotonic() - start)
        self.rounds += 1

    def _is_told(self, step: int) -> bool:
        frame = self.watcher.inflated()
        if frame.opcode == PING:
            self.pings += 1
            self.watcher.send(PONG, frame.payload)
        if frame.opcode in (PING, PONG):
            return False
        message = json.loads(frame.payload)
        return (
            message["event"] == "progress_update"
            and message["data"]["metrics"]["currentStep"] == step
        )

    def check(self, updates: int = 5) -> None:
        """So many more come, and none since the last check was late."""
        after = self.rounds + updates
        eventually("live updates", lambda: self.rounds >= after or self.failure is not None)
        if self.failure:
            raise AssertionError("live delivery ended: %r" % self.failure)
        if self.worst_s > LATE_S:
            raise AssertionError("an update was %.2f s late" % self.worst_s)
        self.worst_s = 0.0

    def stop(self) -> None:
        self.ending.set()
        self.thread.join()
        self.trainer.close()
        self.watcher.close()
