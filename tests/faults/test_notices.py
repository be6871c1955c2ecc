# SPDX-License-Identifier: MIT
"""People who do not look are told: the daemon posts to a webhook, and nothing of it holds it up."""

import http.server
import json
import queue
import threading
import unittest
from typing import Any, Dict

from harness import Daemon
from trainer_wire import Trainer

WAIT_S = 20


class Receiver:
    """A webhook that takes what is posted."""

    def __init__(self) -> None:
        posted: "queue.Queue[Dict[str, Any]]" = queue.Queue()
        self.posted = posted

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posted.put(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Silent."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/hook" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Notices(unittest.TestCase):
    def run_into_trouble(self, daemon: Daemon) -> None:
        trainer = Trainer(daemon.socket_path)
        self.addCleanup(trainer.close)
        trainer.start("r", name="a run")
        for step in range(1, 9):
            loss = "NaN" if step > 5 else str(1 / step)
            trainer.send('{"type":"progress","metrics":{"step":%d,"loss":%s}}' % (step, loss))
        trainer.ask('{"type":"ping"}')

    def test_a_webhook_is_told_once_of_a_divergence(self) -> None:
        receiver = Receiver()
        self.addCleanup(receiver.close)
        daemon = Daemon("--webhook", receiver.url, "--quiet-hours", "00:00-23:59").listening()
        self.addCleanup(daemon.stop)
        self.run_into_trouble(daemon)
        told = [receiver.posted.get(timeout=WAIT_S) for _ in range(2)]
        self.assertEqual(sorted(one["kind"] for one in told), ["finding", "phase"])
        for one in told:
            self.assertEqual(one["session"], "r")
            self.assertEqual(one["name"], "a run")
            self.assertEqual(one["phase"], "DIVERGING")
        self.assertEqual(len({one["id"] for one in told}), 2)

    def test_a_webhook_that_is_not_there_holds_up_nothing(self) -> None:
        receiver = Receiver()
        receiver.close()
        daemon = Daemon("--webhook", receiver.url).listening()
        self.addCleanup(daemon.stop)
        self.run_into_trouble(daemon)
        answer = daemon.get("/api/training/insight/r").json()
        self.assertEqual(answer["data"]["phase"], "DIVERGING")

    def test_what_is_wrong_with_the_options_is_said(self) -> None:
        for options, why in (
            (("--webhook", "ftp://x"), "http"),
            (("--webhook", "http://x", "--webhook-body", "{"), "JSON"),
            (("--quiet-hours", "noon"), "quiet-hours"),
            (("--notify-from", "loud"), "notify-from"),
        ):
            with self.assertRaises(Exception) as failed:
                Daemon(*options).listening()
            self.assertIn(why, str(failed.exception))
