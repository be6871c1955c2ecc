# SPDX-License-Identifier: MIT
"""The sender thread: takes what was logged, encodes it, and gets it to the daemon.

`step()` is one turn and holds all decisions; it sleeps only in the link's `poll` and reads only the
clock it was given, so that the tests play hours of outage without waiting. The states:

    away ──link opened, `start` written──▶ opening ──`started`──▶ up
      ▲                                       │                    │
      └───────── lost: back off ◀─────────────┴────────────────────┘

Lines are encoded in every state, so that nothing the training wants back (a tensor with its graph)
is held while the daemon is away. The thread sleeps long when nothing is logged; the queue's `asleep`
tells the putters whether it has to be woken, which costs them a system call and is therefore rare.
"""

import logging
import threading
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, List, Optional

from .backoff import Backoff
from .courier import Rounds
from .encode import describe, dumps
from .lines import LineWriter, nothing
from .queue import Queue
from .transport import Answer, Waker
from .window import Window

log = logging.getLogger("streamd")

#: How long lines gather while the training logs steadily.
FLUSH_S = 0.05
#: How long after the last line that goes on before the thread sleeps until woken.
QUIET_AFTER_S = 1.0
SLEEP_MAX_S = 60.0
#: A daemon that took the connection and does not answer `start`.
STARTED_TIMEOUT_S = 5.0
#: Items encoded in one turn, so that answers are read during a flood.
TURN_ITEMS = 500
BATCH_BYTES = 65_536
#: While an earlier process's file is being sent, a bit each turn.
BESIDE_S = 0.01
#: Answers to orders that wait for the daemon; past it the oldest is lost.
ANSWERS_MAX = 64
#: What finish() waits beyond its time for the disk to have what the daemon has not.
DISK_GRACE_S = 1.0


