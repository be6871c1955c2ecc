# SPDX-License-Identifier: MIT
"""From what a user logs to the lines of the trainer protocol (docs/protocol.md, ingest).

Runs in the sender thread, so that a tensor on a device is waited for here and not in the training.
Everything a user hands over is foreign code: `item()`, `__float__` and `__iter__` may raise, lie or
never end, dicts may contain themselves. What is no number is left out; a line that would hold no
number at all, or be larger than the daemon accepts, is refused as a whole.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

#: Longest line the daemon reads, newline included.
LINE_MAX_BYTES = 65_536
#: Longest `start` line: the spool's own fields have to fit as well.
START_MAX_BYTES = LINE_MAX_BYTES - 1_536
#: Most values in a line. More could not fit; the bound also ends self-similar or endless mappings.
VALUES_MAX = 4_096
#: Deepest nesting of metrics and config.
DEPTH_MAX = 16
#: Longest name of a metric and longest string of a config.
TEXT_MAX = 4_096
#: Beyond this an integer is sent as a float, as every reader would take it anyway.
INT_MAX = 2**63

#: The settings that the daemon itself reads.
UNDERSTOOD = ("model_count", "batch_size", "learning_rate", "epochs", "total_steps", "knobs")
#: What a walk leaves out: None is a value of a config.
OMIT = object()

Json = Dict[str, Any]


class Refused(ValueError):
    """This line cannot be sent; the text says why."""


def clean_text(value: Any) -> str:
    """Valid, bounded text without NUL, whatever `value` is."""
    text = value if type(value) is str else str(value)
    text = text[:TEXT_MAX].replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def describe(error: Any) -> str:
    """An exception as `Type: text`, anything else as its text; never raises."""
    try:
        text = clean_text(error)
    except Exception:
        text = ""
    if not isinstance(error, BaseException):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def number(value: Any) -> Optional[float]:
    """The number that `value` is, resolving 0-d tensors and numpy scalars; None if it is none.

    NaN and the infinities are numbers here: the daemon wants to hear of them.
    """
    try:
        if isinstance(value, float):
            return float(value)
        if isinstance(value, int):
            return int(value) if -INT_MAX < value < INT_MAX else float(value)
        if hasattr(value, "item"):
            value = value.item()
            return number(value) if isinstance(value, (int, float)) else None
        if hasattr(value, "__float__"):
            return float(value)
    except BaseException:  # a user's __float__ may raise SystemExit, and would end this thread
        return None
    return None


class _Walk:
    """A bounded copy of nested foreign data; `leaf` turns into JSON what is not nested."""

    def __init__(self, nested: Tuple[type, ...], leaf: Callable[[Any], Any]) -> None:
        self._nested = nested
        self._leaf = leaf
        self._path: List[int] = []
        self._left = VALUES_MAX
        self.leaves = 0

    def copy(self, value: Any) -> Any:
        """`value` as dicts, lists and leaves; OMIT for itself within itself, or too deep."""
        self._left -= 1
        if self._left < 0:
            raise Refused(f"more than {VALUES_MAX} values")
        if not isinstance(value, self._nested):
            leaf = self._leaf(value)
            self.leaves += leaf is not OMIT
            return leaf
        if len(self._path) >= DEPTH_MAX or id(value) in self._path:
            return OMIT
        self._path.append(id(value))
        copied = self._mapping(value) if isinstance(value, Mapping) else self._sequence(value)
        self._path.pop()
        return copied

    def _mapping(self, value: "Mapping[Any, Any]") -> Json:
        pairs = ((clean_text(key), self.copy(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not OMIT}

    def _sequence(self, value: Iterable[Any]) -> List[Any]:
        return [item for item in map(self.copy, value) if item is not OMIT]


def _metric(value: Any) -> Any:
    found = number(value)
    return OMIT if found is None else found


def _setting(value: Any) -> Any:
    """A config's leaf: numbers and words as they are, all else (paths, dtypes) as its text."""
    if value is None or isinstance(value, (bool, str)):
        return clean_text(value) if isinstance(value, str) else value
    found = number(value)
    return found if found is not None and math.isfinite(found) else clean_text(value)


def metrics_json(metrics: Any) -> Json:
    """The numbers of `metrics`, nested as they are; raises Refused when there is none."""
    if not isinstance(metrics, Mapping):
        raise Refused(f"{type(metrics).__name__} is not a dict")
    walk = _Walk((Mapping,), _metric)
    copied: Json = walk.copy(metrics)
    if not walk.leaves:
        raise Refused("no number in it")
    return copied


def config_json(config: Any) -> Json:
    """A dict, a dataclass or an argparse namespace as JSON; raises Refused for anything else."""
    if not isinstance(config, Mapping) and hasattr(config, "__dict__"):
        config = vars(config)
    if not isinstance(config, Mapping):
        raise Refused(f"{type(config).__name__} is not a dict")
    copied: Json = _Walk((Mapping, list, tuple, set, frozenset), _setting).copy(config)
    return copied


def start_json(run_id: str, config: Any, project: Any, name: Any, resume: bool) -> Json:
    """The `start` line; of a config that is too long only what the daemon understands stays."""
    start: Json = {"type": "start", "sessionId": run_id, "resume": bool(resume)}
    for field, value in (("project", project), ("name", name)):
        if value is not None:
            start[field] = clean_text(value)
    if config is not None:
        start["config"] = config_json(config)
        if len(dumps(start)) >= START_MAX_BYTES:
            start["config"] = {k: v for k, v in start["config"].items() if k in UNDERSTOOD}
            if len(dumps(start)) >= START_MAX_BYTES:
                raise Refused(f"longer than {START_MAX_BYTES} bytes")
    return start


def dumps(value: Any) -> bytes:
    """Minified ASCII JSON; NaN and Infinity as the bare words that the daemon accepts."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")
