# SPDX-License-Identifier: MIT
"""The Flask-SocketIO peer of the benchmark, on eventlet, both as Debian packages them.

One room a session, fed by the same trainer lines on a Unix socket as streamd. Eventlet answers an
offer of permessage-deflate by itself, with or without --deflate. `socketio.run` would do the same as the last lines here, but
cannot say which port it was given.
"""

import eventlet

eventlet.monkey_patch()

import itertools  # noqa: E402  (after the patch, as eventlet asks)
import json  # noqa: E402
import os  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from typing import Any, Dict  # noqa: E402

import eventlet.wsgi  # noqa: E402
from flask import Flask  # noqa: E402
from flask_socketio import SocketIO, join_room  # noqa: E402

app = Flask(__name__)
socketio = SocketIO(app, async_mode="eventlet")
offsets = itertools.count(1)


@socketio.on("subscribe_session")
def subscribe_session(data: Dict[str, Any]) -> Dict[str, Any]:
    """Join the room; what is returned is the acknowledgement."""
    join_room(data["sessionId"])
    return {"sessionId": data["sessionId"]}


def update_of(message: Dict[str, Any]) -> Dict[str, Any]:
    """The same update as streamd makes of the line, so that nobody is compared by a shorter one."""
    metrics = message["metrics"]
    metrics["timestamp"] = round(time.time(), 3)
    metrics["learning_rate"] = metrics.pop("lr")
    return {
        "sessionId": message["sessionId"],
        "metrics": metrics,
        "status": "running",
        "offset": next(offsets),
    }


def take_line(trainer: socket.socket, line: str) -> None:
    """Send one trainer line on to its room."""
    message = json.loads(line)
    if message["type"] == "ping":
        trainer.sendall(b'{"type":"pong"}\n')
    elif message["type"] == "progress":
        socketio.emit("progress_update", update_of(message), to=message["sessionId"])


def serve_trainer(trainer: socket.socket, _address: Any) -> None:
    """Take lines until the trainer goes."""
    for line in trainer.makefile("r", encoding="utf-8"):
        take_line(trainer, line)


def main() -> int:
    """Listen on the Unix socket given and on a free loopback port."""
    if len(sys.argv) not in (2, 3):
        print("usage: flask_server.py TRAINER-SOCKET [--deflate]", file=sys.stderr)
        return 2
    trainers = eventlet.listen(sys.argv[1], family=socket.AF_UNIX)
    eventlet.spawn(eventlet.serve, trainers, serve_trainer)
    listener = eventlet.listen(("127.0.0.1", 0), backlog=1024)
    print("listening on http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
    with open(os.devnull, "w", encoding="utf-8") as silence:
        eventlet.wsgi.server(listener, app, log=silence, log_output=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
