# SPDX-License-Identifier: MIT
"""HTTP, #63-#65 and #68-#75: foreign origins, cursors, and Server-Sent Events."""

import json
import socket
import time
import unittest
from typing import Any, Dict, List, Tuple

from harness import FaultTest, eventually
from http_wire import Http, request
from polling import PATH
from trainer_wire import progress

OURS = "http://dash.example:8080"
FOREIGN = (
    "http://evil.example", "null", "http://dash.example", "https://dash.example:8080",
    "http://dash.example:80801", "http://dash.example:8080.evil.example", "http://evildash.example:8080",
    "http://x.dash.example:8080", "http://localhost.evil.example", "http://127.0.0.1.evil.example",
    "http://user@dash.example:8080", "http://dash.example:8080/", "file://", "*", "http://127.0.0.11",
)  # fmt: skip


class Origins(FaultTest):
    options = ("--allow-origin", OURS)

    def cors(self, method: str, path: str, *headers: str) -> Dict[str, str]:
        """The answer's headers about origins."""
        http = self.http()
        http.send(request(method, path, *headers))
        return {k: v for k, v in http.head().headers.items() if k.startswith("access-control-")}

    def test_063_a_foreign_origin(self) -> None:
        """#63 http: a foreign Origin on polling, SSE and JSON -> not allowed, never * or reflected"""
        self.trainer().ask(progress("cors", {"loss": 1}))
        for path in (PATH, "/api/training/events/cors", "/api/training/status/cors", "/none"):
            self.assertEqual(self.cors("GET", path, "Origin: http://evil.example"), {}, path)
            allowed = self.cors("GET", path, "Origin: " + OURS)
            self.assertEqual(allowed["access-control-allow-origin"], OURS, path)

    def test_064_origins_that_look_alike(self) -> None:
        """#64 http: null, other ports, schemes and suffixes -> exact match only"""
        for origin in FOREIGN:
            with self.subTest(origin=origin):
                self.assertEqual(self.cors("GET", "/health", "Origin: " + origin), {})

    def test_064_a_write_of_a_foreign_page(self) -> None:
        """#64 http: a POST of a foreign page, which browsers send without asking -> 403"""
        for origin in FOREIGN:
            answer = self.http().request(
                "POST",
                "/api/training/ingest",
                "Origin: " + origin,
                "Content-Type: application/x-ndjson",
                body='{"type":"start","sessionId":"foreign"}',
            )
            self.assertEqual(answer.status, 403, origin)
        self.assertEqual(self.daemon.get("/api/training/status/foreign").status, 404)

    def test_065_a_preflight_with_many_headers(self) -> None:
        """#65 http: a preflight that asks for 100 headers -> 204, a fixed list, nothing reflected"""
        asked = ", ".join("X-Custom-%d" % i for i in range(100))
        for path in (
            "/api/training/ingest",
            "/api/training/status/a",
            PATH,
            "/api/training/events/a",
        ):
            for origin, allowed in ((OURS, True), ("http://evil.example", False)):
                http = self.http()
                http.send(
                    request(
                        "OPTIONS",
                        path,
                        "Origin: " + origin,
                        "Access-Control-Request-Method: POST",
                        "Access-Control-Request-Headers: " + asked,
                    )
                )
                answer = http.response()
                self.assertEqual(answer.status, 204, path)
                self.assertNotIn("X-Custom", repr(answer.headers))
                self.assertEqual("access-control-allow-origin" in answer.headers, allowed, path)


