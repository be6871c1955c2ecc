# SPDX-License-Identifier: MIT
"""#47-#49, #90, #105, #106, #121, #122: clients that take their time, all of them at once.

Every test waits for its own to be cut. The catalogue's thousands of connections are scaled; header,
body and upgrade timeouts are the daemon's own, those of heartbeat and CONNECT are options.
"""

import socket
import threading
import time
import unittest
from concurrent.futures import Future, ThreadPoolExecutor
from typing import List, Optional, Sequence

from harness import FaultTest, eventually
from http_wire import request
from polling import Polling
from websocket import DROPPED, TEXT, WebSocket, close_code_in, frame

PING_S, PONG_S, CONNECT_S = 7.0, 6.0, 4.0
HEADERS_S = 20.0
BODY_S = 25.0
UPGRADE_S = 10.0
TIMED_OUT = 4009
SIO_WS = "/socket.io/?EIO=4&transport=websocket"


class Held:
    """A connection that is kept, and fed a little each time, until the daemon cuts it."""

    def __init__(self, sock: socket.socket, first: bytes = b"", drip: bytes = b"") -> None:
        self.sock = sock
        self.drip = drip
        self.received = b""
        self.opened = time.monotonic()
        self.held_for_s = 0.0  # it was still there then
        self.cut_after_s: Optional[float] = None
        sock.sendall(first)
        sock.setblocking(False)

    def tend(self) -> None:
        """Reads first: what was said before the cut counts, and a drip would meet the reset."""
        looked = time.monotonic()
        try:
            if not self.drain():
                self.held_for_s = looked - self.opened
                if self.drip:
                    self.sock.send(self.drip)
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.cut_after_s = time.monotonic() - self.opened

    def drain(self) -> bool:
        """Takes what has come; True at the end of it."""
        while True:
            try:
                piece = self.sock.recv(65536)
            except BlockingIOError:
                return False
            if not piece:
                return True
            self.received += piece


