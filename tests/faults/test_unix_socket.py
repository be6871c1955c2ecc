# SPDX-License-Identifier: MIT
"""Unix ingest, #5-#8 and #34-#43: how bytes come, who may connect, and the socket's file."""

import array
import os
import resource
import socket
import stat
import subprocess
import tempfile
import threading
import time
import unittest
from typing import List

from harness import Daemon, FaultTest, STREAMD, eventually
from trainer_wire import Trainer, progress

LINE_MAX = 65_536
TRAINERS_MAX = 300


def assert_turned_away(test: unittest.TestCase, trainer: Trainer) -> None:
    """It is told why, and hung up on."""
    answer = trainer.answer()
    assert answer
    test.assertEqual((answer["type"], answer["code"]), ("error", "limit"))
    test.assertIsNone(trainer.answer())

class Stream(FaultTest):
    options = ("--max-trainers", str(TRAINERS_MAX))

    def history_total(self, session: str) -> int:
        return int(self.daemon.get("/api/training/history/%s?limit=1" % session).json()["total"])

    def flood(self, trainer: Trainer, piece: bytes, bytes_wanted: int) -> int:
        """Write until the daemon hangs up; how much it took."""
        sent = 0
        try:
            while sent < bytes_wanted:
                trainer.raw(piece)
                sent += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return sent

    def test_005_no_newline(self) -> None:
        """#5 unix: a line beyond 65,536 bytes -> one error, then the connection is closed"""
        fits = self.trainer()
        line = '{"type":"start","sessionId":"line-max","name":"n","x":"%s"}'
        self.assertEqual(len(fits.ask(line % ("x" * (LINE_MAX - len(line) + 2)))), 1)
        for ending in (b"", b"\n"):
            over = self.trainer()
            over.raw((line % ("x" * (LINE_MAX - len(line) + 3))).encode() + ending + b"x" * 8)
            (error,) = over.answers()
            self.assertEqual((error["type"], error["code"]), ("error", "too_long"))

    def test_006_ten_floods_without_a_newline(self) -> None:
        """#6 unix: 32 MB each (scaled from 1 GiB) from 10 trainers without a newline -> memory flat"""
        before = self.daemon.rss_bytes()
        trainers = [self.trainer() for _ in range(10)]
        sent: List[int] = []
        threads = [
            threading.Thread(target=lambda t=t: sent.append(self.flood(t, b"x" * 65536, 32 << 20)))
            for t in trainers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(sent), 10)
        self.assertLess(self.daemon.rss_bytes() - before, 16 << 20)

    def test_007_one_byte_a_write(self) -> None:
        """#7 unix: one byte a write, 10 ms apart -> taken as in one write, without a busy loop"""
        trainer = self.trainer()
        line = b'{"type":"progress","sessionId":"slow","metrics":{"loss":1,"x":2}}\n'
        before, start = self.daemon.cpu_s(), time.monotonic()
        for byte in line:
            trainer.raw(bytes([byte]))
            time.sleep(0.01)
        elapsed = time.monotonic() - start
        self.assertEqual(trainer.ask(), [])
        self.assertEqual(self.history_total("slow"), 1)
        # The healthy client beside has its share in this.
        self.assertLess((self.daemon.cpu_s() - before) / elapsed, 0.25)

    def test_008_a_burst_of_lines(self) -> None:
        """#8 unix: 100,000 events in one write -> all taken, in order; heartbeats and others go on"""
        trainer = self.trainer()
        line = '{"type":"progress","sessionId":"burst","seq":%d,"metrics":{"loss":1,"i":%d}}\n'
        whole = "".join(line % (i + 1, i) for i in range(100_000)).encode()
        writer = threading.Thread(target=trainer.raw, args=(whole,))
        writer.start()
        while trainer.acked("burst") < 100_000:
            pass
        writer.join()
        newest = self.daemon.get("/api/training/history/burst?limit=1").json()
        self.assertEqual(newest["total"], 100_000)
        self.assertEqual(newest["data"][0]["i"], 99_999)

    def test_034_acks_that_are_never_read(self) -> None:
        """#34 unix: a trainer that reads no answers -> it is paused, memory bounded, nothing is lost"""
        trainer = self.trainer()
        before = self.daemon.rss_bytes()
        bad = b"x\n" * 32768
        writer = threading.Thread(target=lambda: self.flood(trainer, bad, 64 << 20), daemon=True)
        writer.start()
        rejected = -1
        while rejected != self.daemon.counter("lines_rejected"):
            rejected = self.daemon.counter("lines_rejected")
            time.sleep(0.25)
        self.assertTrue(writer.is_alive(), "nothing held the trainer back")
        self.assertLess(self.daemon.rss_bytes() - before, 16 << 20)
        numbers: List[int] = []
        while len(numbers) < rejected:
            answer = trainer.answer()
            assert answer
            numbers.append(answer["line"])
        self.assertEqual(numbers, list(range(1, rejected + 1)))
        trainer.sock.shutdown(socket.SHUT_RDWR)
        writer.join()

    def test_035_as_many_silent_trainers_as_allowed(self) -> None:
        """#35 unix: silent trainers up to the cap (300, scaled from 1000) -> free; one more -> refused"""
        refused = self.daemon.counter("connections_refused")
        others = self.daemon.counter("trainers")
        silent = [self.trainer() for _ in range(TRAINERS_MAX - others)]
        eventually("them to be counted", lambda: self.daemon.counter("trainers") == TRAINERS_MAX)
        one_more = self.trainer()
        assert_turned_away(self, one_more)
        self.assertIn("as many trainers as --max-trainers allows", self.daemon.log())
        self.assertEqual(self.daemon.counter("connections_refused"), refused + 1)
        before = self.daemon.cpu_s()
        self.probe.check()
        time.sleep(0.5)
        self.assertLess(self.daemon.cpu_s() - before, 0.25)
        self.assertEqual(silent[0].ask(), [])
        silent[1].close()
        eventually("a place", lambda: self.daemon.counter("trainers") < TRAINERS_MAX)
        self.assertEqual(self.trainer().ask(), [])

    def test_042_descriptors_passed_along(self) -> None:
        """#42 unix: 10,000 messages with a file descriptor -> none is kept"""
        trainer = self.trainer()
        trainer.ask()
        before = self.daemon.fds()
        fd = os.open("/dev/null", os.O_RDONLY)
        self.addCleanup(os.close, fd)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        for _ in range(100):
            for _ in range(100):
                trainer.sock.sendmsg([b" \n"], rights)
            trainer.ask()
        self.assertLessEqual(self.daemon.fds(), before + 1)

    def test_043_half_closed(self) -> None:
        """#43 unix: the trainer shuts its side after the last line -> taken, acknowledged, closed"""
        trainer = self.trainer()
        trainer.send(progress("half", {"loss": 1}, seq=1), progress("half", {"loss": 2}, seq=2))
        trainer.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(trainer.answers()[-1], {"type": "ack", "sessionId": "half", "seq": 2})
        self.assertEqual(self.history_total("half"), 2)


