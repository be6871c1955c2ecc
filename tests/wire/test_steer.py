# SPDX-License-Identifier: MIT
"""streamd status and stop: a real daemon, from a shell."""

import json
import subprocess
from typing import Tuple

from wire_daemon import BINARY, DEADLINE_S, WireTest


class Steer(WireTest):
    """What they print, and what they exit with."""

    def tool(self, *arguments: str) -> Tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        done = subprocess.run(
            [BINARY, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def test_a_run_is_looked_at_and_stopped(self) -> None:
        daemon = self.daemon()
        trainer = self.trainer(daemon, "run")
        trainer.push({"type": "progress", "metrics": {"step": 5, "totalSteps": 20, "loss": 1}})
        line = "run running 25.0%, step 5 of 20\n"
        self.assertEqual(self.tool("status", "run", "--url", daemon.url), (0, line, ""))
        code, text, _ = self.tool("status", "run", "--json", "--url", daemon.url)
        self.assertEqual((code, json.loads(text)["data"]["status"]), (0, "running"))
        stop = ("stop", "run", "--reason", 'it is "flat"', "--url", daemon.url)
        self.assertEqual(self.tool(*stop), (0, 'run cancelled: it is "flat"\n', ""))
        why = "streamd stop: Operation already finished (status: cancelled)\n"
        self.assertEqual(self.tool(*stop), (1, "", why))

    def test_whoever_asks_wrongly_hears_of_it(self) -> None:
        daemon = self.daemon()
        why = "streamd status: Operation not found: a b%é\n"
        self.assertEqual(self.tool("status", "a b%é", "--url", daemon.url), (1, "", why))
        self.assertEqual(self.tool("status", "run", "--url", "http://127.0.0.1:1")[0], 1)
        for url in ("ftp://x:1", "http://x", "http://:1", "http://x:port"):
            self.assertEqual(
                self.tool("status", "run", "--url", url)[2],
                "streamd status: the address must be http://host:port\n",
            )
        self.assertEqual(self.tool("status")[0], 2)
        self.assertEqual(self.tool("stop", "a", "b")[0], 2)
