# SPDX-License-Identifier: MIT
"""The file of one run: lines that memory had no room for, and what was unsent at its end.

A file holds trainer lines as they go on the wire, oldest first, behind the run's `start` line with
`resume` true. It appears under its name only once it is locked and has that line, stays locked
(flock) while its process lives, and is removed when the daemon has acknowledged all of it. Two
fields of the `start` line are for us, and daemons pass over them. `spoolTo` is the address that the
run logs to. `seqBase` is there when the run goes by an id that the daemon may know from before, and
the daemon had not answered when the file began. Then the lines are numbered from 1, and what stands
in `seqBase` is added to each `seq` when they are sent: the `lastSeq` of the first daemon that
answers, written over the question marks before any line is sent. A file without `seqBase` can be
sent as it is.

Only the sender thread comes here, so a slow disk holds up nobody else. A disk that fails is said
once and left alone for a while: the run goes on in memory, and loses what it would without a file.
"""

import contextlib
import os
import re
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional, Tuple

from .encode import dumps

try:
    import fcntl
except ImportError:  # no POSIX: no lock, hence no file
    fcntl = None  # type: ignore[assignment]

#: Largest file of a run.
SPOOL_MAX_BYTES = 256 * 1024 * 1024
#: What goes to the disk, or from it to the daemon, at once.
CHUNK_BYTES = 65_536
#: fsync no more often than this, and when the run ends.
SYNC_EVERY_S = 5.0
#: A disk that failed is left alone for so long.
RETRY_AFTER_S = 60.0
#: Longest address that a file remembers; one that is longer is asked of whoever sends it.
TO_MAX_BYTES = 1024
SUFFIX = ".ndjson"

BASE_DIGITS = 20
BASE_UNKNOWN = "?" * BASE_DIGITS
#: From the end of a `start` line to the digits in it.
BASE_OFFSET = BASE_DIGITS + len(b'"}\n')
NUMBERED = re.compile(
    rb'(\{"type":"[a-z_]{1,32}","sessionId":"[A-Za-z0-9._:-]{1,128}","seq":)(\d{1,19})([,}].*)'
)

Trouble = Callable[[str, int], None]


def spool_folder() -> str:
    """$STREAMD_SPOOL, else where this user's programs keep their state."""
    named = os.environ.get("STREAMD_SPOOL")
    if named:
        return named
    state = os.environ.get("XDG_STATE_HOME")
    home = state or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(home, "streamd", "spool")


