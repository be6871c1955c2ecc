# SPDX-License-Identifier: MIT
"""Trainers at an even pace, which are restarted now and then, and one whose runs are short."""

import threading
import time
from typing import Dict, List, Sequence

from sender import Ledger, Sender

BEAT_S = 0.02
MODELS_EVERY_S = 1.0
SHORT_RUN_S = 4.0
SHORT_POINTS = 2  # a beat


class Paced(Sender):
    """`rate` points a second, over its runs in turn; of each a model_completed a second, counted.

    Those have no seq: none is made while the one before could still be lost with the connection.
    """

    def __init__(self, socket_path: str, sessions: Sequence[str], rate: float) -> None:
        super().__init__(socket_path, sessions, seed=1)
        self.rate = rate
        self.owed = 0.0
        self.beat_at = time.monotonic()
        self.models: Dict[str, int] = {session: 0 for session in sessions}
        self.models_at = time.monotonic()
        self.restart = threading.Event()

    def _burst(self) -> None:
        now = time.monotonic()
        self.burst_at = now + BEAT_S
        if self.restart.is_set():
            self.restart.clear()
            raise ConnectionError("restarted")
        self.owed = min(self.owed + (now - self.beat_at) * self.rate, self.rate)
        self.beat_at = now
        each = int(self.owed / len(self.ledgers))
        self.owed -= each * len(self.ledgers)
        for ledger in self.ledgers.values():
            if ledger.resumed and len(ledger.unacked) < self.unacked_max:
                self.out += ledger.make(each).encode()
        if now >= self.models_at:
            self.models_at = now + MODELS_EVERY_S
            for session in self.ledgers:
                self.out += self._model(session)

    def _model(self, session: str) -> bytes:
        self.models[session] += 1
        line = '{"type":"model_completed","sessionId":"%s","modelIndex":%d}\n'
        return (line % (session, self.models[session])).encode()


class Short(Sender):
    """One run after the other, each for a few seconds, so that old ones make room."""

    def __init__(self, socket_path: str) -> None:
        super().__init__(socket_path, ["short-1"], seed=1)
        self.runs = 1
        self.until = time.monotonic() + SHORT_RUN_S

    def _burst(self) -> None:
        now = time.monotonic()
        self.burst_at = now + BEAT_S
        (ledger,) = self.ledgers.values()
        if not ledger.resumed:
            return
        if now < self.until:
            self.out += ledger.make(SHORT_POINTS).encode()
        elif not ledger.unacked:
            self.until = now + SHORT_RUN_S
            self.runs += 1
            self.out += b'{"type":"complete","sessionId":"%s"}\n' % ledger.session.encode()
            fresh = Ledger("short-%d" % self.runs)
            self.ledgers = {fresh.session: fresh}
            self.out += self._start(fresh)


class Trainers:
    def __init__(self, socket_path: str, count: int, runs_each: int, rate: float) -> None:
        self.paced: List[Paced] = []
        for i in range(count):
            runs = ["soak-%d-%d" % (i, k) for k in range(runs_each)]
            self.paced.append(Paced(socket_path, runs, rate / count))
        self.short = Short(socket_path)
        self.all: List[Sender] = [*self.paced, self.short]
        self.ledgers = {run: t.ledgers[run] for t in self.paced for run in t.ledgers}
        for trainer in self.all:
            trainer.start()

    def wrong(self) -> List[str]:
        return [text for trainer in self.all for text in trainer.wrong]
