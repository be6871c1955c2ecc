# SPDX-License-Identifier: MIT
"""The queue between the training's threads and the sender thread.

Putting takes no lock: `deque.append` is atomic, so `log()` cannot wait for the sender, and may even
be called from a signal handler. The price is two deques instead of one: values may be discarded
from the left, which a bounded deque does by itself, events may not. A running number puts the two
back in order, and what is missing in it was discarded. Only the sender takes.

What `log()` does comes every few milliseconds, after the training has filled the caches with its
own: each object and each line of code that it touches costs more than what it does there. Hence the
slots, hence `asleep` here and not at the sender, and hence values are put without a call:
`queue.values.append((next(queue.order), kind, payload, step, time))`.
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

    __slots__ = (
        "asleep",
        "order",
        "values",
        "_drops",
        "_events",
        "_events_max",
        "_given_up",
        "_hand",
        "_missing",
        "_next",
        "_values",
    )

    def __init__(self, values_max: int = VALUES_MAX, events_max: int = EVENTS_MAX) -> None:
        self._values: Deque[_Raw] = deque(maxlen=values_max)
        self._events: Deque[_Raw] = deque()
        self._events_max = events_max
        self._hand: Optional[_Raw] = None
        self._drops = count(1)
        self._given_up = 0
        self._missing = 0
        self._next = 0
        #: Where values are put; the oldest goes when there is no room.
        self.values = self._values
        #: The number of what is put next.
        self.order = count()
        #: The taker has to be woken for what is put.
        self.asleep = True

    def put_event(self, kind: str, payload: Any, time: float) -> None:
        """Append; an event is never discarded once it is in."""
        if self._closed:
            return
        if len(self._events) >= self._events_max:
            self.drop()
            return
        self._events.append((next(self.order), kind, payload, None, time))

    def close(self) -> None:
        """The run has ended: whatever is put from now on is ignored."""
        self.values = deque(maxlen=0)

    def close_with(self, kind: str, payload: Any, time: float) -> None:
        """Close, and append the event that ends the run, whatever the bound."""
        self.close()
        self._events.append((next(self.order), kind, payload, None, time))

    def drop(self) -> None:
        """Count one line given up. `next` is atomic where `+= 1` is not."""
        self._given_up = next(self._drops)

    @property
    def dropped(self) -> int:
        """Lines given up, those that were discarded before the last one taken among them."""
        return self._given_up + self._missing

    def take(self) -> Optional[Item]:
        """The oldest item, or None.

        The value is popped before it is compared, since a putter may discard the head meanwhile. It
        is looked for again once an event was seen, since it may have been put just before it.
        """
        self._fill_hand()
        if self._events:
            self._fill_hand()
            if self._hand is None or self._events[0][0] < self._hand[0]:
                return self._taken(self._events.popleft())
        raw, self._hand = self._hand, None
        return self._taken(raw) if raw else None

    def _taken(self, raw: _Raw) -> Item:
        """Numbers that were passed over are missing, until a slow putter brings one after all."""
        if raw[0] >= self._next:
            self._missing += raw[0] - self._next
            self._next = raw[0] + 1
        else:
            self._missing -= 1
        return Item(*raw)

    @property
    def _closed(self) -> bool:
        return self.values is not self._values

    def _fill_hand(self) -> None:
        if self._hand is None and self._values:
            self._hand = self._values.popleft()

    def __len__(self) -> int:
        return len(self._values) + len(self._events) + (self._hand is not None)
