# SPDX-License-Identifier: MIT
"""`make load` in small: twice what a core carries. Its reconnect storm is #107 here."""

import os
import subprocess
import sys
import unittest

from harness import ROOT, SANITIZERS, STREAMD

LOAD = os.path.join(os.path.dirname(STREAMD), "bench", "load")
HARNESS = os.path.join(ROOT, "tests", "bench", "load.py")


class Limits(unittest.TestCase):
    def test_twice_what_a_core_carries(self) -> None:
        """values are shed, the newest and events are not, others are served, nothing grows"""
        command = [sys.executable, "-B", HARNESS, "--quick", "--only", "overload", STREAMD, LOAD]
        done = subprocess.run(
            command,
            env={**os.environ, **SANITIZERS},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout.decode())


if __name__ == "__main__":
    unittest.main()
