# SPDX-License-Identifier: MIT
"""WebSocket, #83-#88, #97, #108: the way in."""

import re
import socket
import unittest
import zlib
from typing import Optional

from harness import FaultTest
from http_wire import request
from websocket import TEXT, WebSocket, handshake

OURS = "http://dash.example"
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
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

    def test_083_handshakes_that_are_none(self) -> None:
        """#83 ws: no or bad key, version, method, Connection, HTTP/1.0 -> 400, 405 or 426 naming 13"""
        for path in ("/ws", "/socket.io/?EIO=4&transport=websocket"):
            for key in (
                (),
                ("Sec-WebSocket-Key: short",),
                ("Sec-WebSocket-Key: " + "A" * 200,),
                ("Sec-WebSocket-Key:",),
            ):
                self.assert_refused(request("GET", path, *UPGRADE, VERSION, *key), 0, 400)
            for version in (
                (),
                ("Sec-WebSocket-Version: 12",),
                ("Sec-WebSocket-Version: abc",),
                ("Sec-WebSocket-Version: 130",),
            ):
                refused = self.assert_refused(request("GET", path, *UPGRADE, KEY, *version), 426)
                self.assertIn(b"\r\nSec-WebSocket-Version: 13\r\n", refused)
            self.assert_refused(request("POST", path, *UPGRADE, KEY, VERSION), 400, 405)
            old = handshake(path).replace(b"HTTP/1.1", b"HTTP/1.0")
            self.assert_refused(old, 400, 426)
            lonely = request("GET", path, "Upgrade: websocket", KEY, VERSION)
            http = self.http()
            http.send(lonely)
            self.assertIn(http.response().status, (400, 426))
        self.assert_refused(handshake("/nowhere"), 404)

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

    def offered(self, offer: str) -> Optional[str]:
        """What is answered to this offer; frames are then read and inflated by it."""
        ws = self.websocket("/ws?sessionId=probe", "Sec-WebSocket-Extensions: " + offer)
        answer = ws.response.headers.get("sec-websocket-extensions")
        compressed = 0
        inflater = zlib.decompressobj(-13)
        for _ in range(4):
            got = ws.frame()
            if got.rsv:
                self.assertIsNotNone(answer, "compressed, and nothing was agreed")
                if "server_no_context_takeover" in (answer or ""):
                    inflater = zlib.decompressobj(-13)
                text = inflater.decompress(got.payload + b"\0\0\xff\xff")
                self.assertTrue(text.startswith(b'{"event":'))
                compressed += 1
        self.assertEqual(compressed > 0, answer is not None)
        return answer

    def test_097_offers_of_compression(self) -> None:
        """#97 ws: permessage-deflate with bad parameters -> declined; with good ones -> kept to"""
        p = "permessage-deflate"
        for good in (
            "client_max_window_bits", "client_no_context_takeover", "client_max_window_bits=15",
            "server_no_context_takeover; client_no_context_takeover", 'client_max_window_bits="10"',
        ):  # fmt: skip
            answer = self.offered("%s; %s" % (p, good))
            assert answer
            self.assertRegex(answer, r"^permessage-deflate; .*client_no_context_takeover")
            self.assertEqual(
                "server_no_context_takeover" in good, "server_no_context_takeover" in answer
            )
        for bad in (
            "unknown", "client_max_window_bits=7", "client_max_window_bits=16", "client_max_window_bits=x",
            "client_max_window_bits=", "client_no_context_takeover=1", "server_max_window_bits=20",
            "server_no_context_takeover; server_no_context_takeover", "client_max_window_bits=08", 'client_max_window_bits="15', "client_max_window_bits=\"\"",
            "client_max_window_bits; client_max_window_bits", "server_max_window_bits", ";", "=",
        ):  # fmt: skip
            with self.subTest(offer=bad):
                self.assertIsNone(self.offered("%s; %s" % (p, bad)))
        for other in (
            "x-webkit-deflate-frame",
            "permessage-bzip2",
            "permessage-deflat",
            ",",
            "foo=bar",
        ):
            self.assertIsNone(self.offered(other))
        fallback = self.offered(
            "%s; server_max_window_bits=10, %s; client_max_window_bits" % (p, p)
        )
        self.assertTrue(fallback is None or re.match(r"^permessage-deflate; ", fallback))

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
