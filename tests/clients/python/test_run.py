# SPDX-License-Identifier: MIT
"""streamd.init() and Run against a fake daemon on a real Unix socket."""

import io
import logging
import os
import statistics
import sys
import tempfile
import threading
import time
import unittest
import uuid
from contextlib import redirect_stderr, redirect_stdout
from typing import Any
from unittest import mock

from support import DEADLINE_S, FakeDaemon, FakeHttpDaemon

import streamd
import streamd.run
from streamd.system import Sampler

ABSENT = os.path.join(tempfile.gettempdir(), "streamd-test-nobody-listens-here.sock")


class RunTest(unittest.TestCase):
    def setUp(self) -> None:
        self.daemon = FakeDaemon()
        self.daemon.__enter__()
        self.addCleanup(self.daemon.__exit__)
        self.book = self.daemon.book

    def init(self, **named: Any) -> streamd.Run:
        run = streamd.init(socket_path=self.daemon.path, **named)
        self.addCleanup(run.finish, 0.0)
        return run

    def test_a_run_from_start_to_complete_as_the_contract_writes_it(self) -> None:
        run = self.init(project="p", name="n", config={"model_count": 1, "total_steps": 2})
        self.book.wait(lambda: self.book.connections == 1)
        run.log({"loss": 2.0, "val": {"loss": 2.5}}, step=1)
        run.log_epoch({"epoch": 0, "train_loss": 2.0})
        run.model_completed(0)
        run.finish()
        bare = [{k: v for k, v in line.items() if k != "metrics"} for line in self.book.lines]
        self.assertEqual(
            bare,
            [
                {
                    "type": "start",
                    "sessionId": run.id,
                    "resume": False,
                    "project": "p",
                    "name": "n",
                    "config": {"model_count": 1, "total_steps": 2},
                },
                {"type": "progress", "sessionId": run.id, "seq": 1},
                {"type": "epoch", "sessionId": run.id, "seq": 2},
                {"type": "model_completed", "sessionId": run.id, "seq": 3, "modelIndex": 0},
                {"type": "complete", "sessionId": run.id, "seq": 4},
            ],
        )
        metrics = self.book.of("progress")[0]["metrics"]
        self.assertAlmostEqual(metrics.pop("timestamp"), time.time(), delta=60)
        self.assertEqual(metrics, {"loss": 2.0, "val": {"loss": 2.5}, "step": 1})
        self.assertEqual(run.dropped, 0)

    def test_what_the_machine_gives_goes_along(self) -> None:
        with mock.patch.dict(os.environ, STREAMD_NO_SYSTEM="0"), mock.patch.object(
            streamd.run, "Sampler", lambda: Sampler(0.005, lambda: None)
        ):
            run = self.init()
        deadline = time.monotonic() + DEADLINE_S
        logged = 0
        while not any(self.book.metrics("rss_mb")) and time.monotonic() < deadline:
            logged += 1
            run.log({"loss": 1.0}, step=logged)
            time.sleep(0.001)
        run.finish()
        self.assertTrue(any(self.book.metrics("rss_mb")))
        self.assertEqual(self.book.metrics("step"), list(range(1, logged + 1)))  # and no line more
        while any(thread.name == "streamd-system" for thread in threading.enumerate()):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)

    def test_it_can_be_left_out(self) -> None:
        with mock.patch.dict(os.environ, STREAMD_NO_SYSTEM="0"), mock.patch.object(
            streamd.run, "Sampler", side_effect=AssertionError
        ):
            self.init(system=False).log({"loss": 1.0})

    def test_the_id_is_known_at_once_and_is_a_uuid4(self) -> None:
        self.assertEqual(uuid.UUID(self.init().id).version, 4)
        self.assertEqual(self.init(session_id="my.run:1").id, "my.run:1")

    def test_an_unusable_id_is_replaced_with_a_warning(self) -> None:
        for bad in ("", "a b", "x" * 129, "a\n", 5, b"x"):
            with self.subTest(bad=bad), self.assertLogs("streamd", logging.WARNING):
                self.assertEqual(uuid.UUID(self.init(session_id=bad).id).version, 4)

    def test_resume_is_said_at_the_first_start(self) -> None:
        self.book.last_seq["again"] = 10
        run = self.init(session_id="again", resume=True)
        run.log({"loss": 1.0})
        run.finish()
        self.assertTrue(self.book.lines[0]["resume"])
        self.assertEqual(self.book.of("progress")[0]["seq"], 11)

    def test_a_dict_reused_by_the_training_is_logged_as_it_was(self) -> None:
        run = self.init()
        metrics = {"loss": 0.0}
        for value in range(5):
            metrics["loss"] = float(value)
            run.log(metrics)
        run.finish()
        self.assertEqual(self.book.metrics("loss"), [0.0, 1.0, 2.0, 3.0, 4.0])
        self.assertEqual(metrics, {"loss": 4.0})

    def test_a_block_completes_the_run_and_an_exception_fails_it(self) -> None:
        with self.init() as run:
            run.log({"loss": 1.0})
        self.assertEqual(self.book.lines[-1]["type"], "complete")
        with self.assertRaises(ZeroDivisionError), self.init():
            1 / 0  # noqa: B018 - the error is the point
        self.assertEqual(self.book.lines[-1]["type"], "fail")
        self.assertEqual(self.book.lines[-1]["error"], "ZeroDivisionError: division by zero")

    def test_leaving_a_block_with_exit_0_is_a_completion_and_exit_1_a_failure(self) -> None:
        for code, kind in ((0, "complete"), (1, "fail")):
            with self.assertRaises(SystemExit), self.init():
                sys.exit(code)
            self.assertEqual(self.book.lines[-1]["type"], kind)

    def test_fail_takes_a_text_too(self) -> None:
        self.init().fail("out of patience")
        self.assertEqual(self.book.lines[-1]["error"], "out of patience")

    def test_a_failure_of_a_known_class_says_what_helps_and_is_logged_in_full(self) -> None:
        with self.assertLogs("streamd", logging.ERROR) as logs:
            with self.assertRaises(MemoryError), self.init() as run:
                raise MemoryError("unable to allocate 5 GiB")
        told = self.book.lines[-1]
        self.assertEqual(set(told), {"type", "sessionId", "seq", "error"})
        self.assertTrue(told["error"].startswith("MemoryError: unable to allocate 5 GiB ["))
        self.assertIn("[resource_exhaustion: free the disk", told["error"])
        (logged,) = logs.output
        self.assertIn(f"run {run.id} failed, class resource_exhaustion", logged)
        self.assertIn("suggestion: free the disk", logged)
        self.assertIn("Traceback", logged)

    def test_the_run_ends_once_and_ignores_what_comes_after(self) -> None:
        run = self.init()
        run.finish()
        run.finish()
        run.fail("late")
        run.log({"loss": 1.0})
        run.log_epoch({"epoch": 1})
        run.model_completed(0)
        self.assertEqual([line["type"] for line in self.book.lines], ["start", "complete"])
        self.assertEqual(run.dropped, 0)

    def test_stop_and_other_commands_arrive_and_a_bad_callback_harms_nobody(self) -> None:
        run = self.init()
        heard: list = []
        done = threading.Event()
        run.on_control(lambda command, reason: 1 / 0)
        run.on_control(lambda command, reason: heard.append((command, reason)))
        run.on_control(lambda command, reason: done.set() if command == "stop" else None)
        self.book.wait(lambda: bool(self.book.lines))
        self.assertFalse(run.should_stop)
        with self.assertLogs("streamd", logging.ERROR):
            for command in ("checkpoint", "stop"):
                self.daemon.tell({"type": "control", "sessionId": run.id, "command": command})
            self.assertTrue(done.wait(DEADLINE_S))
        self.assertEqual(heard, [("checkpoint", ""), ("stop", "")])
        self.assertTrue(run.should_stop)
        run.log({"loss": 1.0})
        run.finish()
        self.assertEqual(self.book.metrics("loss"), [1.0])

    def test_a_progress_callback_gets_the_record_that_the_daemon_gets(self) -> None:
        run = self.init()
        heard: list = []
        run.on_progress(lambda record: sys.exit(1))
        run.on_progress(heard.append)
        with self.assertLogs("streamd", logging.ERROR) as logs:
            run.log({"loss": 2.0, "val": {"loss": float("inf")}, "note": "no number"}, step=7)
            run.log({"note": "no number in it"})
            run.log_epoch({"epoch": 1})
            run.log({"loss": 1.0})
            run.finish()
        self.assertEqual(heard, [line["metrics"] for line in self.book.of("progress")])
        self.assertEqual((len(heard), heard[0]["step"]), (2, 7))
        failed = [line for line in logs.output if "progress callback failed" in line]
        self.assertEqual(len(failed), 2)

    def test_finish_may_be_called_from_a_control_callback(self) -> None:
        with self.assertLogs("streamd", logging.DEBUG) as logs:  # "connected" is always among them
            run = self.init()
            run.on_control(lambda command, reason: run.finish())
            self.book.wait(lambda: bool(self.book.lines))
            self.daemon.tell({"type": "control", "command": "stop"})
            self.book.wait(lambda: self.book.lines[-1]["type"] == "complete")
            self.book.wait(lambda: not self.daemon.trainers)
        self.assertEqual([line for line in logs.output if "not ended properly" in line], [])

    def test_nothing_is_lost_and_nothing_comes_twice_over_a_restart(self) -> None:
        run = self.init()
        for value in range(50):
            run.log({"loss": float(value)})
        self.book.wait(lambda: len(self.book.of("progress")) == 50)
        self.assertTrue(run.connected)
        self.daemon.stop()
        for value in range(50, 100):
            run.log({"loss": float(value)})
        self.daemon.start()
        self.book.wait(lambda: len(self.book.of("progress")) >= 100)
        run.finish()
        first, second = self.book.of("start")
        self.assertEqual((first["resume"], second["resume"]), (False, True))
        self.assertEqual(self.book.metrics("loss"), [float(value) for value in range(100)])

    def test_what_a_dying_daemon_did_not_acknowledge_is_sent_again(self) -> None:
        self.book.acking = False
        run = self.init()
        run.log({"loss": 1.0})
        self.book.wait(lambda: len(self.book.of("progress")) == 1)
        self.daemon.stop()
        self.book.acking = True
        self.daemon.start()
        self.book.wait(lambda: len(self.book.of("progress")) == 2)
        one, two = self.book.of("progress")
        self.assertEqual(one, two)

    def test_many_threads_log_into_one_run(self) -> None:
        run = self.init()

        def train(worker: int) -> None:
            for value in range(200):
                run.log({"loss": float(worker * 1000 + value)})

        threads = [threading.Thread(target=train, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        run.finish(DEADLINE_S)
        seqs = [line["seq"] for line in self.book.of("progress")]
        self.assertEqual(seqs, list(range(1, 801)))
        self.assertEqual(len(set(self.book.metrics("loss"))), 800)

    def test_two_runs_of_one_process_do_not_mix(self) -> None:
        first, second = self.init(), self.init()
        first.log({"loss": 1.0})
        second.log({"loss": 2.0})
        first.finish()
        second.finish()
        got = {line["sessionId"]: line["metrics"]["loss"] for line in self.book.of("progress")}
        self.assertEqual(got, {first.id: 1.0, second.id: 2.0})


class Hostile:
    """Raises from everywhere."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __float__(self) -> float:
        raise SystemExit("from __float__")


class NeverDisturbTest(unittest.TestCase):
    """The one promise: whatever happens, the training goes on."""

    def test_no_argument_makes_log_raise_and_good_lines_still_arrive(self) -> None:
        circle: dict = {}
        circle["self"] = circle
        inputs: list = [None, 0, "text", [], {}, circle, {1: 2}, {None: None}, {"x": object()}]
        inputs += [{"loss": float("nan")}, {"loss": Hostile()}, Hostile(), Hostile, {"": ""}]
        inputs += [{str(i): i for i in range(100_000)}, {"x": "y" * 1_000_000}, {(1, 2): 3}]
        inputs += [{"loss": 10**400}, {"loss": 1j}, iter(()), {"\ud800": 1}]
        with FakeDaemon() as daemon:
            run = streamd.init(socket_path=daemon.path)
            for value in inputs:
                run.log(value)
                run.log(value, step=value)
                run.log_epoch(value)
                run.model_completed(value)
            run.log({"loss": 1.0}, step=3)
            run.finish(DEADLINE_S)
            self.assertEqual(daemon.book.metrics("loss")[-1], 1.0)
            self.assertEqual(daemon.book.lines[-1]["type"], "complete")
            sent = [line for line in daemon.book.lines if "seq" in line]
            self.assertEqual(len(sent) + run.dropped, len(inputs) * 4 + 2)

    def test_no_argument_makes_init_or_the_end_raise(self) -> None:
        configs = [5, "text", Hostile(), {"x": Hostile()}, {"x": list(range(10_000))}, object()]
        for config in configs:
            with self.subTest(type=type(config)):
                run = streamd.init(socket_path=ABSENT, config=config, name=config)
                run.fail(config)
        for url in ("http://[::1", "http://x:notaport", "\0"):
            with self.subTest(url=url):
                streamd.init(socket_path=ABSENT, url=url).finish(0.0)

    def test_without_a_daemon_everything_is_silent_and_finish_is_immediate(self) -> None:
        output = io.StringIO()
        with redirect_stderr(output), redirect_stdout(output):
            run = streamd.init(socket_path=ABSENT)
            for step in range(1000):
                run.log({"loss": 1.0}, step=step)
            began = time.monotonic()
            run.finish(timeout=60.0)
            self.assertLess(time.monotonic() - began, 30.0)
        self.assertFalse(run.connected)
        self.assertEqual(run.dropped, 0)  # kept in a file
        self.assertEqual(output.getvalue(), "")

    def test_a_daemon_that_comes_later_is_found_and_gets_everything(self) -> None:
        daemon = FakeDaemon()
        self.addCleanup(daemon.folder.cleanup)
        run = streamd.init(socket_path=daemon.path)
        run.log({"loss": 1.0})
        daemon.start()
        self.addCleanup(daemon.stop)
        daemon.book.wait(lambda: daemon.book.metrics("loss") == [1.0])
        self.assertEqual(daemon.book.lines[0]["type"], "start")
        run.finish()

    def test_a_hung_daemon_costs_log_nothing_and_finish_its_bounded_time(self) -> None:
        with FakeDaemon(hung=True) as daemon:
            run = streamd.init(socket_path=daemon.path)
            daemon.book.wait(lambda: daemon.book.connections == 1)
            costs = []
            for step in range(20_000):
                began = time.perf_counter()
                run.log({"loss": 1.0, "note": step})
                costs.append(time.perf_counter() - began)
            self.assertLess(statistics.median(costs), 1e-3)
            began = time.monotonic()
            run.finish(timeout=0.2)
            self.assertLess(time.monotonic() - began, 5.0)

    def test_a_disk_that_hangs_holds_neither_log_nor_finish_up(self) -> None:
        released = threading.Event()
        writing = threading.Event()

        def hang(*_: Any) -> int:
            writing.set()
            released.wait(DEADLINE_S)
            raise OSError(5, "Input/output error")

        self.addCleanup(released.set)
        with mock.patch("os.pwrite", hang):
            run = streamd.init(socket_path=ABSENT)
            run._sender._window._max_bytes = 1_000
            for step in range(100):
                run.log({"loss": 1.0})
            self.assertTrue(writing.wait(DEADLINE_S))
            began = time.monotonic()
            for step in range(1000):
                run.log({"loss": 1.0})
            self.assertLess(time.monotonic() - began, 1.0)
            began = time.monotonic()
            run.finish(timeout=0.1)
            self.assertLess(time.monotonic() - began, 5.0)

    def test_a_run_without_a_spool_writes_nothing_and_counts_what_it_loses(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            with mock.patch.dict(os.environ, STREAMD_SPOOL=folder):
                run = streamd.init(socket_path=ABSENT, spool_bytes=0)
                run.log({"loss": 1.0})
                run.finish()
            self.assertEqual((os.listdir(folder), run.dropped), ([], 2))

    def test_a_thread_that_cannot_start_leaves_a_run_that_only_does_nothing(self) -> None:
        with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("no more")):
            run = streamd.init(socket_path=ABSENT)
            run.log({"loss": 1.0})
            run.finish()

    def test_log_takes_no_lock_that_the_sender_could_hold(self) -> None:
        """The queue and the waker are all that log() touches; neither has a lock to wait for."""
        run = streamd.init(socket_path=ABSENT)
        queue, waker = run._queue, run._sender._waker
        held = [getattr(queue, name) for name in queue.__slots__] + list(vars(waker).values())
        lock = type(threading.Lock())
        self.assertFalse([value for value in held if isinstance(value, (lock, threading.Event))])
        run.finish()


class UrlTest(unittest.TestCase):
    def test_a_remote_run_goes_through_http_and_ends_complete(self) -> None:
        with FakeHttpDaemon() as daemon:
            with streamd.init(url=daemon.url, config={"epochs": 1}) as run:
                for value in range(10):
                    run.log({"loss": float(value)})
            kinds = [line["type"] for line in daemon.book.lines]
            self.assertEqual(kinds, ["start"] + ["progress"] * 10 + ["complete"])
            self.assertEqual(daemon.book.metrics("loss"), [float(value) for value in range(10)])
            self.assertEqual(run.dropped, 0)

    def test_a_refused_line_does_not_stop_the_others(self) -> None:
        with FakeHttpDaemon() as daemon:
            with streamd.init(url=daemon.url) as run:
                run.log({"loss": 1.0})
                run.log({"bad": 1.0})
                run.log({"loss": 2.0})
            self.assertEqual(daemon.book.metrics("loss"), [1.0, 2.0])
            self.assertEqual(daemon.book.lines[-1]["type"], "complete")
            self.assertEqual(run.dropped, 1)

    def test_the_variable_names_a_url_and_an_explicit_socket_beats_it(self) -> None:
        with FakeHttpDaemon() as remote, FakeDaemon() as local:
            with mock.patch.dict(os.environ, STREAMD_URL=remote.url):
                streamd.init(name="far").finish()
                streamd.init(name="near", socket_path=local.path).finish()
            self.assertEqual(remote.book.lines[0]["name"], "far")
            self.assertEqual(local.book.lines[0]["name"], "near")


if __name__ == "__main__":
    unittest.main()
