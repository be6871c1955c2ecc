# SPDX-License-Identifier: MIT
"""What a run answers to what it is told, and when its training obeys."""

import threading
import unittest
from typing import Any, Dict, List

from support import DEADLINE_S, FakeDaemon

from streamd.control import Control

import streamd

KNOBS = {
    "lr": {"value": 0.5, "min": 0.1, "max": 1.0},
    "every": {"type": "int", "value": 4},
    "augment": True,
}


class ControlTest(unittest.TestCase):
    def setUp(self) -> None:
        self.answers: List[Dict[str, Any]] = []
        self.control = Control(KNOBS, self.answers.append)

    def tell(self, command: str, listened_to: bool = False, **more: Any) -> None:
        self.control.hear({"command": command, "id": 7, **more}, listened_to)

    def outcomes(self) -> List[str]:
        return [str(answer["outcome"]) for answer in self.answers]

    def test_knobs_are_declared_as_the_daemon_reads_them(self) -> None:
        self.assertEqual(
            self.control.declaration(),
            {
                "lr": {"type": "float", "value": 0.5, "min": 0.1, "max": 1.0},
                "every": {"type": "int", "value": 4},
                "augment": {"type": "bool", "value": True},
            },
        )

    def test_a_set_is_done_when_the_training_reads_the_knob_and_not_before(self) -> None:
        self.tell("set", knob="lr", value=0.25)
        self.assertEqual(self.outcomes(), ["accepted"])
        self.assertEqual(self.control.read("lr"), 0.25)
        self.assertEqual(self.control.read("lr"), 0.25)
        self.assertEqual(self.answers[1:], [{"type": "answer", "id": 7, "outcome": "done", "value": 0.25}])

    def test_a_set_that_does_not_fit_is_refused_whoever_let_it_through(self) -> None:
        for knob, value in (
            ("lr", 2),
            ("lr", 0),
            ("lr", "fast"),
            ("lr", True),
            ("every", 1.5),
            ("augment", 1),
            ("none", 1),
        ):
            self.tell("set", knob=knob, value=value)
        self.assertEqual(set(self.outcomes()), {"refused"})
        self.assertEqual([self.control.read(knob) for knob in KNOBS], [0.5, 4, True])
        self.assertIsNone(self.control.read("none"))

    def test_a_pause_is_done_when_the_training_waits_and_a_stop_ends_the_waiting(self) -> None:
        for ended_by, stops in (("resume", False), ("stop", True)):
            self.answers.clear()
            self.tell("pause")
            self.assertTrue(self.control.paused)
            waiting = threading.Thread(target=self.control.wait_while_paused)
            waiting.start()
            self.tell(ended_by)
            waiting.join(DEADLINE_S)
            self.assertFalse(waiting.is_alive() or self.control.paused)
            self.assertIn(self.outcomes(), (["accepted", "done", "done"], ["accepted", "done", "accepted"]))
            self.assertEqual(self.control.should_stop, stops)

    def test_a_checkpoint_that_nobody_sees_to_is_refused(self) -> None:
        self.tell("checkpoint")
        self.assertEqual(self.outcomes(), ["refused"])
        self.tell("checkpoint", listened_to=True)
        self.control.done("checkpoint")
        self.control.done("checkpoint")
        self.assertEqual(self.outcomes()[1:], ["accepted", "done"])

    def test_an_older_daemon_that_gives_no_id_is_answered_nothing(self) -> None:
        for command in ("stop", "pause", "resume", "checkpoint", "set"):
            self.control.hear({"command": command, "knob": "lr", "value": 0.5}, True)
        self.control.done("pause")
        self.assertEqual((self.answers, self.control.should_stop), ([], True))


class RunTest(unittest.TestCase):
    def test_a_run_declares_hears_and_answers(self) -> None:
        with FakeDaemon() as daemon:
            run = streamd.init(socket_path=daemon.path, config={"a": 1}, knobs=KNOBS)
            daemon.book.wait(lambda: bool(daemon.book.lines))
            config = daemon.book.lines[0]["config"]
            self.assertEqual((config["a"], config["knobs"]["lr"]["max"]), (1, 1.0))
            order = {"type": "control", "id": 3, "command": "set", "knob": "lr", "value": 0.25}
            daemon.tell(order)
            daemon.book.wait(lambda: len(daemon.book.of("answer")) == 1)
            self.assertEqual(run.knob("lr"), 0.25)
            daemon.tell({"type": "control", "id": 4, "command": "stop"})
            daemon.book.wait(lambda: len(daemon.book.of("answer")) == 3)
            run.finish()
        said = [(line["id"], line["outcome"]) for line in daemon.book.of("answer")]
        self.assertEqual(said, [(3, "accepted"), (3, "done"), (4, "accepted")])
        self.assertEqual(daemon.book.of("answer")[0]["sessionId"], run.id)


if __name__ == "__main__":
    unittest.main()