def lock(fd: int) -> bool:
    """Take the lock of an open file without waiting; False when another process has it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def numbered_lines(data: bytes, base: int, after: int) -> List[Tuple[int, bytes]]:
    """The whole lines of `data` as `(seq, line)`, `base` added, beyond `after`; others are skipped.

    What is no line of ours was damaged on the disk, or is the torn end of a killed process.
    """
    found = []
    for raw in data.split(b"\n")[:-1]:
        parts = NUMBERED.fullmatch(raw)
        seq = base + int(parts[2]) if parts else 0
        if parts and seq > after:
            line = raw + b"\n" if not base else b"%b%d%b\n" % (parts[1], seq, parts[3])
            found.append((seq, line))
    return found


def header_line(start: Dict[str, Any], to: str, relative: bool) -> bytes:
    """The first line of a file."""
    header = {**start, "resume": True}
    if len(to) <= TO_MAX_BYTES:
        header["spoolTo"] = to
    if relative:
        header["seqBase"] = BASE_UNKNOWN  # last: see BASE_OFFSET
    return dumps(header) + b"\n"


def write_base(fd: int, header_bytes: int, base: int) -> None:
    """Settle what is added to each `seq`, durably: from now on it must not be another."""
    os.pwrite(fd, b"%0*d" % (BASE_DIGITS, base), header_bytes - BASE_OFFSET)
    os.fsync(fd)


class _Chunk(NamedTuple):
    """Some lines in a row, by where they stand and their numbers in the run."""

    offset: int
    size: int
    last_number: int
    lines: int


class Spool:
    """Owns the file while the run lives. Nothing here raises OSError."""

    def __init__(
        self,
        start: Dict[str, Any],
        to: str = "",
        max_bytes: int = SPOOL_MAX_BYTES,
        folder: Optional[str] = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._start = dict(start)
        self._to = to
        self._max_bytes = max_bytes if fcntl is not None else 0
        self._folder = folder
        self._clock = clock
        self._sent: Deque[_Chunk] = deque()
        self._unsent: Deque[_Chunk] = deque()
        self._fd = -1
        self._end = 0
        self._header_bytes = 0
        self._relative = False
        self._acked = 0
        self._base: Optional[int] = None
        self._synced_at = 0.0
        self._retry_at = float("-inf")
        self.path = ""
        #: `trouble(text, lines)`: what went wrong, and how many lines it cost.
        self.trouble: Trouble = lambda text, lines: None

    def __len__(self) -> int:
        """Lines in the file that are not acknowledged."""
        return sum(chunk.lines for chunks in (self._sent, self._unsent) for chunk in chunks)

    @property
    def unsent(self) -> bool:
        return bool(self._unsent)

    def room(self, reserve: int = 0) -> int:
        """Bytes that the file may still grow by, less those kept for the end of the run."""
        if self._clock() < self._retry_at:
            return 0
        return self._max_bytes - min(reserve, self._max_bytes // 2) - self._end

    def try_again(self) -> None:
        """Whatever the disk did before: it is the end of the run."""
        self._retry_at = float("-inf")

    def number_base(self, base: Optional[int]) -> int:
        """What is to be added to the numbers of lines to append; `base` is None when unknown.

        It is the file's for good, hence the file is begun here.
        """
        if self._fd < 0:
            self._create(base)
        return 0 if self._relative else base or 0

    def append(self, data: bytes, last_number: int, lines: int, sent: bool) -> bool:
        """Add whole lines; `sent` ones have been written to the daemon. False: they are not in."""
        if self._fd < 0 or self._clock() < self._retry_at:
            return False
        try:
            self._write(data)
        except OSError as error:
            self._fail(error)
            return False
        chunk = _Chunk(self._end, len(data), last_number, lines)
        (self._sent if sent else self._unsent).append(chunk)
        self._end += len(data)
        if self._clock() - self._synced_at >= SYNC_EVERY_S:
            self._sync()
        return True

    def batch(self) -> bytes:
        """The next lines to send, numbered; they count as sent from now on."""
        while self._unsent:
            chunk = self._unsent.popleft()
            lines = self._read(chunk)
            if lines:
                self._sent.append(chunk)
                return b"".join(line for _, line in lines)
        self._remove_if_empty()
        return b""

    def ack(self, number: int) -> None:
        """Everything up to the run's line `number` is durable at the daemon."""
        self._acked = max(self._acked, number)
        for chunks in (self._sent, self._unsent):
            while chunks and chunks[0].last_number <= number:
                chunks.popleft()
        self._remove_if_empty()

    def refuse_oldest(self) -> bool:
        """Pass over the oldest line sent. False: none was sent from here."""
        while self._sent:
            lines = self._read(self._sent[0])
            if lines:
                self.ack(lines[0][0] - (self._base or 0))
                return True
            self._sent.popleft()
        return False

    def rewind(self) -> None:
        """What was sent and not acknowledged is to be sent again."""
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()

    def learn(self, base: int) -> None:
        """The daemon has said where the session stands.

        A file that cannot say so loses its name: it is sent all the same, but by nobody else.
        """
        self._base = base
        if not self._relative or self._fd < 0:
            return
        try:
            write_base(self._fd, self._header_bytes, base)
        except OSError as error:
            self.trouble(f"the spool cannot be written: {error.strerror}", 0)
            with contextlib.suppress(OSError):
                os.unlink(self.path)

    def close(self) -> None:
        """The run has ended: what is left in the file is for a later process."""
        if self._fd >= 0:
            self._sync()
            self.abandon()

    def abandon(self) -> None:
        """Close the file and nothing else; in a forked child the lock stays its parent's."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)

    def _create(self, base: Optional[int]) -> None:
        if self._clock() < self._retry_at:
            return
        self._relative = base is None
        self._base = base
        header = header_line(self._start, self._to, self._relative)
        folder = self._folder or spool_folder()
        name = f"{time.time_ns() // 1000:016d}-{os.getpid()}-{self._start['sessionId']}{SUFFIX}"
        path = os.path.join(folder, name)
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self._fd = os.open(path + ".new", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            if not lock(self._fd):
                raise OSError(f"{path}.new is locked")
            self._end = 0
            self._write(header)
            os.rename(path + ".new", path)
        except OSError as error:
            self._fail(error)
            self.abandon()
            with contextlib.suppress(OSError):
                os.unlink(path + ".new")
            return
        self.path = path
        self._end = self._header_bytes = len(header)
        self._synced_at = self._clock()

    def _write(self, data: bytes) -> None:
        """All of `data` at the end, or OSError and a file that ends where it did."""
        view = memoryview(data)
        at = self._end
        try:
            while view:
                written = os.pwrite(self._fd, view, at)
                view = view[written:]
                at += written
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._end)
            raise

    def _read(self, chunk: _Chunk) -> List[Tuple[int, bytes]]:
        """The lines of a chunk that are not acknowledged; what cannot be read is given up."""
        base = self._base or 0
        try:
            data = os.pread(self._fd, chunk.size, chunk.offset)
        except OSError as error:
            self.trouble(f"the spool cannot be read: {error}", chunk.lines)
            return []
        added = base if self._relative else 0
        lines = numbered_lines(data, added, base + self._acked)
        if not lines:
            self.trouble("the spool is damaged", chunk.lines)
        return lines

    def _sync(self) -> None:
        self._synced_at = self._clock()
        try:
            os.fsync(self._fd)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._retry_at = self._clock() + RETRY_AFTER_S
        self.trouble(f"no spool, going on in memory: {error.strerror or error}", 0)

    def _remove_if_empty(self) -> None:
        if self._fd < 0 or self._sent or self._unsent:
            return
        with contextlib.suppress(OSError):
            os.unlink(self.path)
        self.abandon()
        self._end = 0
