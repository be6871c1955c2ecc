# SPDX-License-Identifier: MIT
"""HTTP, #46, #53, #57-#61, #79-#82: what arrives as a request and must not be taken for one; the
rules one by one are in test_http_rules."""

import os
import re
import socket
import struct
import tempfile
import unittest
from typing import Iterable, Union

from harness import FaultTest, eventually
from http_wire import Http, request
from trainer_wire import progress

SMUGGLED = b"GET /api/training/status/smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Requests(FaultTest):
    @classmethod
    def setUpClass(cls) -> None:
        holder = tempfile.TemporaryDirectory(prefix="streamd-faults-")
        cls.addClassCleanup(holder.cleanup)
        web = os.path.join(holder.name, "web")
        os.makedirs(os.path.join(web, "assets"))
        for path, text in (
            ("web/index.html", "<!doctype html>page"),
            ("web/assets/a.js", "1"),
            ("secret", "SECRET"),
        ):
            with open(os.path.join(holder.name, path), "w", encoding="ascii") as file:
                file.write(text)
        os.symlink(os.path.join(holder.name, "secret"), os.path.join(web, "link"))
        cls.options = ("--web", web)
        super().setUpClass()

    def assert_closes(self, text: Union[str, bytes], statuses: Iterable[int]) -> bytes:
        """One answer of these (0: none) and the end of the connection."""
        answered = self.exchange(text)
        found = re.findall(rb"HTTP/1\.[01] (\d{3}) ", answered)
        self.assertLessEqual(len(found), 1, answered)
        status = int(found[0]) if found else 0
        self.assertIn(status, statuses, answered[:300])
        return answered

    def post(self, *headers: str, body: bytes = b"") -> bytes:
        """A POST whose length the headers say, or do not."""
        lines = [
            "POST /api/training/ingest HTTP/1.1",
            "Host: 127.0.0.1",
            "Content-Type: application/x-ndjson",
            *headers,
        ]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def test_046_endless_headers(self) -> None:
        """#46 http: a header of 1 MB, 1,000 headers, a header that never ends -> 431 or close"""
        before = self.daemon.rss_bytes()
        big = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Big: %s\r\n\r\n" % ("x" * (1 << 20))
        self.assert_closes(big, (0, 400, 431))
        many = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n" % "".join(
            "X-Header-%d: %s\r\n" % (i, "v" * 40) for i in range(1000)
        )
        self.assert_closes(many, (0, 400, 431))
        self.assert_closes("GET /%s HTTP/1.1\r\n" % ("a" * 200_000), (0, 400, 414, 431))
        endless = self.http()
        endless.send("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Endless: ")
        for _ in range(64):
            endless.send("x" * 65536)
        self.assertTrue(endless.is_closed())
        self.assertLess(self.daemon.rss_bytes() - before, 8 << 20)

    def test_053_bodies_where_none_belong(self) -> None:
        """#53 http: a body on GET, HEAD, OPTIONS, DELETE that is a request -> refused, never run"""
        for method in ("GET", "HEAD", "OPTIONS", "DELETE"):
            head = request(method, "/health", "Content-Length: %d" % len(SMUGGLED))
            self.assert_closes(head + SMUGGLED, (400,))

    def test_057_connect(self) -> None:
        """#57 http: CONNECT -> refused, the connection does not turn raw"""
        self.assert_closes(
            "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + "x" * 100,
            (0, 400, 403, 405, 501),
        )

    def test_058_upgrades_to_what_is_not_spoken(self) -> None:
        """#58 http: Upgrade: h2c -> never 101; answered as HTTP/1.1 or refused"""
        settings = "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"
        for protocol in ("h2c", "TLS/1.0", "websocket2", "raw"):
            text = request(
                "GET",
                "/health",
                "Connection: Upgrade, HTTP2-Settings, close",
                "Upgrade: " + protocol,
                settings,
            )
            http = self.http()
            http.send(text)
            answered = http.rest()
            self.assertRegex(answered[:12], rb"^$|^HTTP/1\.1 200|^HTTP/1\.[01] 4")

    def test_059_paths_that_lead_outside(self) -> None:
        """#59 http: 20 traversals -> 400, 403 or 404, never a file from outside, never a listing"""
        for path in (
            "/../secret", "/../../secret", "/assets/../../secret", "/assets/..%2f..%2fsecret", "/%2e%2e/secret",
            "/%2e%2e%2fsecret", "/..%2fsecret", "/..%5csecret", "/..\\secret", "/%252e%252e/secret",
            "/%252e%252e%252fsecret", "/assets/%2e%2e/%2e%2e/secret", "/./../secret", "/assets/..;/../secret",
            "//../secret", "/..%00/secret", "/%c0%ae%c0%ae/secret", "/../../../../../../etc/passwd",
            "/assets/....//....//secret", "/link", "/assets/", "/assets",
        ):  # fmt: skip
            with self.subTest(path=path):
                answered = self.exchange(request("GET", path, "Connection: close"))
                self.assertIn(
                    answered[:12],
                    (b"HTTP/1.1 400", b"HTTP/1.1 403", b"HTTP/1.1 404", b"HTTP/1.0 403"),
                )
                self.assertNotIn(b"SECRET", answered)
                self.assertNotIn(b"root:", answered)
                self.assertNotIn(b"a.js", answered)

    def test_060_percent_encoding(self) -> None:
        """#60 http: broken escapes, %00, %0d%0a in path and query -> 4xx, no header of theirs"""
        for path in (
            "/%",
            "/%zz",
            "/%4",
            "/health%00",
            "/health%00/x",
            "/%0d%0aX-Injected:%20x",
            "/health%0d%0a",
        ):
            with self.subTest(path=path):
                answered = self.exchange(request("GET", path, "Connection: close"))
                self.assertRegex(answered[:12], rb"^$|^HTTP/1\.1 40[04]$|^HTTP/1\.0 403$")
                self.assertNotIn(b"X-Injected", answered.split(b"\r\n\r\n")[0])
        query = "/api/training/history/a%s?since=%%0d%%0aX-Injected:%%20x"
        answered = self.exchange(request("GET", query % "", "Connection: close"))
        self.assertNotIn(b"\nX-Injected", answered)

    def test_061_redirects(self) -> None:
        """#61 http: paths that look like another host -> no Location"""
        for path in (
            "//evil.example",
            "//evil.example/%2e%2e",
            "/\\evil.example",
            "/%5cevil.example",
            "/assets",
            "http://evil.example/",
        ):
            answered = self.exchange(request("GET", path, "Connection: close"))
            self.assertNotIn(b"location:", answered.split(b"\r\n\r\n")[0].lower())

    def test_079_forwarded_for(self) -> None:
        """#79 http: X-Forwarded-For and its kin -> never more rights; with --token-file fewer (test_guard)"""
        answer = self.daemon.get(
            "/health",
            "X-Forwarded-For: 10.0.0.1",
            "X-Forwarded-Host: evil.example",
            "Forwarded: for=1",
        )
        self.assertEqual(answer.status, 200)
        self.assertNotIn("evil.example", repr(answer.headers) + self.daemon.log())

    def test_080_reset_in_a_large_answer(self) -> None:
        """#80 http: RST in the middle of large answers (x50) -> resources freed, no SIGPIPE"""
        trainer = self.trainer()
        line = {"x%d" % i: i for i in range(100)}
        trainer.ask(*(progress("large", line) for _ in range(2000)))
        before = self.daemon.fds()
        for _ in range(50):
            http = self.http()
            http.send(request("GET", "/api/training/history/large?limit=2000"))
            http.head()
            http.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            http.close()
        eventually("the descriptors to be closed", lambda: self.daemon.fds() <= before)

    def test_081_head(self) -> None:
        """#81 http: HEAD on every GET route -> the same headers, no body, the connection in step"""
        self.trainer().ask(progress("head", {"loss": 1}))
        http = Http(self.daemon.connect())
        self.addCleanup(http.close)
        for path in (
            "/", "/assets/a.js", "/health", "/metrics", "/api/training/sessions", "/api/training/status/head",
            "/api/training/metrics/head", "/api/training/history/head", "/api/training/stats",
            "/api/progress/head", "/api/phases/cognate?sessionId=head", "/api/cognate/status/head",
        ):  # fmt: skip
            got = http.request("GET", path)
            head = http.request("HEAD", path)
            self.assertEqual((got.status, head.status), (200, 200), path)
            self.assertEqual(list(head.headers), list(got.headers), path)
            self.assertEqual(head.headers["content-type"], got.headers["content-type"])
            if path not in ("/health", "/metrics", "/api/training/stats", "/api/training/sessions"):
                self.assertEqual(
                    head.headers["content-length"], got.headers["content-length"], path
                )
        self.assertEqual(http.request("HEAD", "/none").status, 404)
        self.assertEqual(http.request("GET", "/health").status, 200)

    def test_082_encoded_bodies(self) -> None:
        """#82 http: Content-Encoding on a POST -> 415, nothing is inflated"""
        bomb = bytes.fromhex("1f8b0800000000000003") + b"\xff" * 1000
        for encoding in ("gzip", "deflate", "br", "gzip, identity", "x"):
            length = "Content-Length: %d" % len(bomb)
            http = self.http()
            http.send(self.post("Content-Encoding: " + encoding, length, body=bomb))
            self.assertEqual(http.response().status, 415, encoding)


if __name__ == "__main__":
    unittest.main()
