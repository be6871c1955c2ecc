# SPDX-License-Identifier: MIT
"""A checker of HTTP/1.1, RFC 9110 and 9112, over a raw socket: http_cases.py."""

import email.utils
import re
import unittest
from typing import Iterable, List

from harness import FaultTest
from http_cases import (
    Sent, codings, conditions, connections, contents, expectations, get, header_fields, hosts, lengths, methods, request_line,
)  # fmt: skip
from http_wire import Http
from rules import Verdicts

PAYLOAD_MAX = 100_000


class Rules(FaultTest):
    options = ("--max-payload", str(PAYLOAD_MAX))

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.verdicts = Verdicts("HTTP/1.1, RFC 9110 and 9112")

    def observed(self, sent: Sent) -> str:
        """What is answered. Where the connection is to go on, a last request tells whether it does."""
        awaited = sent.case.seen or sent.case.expected
        answers: List[str] = []
        http = self.daemon.http()
        try:
            for piece in sent.pieces[:-1]:
                http.send(piece)
                if "later" not in sent.case.what:
                    answers.append(self.answer(http, sent))
            http.send(sent.pieces[-1])
            while len(answers) < self.count(awaited):
                answers.append(self.answer(http, sent))
            if awaited.endswith("close"):
                rest = http.rest()
                return " ".join(answers + (["close"] if not rest else ["and %r" % rest[:40]]))
            http.send(get("/health?last"))
            self.answer(http, sent)
            return " ".join(answers)
        except ConnectionError:
            return " ".join([*answers, "close"])
        except TimeoutError:
            return " ".join([*answers, "silent"])
        finally:
            http.close()

    @staticmethod
    def count(awaited: str) -> int:
        """How many answers that is."""
        return len(re.findall(r"\b\d{3}\b", awaited))

    def answer(self, http: Http, sent: Sent) -> str:
        """The next one: its status, and what the case wants to see of it."""
        line = http.until(b"\r\n")
        http.received = line + http.received
        if line.startswith(b"HTTP/1.0 "):
            return http.until(b"\r\n\r\n")[9:12].decode() + "/1.0" + http.rest().decode()[:0]
        if line.startswith(b"HTTP/1.1 100 "):
            http.until(b"\r\n\r\n")
            return "100"
        method = re.match(rb"[A-Z]*", sent.pieces[0])
        response = http.response(method.group().decode() if method else "GET")
        self.check_date(response.headers.get("date", ""))
        shown = [str(response.status)]
        for name in sent.shows:
            value = str(len(response.body)) if name == "body" else response.headers.get(name, "")
            shown.append("%s=%s" % (name, value))
        return " ".join(shown)

    def check_date(self, date: str) -> None:
        """RFC 9110, 6.6.1: an IMF-fixdate, in every answer."""
        self.assertEqual(email.utils.formatdate(email.utils.mktime_tz(email.utils.parsedate_tz(date) or (0,) * 10), usegmt=True), date)

    def check(self, chapter: int, cases: Iterable[Sent]) -> None:
        for sent in cases:
            self.verdicts.judge(chapter, sent.case, self.observed(sent))

    def test_1_no_request_at_all(self) -> None:
        """#56 http: unknown methods, versions and protocols -> 4xx, 5xx or close; never 2xx"""
        self.check(1, request_line())

    def test_2_header_fields(self) -> None:
        """RFC 9112, 5"""
        self.check(2, header_fields())

    def test_3_hosts(self) -> None:
        """#62 http: no Host, two, odd ones -> 400; one that is not ours, on loopback -> 421"""
        self.check(3, hosts())

    def test_4_content_lengths(self) -> None:
        """#52 http: lengths that are none, two of them, too large -> 400, 413 and close"""
        self.check(4, lengths(PAYLOAD_MAX))

    def test_5_chunked_bodies(self) -> None:
        """#51 http: Transfer-Encoding: chunked -> 501 and close; the body is no request"""
        self.check(5, codings())

    def test_6_expect_continue(self) -> None:
        """#54 http: Expect: 100-continue -> the body is asked for, then answered"""
        self.check(6, expectations())

    def test_7_methods_of_a_path(self) -> None:
        """#55 http: a method that the path does not take -> 405 with Allow"""
        self.check(7, methods())

    def test_8_connections(self) -> None:
        """RFC 9112, 9"""
        self.check(8, connections())

    def test_9_conditions_and_ranges(self) -> None:
        """RFC 9110, 13 and 14"""
        self.check(9, conditions(self.daemon.get("/").headers["etag"]))

    def test_10_contents(self) -> None:
        """RFC 9110, 8 and 12"""
        self.check(10, contents())

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        cls.verdicts.close()


if __name__ == "__main__":
    unittest.main()
