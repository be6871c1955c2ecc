# SPDX-License-Identifier: MIT
"""A trainer as bytes on the Unix socket."""

import json
import socket
from typing import Any, Dict, List, Optional, Union

Json = Dict[str, Any]


def progress(session: str, metrics: Json, **more: Any) -> Json:
    return {"type": "progress", "sessionId": session, "metrics": metrics, **more}


class Trainer:
    def __init__(self, path: str) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(15.0)
        self.sock.connect(path)
        self.received = b""

    def close(self) -> None:
        self.sock.close()

    def raw(self, data: Union[str, bytes]) -> None:
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def send(self, *lines: Union[Json, str, bytes]) -> None:
        """Lines with their ends; a dict is written as JSON."""
        whole = b""
        for line in lines:
            text = json.dumps(line) if isinstance(line, dict) else line
            whole += (text.encode() if isinstance(text, str) else text) + b"\n"
        self.raw(whole)

    def answer(self) -> Optional[Json]:
        """The next line of the daemon's; None when it has hung up."""
        while b"\n" not in self.received:
            try:
                piece = self.sock.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                return None
            self.received += piece
        line, _, self.received = self.received.partition(b"\n")
        answer: Json = json.loads(line)
        return answer

    def answers(self) -> List[Json]:
        """All that comes until the daemon hangs up."""
        return list(iter(self.answer, None))

    def ask(self, *lines: Union[Json, str, bytes]) -> List[Json]:
        """What these lines are answered: all that comes before the answer to a ping after them."""
        self.send(*lines, {"type": "ping"})
        answers: List[Json] = []
        for answer in iter(self.answer, None):
            if answer["type"] == "pong":
                return answers
            answers.append(answer)
        raise ConnectionError("the daemon hung up after %r" % answers)

    def acked(self, session: str) -> int:
        """Read on to the next acknowledgement of this session."""
        for answer in iter(self.answer, None):
            if answer["type"] == "ack" and answer["sessionId"] == session:
                return int(answer["seq"])
        raise ConnectionError("the daemon hung up before an acknowledgement")

    def refusal(self, line: Union[Json, str, bytes]) -> Json:
        """The one error that this line is answered, on a connection that goes on."""
        answers = self.ask(line)
        if len(answers) != 1 or answers[0]["type"] != "error":
            raise AssertionError("%.120r was answered %r" % (line, answers))
        return answers[0]

    def start(self, session: str, **more: Any) -> Json:
        self.send({"type": "start", "sessionId": session, **more})
        answer = self.answer()
        if not answer or answer["type"] != "started":
            raise AssertionError("start was answered %r" % answer)
        return answer
