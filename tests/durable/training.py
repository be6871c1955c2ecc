# SPDX-License-Identifier: MIT
"""A training on the Python client, to be killed: `training.py SOCKET SESSION [FIRST]`.

Logs points from FIRST on, as sender.py would, until somebody ends it.
"""

import sys
import threading

import streamd
from sender import loss, value


def main() -> None:
    socket_path, session = sys.argv[1:3]
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    run = streamd.init(session_id=session, resume=first > 1, socket_path=socket_path)
    pace = threading.Event()
    for number in range(first, 1 << 30):
        run.log({"loss": loss(number), "v": value(session, number)}, step=number)
        if number % 10 == 0:
            pace.wait(0.002)


if __name__ == "__main__":
    main()
