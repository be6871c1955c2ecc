# SPDX-License-Identifier: MIT
"""The API: `init()` and the Run it gives.

Everything a training calls often is a handful of attribute accesses and one `deque.append`; no
call raises, waits for the daemon (but finish, for a bounded time) or touches a value handed over.
"""

import logging
import os
import re
import threading
import uuid
from time import time
from types import TracebackType
from typing import Any, Callable, List, Optional, Type

from . import process
from .control import Control, with_knobs
from .courier import Rounds
from .encode import Json, describe, start_json
from .error_class import error_class, failure_text
from .notebook import HEIGHT_PX, Frame
from .queue import Queue
from .sender import Sender
from .spool import SPOOL_MAX_BYTES, Spool, spool_folder
from .system import Sampler, wanted
from .transport import HttpLink, SocketLink, Waker, default_socket_path
from .window import Window

log = logging.getLogger("streamd")

#: How long finish() waits for the daemon to have everything.
FINISH_TIMEOUT_S = 2.0
SESSION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
ControlCallback = Callable[[str, str], None]
ProgressCallback = Callable[[Json], None]


class Run:
    """One training run, a session at the daemon. Made by init(); may be used from any thread."""

    def __init__(
        self,
        start: Json,
        socket_path: Optional[str],
        url: Optional[str],
        spool_bytes: int = SPOOL_MAX_BYTES,
        fresh: bool = False,
        sampler: Optional[Sampler] = None,
        knobs: Any = None,
    ) -> None:
        self._start = start
        self._sampler = sampler
        self._socket_path = socket_path
        self._url = url
        self._spool_bytes = spool_bytes
        self._callbacks: List[ControlCallback] = []
        self._progress_callbacks: List[ProgressCallback] = []
        self._control = Control(knobs, self._answer)
        self._in_child = False
        self._to = url or _absolute(socket_path or default_socket_path())
        spool = Spool(start, self._to, spool_bytes) if spool_bytes else None
        self._connect(Window(spool=spool, fresh=fresh))

    def _connect(self, window: Window) -> None:
        """A fresh queue and a sender that starts with the first wake()."""
        waker = Waker()
        path = self._socket_path or default_socket_path()

        def make_link(to: Optional[str]) -> Any:
            """A link of its own for what an earlier process has left for our daemon."""
            if to != self._to:
                return None
            return HttpLink(self._url, waker) if self._url else SocketLink(path, waker)

        link = make_link(self._to)
        spools = self._spool_bytes and not self._in_child
        rounds = Rounds(spool_folder(), self.id, make_link) if spools else None
        self._ending = threading.Lock()
        self._queue = Queue()
        self._sender = Sender(
            self.id,
            dict(self._start),
            self._queue,
            link,
            waker,
            window,
            self._on_control,
            rounds=rounds,
            on_progress=self._on_progress,
            sample=self._take_sample,
        )

    # What a training calls.

    def log(self, metrics: Any, step: Any = None) -> None:
        """Queue one `progress` line: a dict of numbers, 0-d tensors or nested dicts of them.

        The dict may be changed afterwards; a tensor may not, it is read a moment later.
        """
        try:
            if type(metrics) is dict:
                metrics = metrics.copy()
            queue = self._queue
            queue.values.append((next(queue.order), "progress", metrics, step, time()))
            if queue.asleep:
                self._sender.wake()
        except Exception as error:
            self._failed(error)

    def log_epoch(self, metrics: Any) -> None:
        """Queue one `epoch` line (`epoch`, `train_loss`, `val_loss`, `learning_rate` ...)."""
        self._put_event("epoch", metrics)

    def model_completed(self, index: int) -> None:
        """Say that the model with this 0-based index is trained."""
        self._put_event("model_completed", index)

    def finish(self, timeout: float = FINISH_TIMEOUT_S) -> None:
        """End the run as completed; waits at most `timeout` seconds for the last lines."""
        self._end("complete", None, timeout)

    def fail(self, error: Any, timeout: float = FINISH_TIMEOUT_S) -> None:
        """End the run as failed, for the reason `error`: a text or an exception.

        What kind of error it was and what helps against it is added when that is known.
        """
        self._end("fail", error, timeout)

    def on_control(self, callback: ControlCallback) -> None:
        """Call `callback(command, reason)` for every control line, in the sender thread.

        Whoever sees to `checkpoint` here says `done("checkpoint")` once it is saved.
        """
        self._callbacks.append(callback)

    def done(self, command: str) -> None:
        """Say that what the command asked for has been done."""
        self._control.done(command)

    def knob(self, name: str) -> Any:
        """The value of a knob that init() declared, as it is to be used from now on.

        Reading it is what applies a change that was asked for: read it where it is used.
        """
        return self._control.read(name)

    def wait_while_paused(self) -> None:
        """Between two steps: returns at once, or, after `pause`, when told to go on or to stop."""
        self._control.wait_while_paused()

    def on_progress(self, callback: ProgressCallback) -> None:
        """Call `callback(record)` for every progress line, in the sender thread.

        The record is what the daemon gets: numbers, nested as logged, with `timestamp` and `step`.
        """
        self._progress_callbacks.append(callback)

    @property
    def id(self) -> str:
        """The session id, known before the daemon is."""
        return str(self._start["sessionId"])

    @property
    def should_stop(self) -> bool:
        """The daemon has sent `stop`: end the training when it suits."""
        return self._control.should_stop

    @property
    def paused(self) -> bool:
        """The daemon has sent `pause`, and neither `resume` nor `stop` since."""
        return self._control.paused

    @property
    def connected(self) -> bool:
        """The daemon has answered and the connection stands."""
        return self._sender.connected

    @property
    def dropped(self) -> int:
        """Lines given up: refused as unusable, or without room in memory and on the disk."""
        return self._queue.dropped

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.leave(error)

    def notebook(self, url: Optional[str] = None, height: int = HEIGHT_PX) -> Frame:
        """The run's page, for the last line of a notebook's cell; `url` is the daemon's address."""
        return Frame(self.id, url or self._url, height)

    def _repr_html_(self) -> str:
        return self.notebook()._repr_html_()

    def __repr__(self) -> str:
        return f"<streamd run {self.id}>"

    # What the process and the sender call.

    def leave(self, error: Optional[BaseException]) -> None:
        """The block or the process ends.

        A forked child must not end what its parent goes on with: it only hands over what it logged.
        """
        if self._in_child:
            self._end(None, None, FINISH_TIMEOUT_S)
        elif error is not None and not _is_success(error):
            self.fail(error)
        else:
            self.finish()

    def begin(self) -> None:
        """Start the sender, so that the run is seen before its first line."""
        try:
            self._sender.wake()
            if self._sampler is not None:
                self._sampler.start()
        except Exception as error:
            log.warning("run %s: will not be sent: %r", self.id, error)

    def become_child(self) -> None:
        """In a forked child: inert until it logs.

        Then it is a second publisher, without `seq`, since the numbering is the parent's.
        """
        self._sender.abandon()
        self._sampler = None  # its thread is the parent's
        self._in_child = True
        self._start["resume"] = True
        self._connect(Window(numbered=False))

    def _put_event(self, kind: str, payload: Any) -> None:
        try:
            if type(payload) is dict:
                payload = payload.copy()
            self._queue.put_event(kind, payload, time())
            if self._queue.asleep:
                self._sender.wake()
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        log.debug("run %s: a line is lost: %r", self.id, error)

    def _end(self, kind: Optional[str], error: Any, timeout: float) -> None:
        try:
            if not self._ending.acquire(blocking=False):
                return
            if kind is None:
                self._queue.close()
            else:
                self._queue.close_with(kind, failure_text(error), time())
            if kind == "fail":
                self._log_failure(error)
            process.leave(self)
            if self._sampler is not None:
                self._sampler.stop()
            self._sender.finish(max(0.0, timeout))
        except Exception as failure:
            log.debug("run %s: not ended properly: %r", self.id, failure)

    def _log_failure(self, error: Any) -> None:
        row = error_class(error)
        raised = error if isinstance(error, BaseException) else None
        text = "run %s failed, class %s: %s; suggestion: %s"
        log.error(text, self.id, row.name, describe(error), row.suggestion, exc_info=raised)

    def _take_sample(self) -> Json:
        return {} if self._sampler is None else self._sampler.take()

    def _answer(self, answer: Json) -> None:
        self._sender.answer(answer)

    def _on_control(self, order: Json) -> None:
        self._control.hear(order, bool(self._callbacks))
        command, reason = str(order.get("command")), str(order.get("reason") or "")
        self._call("control", self._callbacks, command, reason)

    def _on_progress(self, record: Json) -> None:
        self._call("progress", self._progress_callbacks, record)

    def _call(self, what: str, callbacks: List[Any], *arguments: Any) -> None:
        """Foreign code: whatever it raises is logged, and the training and the others go on."""
        for callback in list(callbacks):
            try:
                callback(*arguments)
            except BaseException:  # SystemExit would end the sender thread
                log.exception("run %s: a %s callback failed", self.id, what)