class Cursors(FaultTest):
    def setUp(self) -> None:
        super().setUp()
        self.run_id = self.id().rsplit(".", 1)[1][:60]
        self.filler = self.trainer()
        self.filler.ask(*(progress(self.run_id, {"loss": 1, "i": i}) for i in range(1, 6)))

    def offsets(self, query: str) -> Tuple[int, List[int]]:
        answer = self.daemon.get("/api/training/history/%s?%s" % (self.run_id, query))
        return answer.status, [e["offset"] for e in answer.json().get("data", [])]

    def test_068_cursors_that_are_none(self) -> None:
        """#68 http: since= negative, text, beyond 64 bits, empty -> 400; the future -> empty list"""
        for bad in ("-1", "abc", "18446744073709551616", "", "1.5", "0x1", "1e3", "%20", "+1"):
            self.assertEqual(self.offsets("since=" + bad), (400, []), bad)
        for future in ("6", "9223372036854775808", "18446744073709551615"):
            self.assertEqual(self.offsets("since=" + future), (200, []), future)
        self.assertEqual(self.offsets("since=3"), (200, [4, 5]))

    def test_069_limits_beyond_reason(self) -> None:
        """#69 http: limit= huge -> all there is; 0 -> none; a bad one -> 100, as the contract has it"""
        everything = [1, 2, 3, 4, 5]
        for limit, expected in (
            ("1000000000", everything), ("18446744073709551615", everything), ("0", []),
            ("-1", everything), ("abc", everything), ("18446744073709551616", everything), ("2", [4, 5]),
        ):  # fmt: skip
            self.assertEqual(self.offsets("limit=" + limit), (200, expected), limit)

    def test_070_the_same_cursor_twice(self) -> None:
        """#70 http: two polls with one cursor -> the same entries"""
        self.assertEqual(self.offsets("since=2"), self.offsets("since=2"))
        self.assertEqual(self.offsets("since=2"), (200, [3, 4, 5]))

    def test_068_069_more_questions(self) -> None:
        """#68 http: from, to, points, offset, format that are none -> 400, never a full replay"""
        for query in ("from=x", "to=-1", "points=x", "points=-1", "format=xml"):
            self.assertEqual(self.offsets(query)[0], 400, query)
        self.assertEqual(self.daemon.get("/api/training/sessions?offset=x").status, 400)
        self.assertEqual(self.offsets("points=18446744073709551615")[0], 200)