class Intruder(FaultTest):
    @unittest.skipUnless(os.geteuid() == 0, "only root can be another user")
    def test_037_another_user(self) -> None:
        """#37 unix: another uid -> closed before a byte is read, logged with uid and pid"""
        os.chmod(self.daemon.folder, 0o711)
        os.chmod(self.daemon.socket_path, 0o666)
        line = '{"type":"start","sessionId":"intruder"}\n'
        code = (
            "import os,socket,sys\n"
            "os.setgid(65534); os.setuid(65534)\n"
            "s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
            "try: s.sendall(sys.argv[2].encode()); data=s.recv(100)\n"
            "except OSError: data=b''\n"
            "sys.exit(0 if data==b'' else 1)\n"
        )
        done = subprocess.run(
            ["/usr/bin/python3", "-c", code, self.daemon.socket_path, line], check=False
        )
        os.chmod(self.daemon.socket_path, 0o600)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(self.daemon.get("/api/training/status/intruder").status, 404)
        self.assertRegex(self.daemon.log(), r"another user.* uid=65534 pid=\d+")


class Descriptors(FaultTest):
    """A daemon with few of them."""

    limits = ((resource.RLIMIT_NOFILE, 200),)

    def test_035_no_descriptor_left(self) -> None:
        """#35 unix: more trainers than there are descriptors -> refused at once, without a busy loop"""
        silent = [self.trainer() for _ in range(250)]
        eventually("a refusal", lambda: "no file descriptor left" in self.daemon.log())
        assert_turned_away(self, silent[-1])
        before, start = self.daemon.cpu_s(), time.monotonic()
        time.sleep(0.5)
        self.assertLess((self.daemon.cpu_s() - before) / (time.monotonic() - start), 0.5)
        for trainer in silent:
            trainer.close()


