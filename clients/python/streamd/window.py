# SPDX-License-Identifier: MIT
"""Encoded lines that the daemon has not yet acknowledged, oldest first.

While the daemon is away lines gather here, as bytes: whatever tensor they came from is already
free. After a reconnect the daemon's `lastSeq` says what arrived, and the rest is sent again. Past
the byte bound the oldest values go first, then epochs; the end of the run always stays.
"""

from collections import deque
from typing import Deque, List, NamedTuple

#: About 40,000 lines of five values.
WINDOW_MAX_BYTES = 8 * 1024 * 1024
#: What goes when the window is full, and in which order. `complete` and `fail` never do.
EXPENDABLE = ("progress", "epoch", "model_completed")


class Line(NamedTuple):
    """One line, complete but for its `seq`, which depends on where a resumed session stands.

    The head is shared by all lines of a kind.
    """

    number: int
    kind: str
    head: bytes
    tail: bytes

    def numbered(self, base: int) -> bytes:
        """The line with its `seq`, ready to be written."""
        return b'%b,"seq":%d%b\n' % (self.head, base + self.number, self.tail)

    def plain(self) -> bytes:
        """The line without a `seq`, which the daemon neither acknowledges nor filters."""
        return b"%b%b\n" % (self.head, self.tail)


def _cost(line: Line) -> int:
    return len(line.tail) + 160  # the objects around the bytes; the head is shared


class Window:
    """Owns its lines. `numbered=False` forgets a line as soon as it is handed out to be sent."""

    def __init__(self, max_bytes: int = WINDOW_MAX_BYTES, numbered: bool = True) -> None:
        self._sent: Deque[Line] = deque()
        self._unsent: Deque[Line] = deque()
        self._bytes = 0
        self._max_bytes = max_bytes
        self._numbered = numbered
        self.base = 0

    def add(self, line: Line) -> int:
        """Append a line; returns how many older ones had to go for it."""
        self._unsent.append(line)
        self._bytes += _cost(line)
        return self._evict() if self._bytes > self._max_bytes else 0

    def batch(self, max_bytes: int) -> bytes:
        """Lines to send next, at least one if there are any; they count as sent from now on."""
        parts: List[bytes] = []
        size = 0
        while self._unsent and size < max_bytes:
            line = self._unsent.popleft()
            parts.append(line.numbered(self.base) if self._numbered else line.plain())
            size += len(parts[-1])
            if self._numbered:
                self._sent.append(line)
            else:
                self._bytes -= _cost(line)
        return b"".join(parts)

    def ack(self, seq: int) -> None:
        """Everything up to `seq` is durable at the daemon."""
        if not self._numbered:
            return
        for lines in (self._sent, self._unsent):
            while lines and self.base + lines[0].number <= seq:
                self._bytes -= _cost(lines.popleft())

    def refuse_oldest(self) -> None:
        """The daemon will not take the oldest line sent: give it up."""
        if self._sent:
            self._bytes -= _cost(self._sent.popleft())

    def rewind(self) -> None:
        """The connection was lost: what was sent and not acknowledged is to be sent again."""
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()

    @property
    def unsent(self) -> bool:
        return bool(self._unsent)

    def __len__(self) -> int:
        return len(self._sent) + len(self._unsent)

    def _evict(self) -> int:
        """Make an eighth of the room at once, so that the walk is paid once for many lines."""
        before = len(self)
        excess = self._bytes - self._max_bytes * 7 // 8
        for kind in EXPENDABLE:
            for lines in (self._sent, self._unsent):
                if excess > 0:
                    excess -= self._evict_from(lines, kind, excess)
        return before - len(self)

    def _evict_from(self, lines: Deque[Line], kind: str, excess: int) -> int:
        freed = 0
        kept: List[Line] = []
        for line in lines:
            if freed < excess and line.kind == kind:
                freed += _cost(line)
            else:
                kept.append(line)
        lines.clear()
        lines.extend(kept)
        self._bytes -= freed
        return freed