class EventStream(FaultTest):
    options = (
        "--max-history-records", "50", "--ping-interval-ms", "500",
        "--max-outbox-bytes", "65536", "--max-outbox-messages", "100",
    )  # fmt: skip

    def setUp(self) -> None:
        super().setUp()
        self.run_id = self.id().rsplit(".", 1)[1][:60]
        self.filler = self.trainer()

    def fill(self, count: int) -> None:
        self.filler.ask(*(progress(self.run_id, {"loss": 1, "i": i}) for i in range(count)))

    def stream(self, *headers: str, query: str = "") -> Http:
        http = self.http()
        http.send(request("GET", "/api/training/events/%s%s" % (self.run_id, query), *headers))
        return http

    def next_event(self, http: Http) -> Tuple[str, Any, str]:
        """(event, data, id) of the next block that is no comment."""
        while True:
            lines = http.until(b"\n\n").decode().rstrip("\n").split("\n")
            fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
            if "event" in fields:
                return fields["event"], json.loads(fields["data"]), fields.get("id", "")

    def read_ids(self, http: Http, count: int) -> List[int]:
        ids: List[int] = []
        while len(ids) < count:
            event, _, last = self.next_event(http)
            if event == "progress_update":
                ids.append(int(last))
        return ids

    def test_071_last_event_ids(self) -> None:
        """#71 http: Last-Event-ID, ?since, both -> resumes after it; malformed -> 400"""
        self.fill(5)
        for how in (
            {"query": "?since=2"},
            {"headers": ("Last-Event-ID: 2",)},
            {"headers": ("Last-Event-ID: 2",), "query": "?since=4"},
        ):
            stream = self.stream(*how.get("headers", ()), query=str(how.get("query", "")))
            stream.head()
            event, status, _ = self.next_event(stream)
            self.assertEqual((event, status["recovered"]), ("session_status", True))
            self.assertEqual(self.read_ids(stream, 3), [3, 4, 5], how)
        for bad in ("abc", "-1", "18446744073709551616", "1.5", "1 2"):
            self.assertEqual(self.stream("Last-Event-ID: " + bad).response().status, 400, bad)
            self.assertEqual(
                self.stream(query="?since=" + bad.replace(" ", "%20")).response().status, 400, bad
            )

    def test_071_ids_that_lead_nowhere(self) -> None:
        """#71 http: an id that was never given -> recovered:false; one that memory forgot -> all of it"""
        self.fill(80)
        stream = self.stream("Last-Event-ID: 10")
        stream.head()
        event, status, _ = self.next_event(stream)
        self.assertEqual((event, status["recovered"]), ("session_status", True))
        self.assertEqual(self.read_ids(stream, 70), list(range(11, 81)))
        for unknown in ("81", "9000", "18446744073709551614"):
            stream = self.stream("Last-Event-ID: " + unknown)
            stream.head()
            event, status, _ = self.next_event(stream)
            self.assertEqual((event, status["recovered"]), ("session_status", False), unknown)
            self.assertEqual(self.read_ids(stream, 1), [80])

    def test_072_newlines_in_a_payload(self) -> None:
        """#72 http: newlines, CR and data: inside values -> one data: line, ids of digits only"""
        awkward = "a\ndata: b\r\nid: c\r\n\r\nevent: d"
        self.filler.start(self.run_id, name=awkward, config={awkward: awkward})
        self.fill(1)
        stream = self.stream()
        stream.head()
        event, status, _ = self.next_event(stream)
        self.assertEqual((event, status["name"]), ("session_status", awkward))
        self.assertEqual(status["config"], {awkward: awkward})
        event, _, last = self.next_event(stream)
        self.assertEqual((event, last), ("progress_update", "1"))

    def test_073_a_client_that_stops_reading(self) -> None:
        """#73 http: an SSE client that stops reading -> ended at the bound; resumes by its id"""
        sock = socket.socket()
        self.addCleanup(sock.close)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(15)
        sock.connect(("127.0.0.1", self.daemon.port))
        slow = Http(sock)
        slow.send(request("GET", "/api/training/events/" + self.run_id))
        slow.head()
        before = self.daemon.rss_bytes()
        closed = self.daemon.counter("peers_closed_slow")
        self.filler.start(self.run_id, config={"models": "x" * 10_000})
        index = 0
        while self.daemon.counter("peers_closed_slow") == closed and index < 20_000:
            lines = ({"type": "model_completed", "modelIndex": index + i} for i in range(50))
            self.filler.ask(*lines)
            index += 50
        self.assertEqual(self.daemon.counter("peers_closed_slow"), closed + 1)
        self.assertLess(self.daemon.rss_bytes() - before, 8 << 20)
        self.assertIn(b"event: model_completed", slow.rest())
        self.fill(3)
        again = self.stream("Last-Event-ID: 1")
        again.head()
        self.assertEqual(self.read_ids(again, 2), [2, 3])

    def test_074_behind_a_proxy(self) -> None:
        """#74 http: an idle stream -> a comment each ping interval; buffering and caching forbidden"""
        stream = self.stream()
        headers = stream.head().headers
        self.assertEqual(headers["x-accel-buffering"], "no")
        self.assertEqual(headers["cache-control"], "no-store")
        start = time.monotonic()
        self.assertEqual(stream.until(b"\n\n"), b":\n\n")
        self.assertEqual(stream.until(b"\n\n"), b":\n\n")
        self.assertLess(time.monotonic() - start, 3)

    def test_075_seven_streams(self) -> None:
        """#75 http: seven streams of one client -> all are served; the limit of six is the browser's"""
        streams = [self.stream() for _ in range(7)]
        for stream in streams:
            self.assertEqual(stream.head().status, 200)
        peers = self.daemon.counter("peers")
        self.fill(1)
        for stream in streams:
            self.assertEqual(self.read_ids(stream, 1), [1])
            stream.close()
        eventually("them to be forgotten", lambda: self.daemon.counter("peers") == peers - 7)


if __name__ == "__main__":
    unittest.main()
