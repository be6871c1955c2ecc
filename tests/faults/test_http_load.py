# SPDX-License-Identifier: MIT
"""HTTP, #50, #76-#78: many requests, many connections, and more than may be."""

import resource
import socket
import struct
import time
import unittest
from typing import List

from harness import FaultTest, eventually
from http_wire import Http, request
from trainer_wire import progress

CONNECTIONS_MAX = 60


class Load(FaultTest):
    def test_050_pipelined_requests(self) -> None:
        """#50 http: 5,000 pipelined requests, answers unread -> memory bounded; then all, in order"""
        before = self.daemon.rss_bytes()
        sock = socket.socket()
        self.addCleanup(sock.close)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(15)
        sock.connect(("127.0.0.1", self.daemon.port))
        sock.setblocking(False)
        whole = b"".join(request("GET", "/p%d" % i) for i in range(5000))
        sent = 0
        stalled = time.monotonic()
        while sent < len(whole) and time.monotonic() - stalled < 1:
            try:
                sent += sock.send(whole[sent : sent + 65536])
                stalled = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        self.probe.check()
        self.assertLess(self.daemon.rss_bytes() - before, 16 << 20)
        sock.settimeout(15)
        http = Http(sock)
        for _ in range(whole[:sent].count(b"\r\n\r\n")):
            self.assertEqual(http.response().status, 404)
        self.daemon.check_alive()

    def test_050_pipelined_large_answers(self) -> None:
        """#50 http: 500 pipelined requests for 100 KB each, unread -> memory bounded, others served"""
        trainer = self.trainer()
        trainer.ask(*(progress("large", {"x%d" % j: j for j in range(100)}) for _ in range(100)))
        before = self.daemon.rss_bytes()
        https = []
        for _ in range(10):
            http = self.http()
            http.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            http.send(request("GET", "/api/training/history/large") * 50)
            https.append(http)
        self.probe.check()
        self.assertLess(self.daemon.rss_bytes() - before, 32 << 20)
        for _ in range(50):
            self.assertEqual(https[0].response().status, 200)

    def test_076_connections_that_come_and_go(self) -> None:
        """#76 http: 4,000 connects and closes at once (of 10,000 a second) -> accept keeps up, no leak"""
        before = self.daemon.fds()
        start = time.monotonic()
        for i in range(4000):
            sock = self.daemon.connect()
            if i % 4 == 1:
                sock.sendall(request("GET", "/health"))
            elif i % 4 == 2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif i % 4 == 3:
                sock.sendall(b"GET /hea")
            sock.close()
        self.assertLess(time.monotonic() - start, 10)
        eventually("all descriptors to be closed", lambda: self.daemon.fds() <= before)
        self.assertEqual(self.daemon.get("/health").status, 200)


class ConnectionLimit(FaultTest):
    options = ("--max-connections", str(CONNECTIONS_MAX))

    def test_077_more_than_max_connections(self) -> None:
        """#77 http: more connections than --max-connections -> the excess is refused, no busy loop"""
        before = self.daemon.counter("connections_refused")
        opened: List[Http] = [self.http() for _ in range(2 * CONNECTIONS_MAX)]
        refused = sum(not self.is_served(http) for http in opened)
        self.assertGreaterEqual(refused, CONNECTIONS_MAX)
        self.probe.check()
        cpu, start = self.daemon.cpu_s(), time.monotonic()
        time.sleep(0.5)
        self.assertLess((self.daemon.cpu_s() - cpu) / (time.monotonic() - start), 0.5)
        for http in opened:
            http.close()
        eventually("a place", self.has_place)
        self.assertGreaterEqual(self.daemon.counter("connections_refused"), before + refused)

    def is_served(self, http: Http) -> bool:
        try:
            return http.request("GET", "/health").status == 200
        except ConnectionError:
            return False

    def has_place(self) -> bool:
        http = self.daemon.http()
        try:
            return self.is_served(http)
        finally:
            http.close()


class DescriptorLimit(FaultTest):
    limits = ((resource.RLIMIT_NOFILE, 200),)

    def test_077_more_than_descriptors(self) -> None:
        """#77 http: more connections than `ulimit -n` -> refused, no busy loop, trainers still come in"""
        opened = [self.http() for _ in range(400)]
        self.probe.check()
        cpu, start = self.daemon.cpu_s(), time.monotonic()
        time.sleep(0.5)
        self.assertLess((self.daemon.cpu_s() - cpu) / (time.monotonic() - start), 0.5)
        self.assertEqual(self.trainer().ask(progress("reserved", {"loss": 1})), [])
        self.assertLess(self.daemon.log().count("\n"), 100)
        for http in opened:
            http.close()
        eventually("the descriptors to be closed", lambda: self.daemon.fds() < 60)
        self.assertEqual(self.daemon.get("/health").status, 200)


class OneAddress(FaultTest):
    def test_078_a_flood_of_handshakes(self) -> None:
        """#78 http: 1,000 handshakes of one address at once -> others go on; past an address's limit: addresses.test.ts"""
        opened = [self.websocket("/ws?sessionId=a") for _ in range(1000)]
        self.probe.check()
        for ws in opened:
            ws.close()


if __name__ == "__main__":
    unittest.main()
