# SPDX-License-Identifier: MIT
"""WebSocket, #84-#88, #108: the way in; what a handshake must be is in test_ws_rules."""

import socket
import unittest

from harness import FaultTest
from http_wire import request
from websocket import TEXT, WebSocket, handshake

OURS = "http://dash.example"
VERSION = "Sec-WebSocket-Version: 13"
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket")


class Handshake(FaultTest):
    options = (
        "--allow-origin", OURS, "--allow-anonymous", "--listen", "0.0.0.0:0", "--listen", "[::1]:0",
    )  # fmt: skip
    listeners = 3

    def assert_refused(self, text: bytes, *statuses: int) -> bytes:
        answered = self.exchange(text)
        status = int(answered[9:12]) if answered else 0
        self.assertIn(status, statuses, answered[:200])
        return answered

    def test_084_no_key_again_and_again(self) -> None:
        """#84 ws: 200 handshakes that libwebsockets itself refuses -> no crash, nothing left"""
        before = self.daemon.fds()
        for _ in range(200):
            self.assert_refused(request("GET", "/ws", *UPGRADE, VERSION), 0, 400)
        self.assertLessEqual(self.daemon.fds(), before + 1)

    def test_085_a_page_of_another_origin(self) -> None:
        """#85 ws: Origin not on the list, with a cookie -> 403 before the upgrade"""
        for path in ("/ws?sessionId=a", "/socket.io/?EIO=4&transport=websocket"):
            for origin in (
                "http://evil.example",
                "null",
                "https://dash.example",
                OURS + ".evil.example",
                "http://x",
            ):
                refused = self.assert_refused(
                    handshake(path, "Origin: " + origin, "Cookie: session=1"), 403
                )
                self.assertNotIn(b"Access-Control-Allow-Origin", refused)
            for origin in (OURS, "http://localhost:3000", "http://127.0.0.1"):
                self.websocket(path, "Origin: " + origin)
            self.websocket(path)

    def test_086_subprotocols(self) -> None:
        """#86 ws: unknown subprotocol, two, none -> never one echoed that is not known"""
        for offer in ("mqtt", "mqtt, graphql-ws", "chat,superchat", "a" * 300):
            http = self.http()
            http.send(handshake("/ws", "Sec-WebSocket-Protocol: " + offer))
            try:
                answer = http.head()
            except ConnectionError:
                continue
            self.assertIn(answer.status, (101, 400, 403), offer)
            self.assertNotIn("sec-websocket-protocol", answer.headers)
        self.assertNotIn("sec-websocket-protocol", self.websocket().response.headers)

    def test_087_many_extensions(self) -> None:
        """#87 ws: extensions of 300 octets -> dropped by lws 4.1.6 (known deviation), others served"""
        http = self.http()
        http.send(handshake("/ws", "Sec-WebSocket-Extensions: permessage-deflate; " + "x" * 300))
        answered = http.rest()
        self.assertNotIn(b" 101 ", answered)

    def test_088_unmasked_frames(self) -> None:
        """#88 ws: unmasked frames -> taken by lws 4.1.6 (known deviation), nothing is misread"""
        ws = self.websocket()
        ws.event("connection_established")
        ws.send(TEXT, '{"event":"subscribe_session","data":{"sessionId":"a"},"id":7}', masked=False)
        self.assertEqual(ws.event("ack"), {"success": True, "sessionId": "a"})

    def test_108_addresses(self) -> None:
        """#108 ws: IPv6, 127.0.0.2 and another listener -> all served"""
        for family, address, port in (
            (socket.AF_INET, ("127.0.0.1", 0), self.daemon.ports[0]),
            (socket.AF_INET, ("127.0.0.2", 0), self.daemon.ports[1]),
            (socket.AF_INET6, ("::1", 0), self.daemon.ports[2]),
        ):
            sock = socket.socket(family)
            self.addCleanup(sock.close)
            sock.settimeout(15)
            sock.bind(address)
            sock.connect((address[0], port))
            ws = WebSocket(sock, "/ws?sessionId=probe")
            self.assertEqual(ws.event("progress_update")["sessionId"], "probe")


if __name__ == "__main__":
    unittest.main()
