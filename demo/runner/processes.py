# SPDX-License-Identifier: MIT
"""The daemon and the trainers as child processes: started, waited for, ended without fail.

Each gets a session of its own, so that Ctrl+C reaches the runner alone, which then ends its
children in the right order: trainer, statistics, daemon.
"""

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import time
from typing import IO, List, Optional, Tuple

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
DEFAULT_DAEMON = os.path.join(ROOT, "build", "release", "streamd")
DEFAULT_TRAINER = os.path.join(ROOT, "build", "release", "demo-trainer")
PYTHON_TRAINER = os.path.join(ROOT, "demo", "trainer.py")

READY_S = 10.0
END_S = 5.0
READY_LINE = b"listening on "


class Failed(Exception):
    """The mode cannot go on; the text is for the user."""


class Child:
    """A process with its messages in a file, shown when it dies against its will; end() it."""

    def __init__(self, command: List[str], stdout: Optional[int] = None) -> None:
        self.name = os.path.basename(command[0])
        self._messages: IO[bytes] = tempfile.TemporaryFile()
        self._words = ""
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=self._messages if stdout is None else stdout,
                stderr=self._messages,
                start_new_session=True,
            )
        except OSError as error:
            self._messages.close()
            raise Failed(f"cannot start {command[0]}: {error.strerror}") from error

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def last_words(self, lines: int = 5) -> str:
        """The end of what it wrote on stderr."""
        if not self._messages.closed:
            self._messages.seek(0)
            self._words = self._messages.read().decode("utf-8", "replace")
        return "\n".join(self._words.splitlines()[-lines:])

    def end(self) -> int:
        """SIGTERM, and SIGKILL when that does not help; returns the exit status."""
        if self.running:
            self.process.terminate()
            try:
                self.process.wait(END_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        status = self.process.wait()
        self.last_words()
        self._messages.close()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status


class Daemon(Child):
    """streamd on a free socket path, with history in memory. A context manager."""

    def __init__(self, program: str, port: int, *options: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="streamd-demo-")
        self.socket = os.path.join(self._folder.name, "streamd.sock")
        command = [program, "--listen", f"127.0.0.1:{port}", "--socket", self.socket]
        with contextlib.ExitStack() as undo:
            undo.callback(self._folder.cleanup)
            super().__init__([*command, "--ephemeral", *options], stdout=subprocess.PIPE)
            undo.callback(self.end)
            self.url = self._wait_until_ready()
            undo.pop_all()

    def _wait_until_ready(self) -> str:
        """The URL out of the daemon's first line."""
        stdout = self.process.stdout
        assert stdout is not None
        readable, _, _ = select.select([stdout], [], [], READY_S)
        line = stdout.readline() if readable else b""
        if not line.startswith(READY_LINE):
            self.end()
            raise Failed(f"{self.name} did not start:\n{self.last_words() or line.decode()}")
        return line[len(READY_LINE) :].decode().strip()

    @property
    def address(self) -> Tuple[str, int]:
        """Host and port of the URL."""
        host, port = self.url.split("//")[1].rsplit(":", 1)
        return host, int(port)

    def resident_kib(self) -> int:
        """Memory in use, from /proc."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            fields = dict(line.split(":", 1) for line in status)
        return int(fields["VmRSS"].split()[0])

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._folder.cleanup()


def start_trainer(
    program: str, socket: str, session: str, models: int, seed: int, *options: str
) -> Child:
    """The C trainer, or the Python one where the former is not built."""
    if program == DEFAULT_TRAINER and not os.path.exists(program):
        program = PYTHON_TRAINER
    command = [sys.executable, program] if program.endswith(".py") else [program]
    command += ["--socket", socket, "--session", session]
    return Child([*command, "--models", str(models), "--seed", str(seed), *options])


def wait_while(trainer: Child, seconds: float) -> None:
    """Return when the trainer has ended, or after `seconds`."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        trainer.process.wait(max(0.0, seconds))


def new_session(prefix: str) -> str:
    """A session id that a human can tell from the last one."""
    return f"{prefix}-{time.strftime('%H%M%S')}-{os.urandom(2).hex()}"
