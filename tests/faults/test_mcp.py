# SPDX-License-Identifier: MIT
"""The agents' door: bad headers, sizes and JSON, over HTTP and on the Unix socket. The right code
each time, and nobody else notices."""

import json
import random
import socket
import unittest
from typing import Any, Dict, List

from harness import FaultTest

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
MODERN = ("MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/list")


def message(**members: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", **members})


GOOD = message(params={"_meta": META})

# What comes as a body, and the code that answers it.
BODIES = {
    "": -32700,
    "{": -32700,
    "nul\0l": -32700,
    '{"jsonrpc":"2.0","id":1e,"method":"x"}': -32700,
    '{"jsonrpc":"2.0","id":1,"method":"\\ud800"}': -32700,
    "[" * 100000: -32700,
    "[]": -32600,
    "[%s]" % GOOD: -32600,
    "{}": -32600,
    '"%s"' % ("x" * 100000): -32600,
    message(id=None): -32600,
    message(id={"a": 1}): -32600,
    message(id="x" * 1000): -32600,
    message(params=[]): -32600,
    message(params={"_meta": 7}): -32602,
    message(params={"_meta": {**META, "io.modelcontextprotocol/protocolVersion": 7}}): -32602,
    message(params={"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}): -32602,
    message(method="x" * 100000, params={"_meta": META}): -32020,
    message(params={"_meta": META, "cursor": "x"}): -32602,
    message(params={"_meta": META, "n": int("9" * 80)}): -32700,
}


class Door(FaultTest):
    def code(self, body: str, *headers: str) -> int:
        answer = self.http().request("POST", "/mcp", *headers, body=body)
        self.assertIn(answer.status, (200, 400), body[:200])
        return answer.json().get("error", {}).get("code", 0)

    def test_bodies_that_are_wrong_in_some_way(self) -> None:
        """each is answered with the code of what is wrong with it"""
        for body, code in BODIES.items():
            self.assertEqual(self.code(body, *MODERN), code, body[:200])
        self.assertEqual(self.code(GOOD, *MODERN), 0)

    def test_headers_that_are_wrong_in_some_way(self) -> None:
        """a header that is missing, long or of other bytes -> -32020, and no crash"""
        for headers in (
            ("MCP-Protocol-Version: 2026-07-28",),
            ("Mcp-Method: tools/list",),
            ("MCP-Protocol-Version: 2026-07-28", "Mcp-Method: " + "x" * 2000),
            ("MCP-Protocol-Version: 2026-07-28\xff", "Mcp-Method: tools/list"),
        ):
            self.assertEqual(self.code(GOOD, *headers), -32020, headers)
        for name in ("=?base64?", "=?base64??=", "=?base64?!!?=", "?=", "=?base64?eA?="):
            call = message(method="tools/call", params={"_meta": META, "name": "x"})
            headers = (MODERN[0], "Mcp-Method: tools/call", "Mcp-Name: " + name)
            self.assertEqual(self.code(call, *headers), -32020, name)

    def test_a_body_past_the_limit(self) -> None:
        """more than --max-payload -> 413, at the limit it is read"""
        self.assertEqual(
            self.http().request("POST", "/mcp", *MODERN, body=" " * 1000001).status, 413
        )
        padded = GOOD + " " * (1000000 - len(GOOD))
        self.assertEqual(self.code(padded, *MODERN), 0)

    def test_sessions_that_nobody_has(self) -> None:
        """odd ids and event ids -> 400, 404, or a stream of its own"""
        for session in ("x", "x" * 4000, "%00", "../x", "\xff\xfe"):
            for method in ("GET", "DELETE"):
                answer = self.http().request(method, "/mcp", "Mcp-Session-Id: " + session)
                self.assertEqual(answer.status, 404, session[:50])
        begins = message(method="initialize", params={"protocolVersion": "x"})
        for last in ("1", "-", "0-", "-1", "0-99999999999999999999", "\xff", "9" * 3000):
            begun = self.http().request("POST", "/mcp", body=begins)
            stream = self.http()
            stream.send(
                "GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nMcp-Session-Id: %s\r\nLast-Event-ID: %s"
                "\r\n\r\n" % (begun.headers["mcp-session-id"], last)
            )
            self.assertEqual(stream.head().headers["content-type"], "text/event-stream", last[:50])

    def test_more_sessions_than_allowed(self) -> None:
        """a thousand of them -> 256 are kept"""
        begins = message(method="initialize", params={"protocolVersion": "2025-06-18"})
        http = self.http()
        for _ in range(1000):
            self.assertEqual(http.request("POST", "/mcp", body=begins).status, 200)
        self.assertLessEqual(self.daemon.counter("mcp_sessions"), 256)

    def test_messages_that_are_changed_at_random(self) -> None:
        """bytes flipped, cut and doubled -> an answer each time"""
        chance = random.Random(7)
        http = self.http()
        for _ in range(2000):
            body = bytearray(GOOD.encode())
            for _ in range(chance.randrange(1, 6)):
                at = chance.randrange(len(body))
                body[at : at + chance.randrange(3)] = bytes([chance.randrange(256)])
            answer = http.request("POST", "/mcp", *MODERN, body=bytes(body))
            self.assertIn(answer.status, (200, 202, 400, 404))


class Pipe(FaultTest):
    def agent(self, greeting: str = '{"type":"mcp"}') -> socket.socket:
        agent = socket.socket(socket.AF_UNIX)
        self.addCleanup(agent.close)
        agent.settimeout(15)
        agent.connect(self.daemon.socket_path)
        agent.sendall(greeting.encode() + b"\n")
        return agent

    def lines(self, agent: socket.socket) -> List[Dict[str, Any]]:
        """All that is said until the daemon closes."""
        agent.shutdown(socket.SHUT_WR)
        text = b""
        while piece := agent.recv(65536):
            text += piece
        return [json.loads(line) for line in text.splitlines()]

    def test_lines_that_are_wrong_in_some_way(self) -> None:
        """each is answered with the code of what is wrong with it, in order"""
        agent = self.agent()
        bodies = {b: c for b, c in BODIES.items() if "\0" not in b and b and "x" * 100000 not in b}
        for body in bodies:
            agent.sendall(body.encode() + b"\n")
        codes = [said["error"]["code"] for said in self.lines(agent)[1:]]
        self.assertEqual(codes, list(bodies.values()))

    def test_all_in_one_piece_with_the_greeting(self) -> None:
        """requests that come with the greeting -> answered as those that come later"""
        agent = self.agent('{"type":"mcp"}\n' + GOOD + "\n" + GOOD)
        said = self.lines(agent)
        self.assertEqual([sorted(one) for one in said[1:]], [["id", "jsonrpc", "result"]] * 2)

    def test_a_line_past_the_limit(self) -> None:
        """more than --max-payload -> -32600, and the next one is as welcome as ever"""
        agent = self.agent()
        agent.sendall(b"x" * 1000001 + b"\n" + GOOD.encode() + b"\n")
        said = self.lines(agent)
        self.assertEqual(said[1]["error"]["code"], -32600)
        self.assertIn("tools", said[2]["result"])

    def test_who_sends_and_does_not_read(self) -> None:
        """ten thousand requests ahead -> it is not read either; then all are answered"""
        agent = self.agent()
        agent.settimeout(0.2)
        asked = 0
        try:
            for _ in range(10000):
                agent.sendall(GOOD.encode() + b"\n")
                asked += 1
        except socket.timeout:
            pass
        self.assertLess(self.daemon.rss_bytes(), 256 << 20)
        agent.close()

    def test_a_greeting_that_is_none(self) -> None:
        """an endpoint that is not there, or not a string -> a trainer's error"""
        for greeting in ('{"type":"mcp","endpoint":"/x"}', '{"type":"mcp"', '{"type":"mcpx"}'):
            said = self.lines(self.agent(greeting))
            self.assertEqual(said[0]["type"], "error", greeting)


if __name__ == "__main__":
    unittest.main()
