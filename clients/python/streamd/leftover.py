# SPDX-License-Identifier: MIT
"""A file that an earlier process left in the spool folder (spool.py says what is in it).

Whoever opens one holds its lock until it is closed, so that no two processes send it, and nobody
sends that of a run which is still alive.
"""

import contextlib
import os
from typing import Any, Dict, List, Optional, Tuple

from .encode import LINE_MAX_BYTES
from .spool import BASE_UNKNOWN, CHUNK_BYTES, SUFFIX, lock, numbered_lines, write_base
from .transport import decode_answer


class Unusable(Exception):
    """This is no file of ours; the text says why. It is left where it is."""


class Locked(Exception):
    """The run of this file is alive, or another process is sending it."""


def list_files(folder: str) -> List[str]:
    """The paths of the files in `folder`, in the order in which they were begun."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [os.path.join(folder, name) for name in sorted(names) if name.endswith(SUFFIX)]


def session_of(path: str) -> str:
    """The session id that the name of a file ends with."""
    return os.path.basename(path)[: -len(SUFFIX)].split("-", 2)[-1]


class Leftover:
    """Owns the open, locked file.

    Opening raises Locked, Unusable, or FileNotFoundError when the file has gone meanwhile.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.session = session_of(path)
        self._fd = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        try:
            if not lock(self._fd):
                raise Locked("its run is alive, or it is being sent")
            if not os.path.samestat(os.fstat(self._fd), os.stat(path)):
                raise FileNotFoundError(path)  # removed between open and lock
            self._read_header()
        except BaseException:
            self.close()
            raise

    def _read_header(self) -> None:
        head = os.pread(self._fd, LINE_MAX_BYTES, 0)
        #: The `start` line, as it is to be sent.
        self.start = head[: head.find(b"\n") + 1]
        header = decode_answer(self.start)
        self.empty = not head
        if header.get("sessionId") != self.session and not self.empty:
            raise Unusable("it does not begin with the start of the run in its name")
        self.to = _text(header, "spoolTo")
        base = _text(header, "seqBase") or "0"
        #: What is added to each `seq`; None before a daemon has answered.
        self.base = int(base) if base.isdigit() else None
        if self.base is None and base != BASE_UNKNOWN:
            raise Unusable("its seqBase is no number")
        self._offset = self._batch_offset = len(self.start)

    def begin(self, last_seq: int) -> None:
        """The daemon has answered: settle the numbering, and read from the first line."""
        if self.base is None:
            write_base(self._fd, len(self.start), last_seq)
            self.base = last_seq
        self._offset = self._batch_offset = len(self.start)

    def read(self, after: int) -> List[Tuple[int, bytes]]:
        """The next lines beyond seq `after`, about a chunk of them; none at the end of the file."""
        lines: List[Tuple[int, bytes]] = []
        while not lines:
            data = os.pread(self._fd, CHUNK_BYTES + LINE_MAX_BYTES, self._offset)
            whole = data[: data.rfind(b"\n", 0, _line_end(data)) + 1]
            if not whole and len(data) <= LINE_MAX_BYTES:
                break  # the end, or the torn end of a killed process
            whole = whole or data  # no line is so long: the disk's
            lines = numbered_lines(whole, self.base or 0, after)
            if lines:
                self._batch_offset = self._offset
            self._offset += len(whole)
        return lines

    def back(self) -> None:
        """Read the last batch once more."""
        self._offset = self._batch_offset

    def remove(self) -> None:
        """All of it has been taken."""
        with contextlib.suppress(OSError):
            os.unlink(self.path)
        self.close()

    def close(self) -> None:
        """Let go of the lock; in a forked child it stays the parent's."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)


def _line_end(data: bytes) -> int:
    """Where a chunk may end: with its last line that is whole, at least one if there is any."""
    end = data.find(b"\n", CHUNK_BYTES)
    return len(data) if end < 0 else end + 1


def _text(header: Dict[str, Any], field: str) -> Optional[str]:
    value = header.get(field)
    return value if isinstance(value, str) else None
