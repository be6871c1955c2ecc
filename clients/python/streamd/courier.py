# SPDX-License-Identifier: MIT
"""Gets leftover files to a daemon: each on a connection of its own, bit by bit, in turns.

A turn never waits, so that the sender thread can take one between its own, and the tests need no
time. The file's lines are numbered: what the daemon had already it drops, and the file goes once
everything in it is acknowledged.
"""

import enum
import logging
import os
import time
from collections import deque
from typing import Any, Callable, Deque, Iterable, List, NamedTuple, Optional, Set

from .leftover import Leftover, Locked, Unusable, list_files, session_of
from .transport import Answer

log = logging.getLogger("streamd")

#: Without a sign of progress for so long, the daemon is hung.
PATIENCE_S = 5.0
#: Lines under way; more wait for acknowledgements.
UNDER_WAY_MAX = 20_000
#: How long a run that goes on waits for somebody else to send what its own session left.
LOCKED_PATIENCE_S = 10.0


class Courier:
    """Owns the file and the connection, for one file."""

    def __init__(
        self, file: Leftover, link: Any, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file = file
        self._link = link
        self._clock = clock
        self._opened = False
        self._acked: Optional[int] = None
        self._at_end = False
        self._under_way: Deque[int] = deque()
        self._deadline = 0.0
        self.sent = 0
        self.refused = 0

    def turn(self, timeout: float = 0.0) -> bool:
        """Write and hear; True when all is done and the file removed. Raises OSError."""
        if not self._opened:
            self._opened = True
            self._link.open(self._file.start)
            self._progress()
        if self._acked is not None and self._link.idle and len(self._under_way) < UNDER_WAY_MAX:
            self._write(self._acked)
        for answer in self._link.poll(0.0 if self._is_done() else timeout):
            self._hear(answer)
        late = self._clock() >= self._deadline
        if self._is_done() or (late and self._is_done(self.refused)):
            return self._done()
        if late:
            raise ConnectionAbortedError("the daemon does not acknowledge")
        return False

    @property
    def answered(self) -> bool:
        """A daemon has said where the session stands."""
        return self._acked is not None

    def close(self) -> None:
        """Give up for now: the file stays."""
        self._link.close()
        self._file.close()

    def _write(self, acked: int) -> None:
        if self._at_end:
            return
        lines = self._file.read(acked)
        self._at_end = not lines
        if lines:
            self._under_way.extend(seq for seq, _ in lines)
            self._link.write(b"".join(line for _, line in lines))
        self._progress()

    def _hear(self, answer: Answer) -> None:
        kind = answer.get("type")
        if kind == "started" and self._acked is None:
            last_seq = int(answer.get("lastSeq") or 0)
            self._file.begin(last_seq)
            self._acked = last_seq
        elif kind == "ack":
            self._retire(int(answer.get("seq") or 0))
        elif kind == "refused" and self._under_way:
            self.refused += 1
            self._acked = self._under_way[0]  # pass over it, and write the rest again
            self._under_way.clear()
            self._file.back()
            self._at_end = False
        elif kind == "error":
            self._on_error(answer)
        else:
            return
        self._progress()

    def _retire(self, seq: int) -> None:
        self._acked = max(self._acked or 0, seq)
        while self._under_way and self._under_way[0] <= seq:
            self._under_way.popleft()
            self.sent += 1

    def _on_error(self, answer: Answer) -> None:
        if self._acked is None or answer.get("code") == "resend":
            raise ConnectionAbortedError(f"{answer.get('code')}: {answer.get('message')}")
        self.refused += 1

    def _progress(self) -> None:
        self._deadline = self._clock() + PATIENCE_S

    def _is_done(self, refused: int = 0) -> bool:
        return self._at_end and len(self._under_way) <= refused

    def _done(self) -> bool:
        self._link.close()
        self._file.remove()
        return True


class Outcome(enum.Enum):
    """What became of a file; all but SENT leave it where it is."""

    SENT = "sent"
    LOCKED = "in use"
    UNUSABLE = "not usable"
    UNANSWERED = "no daemon"
    FAILED = "not all sent"


class Report(NamedTuple):
    """What became of a file; `why` it is still there."""

    path: str
    outcome: Outcome
    lines: int = 0
    refused: int = 0
    why: str = ""


class Round:
    """One way through a folder, every file of it that nobody holds.

    After one that could not be sent the later ones of its session stay: their numbers are higher,
    and the daemon would then take the first one's lines for repeats.
    """

    def __init__(
        self,
        paths: Iterable[str],
        make_link: Callable[[Optional[str]], Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._paths = deque(paths)
        self._make_link = make_link
        self._clock = clock
        self._stuck: Set[str] = set()
        self._courier: Optional[Courier] = None
        self._path = ""
        self.reports: List[Report] = []

    def turn(self, timeout: float = 0.0) -> bool:
        """A bit of work; True when the round is over."""
        if self._courier is None:
            if not self._paths:
                return True
            self._path = self._paths.popleft()
            self._open()
            return False
        courier = self._courier
        try:
            if not courier.turn(timeout):
                return False
            self._report(Outcome.SENT, lines=courier.sent, refused=courier.refused)
        except OSError as error:
            courier.close()
            outcome = Outcome.FAILED if courier.answered else Outcome.UNANSWERED
            self._report(outcome, str(error), courier.sent, courier.refused)
        self._courier = None
        return False

    def close(self) -> None:
        """Stop, or in a forked child let go of what is the parent's."""
        if self._courier is not None:
            self._courier.close()
        self._courier = None
        self._paths.clear()

    def _open(self) -> None:
        if session_of(self._path) in self._stuck:
            self._report(Outcome.FAILED, "an earlier file of this run has to go first")
            return
        try:
            file = Leftover(self._path)
        except FileNotFoundError:
            return
        except Locked as error:
            self._report(Outcome.LOCKED, str(error))
        except (OSError, Unusable) as error:
            self._report(Outcome.UNUSABLE, str(error))
        else:
            self._begin(file)

    def _begin(self, file: Leftover) -> None:
        link = None if file.empty else self._make_link(file.to)
        if link is not None:
            self._courier = Courier(file, link, self._clock)
        elif file.empty:  # the machine went down before its first line was on the disk
            file.remove()
            self._report(Outcome.SENT)
        else:
            file.close()  # for another daemon

    def _report(self, outcome: Outcome, why: str = "", lines: int = 0, refused: int = 0) -> None:
        if outcome is not Outcome.SENT:
            self._stuck.add(session_of(self._path))
        self.reports.append(Report(self._path, outcome, lines, refused, why))
        name = os.path.basename(self._path)
        log.debug("spool %s: %s, %d lines %s", name, outcome.value, lines, why)


class Rounds:
    """When a run's process sends what earlier ones left.

    What its own session left goes before the run, which takes its numbers from where that ends;
    the others' goes beside the run, once a daemon is there.
    """

    def __init__(
        self,
        folder: str,
        session: str,
        make_link: Callable[[Optional[str]], Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._session = session
        self._make_link = make_link
        self._clock = clock
        self._round: Optional[Round] = None
        self._held_since: Optional[float] = None

    def before(self, mine: str = "") -> bool:
        """A turn for the run's own session but its own file; False when the run may begin.

        Raises OSError when it may not yet: no daemon is there, or, for a while, another process
        has the file.
        """
        if self._round is None:
            self._round = self._of(lambda path: session_of(path) == self._session and path != mine)
        if not self._round.turn():
            return True
        outcomes = {report.outcome for report in self._round.reports}
        self._round = None
        if Outcome.UNANSWERED in outcomes:
            raise ConnectionRefusedError("no daemon to send an earlier part of this run to")
        if not outcomes & {Outcome.LOCKED, Outcome.FAILED}:
            self._held_since = None
            return False
        now = self._clock()
        self._held_since = now if self._held_since is None else self._held_since
        if now - self._held_since < LOCKED_PATIENCE_S:
            raise ConnectionAbortedError("an earlier part of this run is not sent yet")
        return False

    def begin(self) -> None:
        """A daemon is there: look through the folder."""
        self.close()
        self._round = self._of(lambda path: session_of(path) != self._session)

    def beside(self) -> bool:
        """A turn for the other sessions; False when there is nothing to do."""
        if self._round is not None and self._round.turn():
            self._round = None
        return self._round is not None

    def close(self) -> None:
        """Stop, or in a forked child let go of what is the parent's."""
        if self._round is not None:
            self._round.close()
        self._round = None

    def _of(self, wanted: Callable[[str], bool]) -> Round:
        paths = [path for path in list_files(self._folder) if wanted(path)]
        return Round(paths, self._make_link, self._clock)
