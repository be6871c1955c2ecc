# SPDX-License-Identifier: MIT
"""#139, #194: trainers that are killed, and clients that stay while the daemon is killed."""

import os
import subprocess
import sys
import threading
import unittest
from typing import Any, Dict, List

import socketio
from harness import STREAMD, Daemon, eventually
from place import DurableTest, rounds, sweep
from sender import point
from stored import check_integrity, check_whole, read_store
from trainer_wire import Trainer

HERE = os.path.dirname(os.path.abspath(__file__))
TRAINING = os.path.join(HERE, "training.py")
C_TRAINING = os.path.join(os.path.dirname(STREAMD), "demo-trainer")
UNBOUNDED = 1 << 30


class Clients(DurableTest):
    def setUp(self) -> None:
        super().setUp()
        self.port = 0
        self.pause = threading.Event()

    def process(self, *command: str) -> "subprocess.Popen[bytes]":
        variables = {**os.environ, "STREAMD_SPOOL": os.path.join(self.folder, "spool")}
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=variables
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def python(self, daemon: Daemon, session: str, first: int = 1) -> "subprocess.Popen[bytes]":
        return self.process(
            sys.executable, TRAINING, daemon.socket_path, session, *([str(first)] * (first > 1))
        )

    def demo(self, daemon: Daemon, session: str) -> "subprocess.Popen[bytes]":
        options = ("--models", "1", "--steps", "100000", "--step-delay-us", "2000", "--quiet")
        return self.process(
            C_TRAINING, "--socket", daemon.socket_path, "--session", session, *options
        )

    def count(self, daemon: Daemon, session: str) -> int:
        """Points that the daemon has of it."""
        path = "/api/training/history/%s?limit=1" % session
        newest = daemon.get(path).json()["data"]
        return int(newest[0]["offset"]) if newest else 0

    def await_more(self, daemon: Daemon, sessions: List[str], points: int = 10) -> None:
        before = {session: self.count(daemon, session) for session in sessions}
        for session in sessions:
            eventually(
                session + " to go on",
                lambda: self.count(daemon, session) >= before[session] + points,
                30.0,
            )

    def check(self, sessions: List[str]) -> None:
        """Whole, though their ends are missing."""
        records = read_store(self.data).records
        for session in sessions:
            if session.startswith("p"):
                check_whole(session, records[session], 10, UNBOUNDED)
                continue
            offsets = [record["offset"] for record in records[session]]
            steps = [record["currentStep"] for record in records[session]]
            self.assertEqual(offsets, list(range(1, len(offsets) + 1)))
            self.assertEqual(steps, sorted(set(steps)), session)
        check_integrity(self.data)

    def test_139_trainers_killed(self) -> None:
        """#139 store: Python and C trainers killed in the middle of writing, then the daemon -> what came is kept without gap or repeat, and the runs are resumed"""
        daemon = self.daemon()
        sessions: List[str] = []

        def one_round(number: int) -> None:
            here = ["p%d" % number, "c%d" % number]
            pair = [self.python(daemon, here[0]), self.demo(daemon, here[1])]
            self.await_more(daemon, here)
            self.pause.wait(self.random.random() * 0.1)
            for process in pair:
                process.kill()
                process.wait(10)
            sessions.extend(here)

        sweep(rounds(3, 25), one_round)
        eventually("no trainer", lambda: daemon.counter("trainers") == 0)
        again = self.python(daemon, "p1", self.count(daemon, "p1") + 1)
        self.await_more(daemon, ["p1"])
        daemon.check_alive()
        daemon.kill()
        again.kill()
        again.wait(10)
        self.check(sessions)

    def test_139_half_a_line(self) -> None:
        """#139 store: trainers gone in the middle of a line, 50 times -> nothing of it is kept, each is counted, the rest goes on from there"""
        daemon = self.daemon()
        for number in range(1, 51):
            trainer = Trainer(daemon.socket_path)
            self.assertEqual(trainer.start("half", resume=True)["lastSeq"], number - 1)
            line = point("half", number)
            trainer.raw(line + point("half", number + 1)[: self.random.randrange(1, 60)])
            self.assertEqual(trainer.acked("half"), number)
            trainer.close()
        eventually("the lines to be counted", lambda: daemon.counter("lines_truncated") == 50)
        daemon.kill()
        check_whole("half", read_store(self.data).records["half"], 50, 50)

    def restart(self, daemon: Daemon) -> Daemon:
        """Killed, and there again on the same port."""
        self.port = self.port or daemon.port
        daemon.check_alive()
        daemon.kill()
        again = self.spawn("--listen", "127.0.0.1:%d" % self.port)
        return again.listening(2)

    def test_194_restarted_under_everybody(self) -> None:
        """#194 process: killed and started again under Python and C trainers and Socket.IO watchers -> all come back by themselves, no point is missing or twice"""
        daemon = self.daemon()
        heard: List[Dict[str, Any]] = []
        here = ["p", "c"]
        processes = [self.python(daemon, "p"), self.demo(daemon, "c")]
        watcher = socketio.Client(reconnection_delay=0.05, reconnection_delay_max=0.2)
        watcher.on("connect", lambda: watcher.emit("subscribe_session", {"sessionId": "p"}))
        watcher.on("progress_update", heard.append)
        # Polling: our own websocket.py hides the package that the other transport would take.
        watcher.connect("http://127.0.0.1:%d" % daemon.port, transports=["polling"])
        self.addCleanup(watcher.disconnect)
        for _ in range(rounds(3, 20)):
            self.await_more(daemon, here)
            before = len(heard)
            eventually("the watcher to be told", lambda: len(heard) > before)
            daemon = self.restart(daemon)
        self.await_more(daemon, here)
        before = len(heard)
        eventually("the watcher to be told", lambda: len(heard) > before)
        for process in processes:
            self.assertIsNone(process.poll())
            process.kill()
            process.wait(10)
        self.stop(daemon)
        self.check(here)


if __name__ == "__main__":
    unittest.main()
