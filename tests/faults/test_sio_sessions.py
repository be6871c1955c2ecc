# SPDX-License-Identifier: MIT
"""Socket.IO, #109-#119, #123-#125, #136, #138: sessions, polls, posts and the upgrade."""

import base64
import json
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import List

from harness import FaultTest, eventually
from http_wire import request
from polling import PATH, SEPARATOR, TEXT, Polling
from trainer_wire import progress
from websocket import DROPPED, WebSocket, handshake

PAYLOAD_MAX = 1_000_000
WS = "/socket.io/?EIO=4&transport=websocket"


class Sessions(FaultTest):
    options = ("--no-throttle",)

    def setUp(self) -> None:
        super().setUp()
        self.run_id = self.id().rsplit(".", 1)[1][:60]

    def polling(self, connect: bool = True) -> Polling:
        return Polling(self.http(), self.http(), connect=connect)

    def assert_code(self, code: int, method: str, path: str, body: bytes = b"") -> None:
        answer = self.http().request(method, path, TEXT, body=body)
        self.assertEqual((answer.status, answer.json()["code"]), (400, code), path)
        self.assertIsInstance(answer.json()["message"], str)

    def upgrade(self, session: Polling) -> WebSocket:
        ws = self.websocket(WS + "&sid=" + session.sid)
        ws.text("2probe")
        self.assertEqual(ws.message().payload, b"3probe")
        return ws

    def test_109_handshakes_that_are_none(self) -> None:
        """#109 socket.io: EIO or transport missing or unknown -> 400 with code 5 or 0, no session"""
        before = self.daemon.counter("peers")
        for transport in (
            "",
            "&transport=",
            "&transport=abc",
            "&transport=__proto__",
            "&transport=constructor",
            "&transport=polling2",
        ):
            self.assert_code(0, "GET", "/socket.io/?EIO=4" + transport)
        self.assert_code(3, "GET", "/socket.io/?EIO=4&transport=websocket")
        for version in ("", "EIO=3&", "EIO=abc&", "EIO=&", "EIO=44&", "EIO=5&", "EIO=04&"):
            self.assert_code(5, "GET", "/socket.io/?%stransport=polling" % version)
            self.assertEqual(
                self.status_of(handshake("/socket.io/?%stransport=websocket" % version)), 400
            )
        self.assertEqual(self.daemon.counter("peers"), before)

    def test_110_sids_of_nobody(self) -> None:
        """#110 socket.io: unknown sid, of a closed session, of another mount -> code 1, all alike"""
        session = self.polling()
        session.post("1")
        for sid in (session.sid, "a" * 24, "", "x", "a" * 1000, "..%2f", "__proto__", "%00"):
            if sid == "%00":
                self.assertNotIn(self.status_of(request("GET", PATH + "&sid=%00")), (200, 101))
                continue
            self.assert_code(1, "GET", PATH + "&sid=" + sid)
            self.assert_code(1, "POST", PATH + "&sid=" + sid, b"40")
            self.assertEqual(self.status_of(handshake(WS + "&sid=" + sid)), 400)

    def test_111_sids_are_random(self) -> None:
        """#111 socket.io: 500 sids -> 18 random bytes each, no part that counts"""
        sids: List[bytes] = []
        for _ in range(500):
            http = self.http()
            sid = json.loads(http.request("GET", PATH).body[1:])["sid"]
            sids.append(base64.urlsafe_b64decode(sid))
            self.http().request("POST", PATH + "&sid=" + sid, TEXT, body="1")
            http.close()
        self.assertEqual({len(sid) for sid in sids}, {18})
        for place in range(18):
            self.assertGreater(len({sid[place] for sid in sids}), 150)
        steps = [
            int.from_bytes(b, "big") - int.from_bytes(a, "big") for a, b in zip(sids, sids[1:])
        ]
        self.assertEqual(len(set(steps)), len(steps))

    def test_112_methods(self) -> None:
        """#112 socket.io: PUT, DELETE, PATCH, POST without sid -> 400 with code 2"""
        session = self.polling()
        for method in ("PUT", "DELETE", "PATCH"):
            body = b"" if method == "DELETE" else b"40"
            self.assert_code(2, method, PATH, body)
            self.assert_code(2, method, session.path, body)
        self.assert_code(2, "POST", PATH, b"40")
        session.post("3")

    def test_113_two_polls(self) -> None:
        """#113 socket.io: a second poll while one waits -> 400, the first ends with `1`, all closed"""
        session = self.polling()
        session.ask_poll()
        eventually("the poll to wait", lambda: self.daemon.counter("peers") > 1)
        self.probe.check()
        self.assert_code(3, "GET", session.path)
        self.assertEqual(session.polls.response().body, b"1")
        self.assertTrue(session.is_gone())

    def test_114_a_poll_that_is_broken_off(self) -> None:
        """#114 socket.io: a poll broken off by the client -> closed; what was missed comes by `since`"""
        session = self.polling()
        trainer = self.trainer()
        trainer.ask(progress(self.run_id, {"i": 1}))
        session.emit("subscribe_session", {"sessionId": self.run_id})
        self.assertEqual(session.event("progress_update")["offset"], 1)
        session.ask_poll()
        self.probe.check()
        session.polls.close()
        eventually("the session to be closed", session.is_gone)
        trainer.ask(progress(self.run_id, {"i": 2}), progress(self.run_id, {"i": 3}))
        again = self.polling()
        again.emit("subscribe_session", {"sessionId": self.run_id, "since": 1})
        self.assertEqual([again.event("progress_update")["offset"] for _ in range(2)], [2, 3])

    def test_115_two_posts(self) -> None:
        """#115 socket.io: a second POST while one is being sent -> 400, the session is closed"""
        session = self.polling()
        slow = self.http()
        slow.send(request("POST", session.path, TEXT, body="3" + SEPARATOR + "3")[:-1])
        self.probe.check()
        answer = session.try_post("3")
        self.assertEqual(answer.status, 400)
        slow.send("3")
        self.assertEqual(slow.response().status, 400)
        self.assertTrue(session.is_gone())

    def test_116_posts_beyond_the_limit(self) -> None:
        """#116 socket.io: a POST over maxPayload, announced or chunked -> 413 or 501, body not read"""
        session = self.polling()
        at_limit = "4" + "2" * (PAYLOAD_MAX - 1)
        head = request("POST", session.path, TEXT, "Content-Length: %d" % (PAYLOAD_MAX + 1))
        head = head.replace(b"Content-Length: 0\r\n", b"")
        http = self.http()
        http.send(head)
        self.assertEqual(http.response().status, 413)
        self.assertTrue(http.is_closed())
        self.assertEqual(session.try_post("3").status, 200)
        self.assertNotEqual(session.try_post(at_limit).status, 413)
        self.assertTrue(session.is_gone())

    def test_117_content_types(self) -> None:
        """#117 socket.io: a POST of another type than text/plain, or of none -> 400"""
        for headers in (
            ("Content-Type: application/octet-stream",), ("Content-Type: multipart/form-data; boundary=x",),
            ("Content-Type: application/json",), ("Content-Type: text/html",), ("X-None: 1",),
            ("Content-Type: text/plainer",), ("Content-Type: ",),
        ):  # fmt: skip
            session = self.polling()
            self.assertEqual(session.try_post("3", *headers).status, 400, headers)
        for good in (
            "text/plain",
            "text/plain;charset=UTF-8",
            "text/plain; charset=utf-8",
            "Text/Plain",
        ):
            self.assertEqual(
                self.polling().try_post("3", "Content-Type: " + good).status, 200, good
            )

    def test_118_payloads_that_are_none(self) -> None:
        """#118 socket.io: empty, separators, 20,000 packets, bad base64, bad UTF-8 -> 400 and closed"""
        for body in (
            b"", b"\x1e", b"\x1e" * 100, b"3\x1e", b"\x1e3", b"3\x1e\x1e3", b"3\x1e" * 20_000 + b"3", b"b", b"b*",
            b"b====", b"bAA", b"bAAA=A", b"7", b"x", b"3\x1e9", b"4\xff\xfe", b"\xc0\xaf", b"\0", b"4\xed\xa0\x80",
        ):  # fmt: skip
            with self.subTest(body=body[:20]):
                session = self.polling()
                self.assertEqual(session.try_post(body).status, 400)
                self.assertTrue(session.is_gone())

    def test_119_many_packets_for_one_poll(self) -> None:
        """#119 socket.io: 100 packets wait -> 16 a poll at most, in order"""
        session = self.polling()
        for i in range(100):
            session.post('42%d["subscribe_session",{"sessionId":"a"}]' % i)
        packets: List[str] = []
        while len(packets) < 100:
            some = session.poll().body.decode().split(SEPARATOR)
            self.assertLessEqual(len(some), 16)
            packets += some
        self.assertEqual(
            packets, ['43%d[{"success":true,"sessionId":"a"}]' % i for i in range(100)]
        )

    def test_123_events_during_the_upgrade(self) -> None:
        """#123 socket.io: events between probe and upgrade -> each once, in order, on one road"""
        session = self.polling()
        trainer = self.trainer()
        trainer.start(self.run_id)
        session.emit("subscribe_session", {"sessionId": self.run_id})
        session.event("session_status")

        def complete(first: int, count: int) -> None:
            line = {"type": "model_completed", "sessionId": self.run_id}
            trainer.ask(*({**line, "modelIndex": first + i} for i in range(count)))

        complete(0, 10)
        ws = self.websocket(WS + "&sid=" + session.sid)
        complete(10, 10)
        ws.text("2probe")
        self.assertEqual(ws.message().payload, b"3probe")
        complete(20, 10)
        drained: List[str] = session.waiting
        while drained[-1:] != ["6"]:
            drained += session.poll().body.decode().split(SEPARATOR)
        ws.text("5")
        complete(30, 10)
        packets = [p for p in drained if p.startswith('42["model_completed"')]
        while len(packets) < 40:
            packets.append(ws.message().payload.decode())
        indices = [json.loads(p[2:])[1]["modelIndex"] for p in packets]
        self.assertEqual(indices, list(range(40)))

    def test_124_polls_during_the_upgrade(self) -> None:
        """#124 socket.io: polls after the probe -> each ended by a noop at once"""
        session = self.polling()
        self.upgrade(session)
        for _ in range(5):
            self.assertEqual(session.poll().body, b"6")
        waiting = self.polling()
        waiting.ask_poll()
        self.probe.check()
        self.upgrade(waiting)
        self.assertEqual(waiting.polls.response().body, b"6")

    def test_125_after_the_upgrade(self) -> None:
        """#125 socket.io: a second WebSocket, a poll, a post after the upgrade -> refused, first goes on"""
        session = self.polling()
        ws = self.upgrade(session)
        during = self.websocket(WS + "&sid=" + session.sid)
        self.assertIn(during.close_code(), (1008, DROPPED))
        ws.text("5")
        ws.text('421["subscribe_session",{"sessionId":"a"}]')
        self.assertEqual(ws.message().payload, b'431[{"success":true,"sessionId":"a"}]')
        after = self.websocket(WS + "&sid=" + session.sid)
        self.assertIn(after.close_code(), (1008, DROPPED))
        self.assert_code(3, "GET", session.path)
        self.assert_code(3, "POST", session.path, b"40")
        ws.text('422["unsubscribe_session",{"sessionId":"a"}]')
        self.assertEqual(ws.message().payload, b'432[{"success":true,"sessionId":"a"}]')

    def test_136_a_sid_of_another_daemon(self) -> None:
        """#136 socket.io: a sid of another node, without sticky sessions -> code 1; WebSocket works"""
        self.assert_code(1, "GET", PATH + "&sid=" + base64.urlsafe_b64encode(b"n" * 18).decode())
        ws = self.websocket(WS)
        self.assertEqual(ws.message().payload[:1], b"0")

    def test_138_clients_of_every_age(self) -> None:
        """#138 socket.io: EIO 3 (clients 2.x) -> 400 code 5; EIO 4 with odd queries -> served"""
        self.assert_code(5, "GET", "/socket.io/?EIO=3&transport=polling&t=abc&b64=1")
        for more in ("&t=NaN", "&b64=1", "&j=0", "&t=%F0%9F%99%82", "&&&", "&sid"):
            answer = self.http().request("GET", PATH + more)
            self.assertIn(answer.status, (200, 400), more)
        crowd = [self.http() for _ in range(50)]
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda http: http.request("GET", PATH), crowd))
        self.assertEqual({a.status for a in answers}, {200})


if __name__ == "__main__":
    unittest.main()
