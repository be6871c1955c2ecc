# SPDX-License-Identifier: MIT
"""WebSocket, #91, #92, #94, #96, #98, #99, #103, #104: floods and bombs after the handshake; single
frames against the rules are in test_ws_rules."""

import json
import os
import socket
import struct
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterable

from harness import FaultTest, eventually
from websocket import (
    BINARY, CLOSE, CONTINUATION, DROPPED, PING, PONG, RSV1, TEXT, WebSocket, frame,
)  # fmt: skip
from ws_cases import deflated

PAYLOAD_MAX = 1_000_000
ROOMS_MAX = 128
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"


def message_of(size: int) -> bytes:
    """A text of so many bytes, of an event that nobody knows."""
    head, tail = b'{"event":"x","data":"', b'"}'
    return head + b"a" * (size - len(head) - len(tail)) + tail


class Frames(FaultTest):
    options = ("--max-rooms-per-peer", str(ROOMS_MAX))

    def greeted(self, *headers: str) -> WebSocket:
        ws = self.websocket("/ws?sessionId=a", *headers)
        ws.event("connection_established")
        return ws

    def assert_ends(self, data: bytes, codes: Iterable[int], *headers: str) -> None:
        """These bytes end the connection with one of these codes."""
        ws = self.greeted(*headers)
        ws.raw(data)
        self.assertIn(ws.close_code(), codes)

    def assert_open(self, ws: WebSocket) -> None:
        self.assertEqual(ws.ask("unsubscribe_session", {"sessionId": "a"})["success"], True)

    def test_091_sizes_at_the_limit(self) -> None:
        """#91 ws: a message of --max-payload -> taken; one byte more, whole or in pieces -> 1009"""
        for packed in (False, True):
            ws = self.greeted(*([DEFLATE] if packed else []))
            whole = message_of(PAYLOAD_MAX)
            ws.send(TEXT, deflated(whole) if packed else whole, rsv=RSV1 if packed else 0)
            self.assertEqual(ws.event("error")["code"], "unknown_event")
            pieces = [whole[i : i + 250_000] for i in range(0, len(whole), 250_000)]
            for i, piece in enumerate(pieces):
                ws.send(CONTINUATION if i else TEXT, piece, fin=i == len(pieces) - 1)
            self.assertEqual(ws.event("error")["code"], "unknown_event")
        over = message_of(PAYLOAD_MAX + 1)
        self.assert_ends(frame(TEXT, over), (1009,))
        self.assert_ends(frame(TEXT, deflated(over), rsv=RSV1), (1009,), DEFLATE)
        self.assert_ends(
            frame(TEXT, over[:-1], fin=False) + frame(CONTINUATION, over[-1:]), (1009,)
        )
        self.assert_ends(frame(TEXT, over[:1], declared=PAYLOAD_MAX + 1), (1009,))

    def test_092_endless_fragments(self) -> None:
        """#92 ws: 100,000 fragments of one byte or none -> 1008, or passed over in bounded memory"""
        before = self.daemon.rss_bytes()
        for headers in ((), (DEFLATE,)):
            ws = self.greeted(*headers)
            ws.raw(frame(TEXT, "{", fin=False))
            ws.raw(frame(CONTINUATION, " ", fin=False) * 100_000)
            self.assertIn(ws.close_code(), (1008, 1009))
            empty = self.greeted(*headers)
            empty.raw(frame(TEXT, "", fin=False) + frame(CONTINUATION, "", fin=False) * 100_000)
            empty.raw(frame(CONTINUATION, '{"event":"x"}'))
            got = empty.message()
            self.assertTrue(got.opcode == CLOSE or b'"unknown_event"' in got.payload, got)
        self.assertLess(self.daemon.rss_bytes() - before, 16 << 20)

    def test_094_a_flood_of_pings(self) -> None:
        """#94 ws: 20,000 pings without reading -> bounded memory, others served"""
        before = self.daemon.rss_bytes()
        ws = self.greeted()
        ws.raw(frame(PING, "x" * 125) * 20_000)
        self.assertTrue(any(self.gets_pong(ws) for _ in range(20)))
        self.assertLess(self.daemon.rss_bytes() - before, 8 << 20)

    def gets_pong(self, ws: WebSocket) -> bool:
        """Is a ping answered before a message after it is? Not while another pong is due."""
        ws.raw(frame(PING, "last"))
        ws.emit("unsubscribe_session", {"sessionId": "a"}, id=7)
        while True:
            got = ws.frame()
            if got.opcode == PONG and got.payload == b"last":
                return True
            if got.opcode == TEXT:
                return False

    def test_096_resets_and_half_closes(self) -> None:
        """#96 ws: 200 resets (of 1,000) in the middle of a frame, half-closes -> nothing is kept"""
        self.probe.check()
        before, peers = self.daemon.fds(), self.daemon.counter("peers")
        for i in range(200):
            ws = self.greeted(*([DEFLATE] if i % 2 else []))
            ws.raw(frame(TEXT, "x" * 100, rsv=RSV1 if i % 2 else 0, declared=5000))
            if i % 4 < 2:
                ws.http.sock.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                ws.close()
            else:
                ws.http.sock.shutdown(socket.SHUT_WR)
                self.assertEqual(ws.close_code(), DROPPED)
                ws.close()
        eventually("all to be forgotten", lambda: self.daemon.counter("peers") == peers)
        eventually("the descriptors to be closed", lambda: self.daemon.fds() <= before)

    def test_098_compressed_messages_of_four_at_once(self) -> None:
        """#98 ws: 4 connections x 1,000 compressed messages of 4 kB -> all answered, each its own"""

        def talk(_: int) -> int:
            ws = self.greeted(DEFLATE)
            answered = 0
            for i in range(1000):
                noise = os.urandom(1500).hex()
                question = {
                    "event": "unsubscribe_session",
                    "data": {"sessionId": "a"},
                    "id": i,
                    "pad": noise,
                }
                packed = deflated(json.dumps(question).encode() + b" " * 1000)
                half = len(packed) // 2
                if i % 3 == 0:
                    ws.text(json.dumps(question))
                elif i % 3 == 1:
                    ws.send(TEXT, packed, rsv=RSV1)
                else:
                    ws.send(TEXT, packed[:half], rsv=RSV1, fin=False)
                    ws.raw(frame(PING, "between") + frame(CONTINUATION, packed[half:]))
                while True:
                    got = ws.message()
                    if got.opcode == TEXT and json.loads(got.payload)["event"] == "ack":
                        break
                answered += json.loads(got.payload)["id"] == i
            return answered

        with ThreadPoolExecutor() as clients:
            self.assertEqual(list(clients.map(talk, range(4))), [1000] * 4)

    def test_099_bombs(self) -> None:
        """#99 ws: 1,000:1 of compression, whole and in pieces -> 1009 at the limit, memory flat"""
        bomb = deflated(b" " * (64 << 20))
        self.assertLess(len(bomb), 70_000)
        before = self.daemon.rss_bytes()
        for _ in range(10):
            self.assert_ends(frame(TEXT, bomb, rsv=RSV1), (1009,), DEFLATE)
            pieces = [bomb[i : i + 1000] for i in range(0, len(bomb), 1000)]
            data = frame(TEXT, pieces[0], rsv=RSV1, fin=False)
            data += b"".join(frame(CONTINUATION, p, fin=False) for p in pieces[1:-1])
            self.assert_ends(data + frame(CONTINUATION, pieces[-1]), (1009,), DEFLATE)
        self.assertLess(self.daemon.rss_bytes() - before, 16 << 20)
        for rubbish in (b"\xff" * 100, b"\x06\x00", os.urandom(200), bomb[:50] + b"\xff" * 50):
            self.assert_ends(frame(TEXT, rubbish, rsv=RSV1), (1007, 1009), DEFLATE)

    def assert_error(self, ws: WebSocket, text: Any) -> None:
        ws.text(text if isinstance(text, (str, bytes)) else json.dumps(text))
        error = ws.event("error")
        self.assertIsInstance(error["message"], str)

    def test_103_messages_that_make_no_sense(self) -> None:
        """#103 ws: no JSON, wrong types, unknown events, too many rooms -> an error each, kept open"""
        ws = self.greeted()
        for text in (
            "hello", "", "[]", "1", "null", '{"event":1}', '{"event":""}', "{}", '{"data":{}}', '{"event":"x"',
            '{"event":"x"} x', "[" * 5000, '{"event":"x","id":{}}', '{"event":"x","id":"%s"}' % ("i" * 100),
            '{"event":"subscribe_session"}', '{"event":"subscribe_session","data":[]}',
            '{"event":"subscribe_session","data":{"sessionId":1}}',
            '{"event":"subscribe_session","data":{"sessionId":""}}',
            '{"event":"subscribe_session","data":{"sessionId":"a b"}}',
            '{"event":"get_session_history","data":{}}', '{"event":"connect"}',
        ):  # fmt: skip
            with self.subTest(text=text[:60]):
                self.assert_error(ws, text)
        self.assertTrue(ws.ask("unsubscribe_session", {"sessionId": "never-joined"})["success"])
        for _ in range(2):
            self.assertTrue(ws.ask("subscribe_session", {"sessionId": "twice"})["success"])
        answers = [
            ws.ask("subscribe_session", {"sessionId": "r%d" % i}) for i in range(2 * ROOMS_MAX)
        ]
        self.assertEqual(sum(a["success"] for a in answers), ROOMS_MAX - 2)
        self.assertEqual(answers[-1]["error"], "too many rooms")
        self.assertTrue(ws.ask("unsubscribe_session", {"sessionId": "r0"})["success"])
        self.assertTrue(ws.ask("subscribe_session", {"sessionId": "s"})["success"])

    def test_104_binary_where_text_is_expected(self) -> None:
        """#104 ws: binary on /ws -> 1003; on Socket.IO without a header -> closed, never misread"""
        self.assert_ends(
            frame(BINARY, '{"event":"subscribe_session","data":{"sessionId":"a"}}'), (1003,)
        )
        self.assert_ends(frame(BINARY, deflated(b"{}"), rsv=RSV1), (1003,), DEFLATE)
        ws = self.websocket("/socket.io/?EIO=4&transport=websocket")
        ws.text("40")
        ws.send(BINARY, '42["subscribe_session",{"sessionId":"a"}]')
        self.assertEqual(ws.close_code(), 1002)


if __name__ == "__main__":
    unittest.main()