class Deadlines(FaultTest):
    options = (
        "--ping-interval-ms",
        "%d" % (PING_S * 1000),
        "--ping-timeout-ms",
        "%d" % (PONG_S * 1000),
        "--connect-timeout-ms",
        "%d" % (CONNECT_S * 1000),
    )
    held: List[Held]
    slow_headers: List[Held]
    slow_bodies: List[Held]
    silent: List[Held]
    promising: List[Held]  # frames whose bytes never come
    mute: List[Held]  # no pongs
    undecided: List[Held]  # no subscribe, no CONNECT
    probes: List[Held]
    stalled: List[Polling]  # the sessions of the probes
    waits: ThreadPoolExecutor
    mute_polling: "Future[float]"
    undecided_polling: "Future[float]"
    going_on: "List[Future[None]]"
    rss_before: int
    ending: threading.Event
    tender: threading.Thread

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.held = []
        cls.hold_requests()
        cls.hold_websockets()
        cls.waits = ThreadPoolExecutor()
        cls.mute_polling = cls.waits.submit(cls.wait_for_the_end, cls.open_polling(True))
        cls.undecided_polling = cls.waits.submit(cls.wait_for_the_end, cls.open_polling(False))
        # One never says 2probe, one never says 5.
        cls.stalled = [cls.open_polling(True) for _ in range(2)]
        cls.probes = [cls.hold_ws(SIO_WS + "&sid=" + s.sid) for s in cls.stalled]
        cls.probes[1].sock.send(frame(TEXT, "2probe"))
        cls.going_on = [
            cls.waits.submit(cls.go_on_after, *pair) for pair in zip(cls.stalled, cls.probes)
        ]
        cls.ending = threading.Event()
        cls.tender = threading.Thread(target=cls.tend_all, daemon=True)
        cls.tender.start()

    @classmethod
    def hold(cls, count: int, first: bytes = b"", drip: bytes = b"") -> List[Held]:
        held = [Held(cls.daemon.connect(), first, drip) for _ in range(count)]
        cls.held += held
        return held

    @classmethod
    def hold_requests(cls) -> None:
        head = "POST /api/training/ingest HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n"
        cls.slow_headers = cls.hold(200, request("GET", "/health", "X: ")[:-4], b"x")
        cls.slow_headers += cls.hold(20, b"GET /", b"x")
        cls.slow_bodies = cls.hold(50, head.encode() + b"\r\n", b"\n")
        cls.silent = cls.hold(300)

    @classmethod
    def hold_ws(cls, path: str, first: bytes = b"", drip: bytes = b"") -> Held:
        ws = WebSocket(cls.daemon.connect(), path)
        held = Held(ws.http.sock, first, drip)
        held.received = ws.http.received
        cls.held.append(held)
        return held

    @classmethod
    def hold_websockets(cls) -> None:
        declared = [frame(TEXT, "xxxx", declared=n) for n in (1 << 30, 1 << 62, 1 << 63)]
        cls.rss_before = cls.daemon.rss_bytes()
        cls.promising = [cls.hold_ws("/ws?sessionId=a", declared[i % 3]) for i in range(99)]
        subscribed = "/ws?sessionId=a"
        again = frame(TEXT, '{"event":"subscribe_session","data":{"sessionId":"a"}}')
        cls.mute = [
            cls.hold_ws(subscribed),
            cls.hold_ws(subscribed, drip=again),
            cls.hold_ws(SIO_WS, frame(TEXT, "40")),
            cls.hold_ws(
                SIO_WS, frame(TEXT, "40"), frame(TEXT, '42["subscribe_session",{"sessionId":"a"}]')
            ),
        ]
        cls.undecided = [cls.hold_ws("/ws"), cls.hold_ws("/ws", drip=frame(TEXT, "{}"))]
        cls.undecided += [cls.hold_ws(SIO_WS), cls.hold_ws(SIO_WS, drip=frame(TEXT, "3"))]

    @classmethod
    def open_polling(cls, connect: bool) -> Polling:
        session = Polling(cls.daemon.http(), cls.daemon.http(), connect=connect)
        cls.addClassCleanup(session.close)
        return session

    @staticmethod
    def wait_for_the_end(session: Polling) -> float:
        """Poll until the daemon closes the session, and never answer a ping."""
        start = time.monotonic()
        while session.poll().body != b"1":
            pass
        if not session.is_gone():
            raise AssertionError("the session was closed and is still there")
        return time.monotonic() - start

    @classmethod
    def go_on_after(cls, session: Polling, probe: Held) -> None:
        """Once the probe was cut: is polling what it was, and may another probe come?"""
        eventually("the probe to be cut", lambda: probe.cut_after_s is not None)
        cls.check_going_on(session)
        again = WebSocket(cls.daemon.connect(), SIO_WS + "&sid=" + session.sid)
        cls.addClassCleanup(again.close)
        again.text("2probe")
        if again.message().payload != b"3probe":
            raise AssertionError("the second probe was not answered")

    @staticmethod
    def check_going_on(session: Polling) -> None:
        session.emit("subscribe_session", {"sessionId": "probe"})
        session.event("progress_update")

    @classmethod
    def tend_all(cls) -> None:
        while not cls.ending.wait(0.25):
            for held in cls.held:
                if held.cut_after_s is None:
                    held.tend()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.ending.set()
        cls.tender.join()
        cls.waits.shutdown()
        for held in cls.held:
            held.sock.close()
        super().tearDownClass()

    def assert_cut(self, held: Sequence[Held], before_s: float, after_s: float = 0.0) -> None:
        eventually("all of them to be cut", lambda: all(h.cut_after_s for h in held), before_s + 5)
        times = [h.cut_after_s or 0 for h in held]
        self.assertLess(max(h.held_for_s for h in held), before_s)
        self.assertGreater(min(times), after_s)

    def probing(self, session: Polling) -> WebSocket:
        """The WebSocket that may take over from polling."""
        return self.websocket(SIO_WS + "&sid=" + session.sid)

    def test_047_slow_headers(self) -> None:
        """#47 http: 220 connections (of 300-5,000) that drip header bytes -> each cut in time"""
        self.assert_cut(self.slow_headers, HEADERS_S)

    def test_048_slow_bodies(self) -> None:
        """#48 http: 50 POSTs that drip their bodies -> 408 at the body's deadline"""
        self.assert_cut(self.slow_bodies, BODY_S)
        for held in self.slow_bodies:
            self.assertTrue(held.received.startswith(b"HTTP/1.1 408 "))

    def test_049_silent_connections(self) -> None:
        """#49 http: 300 connections that never send -> each cut within the header timeout"""
        self.assert_cut(self.silent, HEADERS_S)

    def test_090_promised_lengths(self) -> None:
        """#90 ws: 99 frames that declare 1 GiB, 2^62, 2^63, then silence -> 1009 or cut, nothing held"""
        self.assert_cut(self.promising, PING_S + PONG_S + 3)
        self.assertLess(self.daemon.rss_bytes() - self.rss_before, 16 << 20)
        self.assertLessEqual(
            {close_code_in(h.received) for h in self.promising}, {1009, 1002, DROPPED}
        )

    def test_105_no_pong(self) -> None:
        """#105 ws: no pong, silent or talking -> closed at interval + timeout, within a second"""
        self.assert_cut(self.mute[:2], PING_S + PONG_S + 1, PING_S + PONG_S - 1)
        self.assertEqual([close_code_in(h.received) for h in self.mute[:2]], [TIMED_OUT] * 2)

    def test_106_no_wish(self) -> None:
        """#106 ws: neither subscribed nor CONNECTed -> closed at the connect timeout"""
        self.assert_cut(self.undecided, CONNECT_S + 1, CONNECT_S - 1)
        self.assertEqual([close_code_in(h.received) for h in self.undecided], [TIMED_OUT] * 4)
        self.assertAlmostEqual(self.undecided_polling.result(), CONNECT_S, delta=1.5)

    def test_121_no_pong_over_socket_io(self) -> None:
        """#121 socket.io: no pong over WebSocket and polling -> closed at interval + timeout"""
        self.assert_cut(self.mute[2:], PING_S + PONG_S + 1, PING_S + PONG_S - 1)
        self.assertEqual([close_code_in(h.received) for h in self.mute[2:]], [TIMED_OUT] * 2)
        self.assertAlmostEqual(self.mute_polling.result(), PING_S + PONG_S, delta=1.5)

    def test_122_upgrades_that_come_to_nothing(self) -> None:
        """#122 socket.io: probe or `5` never sent -> polling goes on; the slot is free after 10 s"""
        self.assert_cut(self.probes, UPGRADE_S + 3, UPGRADE_S - 1)
        self.assertEqual(self.probes[0].received, b"")
        self.assertEqual(self.probes[1].received, b"\x81\x063probe")
        for future in self.going_on:
            future.result()

    def test_122_probes_that_go_wrong(self) -> None:
        """#122 socket.io: wrong probe, `5` without a probe, close in the middle -> polling goes on"""
        for wrong in (
            ["2prob"],
            ["5"],
            ["2probe", "4hello"],
            ["2probe", "2probe2"],
            [""],
            ["2probe", None],
        ):
            session = Polling(self.http(), self.http())
            ws = self.probing(session)
            for text in wrong:
                if text is None:
                    ws.close()
                else:
                    ws.text(text)
            if None not in wrong:
                self.assertEqual(ws.close_code(), DROPPED)
            self.check_going_on(session)


if __name__ == "__main__":
    unittest.main()
