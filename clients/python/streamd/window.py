# SPDX-License-Identifier: MIT
"""Encoded lines that the daemon has not yet acknowledged, oldest first.

While the daemon is away lines gather here, as bytes: whatever tensor they came from is already
free. After a reconnect the daemon's `lastSeq` says what arrived, and the rest is sent again. Past
the byte bound the oldest lines move to the run's file, so that the file and memory behind it are
one stream, which is sent, acknowledged and sent again from its beginning. When the file takes no
more, the oldest values in memory go first, then epochs; the end of the run always stays.
"""

from collections import deque
from typing import Deque, List, NamedTuple, Optional

from .spool import CHUNK_BYTES, Spool, Trouble

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
    """Bytes of memory, objects included; never less than the line's own."""
    return len(line.head) + len(line.tail) + 100


class Window:
    """Owns its lines and the spool. `numbered=False` forgets a line as soon as it is handed out.

    `fresh` says that no daemon can know the session yet, so that its numbering begins at 1.
    """

    def __init__(
        self,
        max_bytes: int = WINDOW_MAX_BYTES,
        numbered: bool = True,
        spool: Optional[Spool] = None,
        fresh: bool = False,
    ) -> None:
        self._sent: Deque[Line] = deque()
        self._unsent: Deque[Line] = deque()
        self._bytes = 0
        self._max_bytes = max_bytes
        self._numbered = numbered
        self._spool = Spool({}, max_bytes=0) if spool is None else spool
        self._base: Optional[int] = 0 if fresh else None

    def on_trouble(self, trouble: Trouble) -> None:
        """Call `trouble(text, lines)` when the disk fails, and costs so many lines."""
        self._spool.trouble = trouble

    def add(self, line: Line) -> int:
        """Append a line; returns how many older ones had to go for it."""
        self._unsent.append(line)
        self._bytes += _cost(line)
        while self._bytes > self._max_bytes and self._spill(self._max_bytes):
            pass
        if self._bytes <= self._max_bytes:
            return 0
        return self._evict(self._max_bytes * 7 // 8)  # the walk is paid once for many lines

    def batch(self, max_bytes: int) -> bytes:
        """Lines to send next, at least one if there are any; they count as sent from now on."""
        if self._spool.unsent:
            stored = self._spool.batch()
            if stored:
                return stored
        parts: List[bytes] = []
        size = 0
        while self._unsent and size < max_bytes:
            line = self._unsent.popleft()
            parts.append(line.numbered(self._base or 0) if self._numbered else line.plain())
            size += len(parts[-1])
            if self._numbered:
                self._sent.append(line)
            else:
                self._bytes -= _cost(line)
        return b"".join(parts)

    def begin(self, last_seq: int) -> None:
        """The first daemon has said where the session stands: our numbers go on from there."""
        self._base = last_seq
        self._spool.learn(last_seq)

    def ack(self, seq: int) -> None:
        """Everything up to `seq` is durable at the daemon."""
        if not self._numbered:
            return
        number = seq - (self._base or 0)
        self._spool.ack(number)
        for lines in (self._sent, self._unsent):
            while lines and lines[0].number <= number:
                self._bytes -= _cost(lines.popleft())

    def refuse_oldest(self) -> None:
        """The daemon will not take the oldest line sent: give it up."""
        if not self._spool.refuse_oldest() and self._sent:
            self._bytes -= _cost(self._sent.popleft())

    def rewind(self) -> None:
        """The connection was lost: what was sent and not acknowledged is to be sent again."""
        self._spool.rewind()
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()

    def keep(self) -> int:
        """The run has ended: move all to the file and close it; returns how many did not fit."""
        self.rewind()
        lost = 0
        self._spool.try_again()
        if self._unsent and self._spool.room() > 0:
            self._spool.number_base(self._base)
            lost = self._evict(self._spool.room())
        while self._unsent and self._spill():
            pass
        self._spool.close()
        return lost + len(self._unsent)

    def abandon(self) -> None:
        """In a forked child: the file is the parent's."""
        self._spool.abandon()

    @property
    def spool_path(self) -> str:
        """The run's own file; empty when there was none."""
        return self._spool.path

    @property
    def unsent(self) -> bool:
        return bool(self._unsent) or self._spool.unsent

    def __len__(self) -> int:
        return self._in_memory() + len(self._spool)

    def _in_memory(self) -> int:
        return len(self._sent) + len(self._unsent)

    def _spill(self, reserve: int = 0) -> bool:
        """Move a chunk of the oldest lines to the file. False: it takes none."""
        if self._spool.room(reserve) <= 0:
            return False
        base = self._spool.number_base(self._base)
        room = self._spool.room(reserve)
        lines = self._sent or self._unsent
        parts: List[bytes] = []
        size = 0
        for line in lines:
            parts.append(line.numbered(base))
            size += len(parts[-1])
            if size > min(room, CHUNK_BYTES):
                break
        if size > room:
            parts.pop()
        last_number = lines[len(parts) - 1].number if parts else 0
        sent = lines is self._sent
        if not parts or not self._spool.append(b"".join(parts), last_number, len(parts), sent):
            return False
        for _ in parts:
            self._bytes -= _cost(lines.popleft())
        return True

    def _evict(self, down_to: int) -> int:
        """Give up lines until no more than `down_to` bytes are left; returns how many went."""
        before = self._in_memory()
        excess = self._bytes - down_to
        for kind in EXPENDABLE:
            for lines in (self._sent, self._unsent):
                if excess > 0:
                    excess -= self._evict_from(lines, kind, excess)
        return before - self._in_memory()

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
