# SPDX-License-Identifier: MIT
"""The queue between the training's threads and the sender thread.

Putting takes no lock: `deque.append` is atomic, so `log()` cannot wait for the sender, and may even
be called from a signal handler. The price is two deques instead of one: values may be discarded
from the left by whoever overfills them, events may not. A running number puts the two back in
order. Only the sender takes.
"""

from collections import deque
from itertools import count
from typing import Any, Deque, NamedTuple, Optional, Tuple

#: Values kept when the sender does not get to run; the oldest goes first.
VALUES_MAX = 10_000
#: Events kept; the newest is refused. No training comes near it, a runaway loop would.
EVENTS_MAX = 10_000


#: An Item as it is put: a named tuple costs more to make than all else that log() does.
_Raw = Tuple[int, str, Any, Any, float]


class Item(NamedTuple):
    """One call of the user's, as it was made: nothing in it has been looked at yet."""

    order: int
    kind: str
    payload: Any
    step: Any
    time: float


class Queue:
    """Bounded, many putters, one taker. Shares the payloads with the caller."""

    def __init__(self, values_max: int = VALUES_MAX, events_max: int = EVENTS_MAX) -> None:
        self._values: Deque[_Raw] = deque()
        self._events: Deque[_Raw] = deque()
        self._values_max = values_max
        self._events_max = events_max
        self._order = count()
        self._drops = count(1)
        self._hand: Optional[_Raw] = None
        self._closed = False
        self.dropped = 0

    def put_value(self, kind: str, payload: Any, step: Any, time: float) -> None:
        """Append; when that is one too many, the oldest value is discarded and counted."""
        if self._closed:
            return
        values = self._values
        values.append((next(self._order), kind, payload, step, time))
        if len(values) > self._values_max:
            try:
                values.popleft()
            except IndexError:  # the sender took them all since the line above
                return
            self.drop()

    def put_event(self, kind: str, payload: Any, time: float) -> None:
        """Append; an event is never discarded once it is in."""
        if self._closed:
            return
        if len(self._events) >= self._events_max:
            self.drop()
            return
        self._events.append((next(self._order), kind, payload, None, time))

    def close(self) -> None:
        """The run has ended: whatever is put from now on is ignored."""
        self._closed = True

    def close_with(self, kind: str, payload: Any, time: float) -> None:
        """Close, and append the event that ends the run, whatever the bound."""
        self.close()
        self._events.append((next(self._order), kind, payload, None, time))

    def drop(self) -> None:
        """Count one line given up. `next` is atomic where `+= 1` is not."""
        self.dropped = next(self._drops)

    def take(self) -> Optional[Item]:
        """The oldest item, or None.

        The value is popped before it is compared, since a putter may discard the head meanwhile. It
        is looked for again once an event was seen, since it may have been put just before it.
        """
        self._fill_hand()
        if self._events:
            self._fill_hand()
            if self._hand is None or self._events[0][0] < self._hand[0]:
                return Item(*self._events.popleft())
        raw, self._hand = self._hand, None
        return Item(*raw) if raw else None

    def _fill_hand(self) -> None:
        if self._hand is None and self._values:
            self._hand = self._values.popleft()

    def __len__(self) -> int:
        return len(self._values) + len(self._events) + (self._hand is not None)
