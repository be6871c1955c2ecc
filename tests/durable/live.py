# SPDX-License-Identifier: MIT
"""What must go on whatever the disk does: a line of a trainer reaches a watcher, at once."""

import json

from harness import Healthy
from websocket import PING, PONG


class Live(Healthy):
    """A trainer without seq and a watcher of it, who counts the heartbeats as well."""

    session = "live"
    pause_s = 0.02
    pings = 0

    def _hear(self, step: int) -> None:
        while not self._is_told(step):
            continue

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

    def check(self, rounds: int = 5) -> None:
        super().check(rounds)
