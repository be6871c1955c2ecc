# SPDX-License-Identifier: MIT
"""What the terminal shows: one line that updates in place, or plain lines where there is no tty."""

import shutil
import sys
import time
from typing import Any, Dict, Optional, TextIO

#: Without a terminal a line an update would fill the log.
PLAIN_EVERY_S = 5.0
#: With this bar the line fits into 80 columns.
BAR = 10


class Screen:
    """Owns the last line of its stream."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._tty = stream.isatty()
        self._open = False
        self._last_plain = float("-inf")
        self._shown = ""

    def say(self, text: str) -> None:
        """A line that stays."""
        self._close()
        print(text, file=self._stream, flush=True)

    def update(self, text: str, last: bool = False, now: Optional[float] = None) -> None:
        """Replace the updating line; without a terminal print it now and then, and the last."""
        if text == self._shown:
            return
        now = time.monotonic() if now is None else now
        if self._tty:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write("\r\x1b[K" + text[:width])
            self._stream.flush()
            self._open = True
        elif last or now - self._last_plain >= PLAIN_EVERY_S:
            self._last_plain = now
            print(text, file=self._stream, flush=True)
        else:
            return
        self._shown = text

    def _close(self) -> None:
        if self._open:
            self._stream.write("\n")
        self._open = False


def progress_line(status: Dict[str, Any]) -> str:
    """A session_status with its latest_metrics as one line."""
    metrics = status.get("latest_metrics") or {}
    overall = metrics.get("overallProgress") or 0.0
    done = min(BAR, int(overall / 100 * BAR))
    parts = [
        f"[{'#' * done}{'.' * (BAR - done)}] {overall:5.1f}%",
        f"model {metrics.get('currentModel', 1)}/{metrics.get('totalModels', '?')}",
        f"{metrics.get('currentStep', 0)}/{metrics.get('totalSteps', '?')}",
        f"loss {_number(metrics.get('loss'))}",
    ]
    if "val_loss" in metrics:
        parts.append(f"val {_number(metrics['val_loss'])}")
    parts.append(f"{_seconds(metrics.get('estimatedTimeRemaining'))} left")
    return "  ".join(parts)


def print_stats(screen: Screen, stats: Dict[str, Any]) -> None:
    """The statistics of the daemon, one name a line, in the order it sent them."""
    screen.say("Final statistics")
    for name, value in _flat(stats).items():
        screen.say(f"  {name:<48} {value}")


def _flat(values: Dict[str, Any], prefix: str = "") -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found.update(_flat(value, f"{prefix}{name}."))
        else:
            found[prefix + name] = ", ".join(map(str, value)) if isinstance(value, list) else value
    return found


def _number(value: Any) -> str:
    """Four decimals; a loss that is not finite travels as null."""
    return "  nan " if value is None else f"{value:.4f}"


def _seconds(value: Any) -> str:
    minutes, seconds = divmod(int(value or 0), 60)
    return f"{minutes}:{seconds:02d}"
