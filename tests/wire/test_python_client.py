# SPDX-License-Identifier: MIT
"""The Python client against the real daemon: what it promises, seen from the other side."""

import os
import sys
import unittest
from typing import Any, Dict, List

from wire_daemon import ROOT, Daemon, WireTest, eventually

sys.path.insert(0, os.path.join(ROOT, "clients", "python"))

import streamd  # noqa: E402 - the path comes first


def status(daemon: Daemon, run: streamd.Run) -> Dict[str, Any]:
    """The run as the daemon has it; empty when it does not know it."""
    answer: Dict[str, Any] = daemon.json(f"/api/training/status/{run.id}").get("data") or {}
    return answer


def history(daemon: Daemon, run: streamd.Run) -> List[Dict[str, Any]]:
    """All records of a run."""
    records: List[Dict[str, Any]] = daemon.json(
        f"/api/training/history/{run.id}?limit=1000000"
    )["data"]
    return records


class PythonClient(WireTest):
    """Runs of the package `streamd`."""

    def test_a_run_arrives_whole(self) -> None:
        """Every value, in order, and how it ended."""
        daemon = self.daemon()
        config = {"model_count": 1, "learning_rate": 1e-5}
        run = streamd.init("p", "n", config, socket_path=daemon.socket_path)
        for step in range(1, 2001):
            run.log({"loss": 1.0 / step, "val": {"wer": 0.5}}, step=step)
        run.model_completed(0)
        run.finish(timeout=10)
        self.assertEqual(run.dropped, 0)
        told = status(daemon, run)
        self.assertEqual(told["status"], "completed")
        self.assertEqual((told["project"], told["name"], told["config"]), ("p", "n", config))
        records = history(daemon, run)
        self.assertEqual([r["currentStep"] for r in records], list(range(1, 2001)))
        self.assertEqual(records[9]["loss"], 0.1)
        self.assertEqual(records[9]["val/wer"], 0.5)

    def test_a_run_goes_over_http(self) -> None:
        """The same lines, posted."""
        daemon = self.daemon()
        with streamd.init(url=daemon.url) as run:
            for step in range(1, 101):
                run.log({"loss": 1.0}, step=step)
        self.assertEqual(status(daemon, run)["status"], "completed")
        self.assertEqual([r["offset"] for r in history(daemon, run)], list(range(1, 101)))

    def test_an_exception_fails_the_run(self) -> None:
        """And says why."""
        daemon = self.daemon()
        with self.assertRaises(ZeroDivisionError):
            with streamd.init(socket_path=daemon.socket_path) as run:
                run.log({"loss": float("nan")}, step=1)
                raise ZeroDivisionError
        self.assertEqual(status(daemon, run)["status"], "failed")
        self.assertEqual(history(daemon, run)[0]["nonFinite"], {"loss": "NaN"})

    def test_a_daemon_may_come_late(self) -> None:
        """What was logged before is kept for it."""
        path = self.daemon().socket_path + ".later"
        run = streamd.init(socket_path=path)
        for step in range(1, 51):
            run.log({"loss": 1.0}, step=step)
        daemon = self.daemon(socket_path=path)
        eventually("the run to connect", lambda: run.connected)
        run.finish(timeout=10)
        self.assertEqual([r["currentStep"] for r in history(daemon, run)], list(range(1, 51)))

    def test_a_daemon_may_die(self) -> None:
        """The next one gets what this one has not acknowledged, and all that follows."""
        first = self.daemon()
        run = streamd.init(socket_path=first.socket_path)
        run.log({"loss": 1.0}, step=1)
        eventually("the first record", lambda: len(history(first, run)) == 1)
        first.kill()
        for step in range(2, 101):
            run.log({"loss": 1.0}, step=step)
        second = self.daemon(socket_path=first.socket_path)
        eventually("the run to connect", lambda: run.connected and bool(status(second, run)))
        run.finish(timeout=10)
        steps = [r["currentStep"] for r in history(second, run)]
        self.assertEqual(steps[-99:], list(range(2, 101)))
        self.assertEqual(status(second, run)["status"], "completed")

    def test_stop_reaches_the_training(self) -> None:
        """Pressed on an older dashboard."""
        daemon = self.daemon()
        run = streamd.init(socket_path=daemon.socket_path)
        heard: List[str] = []
        run.on_control(lambda command, reason: heard.append(command))
        run.log({"loss": 1.0}, step=1)
        eventually("the run to begin", lambda: bool(status(daemon, run)))
        daemon.json("/api/phases/cognate", {"action": "pause", "sessionId": run.id})
        daemon.json("/api/phases/cognate", {"action": "stop", "sessionId": run.id})
        eventually("the stop", lambda: run.should_stop)
        self.assertEqual(heard, ["pause", "stop"])
        run.finish(timeout=10)
        self.assertEqual(status(daemon, run)["status"], "completed")

    def test_forked_workers_change_nothing(self) -> None:
        """The parent's run goes on; a child's end does not end it."""
        daemon = self.daemon()
        run = streamd.init(socket_path=daemon.socket_path)
        run.log({"loss": 1.0}, step=1)
        for _ in range(3):
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
        run.log({"loss": 1.0}, step=2)
        run.finish(timeout=10)
        self.assertEqual([r["currentStep"] for r in history(daemon, run)], [1, 2])
        self.assertEqual(status(daemon, run)["status"], "completed")


if __name__ == "__main__":
    unittest.main()