def init(
    project: Optional[str] = None,
    name: Optional[str] = None,
    config: Any = None,
    session_id: Optional[str] = None,
    resume: bool = False,
    socket_path: Optional[str] = None,
    url: Optional[str] = None,
    spool_bytes: int = SPOOL_MAX_BYTES,
    system: bool = True,
    knobs: Any = None,
) -> Run:
    """Begin a run. Never raises and never waits: what cannot be used is replaced with a warning.

    `session_id` and `resume=True` go on with an earlier run. `url` (or $STREAMD_URL) posts to a
    remote daemon; else `socket_path`, $STREAMD_SOCKET or the daemon's default socket is used.
    `spool_bytes` bounds the file that takes what memory has no room for; 0 is none. `system=False`
    (or $STREAMD_NO_SYSTEM=1) logs nothing of the machine beside what the training logs.
    `knobs` declares what others may change while it trains: a name to its value, or to
    `{"value": 1e-3, "min": 1e-6, "max": 1.0}`; `run.knob(name)` reads it.
    """
    run_id = _usable_id(session_id)
    fresh = run_id != session_id
    spool_bytes = spool_bytes if isinstance(spool_bytes, int) else SPOOL_MAX_BYTES
    try:
        start = start_json(run_id, with_knobs(config, knobs), project, name, resume)
    except Exception as error:
        log.warning("run %s: config is left out: %s", run_id, describe(error))
        start = start_json(run_id, None, None, None, resume)
    url = url or (None if socket_path else os.environ.get("STREAMD_URL"))
    sampler = Sampler() if wanted(system) else None
    try:
        run = Run(start, socket_path, url, max(0, spool_bytes), fresh, sampler, knobs)
    except Exception as error:
        log.warning("run %s: %r is no usable address: %s", run_id, url, error)
        run = Run(start, socket_path, None, max(0, spool_bytes), fresh, sampler, knobs)
    process.enter(run)
    run.begin()
    return run


def _absolute(path: Any) -> str:
    try:
        return os.path.abspath(os.fsdecode(path))
    except Exception:  # no path at all, or relative to a folder that has gone
        return str(path)


def _usable_id(session_id: Optional[str]) -> str:
    if session_id is None:
        return str(uuid.uuid4())
    if isinstance(session_id, str) and SESSION_ID.fullmatch(session_id):
        return session_id
    made = str(uuid.uuid4())
    log.warning("session_id %r is not [A-Za-z0-9._:-]{1,128}: using %s", session_id, made)
    return made


def _is_success(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and error.code in (None, 0)
