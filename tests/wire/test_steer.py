# SPDX-License-Identifier: MIT
"""streamd status and stop: a real daemon, from a shell."""

import contextlib
import json
import os
import pty
import socket
import struct
import subprocess
import threading
from typing import Tuple

from wire_daemon import BINARY, DEADLINE_S, WireTest, eventually

GOOD_HEAD = "HTTP/1.0 200 OK\r\n\r\n"
RUNNING = GOOD_HEAD + json.dumps({"data": {"status": "running"}})
RESET = "reset"


class Steer(WireTest):
    """What they print, and what they exit with."""

    def tool(self, *arguments: str) -> Tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        done = subprocess.run(
            [BINARY, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def test_a_run_is_looked_at_and_stopped(self) -> None:
        daemon = self.daemon()
        trainer = self.trainer(daemon, "run")
        trainer.push({"type": "progress", "metrics": {"step": 5, "totalSteps": 20, "loss": 1}})
        line = "run running 25.0%, step 5 of 20\n"
        self.assertEqual(self.tool("status", "run", "--url", daemon.url), (0, line, ""))
        code, text, _ = self.tool("status", "run", "--json", "--url", daemon.url)
        self.assertEqual((code, json.loads(text)["data"]["status"]), (0, "running"))
        stop = ("stop", "run", "--reason", 'it is "flat"', "--url", daemon.url)
        self.assertEqual(self.tool(*stop), (0, 'run cancelled: it is "flat"\n', ""))
        self.trainer(daemon, "other")
        code, text, _ = self.tool("stop", "other", "--json", "--url", daemon.url)
        self.assertEqual((code, json.loads(text)["data"]["status"]), (0, "cancelled"))
        why = "streamd stop: Operation already finished (status: cancelled)\n"
        self.assertEqual(self.tool(*stop), (1, "", why))

    def on_a_terminal(self, *arguments: str) -> str:
        """What it prints for somebody who looks."""
        ours, its = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "NO_COLOR": ""}
        done = subprocess.run(
            [BINARY, *arguments], stdout=its, timeout=DEADLINE_S, check=True, env=environment
        )
        os.close(its)
        self.assertEqual(done.returncode, 0)
        said = b""
        with open(ours, "rb", buffering=0) as terminal, contextlib.suppress(OSError):
            while piece := terminal.read(4096):  # ends with EIO: nobody has it open any more
                said += piece
        return said.decode().replace("\r\n", "\n")

    def test_on_a_terminal_a_run_has_its_colour_and_its_curve(self) -> None:
        daemon = self.daemon()
        trainer = self.trainer(daemon, "run")
        for loss in (4.0, float("nan"), 3.0, float("inf"), 2.0):
            trainer.push({"type": "progress", "metrics": {"step": 1, "loss": loss}})
        line, curve = self.on_a_terminal("status", "run", "--url", daemon.url).splitlines()
        self.assertTrue(line.startswith("run \033[32mrunning\033[0m "), line)
        self.assertEqual(curve, "loss █ ▅ ▁ 4 → 2")
        self.assertIn("\033[32mrunning ", self.on_a_terminal("ls", "--url", daemon.url))
        trainer.push({"type": "progress", "metrics": {"step": 1, "loss": float("nan")}})
        shown = self.on_a_terminal("status", "run", "--url", daemon.url)
        self.assertIn("loss █ ▅ ▁  4 → nan\n", shown)
        self.trainer(daemon, "new")
        self.assertNotIn("loss", self.on_a_terminal("status", "new", "--url", daemon.url))

    def test_whoever_asks_wrongly_hears_of_it(self) -> None:
        daemon = self.daemon()
        why = "streamd status: Operation not found: a b%é\n"
        self.assertEqual(self.tool("status", "a b%é", "--url", daemon.url), (1, "", why))
        self.assertEqual(self.tool("status", "run", "--url", "http://127.0.0.1:1")[0], 1)
        for url in ("ftp://x:1", "http://x", "http://:1", "http://x:port", "http://127.0.0.1:65537"):
            self.assertEqual(
                self.tool("status", "run", "--url", url)[2],
                "streamd status: the address must be http://host:port or https://host:port\n",
            )
        self.assertEqual(self.tool("status")[0], 2)
        self.assertEqual(self.tool("stop", "a", "b")[0], 2)

    def impostor(self, *answers: str) -> str:
        """The address of one that says these, a connection each, and hangs up."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def serve() -> None:
            for answer in answers:
                peer, _ = server.accept()
                peer.recv(65536)
                if answer == RESET:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    peer.sendall(answer.encode())
                peer.close()

        threading.Thread(target=serve, daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    def test_what_is_no_daemon_is_named(self) -> None:
        for answer, why in (
            ("", "what answers there is no daemon of ours"),
            ("SSH-2.0-OpenSSH_9.2p1\r\n", "what answers there is no daemon of ours"),
            (GOOD_HEAD + "hello", "what answers there is no daemon of ours"),
            ("HTTP/1.0 502 Bad Gateway\r\n\r\n<html>", "the daemon answers 502"),
            ("HTTP/1.0 502 Bad Gateway\r\n\r\n{}", "the daemon answers 502"),
            (RESET, "Connection reset by peer"),
        ):
            told = self.tool("status", "run", "--url", "http://" + self.impostor(answer))
            self.assertEqual(told, (1, "", f"streamd status: {why}\n"))
        told = self.tool("status", "run", "--url", "https://" + self.impostor("hello"))
        why = "what answers there speaks no TLS, or none that we do"
        self.assertEqual(told, (1, "", f"streamd status: {why}\n"))
        nowhere = "a" * 64  # no label of a name is so long, and so nobody is asked for it
        told = self.tool("status", "run", "--url", f"http://{nowhere}:1")
        self.assertEqual(told, (1, "", "streamd status: Name or service not known\n"))

    def test_who_waits_hears_why_it_was_in_vain(self) -> None:
        for answer, why in (
            ("HTTP/1.0 503 Full\r\n\r\n", "the daemon does not tell its events"),
            (GOOD_HEAD + ": hello\n\n", "the daemon has ended the connection"),
            (GOOD_HEAD + "event: progress_update\ndata: {\n\n", "the daemon has ended the connection"),
        ):
            told = self.tool("wait", "run", "--url", "http://" + self.impostor(RUNNING, answer))
            self.assertEqual(told, (1, "", f"streamd wait: {why}\n"))

    def test_an_address_may_end_in_a_slash_and_have_its_host_in_brackets(self) -> None:
        daemon = self.daemon()
        self.trainer(daemon, "run")
        port = daemon.url.rsplit(":", 1)[1]
        for url in (daemon.url + "/", f"http://[127.0.0.1]:{port}"):
            self.assertEqual(self.tool("status", "run", "--url", url)[0], 0, url)

    def test_an_agent_that_finds_no_daemon_is_told(self) -> None:
        folder = self.new_folder()
        path = os.path.join(folder, "s")
        for where, why in (
            (path, f"no daemon at {path}: No such file or directory"),
            ("/" + "s" * 200, "File name too long"),
        ):
            code, out, err = self.tool("mcp-stdio", "--socket", where)
            self.assertEqual((code, out), (1, ""))
            self.assertIn(why, err)
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.bind(path)
            stranger.listen()
            threading.Thread(target=lambda: stranger.accept()[0].close(), daemon=True).start()
            code, out, err = self.tool("mcp-stdio", "--socket", path)
        self.assertEqual((code, out), (1, ""))
        self.assertIn(f"who listens at {path} does not speak to agents", err)

    def test_help_without_a_command_is_that_of_the_daemon(self) -> None:
        self.assertEqual(self.tool("help"), self.tool("--help"))

    def test_a_token_file_that_is_none_is_named(self) -> None:
        folder = self.new_folder()
        code, out, err = self.tool("token", "me", "--scope", "read", "--file", folder)
        self.assertEqual((code, out), (1, ""))
        self.assertIn(folder, err)
        tokens = os.path.join(folder, "none", "tokens")
        code, out, err = self.tool("token", "me", "--scope", "read", "--file", tokens)
        self.assertEqual((code, out), (1, ""))
        self.assertIn(f"{tokens}: No such file or directory", err)

    def test_a_token_opens_the_door(self) -> None:
        tokens = os.path.join(self.new_folder(), "tokens")
        secret = self.tool("token", "me", "--scope", "read", "--file", tokens)[1].strip()
        daemon = self.daemon("--token-file", tokens, "--require-token")
        asked = ("ls", "--url", daemon.url)
        self.assertEqual(self.tool(*asked)[0], 1)
        os.environ["STREAMD_TOKEN"] = secret
        self.addCleanup(os.environ.pop, "STREAMD_TOKEN")
        self.assertEqual(self.tool(*asked), (0, "", ""))

    def test_what_a_command_does_not_take_is_one_line_and_exit_2(self) -> None:
        for arguments, text in (
            (("ls", "run"), "it takes no argument"),
            (("ls", "--nope"), "no such option"),
            (("status", "--nope", "run"), "no such option"),
            (("metrics",), "it takes the id of one run"),
            (("metrics", "run", "--nope"), "no such option"),
            (("metrics", "run", "--fields", "a b"), "expected names with commas"),
            (("wait",), "it takes the id of one run"),
            (("wait", "a", "b"), "it takes the id of one run"),
            (("wait", "run", "--nope"), "no such option"),
            (("stop", "run", "--nope"), "no such option"),
            (("mcp-stdio", "now"), "it takes no argument"),
            (("mcp-stdio", "--nope"), "--nope"),
            (("help", "ls", "status"), "one command at a time"),
            (("relay", "--nope"), "--nope"),
            (("relay", "--to", "x"), "--to"),
            (("relay", "--to", "http://127.0.0.1:1", "--spool-bytes", "1"), "from 1048576 on"),
            (("token", "me", "--nope"), "no such option"),
            (("watch", "--log", "/dev/null", "--status", "0"), "from 1 to a day"),
        ):
            code, out, err = self.tool(*arguments)
            self.assertEqual((code, out), (2, ""), (arguments, err))
            self.assertEqual(err.count("\n"), 1, err)
            self.assertIn(text, err)
        code, out, err = self.tool("stop", "run", "--reason", "x" * 70000)
        self.assertEqual((code, err), (1, "streamd stop: the id or the reason is too long\n"))

    def test_an_order_goes_from_the_shell_to_the_trainer(self) -> None:
        daemon = self.daemon()
        trainer = self.trainer(daemon)
        knobs = {"lr": {"min": 0, "max": 1, "value": 0.5}, "on": {"type": "bool", "value": False}}
        trainer.push({"type": "start", "sessionId": "run", "config": {"knobs": knobs}})
        at = ("--url", daemon.url)
        told = "run order 1 (pause): told to 1 trainer\n"
        self.assertEqual(self.tool("pause", "run", "--reason", "tea", *at), (0, told, ""))
        would = "run order 2 (stop): would be told to 1 trainer\n"
        self.assertEqual(self.tool("stop", "run", "--dry-run", *at), (0, would, ""))
        code, text, _ = self.tool("set", "run", "lr=0.25", "--json", *at)
        self.assertEqual((code, json.loads(text)["order"]["value"]), (0, 0.25))
        code, text, _ = self.tool("set", "run", "on=true", "--json", *at)
        self.assertIs(json.loads(text)["order"]["value"], True)
        line = trainer.hears("control")
        self.assertEqual((line["command"], line["reason"]), ("pause", "tea"))
        self.assertEqual(trainer.hears("control")["value"], 0.25)
        why = "streamd set: lr must be a number from 0 to 1, not 2\n"
        self.assertEqual(self.tool("set", "run", "lr=2", *at), (1, "", why))
        for wrong in ("lr", "lr=", "=1", "lr=fast"):
            self.assertEqual(self.tool("set", "run", wrong, *at)[0], 2)
        self.assertEqual(self.tool("set", "run", *at)[0], 2)
        why = "streamd resume: Session not found\n"
        self.assertEqual(self.tool("resume", "nobody", *at), (1, "", why))

    def test_runs_and_their_numbers_are_listed(self) -> None:
        daemon = self.daemon()
        trainer = self.trainer(daemon, "run")
        at = ("--url", daemon.url)
        for step in range(1, 4):
            trainer.push({"type": "progress", "metrics": {"step": step, "loss": 1 / step}})
        code, text, _ = self.tool("ls", *at)
        self.assertEqual(code, 0)
        self.assertRegex(text, r"^run +running +\S+ +\d+\.\d%  loss 0\.3333")
        self.assertNotIn("\033", text)
        self.assertEqual(self.tool("ls", "--status", "failed", *at), (0, "", ""))
        code, text, _ = self.tool("ls", "--json", *at)
        self.assertEqual(json.loads(text)["data"]["total"], 1)
        code, text, _ = self.tool("metrics", "run", "--json", "--since", "1", *at)
        self.assertEqual([json.loads(line)["offset"] for line in text.splitlines()], [2, 3])
        code, text, _ = self.tool("metrics", "run", "--fields", "loss", "--limit", "1", *at)
        self.assertRegex(text, r"^currentStep=3 loss=0\.3333\d+ offset=3 ")
        missing = (1, "", "streamd metrics: Session not found\n")
        self.assertEqual(self.tool("metrics", "nobody", *at), missing)
        self.assertEqual(self.tool("metrics", "run", "--since", "x", *at)[0], 2)

    def wait_for(self, *arguments: str) -> "subprocess.Popen[str]":
        """A `streamd wait` that is listening."""
        process = subprocess.Popen(
            [BINARY, "wait", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_a_shell_sleeps_until_something_is_true(self) -> None:
        daemon = self.daemon()
        trainer = self.trainer(daemon, "run")
        at = ("--url", daemon.url)
        progress = {"type": "progress", "metrics": {"step": 1, "loss": 1.0, "val/loss": 0.9}}
        trainer.push(progress)
        met = (0, "run running, loss<2\n", "")
        self.assertEqual(self.tool("wait", "run", "--until", "loss<2", *at), met)
        late = self.tool("wait", "run", "--until", "val/loss<0.5", "--timeout", "0.2s", *at)
        self.assertEqual(late, (3, "", "streamd wait: the time is up\n"))
        for wrong in (("--until", "loss"), ("--timeout", "soon"), ("--until", "phase<3")):
            self.assertEqual(self.tool("wait", "run", *wrong, *at)[0], 2)
        self.assertEqual(self.tool("wait", "nobody", *at)[0], 1)
        better = self.wait_for("run", "--until", "val/loss<0.5", *at)
        ended = self.wait_for("run", *at)
        never = self.wait_for("run", "--until", "epoch>=10", *at)
        eventually("three who listen", lambda: daemon.gauge("peers") == 3)
        trainer.push({"type": "progress", "metrics": {"step": 2, "loss": 1.0, "val/loss": 0.25}})
        self.assertEqual(better.communicate(timeout=DEADLINE_S)[0], "run running, val/loss<0.5\n")
        trainer.push({"type": "complete"})
        self.assertEqual(ended.communicate(timeout=DEADLINE_S)[0], "run completed\n")
        self.assertIn("run has ended without it", never.communicate(timeout=DEADLINE_S)[1])
        self.assertEqual([p.returncode for p in (better, ended, never)], [0, 0, 1])

    def test_who_waits_hears_how_it_ended(self) -> None:
        daemon = self.daemon()
        trainer = self.trainer(daemon, "failing", "leaving")
        at = ("--url", daemon.url)
        failed = self.wait_for("failing", "--json", *at)
        as_failed = self.wait_for("failing", "--until", "status=failed", *at)
        never = self.wait_for("failing", "--until", "loss<0", *at)
        phase = self.wait_for("leaving", "--until", "phase=DIVERGING", *at)
        eventually("four who listen", lambda: daemon.gauge("peers") == 4)
        metrics = {"step": 1, "loss": float("nan")}
        trainer.push({"type": "progress", "sessionId": "leaving", "metrics": metrics})
        told = phase.communicate(timeout=DEADLINE_S)[0]
        self.assertEqual(told, "leaving running, phase=DIVERGING\n")
        trainer.push({"type": "fail", "sessionId": "failing", "error": "no memory"})
        told = failed.communicate(timeout=DEADLINE_S)[0]
        self.assertEqual(json.loads(told)["data"]["status"], "failed")
        told = as_failed.communicate(timeout=DEADLINE_S)[0]
        self.assertEqual(told, "failing failed, status=failed\n")
        self.assertIn("failing has failed without it", never.communicate(timeout=DEADLINE_S)[1])
        self.assertEqual([p.returncode for p in (phase, failed, as_failed, never)], [0, 0, 0, 1])
