# SPDX-License-Identifier: MIT
"""From items of the queue to lines of the window."""

from typing import Callable, Dict

from .encode import LINE_MAX_BYTES, Json, Refused, dumps, metrics_json, number
from .queue import Item
from .window import Line

#: `,"seq":` with the largest number, and the newline.
SEQ_MAX_BYTES = 7 + 20 + 1


def nothing() -> Json:
    """No sample of the machine."""
    return {}


class LineWriter:
    """Numbers the lines of a run, from 1; `on_progress` hears the record of each progress line, and
    `sample` gives what goes along with it."""

    def __init__(
        self,
        run_id: str,
        on_progress: Callable[[Json], None] = lambda record: None,
        sample: Callable[[], Json] = nothing,
    ) -> None:
        self._run_id = run_id
        self._on_progress = on_progress
        self._sample = sample
        self._heads: Dict[str, bytes] = {}
        self._last_number = 0

    def write(self, item: Item) -> Line:
        """The item as a line; Refused (or what foreign code raised) when it cannot be one."""
        metrics = _metrics(item) if item.kind in ("progress", "epoch") else {}
        sample = self._sample() if item.kind == "progress" else {}
        record = {**sample, **metrics} if sample else metrics  # of two values of a name the training's own
        head, tail = self._head(item.kind), _tail(item, record)
        if sample and _too_long(head, tail):
            record = metrics
            tail = _tail(item, record)
        if _too_long(head, tail):
            raise Refused(f"longer than {LINE_MAX_BYTES} bytes")
        self._last_number += 1
        if item.kind == "progress":
            self._on_progress(record)
        return Line(self._last_number, item.kind, head, tail)

    def _head(self, kind: str) -> bytes:
        """What all lines of a kind begin with, made once."""
        if kind not in self._heads:
            self._heads[kind] = dumps({"type": kind, "sessionId": self._run_id})[:-1]
        return self._heads[kind]


def _too_long(head: bytes, tail: bytes) -> bool:
    return len(head) + len(tail) + SEQ_MAX_BYTES > LINE_MAX_BYTES


def _metrics(item: Item) -> Json:
    """What was logged, as it goes on the wire."""
    metrics = {"timestamp": item.time, **metrics_json(item.payload)}
    step = number(item.step)
    if step is not None:
        metrics["step"] = step
    return metrics


def _tail(item: Item, metrics: Json) -> bytes:
    """The end of an item's line, from its own field to the closing brace."""
    if metrics:
        return b',"metrics":%b}' % dumps(metrics)
    if item.kind == "model_completed":
        return b',"modelIndex":%d}' % int(item.payload)
    if item.kind == "fail":
        return b',"error":%b}' % dumps(item.payload)
    return b"}"
