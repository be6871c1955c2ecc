# SPDX-License-Identifier: MIT
"""What one process leaves and another sends: real processes, `python -m streamd sync`, kill -9."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
import unittest.mock
from typing import Any, List, Optional

from support import CLIENT, DEADLINE_S, FakeDaemon, FakeHttpDaemon

import streamd


class SyncTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.spool = os.path.join(temporary.name, "spool")
        self.daemon = FakeDaemon()
        self.addCleanup(self.daemon.folder.cleanup)
        self.book = self.daemon.book

    def start_daemon(self) -> None:
        self.daemon.start()
        self.addCleanup(self.daemon.stop)

    def environment(self) -> Any:
        return dict(
            os.environ,
            PYTHONPATH=CLIENT,
            PYTHONDONTWRITEBYTECODE="1",
            STREAMD_SOCKET=self.daemon.path,
            STREAMD_SPOOL=self.spool,
        )

    def begin(self, body: str, **named: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", "import os, signal, sys, streamd\n" + textwrap.dedent(body)],
            env={**self.environment(), **named},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def train(self, body: str, **named: str) -> str:
        """A training script from its beginning to its end; what it printed."""
        return str(self.begin(body, **named).communicate(timeout=DEADLINE_S)[0])

    def sync(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "streamd", "sync", *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=DEADLINE_S * 2,
        )

    def files(self) -> List[str]:
        return sorted(os.listdir(self.spool)) if os.path.isdir(self.spool) else []

    def kinds(self, session: Optional[str] = None) -> List[str]:
        lines = self.book.lines
        return [line["type"] for line in lines if session in (None, line["sessionId"])]

    def test_a_run_without_a_daemon_is_sent_whole_by_sync_and_ends_properly(self) -> None:
        printed = self.train(
            """
            with streamd.init(session_id="r1", project="p", config={"total_steps": 3}) as run:
                for value in range(3):
                    run.log({"loss": float(value)}, step=value)
            print(run.dropped)
            """
        )
        self.assertEqual(printed, "0\n")
        (name,) = self.files()
        self.start_daemon()
        result = self.sync()
        self.assertEqual(
            (result.returncode, result.stdout, result.stderr), (0, f"{name}: 4 lines sent\n", "")
        )
        self.assertEqual(self.kinds(), ["start"] + ["progress"] * 3 + ["complete"])
        self.assertEqual(self.book.lines[0]["config"], {"total_steps": 3})
        self.assertEqual(self.book.metrics("loss"), [0.0, 1.0, 2.0])
        self.assertEqual(self.files(), [])

    def test_a_script_that_died_of_an_exception_is_sent_as_failed(self) -> None:
        self.train('run = streamd.init(session_id="r1")\nraise ValueError("gone")')
        self.start_daemon()
        self.assertEqual(self.sync().returncode, 0)
        self.assertEqual(self.kinds(), ["start", "fail"])

    def test_sync_with_nothing_to_do_says_nothing(self) -> None:
        result = self.sync()
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_sync_without_a_daemon_says_so_and_keeps_the_file(self) -> None:
        self.train('streamd.init(session_id="r1").finish()')
        result = self.sync()
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        self.assertRegex(result.stdout, r"^\d+-\d+-r1.ndjson: no daemon: .+\n$")
        self.assertEqual(len(self.files()), 1)

    def test_sync_takes_a_folder_and_another_daemon(self) -> None:
        self.train('streamd.init(session_id="r1").finish()', STREAMD_SOCKET="/gone/streamd.sock")
        self.start_daemon()
        moved = self.spool + "-moved"
        os.rename(self.spool, moved)
        self.assertEqual(self.sync(moved).returncode, 1)
        self.assertEqual(self.sync(moved, "--socket", self.daemon.path).returncode, 0)
        self.assertEqual(self.kinds(), ["start", "complete"])

    def test_sync_over_http(self) -> None:
        with FakeHttpDaemon() as remote:
            self.train(f'streamd.init(url="{remote.url}", session_id="r1").finish(0.0)')
            if self.files():  # the daemon may have been quick
                self.assertEqual(self.sync().returncode, 0)
            self.train('streamd.init(session_id="r2").finish()')
            self.assertEqual(self.sync("--url", remote.url).returncode, 0)
            self.assertEqual(self.files(), [])
            ended = {line["sessionId"] for line in remote.book.of("complete")}
            self.assertEqual(ended, {"r1", "r2"})

    def test_the_next_process_sends_it_by_itself_beside_its_own_run(self) -> None:
        self.train(
            """
            with streamd.init(session_id="r1") as run:
                run.log({"loss": 1.0})
            """
        )
        self.start_daemon()
        self.train('streamd.init(session_id="r2").finish()')
        self.assertEqual(self.kinds("r1"), ["start", "progress", "complete"])
        self.assertEqual(self.kinds("r2"), ["start", "complete"])
        self.assertEqual(self.files(), [])
        self.assertEqual(self.book.connections, 2)

    def test_a_process_for_another_daemon_leaves_it(self) -> None:
        self.train('streamd.init(session_id="r1").finish()', STREAMD_SOCKET="/gone/streamd.sock")
        self.start_daemon()
        self.train('streamd.init(session_id="r2").finish()')
        self.assertEqual(self.kinds("r1"), [])
        self.assertEqual(len(self.files()), 1)

    def test_a_run_resumed_after_a_run_without_a_daemon_goes_on_behind_it(self) -> None:
        body = """
            run = streamd.init(session_id="r1", resume={resume})
            run.log({{"loss": {loss}}})
            run.finish()
            """
        self.train(body.format(resume=False, loss=1.0))
        self.train(body.format(resume=True, loss=2.0))
        self.assertEqual(len(self.files()), 2)
        self.book.last_seq["r1"] = 10  # of a process before both
        self.start_daemon()
        self.train(body.format(resume=True, loss=3.0))
        self.assertEqual(self.book.metrics("loss"), [1.0, 2.0, 3.0])
        seqs = [line["seq"] for line in self.book.lines if "seq" in line]
        self.assertEqual(seqs, [11, 12, 13, 14, 15, 16])
        self.assertEqual(self.files(), [])

    def test_kill_9_leaves_what_was_in_the_file(self) -> None:
        trainer = self.begin(
            """
            run = streamd.init(session_id="r1")
            run._sender._window._max_bytes = 20_000
            for value in range(5000):
                run.log({"loss": float(value)})
            while len(run._queue):
                pass
            print("ready", flush=True)
            signal.pause()
            """
        )
        assert trainer.stdout is not None
        self.assertEqual(trainer.stdout.readline(), "ready\n")
        trainer.send_signal(signal.SIGKILL)
        trainer.communicate()
        self.start_daemon()
        self.assertEqual(self.sync().returncode, 0)
        losses = self.book.metrics("loss")
        self.assertGreater(len(losses), 1000)
        self.assertEqual(losses, [float(value) for value in range(len(losses))])

    def test_the_file_of_a_living_run_is_no_failure_and_is_left_alone(self) -> None:
        with unittest.mock.patch.dict(os.environ, STREAMD_SPOOL=self.spool):
            run = streamd.init(session_id="r1", socket_path=self.daemon.path)
            run._sender._window._max_bytes = 1_000
            for value in range(100):
                run.log({"loss": float(value)})
            run._sender.wake()
            self.wait_for_file()
            self.start_daemon_unheard_by(run)
            result = self.sync()
            self.assertEqual(result.returncode, 0)
            self.assertIn("in use", result.stdout)
            run.finish(0.0)

    def wait_for_file(self) -> None:
        by = time.monotonic() + DEADLINE_S
        while not any(name.endswith(".ndjson") for name in self.files()):
            self.assertLess(time.monotonic(), by)
            os.sched_yield()

    def start_daemon_unheard_by(self, run: streamd.Run) -> None:
        """The run is to hold its file: let it not find the daemon."""
        run._sender._retry_at = float("inf")

    def test_two_processes_never_send_the_same_file(self) -> None:
        for index in range(5):
            self.train(
                f"""
                with streamd.init(session_id="r{index}") as run:
                    for value in range(500):
                        run.log({{"loss": float(value)}})
                """
            )
        self.start_daemon()
        syncs = [
            subprocess.Popen(
                [sys.executable, "-m", "streamd", "sync"],
                env=self.environment(),
                stdout=subprocess.DEVNULL,
            )
            for _ in range(3)
        ]
        self.assertEqual([sync.wait(DEADLINE_S) for sync in syncs], [0, 0, 0])
        for index in range(5):
            self.assertEqual(
                self.kinds(f"r{index}"), ["start"] + ["progress"] * 500 + ["complete"]
            )

    def test_a_forked_child_has_no_spool_and_leaves_its_parent_s_alone(self) -> None:
        printed = self.train(
            """
            run = streamd.init(session_id="r1")
            run._sender._window._max_bytes = 1_000
            for value in range(200):
                run.log({"loss": float(value)})
            run._sender.wake()
            folder = os.environ["STREAMD_SPOOL"]
            while not (os.path.isdir(folder) and os.listdir(folder)[0].endswith(".ndjson")):
                pass
            if os.fork() == 0:
                held = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
                held = [os.readlink(link) for link in held if os.path.islink(link)]
                print([name for name in held if name.endswith(".ndjson")], flush=True)
                run.log({"loss": -1.0})
                sys.exit(0)
            os.wait()
            run.finish()
            """
        )
        self.assertTrue(printed.startswith("[]\n"), printed)
        (name,) = self.files()
        self.start_daemon()
        self.assertEqual(self.sync().returncode, 0)
        self.assertEqual(self.book.metrics("loss"), [float(value) for value in range(200)])


if __name__ == "__main__":
    unittest.main()