class Sender:
    """Owns the window, the rounds and, once started, its thread. Shares the queue; borrows link and
    waker."""

    def __init__(
        self,
        run_id: str,
        start: Dict[str, Any],
        queue: Queue,
        link: Any,
        waker: Waker,
        window: Window,
        on_control: Callable[[Dict[str, Any]], None] = lambda order: None,
        backoff: Optional[Backoff] = None,
        clock: Callable[[], float] = time.monotonic,
        rounds: Optional[Rounds] = None,
        on_progress: Callable[[Dict[str, Any]], None] = lambda record: None,
        sample: Callable[[], Dict[str, Any]] = nothing,
    ) -> None:
        self._run_id = run_id
        self._start = start
        self._queue = queue
        self._link = link
        self._waker = waker
        self._window = window
        self._on_control = on_control
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._rounds = rounds
        window.on_trouble(self._on_trouble)

        self.connected = False
        self.done = False
        self._thread: Optional[threading.Thread] = None
        self._starting = threading.Lock()
        self._opened = False
        self._known = False
        self._lines = LineWriter(run_id, on_progress, sample)
        self._said: Dict[str, bool] = {}
        self._answers: Deque[bytes] = deque(maxlen=ANSWERS_MAX)
        self._retry_at = 0.0
        self._started_by = 0.0
        self._logged_at = float("-inf")
        self._finish_by: Optional[float] = None
        self._carrying = False

    # What the training's threads call.

    def wake(self) -> None:
        """End the thread's sleep; the first call starts the thread."""
        if self._thread is None and self._starting.acquire(blocking=False):
            self._waker.open()
            self._start_thread()
        self._waker.wake()

    def answer(self, answer: Dict[str, Any]) -> None:
        """Queue what came of an order; sent as soon as the daemon can hear it."""
        self._answers.append(dumps({"sessionId": self._run_id, **answer}) + b"\n")
        self._waker.wake()

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._run, name="streamd", daemon=True)
        try:
            thread.start()
        except BaseException:  # no more threads: the run stays mute, and holds nothing
            self._waker.close()
            raise
        self._thread = thread

    def finish(self, timeout: float) -> None:
        """Give the thread `timeout` seconds to empty queue and window, and the disk a moment."""
        if self._thread is None and not len(self._queue):
            return  # a forked child that logged nothing
        self._finish_by = self._clock() + timeout
        self._retry_at = 0.0
        self.wake()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout + DISK_GRACE_S)

    def abandon(self) -> None:
        """In a forked child: close the copies of the parent's descriptors, and nothing else."""
        self._link.close()
        self._waker.close()
        self._window.abandon()
        if self._rounds is not None:
            self._rounds.close()

    # What the thread does.

    def _run(self) -> None:
        while not self.done:
            try:
                self.step()
            except Exception as error:  # a bug of ours must not end the run's logging
                log.debug("sender: %r, retrying", error, exc_info=True)
                self._lose(error)
        self._link.close()
        self._waker.close()
        if self._rounds is not None:
            self._rounds.close()

    def step(self) -> None:
        """One turn: encode, connect, send, sleep, hear."""
        self._encode_queue()
        try:
            if self._should_open():
                self._open_in_turn()
            if self.connected and self._link.idle and self._answers:
                self._link.write(self._take_answers())
            if self.connected and self._link.idle and self._window.unsent:
                self._link.write(self._window.batch(BATCH_BYTES))
            if self.connected and self._rounds is not None:
                self._carrying = self._rounds.beside()
            if not self._over():
                for answer in self._poll():
                    self._hear(answer)
            if self._opened and not self.connected and self._clock() >= self._started_by:
                raise ConnectionAbortedError("no answer to start")
        except OSError as error:
            self._lose(error)

    def _take_answers(self) -> bytes:
        lines = []
        while self._answers:
            lines.append(self._answers.popleft())
        return b"".join(lines)

    def _encode_queue(self) -> None:
        for _ in range(TURN_ITEMS):
            item = self._queue.take()
            if item is None:
                return
            self._logged_at = self._clock()
            try:
                evicted = self._window.add(self._lines.write(item))
            except BaseException as error:  # foreign code again, which may raise SystemExit
                self._drop(1, f"a {item.kind} line is left out: {describe(error)}")
                continue
            if evicted:
                self._drop(evicted, "the daemon is away or slow: the oldest values are given up")

    def _should_open(self) -> bool:
        return not self._opened and self._clock() >= self._retry_at

    def _open_in_turn(self) -> None:
        """What an earlier process of this run left goes first."""
        self._carrying = False
        if self._rounds is not None and not self._known:
            self._carrying = self._rounds.before(self._window.spool_path)
        if not self._carrying:
            self._open()

    def _open(self) -> None:
        self._opened = True
        self._started_by = self._clock() + STARTED_TIMEOUT_S
        start = dumps(self._start) + b"\n"
        self._link.open(start)
        self._start["resume"] = True  # from here on the session may exist

    def _lose(self, error: Exception) -> None:
        self._say(f"not connected: {error}", logging.DEBUG)
        self._link.close()
        self._window.rewind()
        self._opened = self.connected = self._carrying = False
        self._retry_at = self._clock() + self._backoff.next_delay()
        if self._finish_by is not None and not self._known:
            self._end()  # there is no daemon: nothing to wait for

    def _poll(self) -> List[Answer]:
        """Sleep until there is something to do.

        `asleep` is set before the queue is looked at, so that a line is either seen here or its
        putter sees `asleep`.
        """
        quiet = self._clock() - self._logged_at >= QUIET_AFTER_S
        self._queue.asleep = quiet
        longest = BESIDE_S if self._carrying else SLEEP_MAX_S if quiet else FLUSH_S
        timeout = 0.0 if self._busy() else min(longest, self._due())
        answers: List[Answer] = self._link.poll(timeout)
        self._queue.asleep = False
        return answers

    def _busy(self) -> bool:
        if self._queue.asleep and len(self._queue):
            return True
        waiting = self._window.unsent or bool(self._answers)
        return self.connected and self._link.idle and waiting

    def _due(self) -> float:
        """Seconds until the next moment that something is to be decided."""
        moments = [self._finish_by] if self._finish_by is not None else []
        if not self._opened:
            moments.append(self._retry_at if not self._carrying else float("inf"))
        elif not self.connected:
            moments.append(self._started_by)
        return max(0.0, min(moments) - self._clock()) if moments else SLEEP_MAX_S

    def _over(self) -> bool:
        """After finish(): everything is acknowledged, or the time is up."""
        if self._finish_by is None:
            return False
        empty = not len(self._queue) and not len(self._window) and self._link.idle
        empty = empty and not self._carrying and not self._answers
        if (self.connected and empty) or self._clock() >= self._finish_by:
            self._end()
        return self.done

    def _end(self) -> None:
        """What the daemon does not have is kept for a later process."""
        while len(self._queue):
            self._encode_queue()
        lost = self._window.keep()
        if lost:
            self._drop(lost, "ended before the daemon had all lines")
        self.done = True

    # What the daemon says.

    def _hear(self, answer: Answer) -> None:
        kind = answer.get("type")
        if kind == "started":
            self._on_started(int(answer.get("lastSeq") or 0))
        elif kind == "ack":
            self._window.ack(int(answer.get("seq") or 0))
        elif kind == "control" and answer.get("sessionId", self._run_id) == self._run_id:
            self._on_control(answer)
        elif kind == "refused":
            self._window.refuse_oldest()
            self._window.rewind()
            self._drop(1, f"the daemon refused a line: {answer.get('message')}")
        elif kind == "error":
            self._on_error(str(answer.get("code")), str(answer.get("message")))

    def _on_started(self, last_seq: int) -> None:
        if not self._known:
            self._window.begin(last_seq)  # what an earlier process of this run has sent
        self._window.ack(last_seq)
        self._known = self.connected = True
        self._backoff.reset()
        if self._rounds is not None:
            self._rounds.begin()
        log.debug("run %s: connected", self._run_id)

    def _on_error(self, code: str, message: str) -> None:
        """`resend`: the daemon could not keep what it took, and wants it again from lastSeq."""
        if code == "resend":
            raise ConnectionAbortedError(f"the daemon asks for it again: {message}")
        late = code in ("unknown_order", "answered")  # an answer that nobody waits for any more
        level = logging.DEBUG if late else logging.WARNING
        self._say(f"the daemon reports {code}: {message}", level)
        if not self.connected:
            raise ConnectionRefusedError(message)

    def _on_trouble(self, text: str, lines: int) -> None:
        if lines:
            self._drop(lines, text)
        else:
            self._say(text, logging.WARNING)

    def _drop(self, lines: int, why: str) -> None:
        for _ in range(lines):
            self._queue.drop()
        self._say(f"{why} (counted in run.dropped)", logging.WARNING)

    def _say(self, text: str, level: int) -> None:
        """Log a thing once in the life of a run, however often it happens."""
        if text not in self._said and len(self._said) < 100:
            self._said[text] = True
            log.log(level, "run %s: %s", self._run_id, text)
