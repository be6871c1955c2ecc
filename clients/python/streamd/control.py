# SPDX-License-Identifier: MIT
"""What a run is told from outside, and what it answers.

The sender thread hears orders, the training's threads obey them: each kind says when it is done.
`stop` is accepted, and done when the run ends; `pause` is done when the training waits, `set` when
it reads the knob, `checkpoint` when it says so; `resume` at once. An answer is a small dict that
the sender writes when it can.
"""

import logging
import threading
from typing import Any, Callable, Dict, Optional, Union

from .encode import Json, config_json

log = logging.getLogger("streamd")

Value = Union[float, int, bool]


class Knob:
    """A value that others may change while the run trains, within what was declared."""

    def __init__(self, name: str, declared: Any) -> None:
        declared = declared if isinstance(declared, dict) else {"value": declared}
        value = declared.get("value")
        kind = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "float"
        self.name = name
        self.type = str(declared.get("type", kind))
        self.min = declared.get("min")
        self.max = declared.get("max")
        self.value = value
        self.order: Optional[int] = None  # the set that the training has not read yet

    def declaration(self) -> Json:
        """What the daemon is told of it."""
        row = {"type": self.type, "min": self.min, "max": self.max, "value": self.value}
        return {key: value for key, value in row.items() if value is not None}

    def refuses(self, value: Any) -> str:
        """Why the value cannot be; "" when it can."""
        if self.type == "bool":
            return "" if isinstance(value, bool) else f"{self.name} is true or false"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"{self.name} is a number"
        if self.type == "int" and value != int(value):
            return f"{self.name} is a whole number"
        low = self.min is not None and value < self.min
        high = self.max is not None and value > self.max
        return f"{self.name} is from {self.min} to {self.max}" if low or high else ""


class Control:
    """The orders of one run; shared by the sender thread and the training's."""

    def __init__(self, knobs: Any, answer: Callable[[Json], None]) -> None:
        declared = knobs if isinstance(knobs, dict) else {}
        self.knobs: Dict[str, Knob] = {
            str(name): Knob(str(name), row) for name, row in declared.items()
        }
        self.should_stop = False
        self._answer = answer
        self._going = threading.Event()
        self._going.set()
        self._open: Dict[str, int] = {}

    def declaration(self) -> Json:
        """The `knobs` of the start line's config."""
        return {name: knob.declaration() for name, knob in self.knobs.items()}

    # What the sender thread calls.

    def hear(self, order: Json, listened_to: bool) -> None:
        """One control line; `listened_to`: the training has callbacks, which see to checkpoints."""
        command, number = str(order.get("command")), order.get("id")
        if command == "stop":
            self.should_stop = True
            self._going.set()
            self._say(number, "accepted")
        elif command == "pause":
            self._accept(command, number)
            self._going.clear()
        elif command == "resume":
            self._going.set()
            self._say(number, "done")
        elif command == "set":
            self._set(order, number)
        elif listened_to:
            self._accept(command, number)
        else:
            self._say(number, "refused", message=f"this training does nothing on {command}")

    def _set(self, order: Json, number: Any) -> None:
        knob, value = self.knobs.get(str(order.get("knob"))), order.get("value")
        why = knob.refuses(value) if knob else "this training has no such knob"
        if knob is None or why:
            self._say(number, "refused", message=why)
            return
        self._say(number, "accepted")
        knob.value = int(value) if knob.type == "int" else value  # type: ignore[arg-type]
        knob.order = number

    def _accept(self, command: str, number: Any) -> None:
        if isinstance(number, int):
            self._open[command] = number
        self._say(number, "accepted")

    def _say(self, number: Any, outcome: str, **more: Any) -> None:
        if isinstance(number, int):  # else an older daemon, which asks for no answer
            self._answer({"type": "answer", "id": number, "outcome": outcome, **more})

    # What the training calls.

    @property
    def paused(self) -> bool:
        """Told to pause, and not to go on since."""
        return not self._going.is_set()

    def wait_while_paused(self) -> None:
        """Returns at once unless paused; then when told to go on or to stop."""
        if self._going.is_set():
            return
        self.done("pause")
        self._going.wait()

    def done(self, command: str) -> None:
        """The training has done what it was told."""
        number = self._open.pop(command, None)
        if number is not None:
            self._say(number, "done")

    def read(self, name: str) -> Any:
        """The value the training is to use from now on; None for a knob that was not declared."""
        knob = self.knobs.get(name)
        if knob is None:
            return None
        number, value = knob.order, knob.value
        if number is not None:
            knob.order = None
            self._say(number, "done", value=value)
        return value


def with_knobs(config: Any, knobs: Any) -> Any:
    """The config with what `knobs` declares, as the daemon reads it."""
    declared = Control(knobs, lambda answer: None).declaration()
    if not declared:
        return config
    return {**(config_json(config) if config is not None else {}), "knobs": declared}
