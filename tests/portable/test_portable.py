# SPDX-License-Identifier: MIT
"""The one file of `make portable`, in a root that has nothing but it, a log and three devices.

PORTABLE is the file. Who is not root runs it in an empty folder instead, where its libraries would
still be found, and knows from its headers alone that it asks for none.
"""

import http.server
import os
import re
import shutil
import stat
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request
from typing import List

PORTABLE = os.environ["PORTABLE"]
PAGE = os.path.join(os.path.dirname(__file__), "..", "..", "web", "dist")
DEADLINE_S = 20
DEVICES = {"null": (1, 3), "urandom": (1, 9), "random": (1, 8)}


class Telegram(http.server.BaseHTTPRequestHandler):
    """Remembers what it is sent."""

    got: List[bytes] = []

    def do_POST(self) -> None:  # pylint: disable=invalid-name
        """A message."""
        self.got.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"ok":true}')

    def log_message(self, *_: object) -> None:  # pylint: disable=arguments-differ
        """Be quiet."""


class Portable(unittest.TestCase):
    """A root, and a file in it."""

    def setUp(self) -> None:
        self.root = tempfile.mkdtemp(prefix="streamd-portable-")
        self.addCleanup(shutil.rmtree, self.root)
        shutil.copy(PORTABLE, os.path.join(self.root, "streamd"))
        self.alone = os.geteuid() == 0
        if self.alone:
            os.mkdir(os.path.join(self.root, "dev"))
            for name, (major, minor) in DEVICES.items():
                path = os.path.join(self.root, "dev", name)
                os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(major, minor))

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """The file, its root and working folder being ours, without an environment."""
        prefix = ["chroot", self.root, "/streamd"] if self.alone else ["./streamd"]
        return subprocess.Popen(
            [*prefix, *arguments],
            cwd=self.root,
            env={"PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def test_it_asks_for_no_library_and_no_loader(self) -> None:
        headers = subprocess.run(
            ["readelf", "-dlW", PORTABLE], capture_output=True, text=True, check=True
        ).stdout
        self.assertNotRegex(headers, r"NEEDED|INTERP")
        self.assertIn("GNU_RELRO", headers)

    def test_it_serves_its_api_and_its_page(self) -> None:
        daemon = self.begin("--listen", "127.0.0.1:0", "--socket", "s", "--data", "data")
        assert daemon.stdout
        self.addCleanup(daemon.stdout.close)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        lines = iter(daemon.stdout.readline, "")
        url = next(m.group(1) for m in (re.match(r"listening on (\S+)", l) for l in lines) if m)

        def get(path: str) -> bytes:
            with urllib.request.urlopen(url + path, timeout=DEADLINE_S) as answer:
                return bytes(answer.read())

        self.assertIn(b'"status"', get("/health"))
        page = get("/")
        with open(os.path.join(PAGE, "index.html"), "rb") as built:
            self.assertEqual(page, built.read())
        scripts = re.findall(rb'(?:src|href)="[.](/assets/[^"]+)"', page)
        self.assertGreaterEqual(len(scripts), 2, page)
        for name in (script.decode() for script in scripts):
            with open(PAGE + name, "rb") as built:
                self.assertEqual(get(name), built.read(), name)
        self.assertTrue(os.path.isdir(os.path.join(self.root, "data")))

    def test_it_watches_a_log_and_tells_of_it(self) -> None:
        server = http.server.HTTPServer(("127.0.0.1", 0), Telegram)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with open(os.path.join(self.root, "train.log"), "w", encoding="utf-8") as log:
            log.write("step: 1 loss: 0.5\nstep: 2 loss: 0.4\nstep: 3 loss: nan\n")
        api = f"http://localhost:{server.server_port}"
        watch = self.begin(
            *("watch", "--log", "train.log", "--from-start", "--once", "--console"),
            *("--telegram-api", api, "--token", "T", "--chat", "1"),
        )
        said = watch.communicate(timeout=DEADLINE_S)[0]
        self.assertIn("DIVERGING", said)
        until = time.monotonic() + DEADLINE_S
        while not Telegram.got and time.monotonic() < until:
            time.sleep(0.002)
        self.assertIn(b"DIVERGING", Telegram.got[0], said)


if __name__ == "__main__":
    unittest.main()
