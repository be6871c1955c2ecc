# SPDX-License-Identifier: MIT
"""A command whose daemon goes away in the middle says so, and exits with 1: no signal ends it."""

import os
import socket
import subprocess
import unittest

from wire_daemon import BINARY, DEADLINE_S, WireTest, eventually


def overfed(process: "subprocess.Popen[bytes]") -> bool:
    """Give it what it takes. True: it takes no more, and sleeps: so it waits in a write."""
    assert process.stdin
    try:
        while os.write(process.stdin.fileno(), bytes(65536)):
            pass
    except BlockingIOError:
        pass
    with open(f"/proc/{process.pid}/stat", encoding="utf-8") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "S"


class LostDaemon(WireTest):
    """The daemon is one of the test's own."""

    def test_an_agent_is_told_that_the_daemon_went_away(self) -> None:
        path = os.path.join(self.new_folder(), "daemon.sock")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(path)
        listener.listen()
        listener.settimeout(DEADLINE_S)
        command = [BINARY, "mcp-stdio", "--socket", path]
        pipe = subprocess.PIPE
        tool = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
        self.addCleanup(tool.kill)
        daemon, _ = listener.accept()
        daemon.settimeout(DEADLINE_S)
        self.assertIn(b'"mcp"', daemon.recv(4096))
        daemon.sendall(b'{"type":"mcp"}\n')
        assert tool.stdin
        os.set_blocking(tool.stdin.fileno(), False)
        eventually("the command to be stuck", lambda: overfed(tool))
        daemon.sendall(b"last words\n")
        daemon.close()
        os.set_blocking(tool.stdin.fileno(), True)
        said, why = tool.communicate(timeout=DEADLINE_S)
        self.assertEqual(said, b"last words\n")
        self.assertEqual(why, b"streamd mcp-stdio: the daemon went away\n")
        self.assertEqual(tool.returncode, 1)


if __name__ == "__main__":
    unittest.main()
