# SPDX-License-Identifier: MIT
"""Engine.IO 4 over long-polling, request by request, and Socket.IO's packets on it."""

import json
from typing import Any, List, Optional, Union

from http_wire import Http, Response

PATH = "/socket.io/?EIO=4&transport=polling"
SEPARATOR = "\x1e"
TEXT = "Content-Type: text/plain;charset=UTF-8"


class Polling:
    """One session. Each side has a keep-alive connection of its own, as browsers do."""

    def __init__(self, polls: Http, posts: Http, connect: bool = True) -> None:
        self.polls = polls
        self.posts = posts
        opened = polls.request("GET", PATH)
        if opened.status != 200:
            raise ConnectionError("not opened: %d" % opened.status)
        self.handshake = json.loads(opened.body[1:])
        self.sid: str = self.handshake["sid"]
        self.path = PATH + "&sid=" + self.sid
        self.waiting: List[str] = []
        if connect:
            self.post("40")
            self.packet("40")
            self.packet('42["connection_established"')

    def close(self) -> None:
        self.polls.close()
        self.posts.close()

    def poll(self) -> Response:
        return self.polls.request("GET", self.path)

    def ask_poll(self) -> None:
        """Send the GET; `self.polls.response()` is its answer."""
        self.polls.send("GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % self.path)

    def try_post(self, body: Union[str, bytes], *headers: str) -> Response:
        return self.posts.request("POST", self.path, *(headers or (TEXT,)), body=body)

    def post(self, *packets: str) -> None:
        answer = self.try_post(SEPARATOR.join(packets))
        if (answer.status, answer.body) != (200, b"ok"):
            raise ConnectionError("a post was answered %d %r" % (answer.status, answer.body))

    def packet(self, start: str) -> str:
        """Read on, answering pings, to the next packet that starts so."""
        while True:
            while self.waiting:
                packet = self.waiting.pop(0)
                if packet.startswith(start):
                    return packet
                if packet == "2":
                    self.post("3")
            answer = self.poll()
            if answer.status != 200:
                raise ConnectionError("a poll was answered %d %r" % (answer.status, answer.body))
            self.waiting += answer.body.decode().split(SEPARATOR)

    def event(self, name: str) -> Any:
        """The payload of the next event of that name."""
        return json.loads(self.packet('42["%s"' % name)[2:])[1]

    def emit(self, event: str, *args: Any, ack: Optional[int] = None) -> None:
        self.post("42%s%s" % ("" if ack is None else ack, json.dumps([event, *args])))

    def is_gone(self) -> bool:
        """Does the daemon not know this session any more?"""
        answer = self.try_post("3")
        return answer.status == 400 and answer.json()["code"] == 1
