# SPDX-License-Identifier: MIT
"""How long to wait before the next attempt to reach the daemon.

The ceiling doubles from `first` to `last` seconds; each wait is drawn from its upper half, so that
a hundred trainers that lost one daemon do not all come back in the same millisecond.
"""

import random
from typing import Callable, Optional


class Backoff:
    """Owns nothing but its ceiling; the caller owns the clock and does the waiting."""

    def __init__(
        self,
        first: float = 0.1,
        last: float = 5.0,
        rand: Optional[Callable[[], float]] = None,
    ) -> None:
        # A generator of our own: the global one belongs to the training, whose seed must hold.
        self._rand = rand or random.Random().random
        self._first = first
        self._last = last
        self._ceiling = first

    def next_delay(self) -> float:
        """Seconds to wait now; the following wait may be twice as long."""
        delay = self._ceiling * (0.5 + 0.5 * self._rand())
        self._ceiling = min(self._last, self._ceiling * 2)
        return delay

    def reset(self) -> None:
        """The daemon answered: the next loss starts again at the first delay."""
        self._ceiling = self._first