class SocketFile(unittest.TestCase):
    """Starts and refusals to start; no daemon is shared."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="streamd-faults-")
        self.addCleanup(holder.cleanup)
        self.folder = holder.name

    def start(self, **how) -> Daemon:
        daemon = Daemon(folder=self.folder, **how)
        self.addCleanup(daemon.kill)
        return daemon

    def refusal(self, path: str) -> str:
        """Start on this path; what it says when it does not."""
        done = subprocess.run(
            [STREAMD, "--listen", "127.0.0.1:0", "--ephemeral", "--socket", path],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=15,
            check=False,
        )
        self.assertGreater(done.returncode, 0)
        self.assertLess(done.returncode, 128)
        return done.stderr.decode()

    def test_038_mode_of_the_file(self) -> None:
        """#38 unix: any umask at the start -> mode 0600 from its first moment"""
        for umask in (0, 0o777, 0o022):
            path = os.path.join(self.folder, "trainer.sock")
            daemon = Daemon(folder=self.folder, umask=umask)
            seen = set()
            while not daemon.ports:
                if os.path.exists(path):
                    seen.add(stat.S_IMODE(os.stat(path).st_mode))
                    daemon.listening()
            seen.add(stat.S_IMODE(os.stat(path).st_mode))
            daemon.process.terminate()
            self.assertEqual(daemon.process.wait(15), 0)
            daemon.close_stdout()
            self.assertEqual(seen, {0o600})

    def test_039_stale_socket(self) -> None:
        """#39 unix: the socket of a killed daemon -> taken over; of a living one -> no start"""
        killed = self.start().listening()
        self.assertIn("another process listens there", self.refusal(killed.socket_path))
        killed.kill()
        self.assertTrue(os.path.exists(killed.socket_path))
        daemon = self.start().listening()
        trainer = Trainer(daemon.socket_path)
        self.assertEqual(trainer.ask(), [])
        trainer.close()

    def test_040_something_else_stands_there(self) -> None:
        """#40 unix: a file, a folder, a symlink at the path -> no start, and it is left alone"""
        path = os.path.join(self.folder, "there")
        target = os.path.join(self.folder, "target")
        with open(target, "w", encoding="ascii") as file:
            file.write("precious")
        os.link(target, path)
        self.assertIn("not a socket", self.refusal(path))
        os.unlink(path)
        os.symlink(target, path)
        self.assertIn("not a socket", self.refusal(path))
        self.assertTrue(os.path.islink(path))
        os.unlink(path)
        os.mkdir(path)
        self.assertIn("not a socket", self.refusal(path))
        with open(target, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_041_paths_that_cannot_be(self) -> None:
        """#41 unix: too long, no such folder, no permission -> no start; path and reason are named"""
        for path, reason in (
            (os.path.join(self.folder, "x" * 108), "107 bytes"),
            (os.path.join(self.folder, "none", "trainer.sock"), "No such file or directory"),
            ("/proc/streamd.sock", ""),
        ):
            said = self.refusal(path)
            self.assertIn(path[:100], said)
            self.assertIn(reason, said)


if __name__ == "__main__":
    unittest.main()
