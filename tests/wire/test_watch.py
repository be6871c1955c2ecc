# SPDX-License-Identifier: MIT
"""streamd watch: real log files, a real daemon, a server that plays Telegram."""

import csv
import gzip
import http.server
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from typing import Any, Dict, List

from wire_daemon import BINARY, DEADLINE_S, ROOT, Daemon, WireTest, eventually

LOGS = os.path.join(ROOT, "tests", "vectors", "logs")


class Telegram(http.server.BaseHTTPRequestHandler):
    """Remembers what it is sent."""

    got: List[Dict[str, Any]] = []

    def do_POST(self) -> None:  # pylint: disable=invalid-name
        """Path and body."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.got.append({"path": self.path, **body})
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"ok":true}')

    def log_message(self, *_: Any) -> None:  # pylint: disable=arguments-differ
        """Be quiet."""


class Watch(WireTest):
    """A folder for logs, and watches that are ended."""

    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="streamd-watch-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.log = os.path.join(self.folder, "train.log")
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("TELEGRAM")},
            "STREAMD_SPOOL": os.path.join(self.folder, "spool"),
        }

    def write(self, text: str) -> None:
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(text)

    def begin(self, *options: str) -> "subprocess.Popen[str]":
        """A watch of our log, once it looks."""
        process = subprocess.Popen(
            [BINARY, "watch", "--log", self.log, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
        )
        self.addCleanup(process.kill)
        assert process.stdout
        self.assertIn("Watching", process.stdout.readline())
        return process

    def end(self, process: "subprocess.Popen[str]") -> str:
        """Ctrl+C; what it printed."""
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=DEADLINE_S)
        self.assertEqual(process.returncode, 0, out)
        return out

    def once(self, *options: str, status: int = 0) -> str:
        """A watch of what is there, to its end."""
        done = subprocess.run(
            [BINARY, "watch", "--once", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
            timeout=DEADLINE_S,
            check=False,
        )
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def test_a_log_is_a_trainer_from_its_end_on(self) -> None:
        daemon = self.daemon()
        shutil.copy(os.path.join(LOGS, "nanogpt.log"), self.log)
        watch = self.begin("--socket", daemon.socket_path, "--id", "w", "--name", "n")
        self.write("iter 260: loss 1.5, time 40.0ms, mfu 7.0%\niter 270: lo")

        def records() -> List[Dict[str, Any]]:
            history: List[Dict[str, Any]] = daemon.json("/api/training/history/w")["data"]
            return history

        eventually("the first line", lambda: len(records()) == 1)
        self.write("ss 1.25, time 40.0ms, mfu 7.0%\n")
        eventually("the second line", lambda: len(records()) == 2)
        out = self.end(watch)
        self.assertEqual([r["currentStep"] for r in records()], [260, 270])
        self.assertEqual([r["loss"] for r in records()], [1.5, 1.25])
        self.assertEqual([r["totalSteps"] for r in records()], [5000, 5000])
        status = daemon.json("/api/training/status/w")["data"]
        self.assertEqual(status["status"], "running")  # it is only not watched any more
        self.assertEqual(status["name"], "n")
        self.assertEqual(status["config"]["source"], "nanogpt")
        self.assertIn("Training Report: n", out)

    def epochs(self, daemon: Daemon, run: str) -> List[Dict[str, Any]]:
        """What the operations API lists of a run."""
        metrics = daemon.json(f"/api/v1/operations/{run}/metrics")["data"]["metrics"]
        epochs: List[Dict[str, Any]] = metrics.get("epochs", [])
        return epochs

    def test_the_epochs_of_a_log_are_epochs(self) -> None:
        daemon = self.daemon()
        keras = os.path.join(LOGS, "keras.csv")
        self.once("--socket", daemon.socket_path, "--id", "k", "--log", keras)
        with open(keras, encoding="utf-8") as log:
            rows = list(csv.DictReader(log))
        got = [(e["epoch"], e["train_loss"], e["val_loss"]) for e in self.epochs(daemon, "k")]
        want = [(int(r["epoch"]), float(r["loss"]), float(r["val_loss"])) for r in rows]
        self.assertEqual(got, want)

    def test_a_log_of_lines_has_an_epoch_for_each_it_went_through(self) -> None:
        daemon = self.daemon()
        with gzip.open(os.path.join(LOGS, "mmengine_run.log.gz"), "rt", encoding="utf-8") as log:
            self.write(log.read())
        self.once("--socket", daemon.socket_path, "--id", "m", "--log", self.log)
        epochs = self.epochs(daemon, "m")
        self.assertEqual([e["epoch"] for e in epochs], list(range(1, 19)))  # the 19th goes on
        self.assertAlmostEqual(epochs[0]["train_loss"], 0.8885, places=4)  # the mean of its lines
        self.assertEqual(epochs[2]["duration"], 1560)
        history = daemon.json("/api/training/history/m?limit=1000")["data"]
        self.assertEqual(len(history), 442 + 18)
        measured = [r["val/bbox_mAP"] for r in history if "val/bbox_mAP" in r]
        self.assertEqual(measured, [0.138, 0.221, 0.240, 0.256])

    def test_a_whole_log_ends_its_run(self) -> None:
        daemon = self.daemon()
        path = os.path.join(LOGS, "huggingface.log")
        self.once("--socket", daemon.socket_path, "--log", path)
        status = daemon.json("/api/training/status/logs-huggingface.log")["data"]
        self.assertEqual(status["status"], "completed")
        history = daemon.json("/api/training/history/logs-huggingface.log")["data"]
        self.assertEqual([r["currentStep"] for r in history], [10, 20, 20, 500, 500, 500])
        self.assertEqual([e["epoch"] for e in self.epochs(daemon, "logs-huggingface.log")], [1])
        self.assertEqual(history[1]["nonFinite"], {"loss": "NaN", "grad_norm": "Infinity"})

    def test_a_crash_fails_the_run_and_is_told(self) -> None:
        daemon = self.daemon()
        out = self.once("--socket", daemon.socket_path, "--log", os.path.join(LOGS, "text.log"))
        status = daemon.json("/api/training/status/logs-text.log")["data"]
        self.assertEqual(status["status"], "failed")
        self.assertIn("💥 CRASHED", out)
        self.assertIn("Reason: RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB", out)

    def test_alone_it_needs_no_daemon_and_no_validation(self) -> None:
        self.write("step: 1 loss: 0.5\n")
        watch = self.begin("--console", "--from-start")
        out = self.end(watch)
        self.assertIn("Best Result: none yet", out)
        self.assertIn("State Transitions: 0", out)
        empty = os.path.join(self.folder, "empty.log")
        open(empty, "w", encoding="utf-8").close()
        self.assertIn("Not begun", self.once("--console", "--log", empty))

    def test_the_same_log_gives_the_same_bytes(self) -> None:
        path = os.path.join(LOGS, "mmengine.log")
        first = self.once("--console", "--log", path)
        self.assertEqual(first, self.once("--console", "--log", path))
        self.assertIn("Training Report: config_dent_dcn_final_20260203_104304", first)
        self.assertIn("Best Result: 0.138 (Epoch 4)", first)

    def test_telegram_by_arguments_or_environment(self) -> None:
        server = http.server.HTTPServer(("127.0.0.1", 0), Telegram)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        api = f"http://127.0.0.1:{server.server_port}"
        options = ["--console", "--telegram-api", api, "--severity", "critical"]
        options += ["--log", os.path.join(LOGS, "text.log")]
        self.environment.update(TELEGRAM_TOKEN="1:env", TELEGRAM_CHAT="11")
        self.once(*options)
        self.once(*options, "--token", "2:arg", "--chat", "22")
        told = [(m["path"], m["chat_id"], m["parse_mode"]) for m in Telegram.got]
        self.assertEqual(sorted(set(told)), [
            ("/bot1:env/sendMessage", "11", "Markdown"),
            ("/bot2:arg/sendMessage", "22", "Markdown"),
        ])
        self.assertTrue(any(m["text"].startswith("*💥 CRASHED*\n") for m in Telegram.got))

    def test_a_line_says_now_and_then_how_it_goes(self) -> None:
        self.write("step: 1 loss: 0.5\n")
        watch = self.begin("--console", "--from-start", "--status", "1")
        assert watch.stdout
        lines = [watch.stdout.readline() for _ in range(2)]
        how = r"\[\d\d:\d\d:\d\d\] Step 1 \| INITIALIZING \| Loss 0\.5000 \| ETA unknown\n"
        for line in lines:
            self.assertRegex(line, how)
        self.end(watch)

    def test_the_newest_log_is_found(self) -> None:
        for name in ("notes.txt", "old.log", "run/metrics.csv", "run/newer.log"):
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            text = "nothing of interest\n" if "n" in name[:5] else "step: 1 loss: 0.5\n"
            text = "step,loss\n7,0.5\n" if name.endswith("csv") else text
            with open(path, "w", encoding="utf-8") as log:
                log.write("just words\n" if name == "run/newer.log" else text)
        for age, name in enumerate(("run/newer.log", "notes.txt", "run/metrics.csv", "old.log")):
            os.utime(os.path.join(self.folder, name), (0, 2_000_000_000 - age))
        out = self.once("--console", "--auto", "--log", self.folder)
        self.assertIn("run/metrics.csv", out)
        self.assertIn("Step 7", out)

    def test_a_state_of_a_trainer_is_a_log_and_a_folder_without_one_is_named(self) -> None:
        self.assertIn("there is no log below it", self.once("--auto", "--log", self.folder, status=1))
        with open(os.path.join(self.folder, "model.bin"), "w", encoding="utf-8") as model:
            model.write("step: 1 loss: 0.5\n")
        self.assertIn("there is no log below it", self.once("--auto", "--log", self.folder, status=1))
        state = {"log_history": [{"step": 10, "loss": 2.5}, {"step": 20, "loss": 2.25}]}
        path = os.path.join(self.folder, "run", "trainer_state.json")
        os.mkdir(os.path.dirname(path))
        with open(path, "w", encoding="utf-8") as log:
            json.dump(state, log, indent=2)
        out = self.once("--console", "--auto", "--log", self.folder)
        self.assertIn("trainer_state.json", out)
        self.assertIn("Step 20", out)

    def test_what_cannot_work_is_said(self) -> None:
        self.assertIn("no --log is named", self.once("--console", status=2))
        missing = os.path.join(self.folder, "missing.log")
        self.assertIn("no such file", self.once("--console", "--log", missing, status=1))
        self.assertIn("both a token", self.once("--log", missing, "--token", "x", status=2))
        self.assertIn("to a year", self.once("--log", missing, "--cooldown", "0", status=2))
        self.assertIn("22:00-07:00", self.once("--log", missing, "--quiet", "x", status=2))
