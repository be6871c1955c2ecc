# SPDX-License-Identifier: MIT
"""The servers that are measured: how each is started, and one running instance."""

import os
import select
import shutil
import subprocess
import tempfile
import time
from typing import Dict, List, NamedTuple, Optional, Set, Tuple

from peers import nchan_server
from scenario.bench import Bench

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's flask_socketio

# The load generator sets the pace at 10 Hz and the peers have no throttle. With the default of
# 10.0 the jitter of the pushes themselves would be held back and counted as latency; at twice that
# the throttle is in the path and does not bind.
UNBOUND_RATE = ("--max-rate", "20")
# The interpreter has news of its own every few seconds. Where the figure is of updates alone, as the
# bare loop sends them, it is off.
UPDATES_ONLY = UNBOUND_RATE + ("--max-insights", "0")

SCRIPTS = {
    "node-socketio": "socketio_server.mjs",
    "node-ws": "ws_server.mjs",
    "nchan": "nchan_server.py",
    "flask-socketio": "flask_server.py",
}


class Server(NamedTuple):
    """A server as the figures name it."""

    name: str
    dialect: str  # ws or socketio
    deflate: bool = False
    options: Tuple[str, ...] = ()
    data: Optional[str] = None  # where history is kept; else in memory

    def label(self) -> str:
        """The middle of a figure's name."""
        return "%s.%s.%s" % (self.name, self.dialect, "deflate" if self.deflate else "plain")

    def command(self, bench: Bench, trainer: str) -> List[str]:
        """What to execute; `trainer` is the path of its Unix socket."""
        if self.name == "streamd":
            fixed = ["--listen", "127.0.0.1:0", "--socket", trainer]
            fixed += ["--data", self.data] if self.data else ["--ephemeral"]
            return [bench.programs.streamd] + fixed + list(self.options)
        if self.name == "bare":
            return [bench.programs.bare, trainer] + list(self.options)
        runtime = bench.programs.node if self.name.startswith("node") else PYTHON
        script = os.path.join(HERE, "peers", SCRIPTS[self.name])
        return [runtime, script, trainer] + ["--deflate"] * self.deflate


BARE = Server("bare", "ws")
STREAMD_WS = Server("streamd", "ws", options=UNBOUND_RATE)
STREAMD_WS_DEFLATE = STREAMD_WS._replace(deflate=True)
STREAMD_SOCKETIO = STREAMD_WS._replace(dialect="socketio")
STREAMD_SOCKETIO_DEFLATE = STREAMD_SOCKETIO._replace(deflate=True)
STREAMD_DEFAULT = Server("streamd", "ws")
NODE = Server("node-socketio", "socketio")
NODE_DEFLATE = NODE._replace(deflate=True)
NODE_WS = Server("node-ws", "ws")
NODE_WS_DEFLATE = NODE_WS._replace(deflate=True)
NCHAN = Server("nchan", "ws")
NCHAN_DEFLATE = NCHAN._replace(deflate=True)
FLASK = Server("flask-socketio", "socketio")
FLASK_DEFLATE = FLASK._replace(deflate=True)


class Running:
    """A started server, alone on its core or on those given; a context manager that ends it."""

    def __init__(self, bench: Bench, server: Server, cores: Optional[Set[int]] = None) -> None:
        self.name = server.label()
        self._folder = tempfile.mkdtemp(dir=bench.scratch)
        self.trainer = os.path.join(self._folder, "t.sock")
        with open(os.path.join(self._folder, "stderr"), "wb") as errors:
            os.sched_setaffinity(0, cores or bench.server_cores)  # a child inherits it with all its threads
            started = time.monotonic()
            self._process = subprocess.Popen(
                server.command(bench, self.trainer), stdout=subprocess.PIPE, stderr=errors
            )
            os.sched_setaffinity(0, bench.load_cores)
        self.target = self._await_listening()
        self.publishes = server.name == NCHAN.name
        self.pid = self._worker() if self.publishes else self._process.pid
        self.start_ms = (time.monotonic() - started) * 1000

    def _await_listening(self) -> str:
        """The address in the line a server prints when it is ready."""
        stdout = self._process.stdout
        assert stdout is not None
        ready = select.select([stdout], [], [], 30)[0]
        line = stdout.readline().decode() if ready else ""
        if "listening on http://" not in line:
            self.stop()
            raise RuntimeError("%s did not start: %r" % (self.name, line))
        return line.split("http://", 1)[1].split()[0].rstrip("/")

    def _worker(self) -> int:
        """The one child of nginx's master: what is measured is what serves."""
        path = "/proc/%d/task/%d/children" % (self._process.pid, self._process.pid)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with open(path, encoding="ascii") as file:
                children = file.read().split()
            if children:
                return int(children[0])
            time.sleep(0.01)
        self.stop()
        raise RuntimeError("%s started no worker" % self.name)

    def stop(self) -> None:
        """End the process and forget its files."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        shutil.rmtree(self._folder)

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()


def why_missing(bench: Bench, server: Server) -> Optional[str]:
    """Why this peer cannot run here, or None."""
    if server.name.startswith("node"):
        package = "ws" if server.name == NODE_WS.name else "socket.io"
        if shutil.which(bench.programs.node) is None:
            return "no %s" % bench.programs.node
        installed = os.path.isdir(os.path.join(HERE, "node_modules", package))
        return None if installed else "npm's %s is not installed (scripts/deps bench)" % package
    if server.name == NCHAN.name:
        installed = os.access(nchan_server.NGINX, os.X_OK) and os.path.exists(nchan_server.MODULE)
        return None if installed else "libnginx-mod-nchan is not installed (scripts/deps bench)"
    probe = [PYTHON, "-c", "import eventlet, flask_socketio"]
    done = subprocess.run(probe, stderr=subprocess.DEVNULL, check=False)
    return "python3-flask-socketio is not installed (scripts/deps bench)" if done.returncode else None


def missing_peers(bench: Bench) -> Dict[str, str]:
    """The peers that cannot run here, by name, and why; each is reported as skipped."""
    missing = {}
    for peer in (NODE_WS, NCHAN, NODE, FLASK):
        why = why_missing(bench, peer)
        if why:
            bench.skip(peer.name, why)
            missing[peer.name] = why
    return missing
