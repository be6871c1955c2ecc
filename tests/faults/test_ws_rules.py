# SPDX-License-Identifier: MIT
"""A checker of RFC 6455 and RFC 7692, over a raw socket: ws_cases.py, and the handshake (8, 13)."""

import json
import re
import struct
import unittest
import zlib
from typing import List, Optional

from harness import FaultTest
from http_wire import request
from rules import Case, Verdicts
from websocket import CLOSE, PONG, RSV1, TEXT, Frame, WebSocket, frame
from ws_cases import (
    ACCEPT, ANSWER, CHAPTERS, DEFLATE, Sent, ask, deflated, handshakes, offers, shown,
)  # fmt: skip

PAYLOAD_MAX = 1_000_000
LAST = "the last one"


class Seen:
    """What came back so far."""

    def __init__(self) -> None:
        self.acks: List[str] = []
        self.pongs: List[str] = []

    def add(self, got: Frame) -> bool:
        """True: that was LAST."""
        if got.opcode == PONG:
            self.pongs.append(" (%s)" % shown(got.payload))
        elif got.opcode == TEXT:
            message = json.loads(got.payload)
            if message.get("id") == LAST:
                return True
            is_ack = message["event"] == "ack"
            self.acks.append(json.dumps(message["id"], ensure_ascii=False) if is_ack else "error")
        return False

    def __str__(self) -> str:
        acks = " [%s]" % ",".join(self.acks) if self.acks else ""
        return acks + "".join(self.pongs)


class Rules(FaultTest):
    options = ("--max-payload", str(PAYLOAD_MAX))

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.verdicts = Verdicts("WebSocket, RFC 6455 and 7692")

    def greeted(self, deflate: bool) -> WebSocket:
        offer = ["Sec-WebSocket-Extensions: " + DEFLATE] if deflate else []
        ws = WebSocket(self.daemon.connect(), "/ws", *offer)
        ws.event("connection_established")
        return ws

    def observed(self, sent: Sent) -> str:
        """What is seen of a case. While it is to go on, a last message tells that all came back."""
        ws = self.greeted(sent.deflate)
        seen = Seen()
        awaited = sent.case.seen or sent.case.expected
        try:
            for piece in sent.pieces:
                if piece is ANSWER:
                    seen.add(ws.inflated())
                else:
                    ws.raw(piece)
            if awaited.startswith("open"):
                ws.raw(frame(TEXT, ask(LAST)))
            return self.listen(ws, seen, awaited.count("("))
        except ConnectionError:
            return "dropped" + str(seen)
        except TimeoutError:
            return "silent" + str(seen)
        finally:
            ws.close()

    @staticmethod
    def listen(ws: WebSocket, seen: Seen, pongs: int) -> str:
        """Read on to the close frame, or to LAST and as many pongs."""
        last = False
        while not last or len(seen.pongs) < pongs:
            got = ws.inflated()
            if got.opcode == CLOSE:
                code = struct.unpack("!H", got.payload[:2])[0] if got.payload else "closed"
                return str(code) + str(seen)
            last = seen.add(got) or last
        return "open" + str(seen)

    def check(self, *chapters: int) -> None:
        for chapter in chapters:
            for sent in CHAPTERS[chapter](PAYLOAD_MAX):
                self.verdicts.judge(chapter, sent.case, self.observed(sent))

    def test_01_framing(self) -> None:
        """RFC 6455, 5.1 and 5.2"""
        self.check(1)

    def test_02_control_frames(self) -> None:
        """RFC 6455, 5.5"""
        self.check(2)

    def test_03_frames_against_the_rules(self) -> None:
        """#89 ws: RSV bits, reserved opcodes, bad continuation, odd control frames -> 1002 or drop"""
        self.check(3, 4, 5)

    def test_06_invalid_utf8(self) -> None:
        """#93 ws: bytes that are no UTF-8, whole, in pieces, at the end, compressed -> 1007"""
        self.check(6)

    def test_07_close_codes(self) -> None:
        """#95 ws: valid codes -> echoed; invalid ones, one octet -> 1002 or drop; after it -> ignored"""
        self.check(7)

    def test_08_handshakes_that_are_none(self) -> None:
        """#83 ws: no or bad key, version, method, Connection, HTTP/1.0 -> 400, 405 or 426 naming 13"""
        for case, sent in handshakes():
            self.verdicts.judge(8, case, self.answer_to(sent))

    def answer_to(self, sent: bytes) -> str:
        """To a handshake: 101 and what must be in it, the status, or nothing."""
        http = self.http()
        http.send(sent)
        try:
            answer = http.head()
        except ConnectionError:
            return "nothing" if not http.received else "HTTP/1.0 403"
        if answer.status == 101:
            good = answer.headers.get("sec-websocket-accept") == ACCEPT
            return "101" if good and answer.headers["upgrade"].lower() == "websocket" else "a bad 101"
        version = answer.headers.get("sec-websocket-version", "")
        return ("%d %s" % (answer.status, version)).rstrip()

    def test_09_sizes(self) -> None:
        """RFC 6455, 5.2 and 7.4.1: up to the limit and past it, however the network cuts it"""
        self.check(9, 10)

    def test_12_compression(self) -> None:
        """RFC 7692, 6 and 7.2"""
        self.check(12)

    def test_13_offers_of_compression(self) -> None:
        """#97 ws: permessage-deflate with bad parameters -> declined; with good ones -> kept to"""
        for case, offer in offers():
            self.verdicts.judge(13, case, self.answer_to_offer(offer))

    def answer_to_offer(self, offer: str) -> str:
        """What is agreed, and kept to in both directions."""
        ws = WebSocket(
            self.daemon.connect(), "/ws?sessionId=probe", "Sec-WebSocket-Extensions: " + offer
        )
        try:
            ws.event("progress_update")
            packed = bool(ws.agreed)
            ws.send(TEXT, deflated(ask(1)) if packed else ask(1), rsv=RSV1 if packed else 0)
            ws.event("ack")
            return ws.agreed.replace("permessage-deflate; ", "") or "declined"
        finally:
            ws.close()

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        cls.verdicts.close()


if __name__ == "__main__":
    unittest.main()
