# SPDX-License-Identifier: MIT
"""#148-#160, #177-#182: files that are not ours or go away, locks, clocks, and very many runs."""

import os
import re
import signal
import socket
import sqlite3
import time
import unittest
from typing import Any, Dict, List

from bad_disk import BadDisk
from harness import Daemon, eventually
from place import DurableTest, rounds
from sender import point
from stored import FILES, check_integrity, check_kept, read_store
from trainer_wire import Trainer, progress
from websocket import WebSocket

TO_2099_S = 73 * 365 * 86400
TEN_YEARS_S = 10 * 365 * 86400
RED_WITHIN_S = 5.0


class StoreLife(DurableTest):
    def database(self) -> str:
        return os.path.join(self.data, FILES[0])

    def trainer(self, daemon: Daemon) -> Trainer:
        trainer = Trainer(daemon.socket_path)
        self.addCleanup(trainer.close)
        return trainer

    def status(self, daemon: Daemon, session: str) -> Dict[str, Any]:
        answer = daemon.get("/api/training/status/" + session).json()
        found: Dict[str, Any] = answer["data"]
        return found

    def history(self, daemon: Daemon, session: str) -> List[Dict[str, Any]]:
        path = "/api/training/history/%s?limit=100000000" % session
        found: List[Dict[str, Any]] = daemon.get(path).json()["data"]
        return found

    # ---- whose file it is ----

    def test_148_not_ours(self) -> None:
        """#148 store: a newer schema, no database, another program's, a directory -> refused with path and reason, left as it is; an empty file -> becomes a store"""
        self.stop(self.daemon())
        with sqlite3.connect(self.database()) as database:
            database.execute("PRAGMA user_version=1000")
        database.close()
        self.assertIn("has schema 1000", self.refused(self.spawn()))
        cases = {"no database": b"not a database at all\n" * 20, "short": b"x"}
        for name, content in cases.items():
            data = os.path.join(self.folder, name)
            path = os.path.join(data, FILES[0])
            os.mkdir(data)
            with open(path, "wb") as file:
                file.write(content)
            self.assertIn("not a database", self.refused(self.spawn(data=data)))
            with open(path, "rb") as file:
                self.assertEqual(file.read(), content)
        data = os.path.join(self.folder, "other")
        os.mkdir(data)
        database = sqlite3.connect(os.path.join(data, FILES[0]))
        database.execute("CREATE TABLE t (x)")
        database.close()
        self.assertIn("another program's", self.refused(self.spawn(data=data)))
        os.makedirs(os.path.join(self.folder, "folder", FILES[0]))
        refusal = self.refused(self.spawn(data=os.path.join(self.folder, "folder")))
        self.assertIn("not a file", refusal)
        data = os.path.join(self.folder, "empty")
        os.mkdir(data)
        with open(os.path.join(data, FILES[0]), "wb"):
            pass
        self.stop(self.daemon(data=data))

    def test_151_two_daemons(self) -> None:
        """#151 store: a second daemon on one store -> refused with the first one's process; the first goes on"""
        first = self.daemon()
        senders = self.fleet(first, "first", 1, 2)
        self.progress(senders, 50)
        second = self.spawn(folder=self.scratch())
        self.assertIn("process %d" % first.process.pid, self.refused(second))
        self.progress(senders, 50)
        self.settle(senders)
        self.stop(first)
        check_kept(self.data, senders)

    # ---- who else is there ----

    def test_149_another_writer(self) -> None:
        """#149 store: another process holds the write lock -> red, live goes on; released: all is kept"""
        daemon = self.daemon()
        live = self.live(daemon)
        senders = self.fleet(daemon, "locked")
        self.progress(senders, 50)
        other = sqlite3.connect(self.database(), isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        self.await_health(daemon, 503)
        live.check(20)
        other.execute("ROLLBACK")
        self.await_health(daemon, 200)
        self.settle(senders)
        self.stop(daemon)
        check_kept(self.data, senders)

    def test_150_backup_and_a_long_reader(self) -> None:
        """#150 store: sqlite3's backup and a reader that stays, while it is written -> the backup is whole, writing goes on; the log stays bounded"""
        daemon = self.daemon()
        senders = self.fleet(daemon, "read", pause_s=0.005)
        self.progress(senders, 200)
        reader = sqlite3.connect(self.database(), isolation_level=None)
        self.addCleanup(reader.close)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM run").fetchone()
        acked = [sender.acked() for sender in senders]
        target = os.path.join(self.folder, "backup")
        os.mkdir(target)
        source = sqlite3.connect(self.database())
        backup = sqlite3.connect(os.path.join(target, FILES[0]))
        source.backup(backup)
        source.close()
        backup.close()
        self.progress(senders, 2000)
        log = os.path.join(self.data, FILES[1])
        held = os.path.getsize(log)
        reader.execute("ROLLBACK")
        records = read_store(target).records
        for each in acked:
            for session, least in each.items():
                self.assertGreaterEqual(len(records[session]), least)
        check_integrity(target)
        self.progress(senders, 2000)
        self.assertLess(os.path.getsize(log), 2 * held + (8 << 20))
        self.settle(senders)
        self.stop(daemon)
        check_kept(self.data, senders)

    def test_153_taken_away(self) -> None:
        """#153 store: database moved away while running -> red within 5 s, live goes on; back again: all is kept. Gone for good: a restart begins a new epoch"""
        daemon = self.daemon()
        live = self.live(daemon)
        senders = self.fleet(daemon, "gone", 1, 2)
        self.progress(senders, 50)
        aside = os.path.join(self.folder, "aside")
        os.rename(self.database(), aside)
        self.await_health(daemon, 503, RED_WITHIN_S)
        live.check(20)
        os.rename(aside, self.database())
        self.await_health(daemon, 200)
        self.settle(senders)
        epoch = self.status(daemon, "live")["epoch"]
        os.remove(self.database())
        daemon.kill()
        for name in os.listdir(self.data):
            os.remove(os.path.join(self.data, name))
        self.stop_senders(senders)
        daemon = self.daemon()
        self.trainer(daemon).start("live")
        self.assertNotEqual(self.status(daemon, "live")["epoch"], epoch)

    def test_154_history_lost(self) -> None:
        """#154 store: killed with updates told and not kept -> a new epoch; who comes back with the old one gets recovered:true only up to what was kept, else false and nothing in its place"""
        disk = BadDisk(self.folder, self.data)
        self.addCleanup(disk.close)
        daemon = self.daemon(variables=disk.variables())
        trainer = self.trainer(daemon)
        trainer.start("e")
        trainer.send(*[dict(progress("e", {"step": n}), seq=n) for n in range(1, 11)])
        while trainer.acked("e") < 10:
            pass
        epoch = self.status(daemon, "e")["epoch"]
        disk.fail(3)
        trainer.ask(*[dict(progress("e", {"step": n}), seq=n) for n in range(11, 21)])
        self.await_health(daemon, 503, RED_WITHIN_S)
        daemon.kill()
        disk.mend()
        daemon = self.daemon()
        self.assertNotEqual(self.status(daemon, "e")["epoch"], epoch)
        for since, recovered in ((5, True), (10, True), (11, False), (20, False), (99, False)):
            ws = WebSocket(daemon.connect())
            ws.emit("subscribe_session", {"sessionId": "e", "since": since, "epoch": epoch})
            told = ws.event("session_status")
            ws.close()
            self.assertEqual(told["recovered"], recovered, since)

    # ---- what is asked of it ----

    def fill(self, daemon: Daemon, session: str, points: int) -> None:
        trainer = self.trainer(daemon)
        for first in range(1, points + 1, 1000):
            last = min(first + 1000, points + 1)
            trainer.ask("".join(point(session, n) for n in range(first, last)))
        trainer.close()

    def test_155_where_replay_begins(self) -> None:
        """#155 store: since 0, from the middle, from what memory no longer has, the top, past the top -> replay, replay, replay from disk, nothing, recovered:false"""
        daemon = self.daemon("--max-history-records", "10")
        self.fill(daemon, "r", 3000)
        for since in (0, 1, 1500, 2995, 2999):
            ws = WebSocket(daemon.connect())
            ws.emit("subscribe_session", {"sessionId": "r", "since": since})
            self.assertTrue(ws.event("session_status")["recovered"])
            for offset in range(since + 1, 3001):
                self.assertEqual(ws.event("progress_update")["offset"], offset)
            ws.close()
        for since, recovered in ((3000, True), (3001, False)):
            ws = WebSocket(daemon.connect())
            ws.emit("subscribe_session", {"sessionId": "r", "since": since})
            self.assertEqual(ws.event("session_status")["recovered"], recovered)
            ws.close()
        self.stop(daemon)

    def test_156_replay_to_a_slow_client(self) -> None:
        """#156 store: a replay of 20,000 updates (of 1,000,000) to a client that reads late, while the run goes on -> each offset once, in order, memory flat"""
        daemon = self.daemon("--no-throttle", "--max-history-records", "1000")
        self.fill(daemon, "s", 20000)
        before = daemon.rss_bytes()
        ws = WebSocket(daemon.connect())
        self.addCleanup(ws.close)
        ws.emit("subscribe_session", {"sessionId": "s", "since": 0})
        for offset in range(1, 1001):
            self.assertEqual(ws.event("progress_update")["offset"], offset)
        trainer = self.trainer(daemon)
        for number in range(20001, 20201):
            trainer.ask(point("s", number).rstrip())
        self.assertLess(daemon.rss_bytes() - before, 16 << 20)
        for offset in range(1001, 20201):
            self.assertEqual(ws.event("progress_update")["offset"], offset)
        self.assertLess(daemon.rss_bytes() - before, 16 << 20)
        self.stop(daemon)

    def test_157_deleted_while_it_is_read(self) -> None:
        """#157 store: a run is deleted while its history is being read -> what comes has no hole, and its end is told apart from a whole answer"""
        daemon = self.daemon("--max-history-records", "10")
        trainer = self.trainer(daemon)
        trainer.start("d")
        self.fill(daemon, "d", 100000)
        trainer.ask({"type": "complete", "sessionId": "d"})
        http = daemon.http()
        self.addCleanup(http.close)
        path = "/api/training/history/d?limit=100000000&format=ndjson"
        http.send("GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % path)
        self.assertEqual(http.head().status, 200)
        gone = daemon.http()
        self.assertEqual(gone.request("DELETE", "/api/training/sessions/d").status, 200)
        gone.close()
        http.sock.shutdown(socket.SHUT_WR)
        body = http.rest()
        whole = body.endswith(b"\r\n0\r\n\r\n")
        lines = re.sub(rb"\r\n[0-9A-Fa-f]+\r\n", b"", b"\r\n" + body)  # a chunk may end in a number
        offsets = [int(found) for found in re.findall(rb'"offset":(\d+),', lines)]
        self.assertEqual(offsets, list(range(1, len(offsets) + 1)))
        self.assertEqual(whole, len(offsets) == 100000)
        self.assertEqual(self.history(daemon, "d"), [])
        self.stop(daemon)

    # ---- clocks ----

    def test_158_wrong_clocks(self) -> None:
        """#158 store: a start in 2099, then one ten years ago, with --retain 1d -> no run expires, no history is dropped, trainers go on"""
        disk = BadDisk(self.folder, self.data)
        self.addCleanup(disk.close)
        options = ("--retain", "1d", "--live-idle-s", "3600", "--live-completed-s", "3600")
        daemon = self.daemon(*options, variables=disk.variables())
        trainer = self.trainer(daemon)
        trainer.start("over")
        trainer.ask(progress("over", {"step": 1}), {"type": "complete", "sessionId": "over"})
        senders = self.fleet(daemon, "clock", 1, 2)
        self.progress(senders, 50)
        for ahead_s in (TO_2099_S, -TEN_YEARS_S, TO_2099_S):
            daemon.kill()
            disk.set_clock(ahead_s)
            daemon = self.daemon(*options, variables=disk.variables())
            self.progress(senders, 50)
            self.assertEqual(self.status(daemon, "over")["status"], "completed")
            self.assertEqual(len(self.history(daemon, "over")), 1)
        self.settle(senders)
        self.stop(daemon)
        check_kept(self.data, senders)

    def test_182_clock_set_while_it_runs(self) -> None:
        """#182 process: the wall clock jumps an hour on and back, to 2099, ten years back -> updates, heartbeats and acks go on, no run expires"""
        disk = BadDisk(self.folder, self.data)
        self.addCleanup(disk.close)
        daemon = self.daemon("--ping-interval-ms", "100", variables=disk.variables())
        live = self.live(daemon)
        senders = self.fleet(daemon, "clock", 1, 2)
        for ahead_s in (0, 3600, -3600, TO_2099_S, -TEN_YEARS_S, 0):
            disk.set_clock(ahead_s)
            pings = live.pings
            self.progress(senders, 50)
            live.check()
            eventually("a heartbeat", lambda: live.pings > pings)
            told_s = daemon.get("/health").json()["timestamp"]
            self.assertAlmostEqual(told_s, time.time() + ahead_s, delta=60)
        self.assertEqual(daemon.get("/health").json()["sessions"], 3)
        self.settle(senders)
        self.stop(daemon)
        check_kept(self.data, senders)

    # ---- how many, and what they are called ----

    def test_159_very_many_runs(self) -> None:
        """#159 store: 100,000 runs (10,000 by default) -> known again after a start within 5 s"""
        count = rounds(10000, 100000)
        options = ("--max-sessions", "1000000")
        daemon = self.daemon(*options)
        trainer = self.trainer(daemon)
        for first in range(0, count, 500):
            lines: List[Dict[str, Any]] = []
            for i in range(first, first + 500):
                lines.append({"type": "start", "sessionId": "run-%d" % i})
                lines.append(progress("run-%d" % i, {"step": 1, "v": i}))
            trainer.ask(*lines)
        self.stop(daemon)
        start = time.monotonic()
        daemon = self.daemon(*options)
        took_s = time.monotonic() - start
        print("%d stored runs: start took %.0f ms" % (count, took_s * 1000))
        self.assertLess(took_s, 5.0)
        self.assertEqual(daemon.get("/health").json()["sessions"], count)
        for i in (0, count // 2, count - 1):
            self.assertEqual([r["v"] for r in self.history(daemon, "run-%d" % i)], [i])
        self.stop(daemon)

    def test_160_names_that_are_sql(self) -> None:
        """#160 store: SQL in metric names, project, name, config and errors -> stored literally, there again after a kill"""
        evil = "x'); DROP TABLE session;-- \" ? :a @b $c % _"
        daemon = self.daemon()
        trainer = self.trainer(daemon)
        trainer.start("sql", project=evil, name=evil, config={evil: evil})
        trainer.send(dict(progress("sql", {"step": 1, evil: 2.5}), seq=1))
        self.assertEqual(trainer.acked("sql"), 1)
        trainer.send({"type": "fail", "sessionId": "sql", "seq": 2, "error": evil})
        while trainer.acked("sql") < 2:
            pass
        daemon.kill()
        daemon = self.daemon()
        told = self.status(daemon, "sql")
        self.assertEqual((told["project"], told["name"], told["config"]), (evil, evil, {evil: evil}))
        self.assertEqual(self.history(daemon, "sql")[0][evil], 2.5)
        self.assertIn("sql", read_store(self.data).records)

    # ---- stopped and gone on ----

    def test_181_stopped_for_a_while(self) -> None:
        """#181 process: SIGSTOP in the middle of commits, then SIGCONT, again and again -> acks go on, all is kept (seconds instead of 120 s)"""
        daemon = self.daemon()
        senders = self.fleet(daemon, "stop")
        for _ in range(5):
            self.progress(senders, 1)
            daemon.process.send_signal(signal.SIGSTOP)
            stopped_at = time.monotonic()
            eventually("a moment", lambda: time.monotonic() > stopped_at + 0.2)
            daemon.process.send_signal(signal.SIGCONT)
        self.settle(senders)
        self.stop(daemon)
        check_kept(self.data, senders)

    def test_177_ended_under_load(self) -> None:
        """#177 process: SIGTERM again and again while trainers write -> what was read is kept and acked, exit 0, and the next one goes on in the same epoch"""
        epoch = ""
        daemon = self.daemon()
        senders = self.fleet(daemon, "term")
        for _ in range(5):
            self.progress(senders, 20)
            name = next(iter(senders[0].ledgers))
            before, epoch = epoch, self.status(daemon, name)["epoch"]
            self.assertIn(before, ("", epoch))
            self.stop(daemon)
            check_kept(self.data, senders)
            daemon = self.daemon()
        self.settle(senders)
        self.stop(daemon)
        check_kept(self.data, senders)

    def test_178_second_signal(self) -> None:
        """#178 process: a second SIGTERM while the disk is slow -> ends at once, what was acked is there"""
        disk = BadDisk(self.folder, self.data)
        self.addCleanup(disk.close)
        daemon = self.daemon(variables=disk.variables())
        senders = self.fleet(daemon, "twice", 1, 2)
        self.progress(senders, 50)
        disk.slow(1.0)
        daemon.process.terminate()
        daemon.process.terminate()
        daemon.process.wait(10)
        self.assertGreaterEqual(daemon.process.returncode, 0)
        disk.slow(0.0)
        check_kept(self.data, senders)
        self.stop_senders(senders)
        check_integrity(self.data)


if __name__ == "__main__":
    unittest.main()
