# SPDX-License-Identifier: MIT
"""When a training is saved, and where it goes on: automatic checkpoints that never disturb it.

    checkpoints = streamd.Checkpoints("runs/a", save=lambda path: torch.save(state(), path))
    found = checkpoints.recover()
    run = streamd.init(session_id="a", resume=found is not None)
    run.on_control(checkpoints.on_control)
    if found:
        load(torch.load(found.path))
    for step in range(found.step + 1 if found else 1, steps + 1):
        run.log({"loss": train_one_step()}, step=step)
        checkpoints.step(step)

Saving happens in the training's own thread, as nobody else may look at the weights while they
change; so it costs what `save`, hashing and the disk cost, and when step() returns the checkpoint
is on the disk. Whatever fails is logged and counted, and the training goes on. checkpoint_folder.py
has the layout.
"""

import logging
import os
import time
from typing import Any, Dict, Optional, Set

from . import checkpoint_folder
from .checkpoint_folder import Checkpoint, Corrupt, Save
from .encode import describe
from .error_class import ATTEMPTS_MAX, error_class, error_report

log = logging.getLogger("streamd")

EVERY_STEPS = 100
KEEP = 3


class Checkpoints:
    """Owns the lock of its folder from the first save to close() or the end of the process.

    One training thread calls step() and save(); on_control() and status may come from any.
    """

    def __init__(self, folder: Any, save: Save, every: int = EVERY_STEPS, keep: int = KEEP) -> None:
        """`every` counts steps, 0 saves on demand only; `keep` is at least 1. Touches no disk."""
        self._folder = _usable_folder(folder)
        self._save = save
        self._every = max(0, every) if isinstance(every, int) else EVERY_STEPS
        self._keep = max(1, keep) if isinstance(keep, int) else KEEP
        self._lock = -1
        self._locked_by = 0
        self._asked = False
        self._last_step: Optional[int] = None
        self._corrupt: Set[str] = set()
        self._said = ""
        self._stats: Dict[str, Any] = {
            "saved": 0,
            "failed": 0,
            "removed": 0,
            "skipped": 0,
            "recoveries": 0,
            "last_step": None,
            "last_bytes": None,
            "last_seconds": None,
            "last_error": None,
        }

    def recover(self) -> Optional[Checkpoint]:
        """The newest checkpoint that is whole; None when there is none. Never raises.

        Damaged ones are skipped with a warning, and removed only when a newer one is saved.
        """
        for name in reversed(checkpoint_folder.names(self._folder)):
            try:
                found = checkpoint_folder.read(self._folder, name)
            except Corrupt as error:
                self._stats["skipped"] += name not in self._corrupt
                self._corrupt.add(name)
                log.warning("checkpoint %s is skipped: %s", name, error)
                continue
            self._last_step = found.step
            self._stats["recoveries"] += 1
            log.info("recovering from checkpoint %s, step %d", name, found.step)
            return found
        return None

    def step(self, step: int) -> Optional[Checkpoint]:
        """After each step of the training: saves when one is due or was asked for."""
        try:
            if self._asked:
                self._asked = False
                return self.save(step, "control")
            if self._last_step is None or step < self._last_step:
                self._last_step = max(0, step - 1)  # it begins, or went back
            if self._every and step // self._every > self._last_step // self._every:
                return self.save(step, "interval")
        except Exception as error:  # a step that is no number
            self._failed(error)
        return None

    def save(self, step: int, reason: str = "call") -> Optional[Checkpoint]:
        """Save now. None when that failed, which is logged; what was there before is still there."""
        began = time.monotonic()
        try:
            self._last_step = int(step)
            if not self._hold():
                return None
            made = checkpoint_folder.write(self._folder, self._last_step, reason, self._save)
        except Exception as error:
            self._failed(error)
            return None
        self._stats["saved"] += 1
        self._stats["last_step"] = made.step
        self._stats["last_bytes"] = made.bytes
        self._stats["last_seconds"] = time.monotonic() - began
        self._prune()
        return made

    def on_control(self, command: str, reason: str) -> None:
        """For run.on_control(): after `checkpoint` the next step is saved."""
        if command == "checkpoint":
            self._asked = True

    @property
    def status(self) -> Dict[str, Any]:
        """`{"enabled","active","count","options","stats"}`; never raises.

        enabled: it saves by itself; active: the folder is ours; count: how many are there.
        """
        return {
            "enabled": self._every > 0 and bool(self._folder),
            "active": self._lock >= 0,
            "count": len(checkpoint_folder.names(self._folder)),
            "options": {
                "folder": self._folder,
                "every": self._every,
                "keep": self._keep,
                "attempts_max": ATTEMPTS_MAX,
            },
            "stats": dict(self._stats),
        }

    def report(self, error: Any) -> Dict[str, Any]:
        """error_report() of an error of this training, after as many recoveries as there were."""
        return error_report(error, self._stats["recoveries"])

    def close(self) -> None:
        """Let another process save there."""
        fd, self._lock = self._lock, -1
        if fd >= 0:
            os.close(fd)

    def _hold(self) -> bool:
        """Is the folder ours? It may become so later, when another process has ended."""
        if not self._folder:
            return False
        if self._lock >= 0:
            return self._locked_by == os.getpid()  # else a forked worker, with a copy of us
        try:
            self._lock = checkpoint_folder.lock(self._folder)
        except BlockingIOError as error:
            self._say(f"no checkpoints in {self._folder}: {error}")
            return False
        self._locked_by = os.getpid()
        return True

    def _prune(self) -> None:
        """A newer one is safely there: the damaged ones go, the oldest, and what kills have left."""
        names = checkpoint_folder.names(self._folder)
        whole = [name for name in names if name not in self._corrupt]
        gone = self._corrupt.intersection(names).union(whole[: -self._keep])
        for name in [*gone, *checkpoint_folder.unfinished(self._folder)]:
            checkpoint_folder.remove(self._folder, name)
        self._corrupt.clear()
        self._stats["removed"] += len(gone)

    def _failed(self, error: Exception) -> None:
        self._stats["failed"] += 1
        self._stats["last_error"] = describe(error)
        row = error_class(error)
        self._say(f"a checkpoint failed [{row.name}]: {describe(error)}; {row.suggestion}")

    def _say(self, text: str) -> None:
        """Warn, but of the same thing in a row only once."""
        if text != self._said:
            self._said = text
            log.warning("%s", text)


def _usable_folder(folder: Any) -> str:
    try:
        return os.path.abspath(os.fsdecode(folder))
    except Exception as error:  # no path at all: nothing is saved, and the training goes on
        log.warning("no checkpoints: %r is no folder: %s", folder, error)
        return ""
