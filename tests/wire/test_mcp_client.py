# SPDX-License-Identifier: MIT
"""The agents' own client of MCP, with servers that are none."""

import http.server
import os
import sys
import threading
import unittest
from typing import List

from wire_daemon import ROOT

sys.path.insert(0, os.path.join(ROOT, "demo", "agents"))

import mcp  # noqa: E402  pylint: disable=wrong-import-position

ANSWER = b'{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}'


class Signpost(http.server.BaseHTTPRequestHandler):
    """/N leads to /N-1, /0 answers, and /ring leads to itself by another name; /lost to nowhere."""

    asked: List[str] = []

    def do_POST(self) -> None:  # pylint: disable=invalid-name
        """One request."""
        self.asked.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/0":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(ANSWER)))
            self.end_headers()
            self.wfile.write(ANSWER)
            return
        self.send_response(307)
        number = self.path[1:]
        onward = str(int(number) - 1) if number.isdigit() else {"ring": "gnir"}.get(number, "ring")
        if self.path != "/lost":
            self.send_header("Location", f"http://{self.headers['Host']}/{onward}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:  # pylint: disable=arguments-differ
        """Nothing of it."""


class Redirects(unittest.TestCase):
    """307, as a relay says it."""

    def setUp(self) -> None:
        Signpost.asked = []
        server = http.server.HTTPServer(("127.0.0.1", 0), Signpost)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"

    def test_it_goes_where_it_is_sent_and_stays_there(self) -> None:
        client = mcp.Client(f"{self.url}/{mcp.REDIRECTS_MAX}", "test")
        for _ in range(2):
            self.assertEqual(client.tools(), [])
        self.assertEqual(Signpost.asked, ["/3", "/2", "/1", "/0", "/0"])

    def test_a_ring_is_left(self) -> None:
        with self.assertRaisesRegex(mcp.Refused, "leads elsewhere"):
            mcp.Client(self.url + "/ring", "test").tools()
        self.assertEqual(len(Signpost.asked), mcp.REDIRECTS_MAX + 1)

    def test_nowhere_is_no_place_to_go(self) -> None:
        with self.assertRaisesRegex(mcp.Refused, "^307 "):
            mcp.Client(self.url + "/lost", "test").tools()


if __name__ == "__main__":
    unittest.main()
