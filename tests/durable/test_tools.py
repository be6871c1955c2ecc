# SPDX-License-Identifier: MIT
"""streamd export, import and verify, beside daemons and without them."""

import json
import os
import resource
import sqlite3
import struct
import subprocess
import time
import urllib.request
from typing import Any, Dict, List, Optional

from event_file import Scalar, event
from harness import STREAMD
from place import DurableTest

TOOL_S = 120.0
GOOD, BAD, USAGE = 0, 1, 2


class Done:
    """A tool that has ended."""

    def __init__(self, status: int, out: bytes, err: str) -> None:
        self.status, self.out, self.err = status, out, err


def tool(*arguments: str, limit_bytes: Optional[int] = None) -> Done:
    """Run it to its end."""

    def limit() -> None:
        if limit_bytes:
            resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))

    made = subprocess.run(
        [STREAMD, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=TOOL_S,
        check=False,
        preexec_fn=limit,
    )
    return Done(made.returncode, made.stdout, made.stderr.decode())


def ask(daemon: Any, path: str, body: Optional[bytes] = None) -> bytes:
    """The body of an answer that is good; with a body of its own it is a POST of lines."""
    url = "http://127.0.0.1:%d%s" % (daemon.port, path)
    request = urllib.request.Request(url, body, {"Content-Type": "application/x-ndjson"})
    with urllib.request.urlopen(request, timeout=TOOL_S) as answer:
        return bytes(answer.read())


class ToolTest(DurableTest):
    """A folder, and tools that work on it."""

    def tool(self, name: str, *arguments: str, status: int = GOOD, **more: Any) -> Done:
        done = tool(name, "--data", self.data, *arguments, **more)
        self.assertEqual(done.status, status, done.err + done.out.decode(errors="replace"))
        self.assertNotRegex(done.err, "Sanitizer|runtime error:|Assertion")
        return done

    def file(self, name: str, content: Any) -> str:
        path = os.path.join(self.folder, name)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        return path

    def change(self, sql: str) -> None:
        """What no daemon would do to its store."""
        database = sqlite3.connect(os.path.join(self.data, "streamd.db"))
        try:
            self.assertGreater(database.execute(sql).rowcount, 0)
            database.commit()
        finally:
            database.close()

    def push(self, daemon: Any, session: str, lines: List[Dict[str, Any]]) -> None:
        for at in range(0, len(lines), 1000):
            part = lines[at : at + 1000]
            body = "".join(json.dumps(dict(line, sessionId=session)) + "\n" for line in part)
            told = json.loads(ask(daemon, "/api/training/ingest", body.encode()))
            self.assertTrue(told["success"], told)

    def history(self, daemon: Any, session: str, query: str = "") -> bytes:
        return ask(daemon, "/api/training/history/%s?limit=100000000&%s" % (session, query))

    def records(self, daemon: Any, session: str) -> List[Dict[str, Any]]:
        lines = self.history(daemon, session, "format=ndjson").splitlines()
        return [json.loads(line) for line in lines]

    def session(self, daemon: Any, session: str) -> Dict[str, Any]:
        told = json.loads(ask(daemon, "/api/training/sessions/%s" % session))
        return dict(told.get("data", told))


def a_run(points: int) -> List[Dict[str, Any]]:
    lines: List[Dict[str, Any]] = [{"type": "start", "config": {"lr": 0.1}, "project": "p"}]
    for step in range(1, points + 1):
        metrics = {"loss": 10 / step, "acc": step / 7, "step": step}
        lines.append({"type": "progress", "metrics": metrics})
    return lines + [{"type": "progress", "metrics": {"loss": float("nan"), "step": points + 1}}]


class Export(ToolTest):
    """The bytes of the history route, as files."""

    def test_a_file_has_the_bytes_of_the_route_beside_a_running_daemon(self) -> None:
        daemon = self.daemon()
        self.push(daemon, "a", a_run(500))
        for form in ("csv", "ndjson", "json"):
            exported = self.tool("export", "--format", form, "a").out
            self.assertEqual(exported, self.history(daemon, "a", "format=" + form))
        exported = self.tool("export", "--fields", "acc,lr", "a").out
        self.assertEqual(exported, self.history(daemon, "a", "format=csv&fields=acc,lr"))
        self.stop(daemon)
        self.assertEqual(self.tool("export", "--fields=acc,lr", "a").out, exported)

    def test_branches_are_what_a_rewind_replaced(self) -> None:
        daemon = self.daemon()
        self.push(daemon, "a", a_run(20))
        self.push(daemon, "a", [{"type": "start", "resume": True}] + a_run(10)[1:11])
        whole = self.tool("export", "--branches", "--format", "ndjson", "a").out
        self.assertEqual(whole, self.history(daemon, "a", "format=ndjson&branches=1"))
        self.assertIn(b'"superseded":true', whole)
        self.assertEqual(
            self.tool("export", "a").out, self.history(daemon, "a", "format=csv")
        )

    def test_all_go_to_a_folder_with_an_index(self) -> None:
        daemon = self.daemon()
        for session in ("a", "b", "runs"):
            self.push(daemon, session, a_run(5))
        folder = os.path.join(self.folder, "out")
        self.tool("export", "--all", "--format", "ndjson", "--out", folder)
        self.assertEqual(
            sorted(os.listdir(folder)), ["%runs.ndjson", "a.ndjson", "b.ndjson", "runs.ndjson"]
        )
        with open(os.path.join(folder, "runs.ndjson"), "rb") as index:
            runs = [json.loads(line) for line in index]
        self.assertEqual([run["session_id"] for run in runs], ["a", "b", "runs"])
        self.assertEqual(runs[0]["config"], {"lr": 0.1})
        self.assertEqual(runs[0]["summary"]["acc"]["count"], 5)
        for key in ("project", "name", "status", "start_time", "last_update", "epoch"):
            self.assertEqual(runs[0][key], self.session(daemon, "a")[key])

    def test_what_is_not_there_is_named(self) -> None:
        daemon = self.daemon()
        self.push(daemon, "a", a_run(5))
        out = os.path.join(self.folder, "out")
        done = self.tool("export", "--out", out, "nobody", status=BAD)
        self.assertIn('"nobody": no such run', done.err)
        self.assertFalse(os.path.exists(out))
        done = self.tool("export", "--out", os.path.join(out, "x"), "a", status=BAD)
        self.assertIn("No such file", done.err)

    def test_what_is_damaged_is_left_out_and_named(self) -> None:
        daemon = self.daemon()
        for session in ("a", "b"):
            self.push(daemon, session, a_run(20))
        self.stop(daemon)
        whole = self.tool("export", "b").out
        self.change("UPDATE run SET bytes=zeroblob(length(bytes)) WHERE session=1")
        done = self.tool("export", "a", status=BAD)
        self.assertIn("a to -: what is damaged was left out", done.err)
        self.assertEqual(self.tool("export", "b").out, whole)
        self.change("UPDATE session SET state='x' WHERE key=1")
        folder = os.path.join(self.folder, "out")
        done = self.tool("export", "--all", "--out", folder, status=BAD)
        self.assertIn("a run cannot be read, key 1: see streamd verify", done.err)
        with open(os.path.join(folder, "b.csv"), "rb") as kept:
            self.assertEqual(kept.read(), whole)
        self.assertIn("no such run", self.tool("export", "a", status=BAD).err)

    def test_a_table_of_too_many_columns_is_refused(self) -> None:
        daemon = self.daemon()
        wide = {"m%d" % i: i for i in range(1100)}
        self.push(daemon, "a", [{"type": "progress", "metrics": wide}])
        done = self.tool("export", "a", status=BAD)
        self.assertIn("a csv has at most 1024 metrics: name some with --fields", done.err)
        self.assertIn(b"m1099", self.tool("export", "--fields", "m1099", "a").out)

    def test_memory_does_not_grow_with_the_run(self) -> None:
        """A million records in a few megabytes, whatever they are written as."""
        rows = b"".join(b"%d,%d.%03d,%d\n" % (i, i % 97, i % 1000, i * 7) for i in range(1000000))
        path = self.file("big.csv", b"step,loss,x\n" + rows)
        self.tool("import", path)
        out = os.path.join(self.folder, "big.out")
        for form in ("csv", "json"):
            self.tool(
                "export", "--format", form, "--out", out, "big", limit_bytes=48 << 20
            )
            self.assertGreater(os.path.getsize(out), 50000000)


class Import(ToolTest):
    """Files that become runs."""

    def test_an_export_comes_back_with_the_same_bytes(self) -> None:
        daemon = self.daemon()
        self.push(daemon, "a", a_run(3000))
        self.stop(daemon)
        for form in ("csv", "ndjson", "json"):
            path = os.path.join(self.folder, "b." + form)
            self.tool("export", "--format", form, "--out", path, "a")
            self.tool("import", "--replace", "--project", "q", "--name", "n", path)
            again = self.tool("export", "--format", "csv", "b").out
            self.assertEqual(again, self.tool("export", "--format", "csv", "a").out)
        daemon = self.daemon()
        self.assertEqual(self.history(daemon, "b", "format=csv"), again)
        old, new = self.session(daemon, "a"), self.session(daemon, "b")
        self.assertEqual((new["project"], new["name"], new["status"]), ("q", "n", "completed"))
        self.assertAlmostEqual(new["start_time"], old["start_time"], 2)
        for metric in ("loss", "acc"):
            self.assertEqual(new["summary"][metric], old["summary"][metric])

    def test_a_table_of_epochs(self) -> None:
        path = self.file("results.csv", "  epoch,  train/loss,val\r\n1,0.5,nan\r\n2,.25,\r\n\r\n")
        self.assertEqual(self.tool("import", path).out, b"1 run, 2 records\n")
        daemon = self.daemon()
        first, second = self.records(daemon, "results")
        self.assertEqual((first["currentStep"], first["epoch"], first["train/loss"]), (1, 1, 0.5))
        self.assertEqual(first["nonFinite"], {"val": "NaN"})
        self.assertEqual((second["currentStep"], second["train/loss"]), (2, 0.25))
        self.assertNotIn("val", second)

    def test_hugging_face_state(self) -> None:
        state = {
            "max_steps": 20,
            "best_metric": None,
            "log_history": [
                {"epoch": 0.5, "learning_rate": 5e-05, "loss": 2.5, "step": 10},
                {"epoch": 1.0, "eval_loss": 2.25, "eval_runtime": 3.5, "step": 20},
            ],
        }
        path = self.file("trainer_state.json", json.dumps(state, indent=2))
        self.tool("import", "--id", "hf", path)
        daemon = self.daemon()
        first, second = self.records(daemon, "hf")
        self.assertEqual((first["loss"], first["learning_rate"], first["epoch"]), (2.5, 5e-05, 0.5))
        self.assertEqual((first["totalSteps"], first["currentStep"]), (20, 10))
        self.assertEqual((second["eval_loss"], second["currentStep"]), (2.25, 20))
        self.assertEqual(self.session(daemon, "hf")["config"]["max_steps"], 20)

    def test_event_files(self) -> None:
        content = event(1700000000, 0, version="brain.Event:2")
        for step in range(100):
            wall = 1700000000.5 + step
            content += event(wall, step, (Scalar("loss", 1 / (step + 1)),))
            content += event(wall + 0.25, step, (Scalar("lr/a", 0.5, tensor=True),))
        path = self.file("events.out.tfevents.1700000000.host", content)
        self.tool("import", "--id", "tb", path)
        daemon = self.daemon()
        records = self.records(daemon, "tb")
        self.assertEqual(len(records), 100)
        half = struct.unpack("<f", struct.pack("<f", 1 / 3))[0]
        self.assertEqual((records[2]["currentStep"], records[2]["loss"]), (2, half))
        self.assertEqual((records[2]["lr/a"], records[2]["serverTime"]), (0.5, 1700000002.75))
        status = self.session(daemon, "tb")
        self.assertEqual(status["start_time"], 1700000000.75)
        self.assertEqual(status["last_update"], 1700000099.75)

    def test_damage_is_named_and_nothing_is_kept(self) -> None:
        good = self.file("good.csv", "step,loss\n1,2\n2,3\n")
        torn = self.file("torn.csv", "step,loss\n1,2\n2\n")
        line = self.file("line.ndjson", '{"step":1,"loss":2}\n{"step":2,"loss":\n')
        content = event(1, 1, (Scalar("a", 1),)) + event(2, 2, (Scalar("a", 2),))
        cut = self.file("cut.tfevents", content[:-5])
        done = self.tool("import", torn, good, line, cut, status=BAD)
        self.assertIn("torn.csv: line 3, byte 14: fewer cells", done.err)
        self.assertIn("line.ndjson: line 2", done.err)
        self.assertIn("cut.tfevents: byte %d: a record is cut off" % (len(content) // 2), done.err)
        self.assertEqual(done.out, b"1 run, 2 records\n")
        daemon = self.daemon()
        runs = json.loads(ask(daemon, "/api/training/sessions?status=any"))["data"]
        self.assertEqual([run["session_id"] for run in runs["sessions"]], ["good"])
        self.stop(daemon)
        self.tool("import", "--partial", torn, cut, status=BAD)
        self.assertEqual(self.tool("export", "cut.tfevents").out.count(b"\r\n"), 2)

    def test_what_is_no_run_is_named(self) -> None:
        wide = ["a_long_name_%d" % i for i in range(5000)]
        for name, content, why in (
            ("x.bin", b"\0\1\2" * 100, "none of the formats; name one with --format"),
            ("empty.csv", "", "the file is empty"),
            ("head.csv", "step,loss\n", "there is no record in it"),
            ("wide.csv", "%s\n%s\n" % (",".join(wide), ",".join("1" for _ in wide)), "longer than 65536"),
        ):
            done = self.tool("import", self.file(name, content), status=BAD)
            self.assertIn(name + ": ", done.err)
            self.assertIn(why, done.err)
        done = self.tool("import", os.path.join(self.folder, "none.csv"), status=BAD)
        self.assertIn("none.csv: No such file or directory", done.err)

    def test_a_run_that_goes_on_is_not_replaced(self) -> None:
        daemon = self.daemon()
        self.push(daemon, "a", a_run(5))
        self.stop(daemon)
        path = self.file("a.csv", "step,loss\n1,2\n")
        done = self.tool("import", "--replace", path, status=BAD)
        self.assertIn("nothing of it was imported: the run of that id is not over", done.err)
        self.assertEqual(self.tool("export", "a").out.count(b"\r\n"), 7)

    def test_an_import_that_is_killed_leaves_nothing(self) -> None:
        self.tool("import", self.file("first.csv", "step,loss\n1,2\n"))
        path = self.file("big.csv", "step,loss\n" + "".join("%d,1.5\n" % i for i in range(400000)))
        killed = 0
        for delay_s in (0.1, 0.25, 0.4, 0.6):
            command = [STREAMD, "import", "--data", self.data, path]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            time.sleep(delay_s)
            process.kill()
            if process.wait(TOOL_S) == 0:
                break
            killed += 1
            self.tool("verify")
            self.tool("export", "big", status=BAD)
        self.assertGreater(killed, 0)
        self.tool("export", "first")

    def test_a_run_of_that_id_is_refused_or_replaced(self) -> None:
        path = self.file("r.csv", "step,loss\n1,2\n")
        self.tool("import", path)
        done = self.tool("import", path, status=BAD)
        self.assertIn("there is a run r already", done.err)
        self.file("r.csv", "step,loss\n1,5\n2,6\n")
        self.tool("import", "--replace", path)
        self.assertEqual(self.tool("export", "r").out.count(b"\r\n"), 3)
        self.tool("verify")

    def test_not_beside_a_daemon(self) -> None:
        daemon = self.daemon()
        path = self.file("r.csv", "step,loss\n1,2\n")
        done = self.tool("import", path, status=BAD)
        self.assertIn("is used by another streamd, process %d" % daemon.process.pid, done.err)

    def test_old_runs_are_not_dropped_for_a_long_one(self) -> None:
        """The clock of ages goes on by the import's own time, not by the run's."""
        daemon = self.daemon()
        self.push(daemon, "old", a_run(5) + [{"type": "complete"}])
        self.stop(daemon)
        day_s = 86400
        rows = "".join("%d,1,%d\n" % (i, 1600000000 + i * day_s) for i in range(100))
        self.tool("import", self.file("long.csv", "step,loss,wall_time\n" + rows))
        daemon = self.daemon()
        for session in ("old", "long"):
            self.assertEqual(self.session(daemon, session)["status"], "completed")
        self.assertEqual(self.session(daemon, "long")["start_time"], 1600000000)
        self.assertEqual(self.records(daemon, "long")[9]["trainingTime"], 9 * day_s)


class Verify(ToolTest):
    """Whether all is there."""

    def fill(self) -> None:
        daemon = self.daemon()
        self.push(daemon, "a", a_run(6000))
        self.push(daemon, "b", a_run(50) + [{"type": "complete"}])
        done = self.tool("verify")
        self.assertIn(b"2 sessions", done.out)
        self.assertIn(b" 6052 records: no problem", done.out)
        self.stop(daemon)

    def test_a_good_store_has_no_problem(self) -> None:
        self.fill()
        done = self.tool("verify")
        self.assertEqual(done.out.count(b"\n"), 1)

    def test_flipped_bytes_are_found(self) -> None:
        """Wherever in the file: a row's own bytes are found, and named with their session."""
        self.fill()
        path = os.path.join(self.data, "streamd.db")
        with open(path, "rb") as file:
            content = file.read()
        named = found = 0
        for _ in range(40):
            at = self.random.randrange(4096, len(content))
            with open(path, "r+b") as file:
                file.seek(at)
                file.write(bytes([content[at] ^ 1 << self.random.randrange(8)]))
            done = tool("verify", "--data", self.data)
            self.assertIn(done.status, (GOOD, BAD), done.err)
            found += done.status == BAD
            named += b"session a offsets " in done.out or b"session b offsets " in done.out
            with open(path, "r+b") as file:
                file.seek(at)
                file.write(content[at : at + 1])
        self.assertGreater(found, 10)
        self.assertGreater(named, 5)
        self.tool("verify")

    def test_beside_a_daemon_that_seals(self) -> None:
        """What moves from runs to segments meanwhile is neither missing nor there twice."""
        daemon = self.daemon()
        senders = self.fleet(daemon, "v")
        for _ in range(5):
            self.progress(senders, 1500)
            self.tool("verify")
            for session in senders[0].ledgers:
                lines = self.tool("export", "--format", "ndjson", session).out.splitlines()
                offsets = [json.loads(line)["offset"] for line in lines]
                self.assertEqual(offsets, list(range(1, len(lines) + 1)))
        self.stop_senders(senders)

    def test_rows_that_nobody_has_and_rows_that_were_altered_are_named(self) -> None:
        self.fill()
        self.change("DELETE FROM session WHERE key=2")
        self.change("UPDATE meta SET value='x' WHERE name='epoch'")
        self.change("UPDATE session SET state='x' WHERE key=1")
        done = self.tool("verify", status=BAD)
        self.assertRegex(done.out, rb"\nfile: (run|segment) at offset \d+ belongs to no session \(key 2\)")
        self.assertIn(b"file: the value epoch is damaged", done.out)
        self.assertIn(b"session key 1: its row is damaged", done.out)

    def test_where_there_is_no_store(self) -> None:
        done = self.tool("verify", status=BAD)
        self.assertIn("streamd.db: No such file", done.err)


class Usage(ToolTest):
    """What they say about themselves, and to who asks wrongly."""

    def test_help_lists_them(self) -> None:
        done = tool("--help")
        for name in ("export", "import", "verify", "help"):
            self.assertIn("\n  %s " % name, done.out.decode())
            for asked in (("help", name), (name, "--help")):
                told = tool(*asked)
                self.assertEqual((told.status, told.err), (GOOD, ""))
                self.assertIn("usage: streamd %s" % name, told.out.decode())

    def test_wrong_words_are_one_line_and_exit_2(self) -> None:
        for arguments, text in (
            (("export",), "no run is named"),
            (("export", "--all"), "need --out"),
            (("export", "--all", "a"), "exclude each other"),
            (("export", "--format", "xml", "a"), "expected csv, ndjson or json"),
            (("export", "--nope", "a"), "no such option"),
            (("export", "-x", "a"), "no such option"),
            (("export", "--all=1"), "takes no value"),
            (("import",), "no file is named"),
            (("import", "--id", "a b", "f"), "--id"),
            (("import", "--id", "a", "f", "g"), "one file"),
            (("import", "--format"), "expected auto, csv"),
            (("verify", "a"), "no argument"),
            (("help", "nope"), "no such command"),
            (("nope",), "not an option"),
        ):
            done = tool(*arguments)
            self.assertEqual((done.status, done.out), (USAGE, b""), arguments)
            self.assertEqual(done.err.count("\n"), 1, done.err)
            self.assertIn(text, done.err)
