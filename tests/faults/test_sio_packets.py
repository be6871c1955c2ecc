# SPDX-License-Identifier: MIT
"""Socket.IO, #120, #126-#133, #137: what an open session is sent."""

import json
import random
import struct
import socket
import unittest
from typing import Any, List, Sequence, Tuple, Union

from harness import FaultTest, eventually
from polling import Polling
from trainer_wire import progress
from websocket import BINARY, DROPPED, TEXT, WebSocket

PROTOCOL = 1002
WS = "/socket.io/?EIO=4&transport=websocket"
RESERVED = (
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
)
Frames = Sequence[Union[str, bytes]]


def placeholder(num: Any) -> str:
    return '{"_placeholder":true,"num":%s}' % num


class Packets(FaultTest):
    options = ("--max-payload", "100000", "--max-rooms-per-peer", "50", "--no-throttle")

    def open(self, connect: bool = True) -> WebSocket:
        ws = self.websocket(WS)
        self.assertEqual(ws.message().payload[:1], b"0")
        if connect:
            ws.text("40")
            self.assertEqual(ws.message().payload[:2], b"40")
            self.packet(ws, '42["connection_established"')
        return ws

    def packet(self, ws: WebSocket, start: str) -> str:
        """Read on to the next packet that starts so."""
        while True:
            got = ws.message()
            if got.opcode not in (TEXT, BINARY):
                raise ConnectionError("the connection was closed: %r" % (got,))
            if got.payload.decode().startswith(start):
                return got.payload.decode()

    def send(self, ws: WebSocket, frames: Frames) -> None:
        for each in frames:
            ws.send(TEXT if isinstance(each, str) else BINARY, each)

    def assert_closes(self, *frames: Union[str, bytes], connect: bool = True) -> None:
        """An open session that is sent these is closed."""
        with self.subTest(frames=repr(frames)[:80]):
            ws = self.open(connect)
            self.send(ws, frames)
            self.assertEqual(ws.close_code(), PROTOCOL)

    def assert_open(self, ws: WebSocket) -> None:
        ws.text('4277["unsubscribe_session",{"sessionId":"a"}]')
        self.assertEqual(self.packet(ws, "4377"), '4377[{"success":true,"sessionId":"a"}]')

    def assert_ignored(self, *frames: Union[str, bytes]) -> None:
        with self.subTest(frames=repr(frames)[:80]):
            ws = self.open()
            self.send(ws, frames)
            self.assert_open(ws)

    def test_120_packets_of_the_wrong_kind(self) -> None:
        """#120 socket.io: a ping `2`, unknown types -> closed; pong without ping, noop -> ignored"""
        for packet in ("2", "2probe", "0", '0{"sid":"x"}', "5", "7", "9", "x", "", "\u20ac", "-1"):
            self.assert_closes(packet)
        self.assert_ignored("3", "3probe", "6", "3" * 100)
        ws = self.open()
        ws.text("1")
        self.assertIn(ws.close_code(), (1000, DROPPED))

    def test_126_namespaces(self) -> None:
        """#126 socket.io: CONNECT twice, event before CONNECT, unknown, long, with a query"""
        ws = self.open()
        self.send(ws, ["40", "40"])
        self.assert_open(ws)
        self.assert_closes('42["subscribe_session",{"sessionId":"a"}]', connect=False)
        self.assert_closes('42/x,["subscribe_session",{"sessionId":"a"}]')
        self.assert_closes("40/" + "n" * 10_000 + ",")
        self.assert_closes("40/a\x01b,")
        for sent, named in (
            ("40/x,", "/x"),
            ("40/x", "/x"),
            ("40/x?token=1,", "/x"),
            ("40/__proto__,", "/__proto__"),
        ):
            ws = self.open()
            ws.text(sent)
            refused = self.packet(ws, "44")
            self.assertEqual(refused, '44%s,{"message":"Invalid namespace"}' % named)
            self.assert_open(ws)
        ws = self.open(connect=False)
        ws.text("40/?a=b,")
        self.packet(ws, "40{")
        self.assert_open(ws)
        self.assert_ignored("41/x,")

    def test_127_packets_that_do_not_parse(self) -> None:
        """#127 socket.io: broken, empty, reserved or oversized packets -> closed, the process lives"""
        for packet in (
            "4", "4abc", "48", "42", "42{}", "42[]", '42["a"', "42[1]", "42[null]", "42abc[]", '42abc["a"]', "42[[]]",
            '42999999999999999999["x"]', '42-1["x"]', '42["a"]x', '42["a",]', '42["a",NaN]', '42["\\ud800"]', '42[""]',
            '42["a\\u0000b"]', "42" + "[" * 1000, '42["a",' + "[" * 100 + "]" * 100 + "]", "43", "43[]", '430{"a":1}',
            '43"a"', "41x", '44["x"]', "45", "46", '42/["x"]', "4\u20ac",
        ):  # fmt: skip
            self.assert_closes(packet)
        for name in RESERVED:
            self.assert_closes(json.dumps(["%s" % name]).join(("42", "")))
        ws = self.open()
        ws.send(TEXT, b'42["\xff"]')
        self.assertEqual(ws.close_code(), 1007)
        by_post = Polling(self.http(), self.http())
        self.assertEqual(by_post.try_post("42{}").status, 400)
        self.assertTrue(by_post.is_gone())

    def test_128_binary_packets_against_the_rules(self) -> None:
        """#128 socket.io: attachments that are missing, too many, wrongly numbered -> closed"""
        event = '["x",%s]'
        self.assert_closes("451-" + event % placeholder(0), "42[1]")
        self.assert_closes("451-" + event % placeholder(0), '42["x"]')
        self.assert_closes(b"bytes")
        self.assert_closes("450-" + event % placeholder(0), b"x")
        self.assert_closes("45" + event % placeholder(0), b"x")
        for count in (11, 1000, 10**9, 10**30):
            self.assert_closes("45%d-" % count + event % placeholder(0))
        for num in (1, -1, 99, 10**30, '"0"', "null", "0.5", "true", "[]", "{}", '"__proto__"'):
            self.assert_closes("451-" + event % placeholder(num), b"x")
        twice = placeholder(0) + "," + placeholder(0)
        self.assert_closes("452-" + event % twice, b"x", b"y")
        self.assert_closes("451-" + event % '{"_placeholder":true}', b"x")
        self.assert_closes("451-" + event % '{"_placeholder":false,"num":0}', b"x")
        self.assert_closes("451-" + event % "1", b"x")
        self.assert_closes("461-5" + event % placeholder(1), b"x")
        self.assert_closes(
            "452-" + event % (placeholder(0) + "," + placeholder(1)), b"x" * 60_000, b"y" * 60_000
        )
        self.assert_ignored("451-" + event % placeholder(0), b"x")
        self.assert_ignored("452-" + event % (placeholder(1) + "," + placeholder(0)), b"x", b"")

    def test_129_a_header_then_silence(self) -> None:
        """#129 socket.io: 100 headers whose attachments never come -> dropped with their connections"""
        before, peers = self.daemon.rss_bytes(), self.daemon.counter("peers")
        header = '452-["x",%s,%s,"%s"]' % (placeholder(0), placeholder(1), "p" * 50_000)
        opened = [self.open() for _ in range(100)]
        for ws in opened:
            self.send(ws, [header, b"x" * 40_000])
        self.probe.check()
        self.assertLess(self.daemon.rss_bytes() - before, 32 << 20)
        for ws in opened:
            ws.close()
        eventually("them to be forgotten", lambda: self.daemon.counter("peers") == peers)

    def test_130_auth_payloads(self) -> None:
        """#130 socket.io: auth that is an array, a string, too deep -> CONNECT_ERROR or close"""
        for auth in ("[]", '"token"', "1", "null", "true", "{", '{"a":' * 1000 + "1" + "}" * 1000):
            ws = self.open(connect=False)
            ws.text("40" + auth)
            try:
                refused = json.loads(self.packet(ws, "44")[2:])
                self.assertIsInstance(refused["message"], str)
                ws.text("40{}")
                self.packet(ws, '42["connection_established"')
            except ConnectionError:
                self.assertEqual(auth, "1")  # read as an id, which a CONNECT has none of
        ws = self.open(connect=False)
        ws.text('40{"token":"%s"}' % ("t" * 90_000))
        self.packet(ws, '42["connection_established"')
        ws = self.open(connect=False)
        ws.text('40{"token":"%s"}' % ("t" * 1_000_000))
        self.assertEqual(ws.close_code(), 1009)

    def test_131_acks_of_nothing(self) -> None:
        """#131 socket.io: acks never asked for, twice, with 1,000 arguments -> ignored"""
        self.assert_ignored(
            "435[]", "435[]", "43999[1,2,3]", "430%s" % json.dumps(list(range(1000)))
        )
        self.assert_ignored("461-7[%s]" % placeholder(0), b"x")

    def test_132_the_same_event_again(self) -> None:
        """#132 socket.io: an event with an ack, sent again (a lost ack) -> acked each time, done once"""
        ws = self.open()
        rooms = self.daemon.counter("rooms")
        for _ in range(3):
            ws.text('425["subscribe_session",{"sessionId":"again"}]')
            self.assertEqual(self.packet(ws, "435"), '435[{"success":true,"sessionId":"again"}]')
        self.assertEqual(self.daemon.counter("rooms"), rooms + 1)
        self.trainer().ask(progress("again", {"i": 1}))
        self.packet(ws, '42["progress_update"')
        self.assert_open(ws)

    def test_133_rooms_without_end(self) -> None:
        """#133 socket.io: joining 10,000 rooms -> an error by ack past the limit; names are checked"""
        ws = self.open()
        success = 0
        for first in range(0, 10_000, 500):
            for i in range(first, first + 500):
                ws.text('42%d["subscribe_session",{"sessionId":"r%d"}]' % (i, i))
            for i in range(first, first + 500):
                answer = json.loads(self.packet(ws, "43%d[" % i).split("[", 1)[1][:-1])
                success += answer["success"]
        self.assertEqual(success, 50)
        for name in (
            "\u20ac",
            "\U0001f642",
            "\u202e",
            "a\u0300",
            "\ufeff",
            "a\nb",
            " ",
            "",
            "/",
            "\x7f",
            "\u0661",
        ):
            ws.text(
                "427" + json.dumps(["subscribe_session", {"sessionId": name}], ensure_ascii=False)
            )
            self.assertEqual(
                self.packet(ws, "437"), '437[{"success":false,"error":"sessionId is not valid"}]'
            )
        self.assertLess(self.daemon.counter("rooms"), 60)

    def recover(self, **auth: Any) -> Tuple[WebSocket, str]:
        """A connection whose CONNECT has this auth, and the pid it is answered with."""
        ws = self.open(connect=False)
        ws.text("40" + json.dumps(auth))
        return ws, json.loads(self.packet(ws, "40")[2:]).get("pid", "")

    def lose(self, **auth: Any) -> Tuple[str, str]:
        """A client in room `kept` is lost: its pid, and the last mark it got."""
        away = self.daemon.counter("recoveries_kept")
        ws, pid = self.recover(**auth)
        ws.text('42["subscribe_session",{"sessionId":"kept"}]')
        mark = json.loads(self.packet(ws, '42["session_status"')[2:])[2]
        ws.close()
        eventually("it is away", lambda: self.daemon.counter("recoveries_kept") == away + 1)
        return pid, mark

    def test_134_recovery(self) -> None:
        """#134 socket.io: pid and offset -> what was missed, once; old or wrong, another's auth, two at once -> a fresh session"""
        trainer = self.trainer()
        trainer.start("kept")
        ask = {"recover": True, "token": "mine"}
        pid, mark = self.lose(**ask)
        trainer.ask(progress("kept", {"i": 1}), progress("kept", {"i": 2}))
        other, fresh = self.recover(pid=pid, offset=mark, recover=True, token="theirs")
        self.assertNotIn(fresh, ("", pid))
        ws, same = self.recover(pid=pid, offset=mark, **ask)
        self.assertEqual(same, pid)
        second, fresh = self.recover(pid=pid, offset=mark, **ask)
        self.assertNotIn(fresh, ("", pid))
        for offset in (1, 2):
            update = json.loads(self.packet(ws, '42["progress_update"')[2:])[1]
            self.assertEqual(update["offset"], offset)
        for each in (other, second):
            self.assert_open(each)
        for offset in ("0", "99999999999", "-1", "x", "", None, 7, {}, "9" * 5000):
            pid, mark = self.lose(**ask)
            ws, fresh = self.recover(pid=pid, offset=offset, **ask)
            if offset == "99999999999":
                self.assertNotEqual(fresh, pid)
            self.assert_open(ws)
        for auth in ({"pid": "x", "offset": "1"}, {"pid": 1, "offset": {}}, {"pid": "x" * 5000}):
            ws, none = self.recover(**auth)
            self.assertEqual(none, "")
            self.assert_open(ws)
        ws, none = self.recover(recover=True, token="x" * 5000)
        self.assertEqual(none, "")

    def test_137_broadcasts_while_clients_come_and_go(self) -> None:
        """#137 socket.io: joining, leaving, vanishing during broadcasts -> no report, nothing after 41"""
        dice = random.Random(137)
        trainer = self.trainer()
        trainer.start("churn")
        crowd: List[WebSocket] = []
        for step in range(300):
            trainer.send(
                progress("churn", {"i": step}), {"type": "model_completed", "modelIndex": step}
            )
            if len(crowd) < 20:
                crowd.append(self.open())
            ws = crowd[dice.randrange(len(crowd))]
            way = dice.randrange(6)
            if way < 3:
                ws.text(
                    '42["%ssubscribe_session",{"sessionId":"churn"}]' % ("un" if way == 0 else "")
                )
            elif way == 3:
                ws.text("41")
                ws.text("40")
            else:
                crowd.remove(ws)
                if way == 4:
                    ws.http.sock.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
                ws.close()
        left = self.open()
        left.text('421["subscribe_session",{"sessionId":"churn"}]')
        self.packet(left, "431")
        left.text("41")
        left.text("40")
        self.packet(left, '42["connection_established"')
        trainer.ask(*(progress("churn", {"i": i}) for i in range(5)))
        left.text("3")
        left.text('42["unsubscribe_session",{}]')
        self.assertIn('42["error"', left.message().payload.decode())


if __name__ == "__main__":
    unittest.main()
