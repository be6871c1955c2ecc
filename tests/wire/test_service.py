# SPDX-License-Identifier: MIT
"""What a service manager hands over and is told; another user; what `make install` installs."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STREAMD = os.path.join(ROOT, os.environ.get("STREAMD", "build/release/streamd"))
ASKED = b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n"


def request(port, timeout=20):
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        s.sendall(ASKED)
        answer = b""
        while piece := s.recv(65536):
            answer += piece
        return answer


class ServiceTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="streamd-wire-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.notices.close)
        self.notices.bind(os.path.join(self.folder, "notify"))
        self.notices.settimeout(20)

    def listening(self):
        """A TCP and a Unix socket that listen, as a manager holds them."""
        tcp = socket.create_server(("127.0.0.1", 0))
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(os.path.join(self.folder, "trainers"))
        unix.listen()
        for s in (tcp, unix):
            self.addCleanup(s.close)
        return tcp, unix

    def start(self, sockets=(), *options, notify=None, **more):
        """exec keeps the process id, so the shell can say it; bash knows numbers above 9."""
        fds = " ".join(f"{3 + i}<&{s.fileno()}" for i, s in enumerate(sockets))
        hand = f"LISTEN_PID=$$ LISTEN_FDS={len(sockets)} exec {STREAMD} \"$@\" {fds}"
        daemon = subprocess.Popen(
            ["bash", "-c", hand, "bash", "--ephemeral", *options],
            pass_fds=[s.fileno() for s in sockets],
            env={**os.environ, "NOTIFY_SOCKET": notify or os.path.join(self.folder, "notify")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )
        self.addCleanup(self.end, daemon)
        return daemon

    @staticmethod
    def end(daemon):
        if daemon.poll() is None:
            daemon.kill()
        daemon.communicate()

    def told(self):
        return self.notices.recv(100).decode()

    def test_sockets_that_are_handed_over_are_served(self):
        tcp, unix = self.listening()
        daemon = self.start((tcp, unix))
        self.assertEqual(self.told(), "READY=1")
        port = tcp.getsockname()[1]
        self.assertIn(f"listening on http://127.0.0.1:{port}\n", daemon.stdout.readline())
        self.assertIn(b"streamd_uptime_seconds", request(port))
        with socket.socket(socket.AF_UNIX) as trainer:
            trainer.connect(unix.getsockname())
            trainer.sendall(b'{"type":"ping"}\n')
            self.assertEqual(trainer.recv(100), b'{"type":"pong"}\n')
        daemon.terminate()
        self.assertEqual(self.told(), "STOPPING=1")
        self.assertEqual(daemon.wait(20), 0)
        self.assertTrue(os.path.exists(unix.getsockname()), "the manager's socket is not ours")

    @unittest.skipUnless(shutil.which("systemd-socket-activate"), "systemd is not installed")
    def test_systemd_s_own_sockets_are_served(self):
        """Its activator listens, and starts the daemon for who has come."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        path = os.path.join(self.folder, "activated")
        activator = subprocess.Popen(
            ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "-l", path,
             STREAMD, "--ephemeral"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.addCleanup(self.end, activator)
        until = time.monotonic() + 20
        while not os.path.exists(path) and time.monotonic() < until:
            self.assertIsNone(activator.poll())
        with socket.socket(socket.AF_UNIX) as trainer:
            trainer.connect(path)
            trainer.sendall(b'{"type":"ping"}\n')
            self.assertEqual(trainer.recv(100), b'{"type":"pong"}\n')
        self.assertIn(b" 200 ", request(port))
        activator.terminate()  # it has become the daemon
        self.assertEqual(activator.wait(20), 0)

    def test_nobody_is_refused_while_it_is_restarted(self):
        tcp, unix = self.listening()
        port = tcp.getsockname()[1]
        stop = threading.Event()
        outcomes = []

        def ask():
            while not stop.is_set():
                try:
                    outcomes.append(b" 200 " in request(port))
                except OSError as error:
                    outcomes.append(error)

        first = self.start((tcp, unix))
        self.assertEqual(self.told(), "READY=1")
        asking = [threading.Thread(target=ask) for _ in range(4)]
        for thread in asking:
            thread.start()
        for _ in range(3):
            before = len(outcomes)
            first.terminate()
            self.assertEqual(first.wait(20), 0)
            self.assertEqual(self.told(), "STOPPING=1")
            first = self.start((tcp, unix))
            self.assertEqual(self.told(), "READY=1")
            while len(outcomes) < before + 20:
                self.assertIsNone(first.poll())
        stop.set()
        for thread in asking:
            thread.join()
        self.assertEqual([o for o in outcomes if o is not True], [])

    def test_what_is_no_listening_socket_is_refused(self):
        with socket.socket() as silent:
            daemon = self.start((silent,))
            self.assertEqual(daemon.wait(20), 1)
            self.assertIn("fd=3 of LISTEN_FDS: not a listening", daemon.stderr.read())

    def test_a_socket_that_nobody_would_serve_is_refused(self):
        """One Unix socket is the trainers', sixteen others are the watchers'; however many come."""
        tcp, unix = self.listening()
        for sockets, fd in (((unix, tcp, unix), 5), ((unix,) + 17 * (tcp,), 20)):
            daemon = self.start(sockets)
            self.assertEqual(daemon.wait(20), 1)
            why = f"fd={fd} of LISTEN_FDS: one of its kind too many"
            self.assertIn(why, daemon.stderr.read())

    def test_a_manager_may_listen_at_an_abstract_address(self):
        name = f"streamd-test-{os.getpid()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            notices.bind("\0" + name)
            notices.settimeout(20)
            daemon = self.start(self.listening(), notify="@" + name)
            self.assertEqual(notices.recv(100), b"READY=1")
            daemon.terminate()
            self.assertEqual(notices.recv(100), b"STOPPING=1")
            self.assertEqual(daemon.wait(20), 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_who_may_not_become_another_user_does_not_start(self):
        daemon = self.start((), "--user", "daemon", user="nobody")
        self.assertEqual(daemon.wait(20), 1)
        self.assertIn("cannot become --user: Operation not permitted", daemon.stderr.read())

    def test_another_machine_s_socket_still_asks_for_tokens(self):
        with socket.create_server(("0.0.0.0", 0)) as everywhere:
            daemon = self.start((everywhere,), "--socket", os.path.join(self.folder, "s"))
            self.assertEqual(daemon.wait(20), 1)
            self.assertIn("--allow-anonymous", daemon.stderr.read())

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_root_becomes_the_user_for_good(self):
        nobody = pwd.getpwnam("nobody")
        os.chmod(self.folder, 0o777)
        data = os.path.join(self.folder, "data")
        options = ["--user", "nobody", "--listen", "127.0.0.1:0"]
        daemon = self.start((), *options, "--data", data, "--socket", os.path.join(self.folder, "s"))
        self.assertIn("listening", daemon.stdout.readline())
        with open(f"/proc/{daemon.pid}/status", encoding="utf8") as status:
            said = dict(line.split(":", 1) for line in status)
        self.assertEqual(set(said["Uid"].split()), {str(nobody.pw_uid)})
        self.assertEqual(set(said["Gid"].split()), {str(nobody.pw_gid)})
        self.assertNotIn("0", said["Groups"].split())
        self.assertEqual(int(said["CapEff"], 16), 0)
        self.assertEqual(said["NoNewPrivs"].strip(), "1")
        self.assertEqual(os.stat(os.path.join(self.folder, "s")).st_uid, nobody.pw_uid)
        refused = subprocess.run([STREAMD, "--user", "no-such-user"], capture_output=True, text=True)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("there is no user of this name", refused.stderr)

    def test_install_puts_all_of_it_where_it_is_told(self):
        to = os.path.join(self.folder, "to")
        make = ["make", "-s", "install", f"DESTDIR={to}", "PREFIX=/usr", "-o", STREAMD]
        make += [f"DAEMON={STREAMD}", "-o", "web", "-o", "web/dist/index.html"]
        subprocess.run(make, cwd=ROOT, check=True, capture_output=True)
        for path in ("bin/streamd", "share/man/man8/streamd.8", "share/streamd/web/index.html",
                     "lib/systemd/system/streamd.socket", "lib/sysusers.d/streamd.conf"):
            self.assertTrue(os.path.exists(os.path.join(to, "usr", path)), path)
        with open(f"{to}/usr/lib/systemd/system/streamd.service", encoding="utf8") as unit:
            text = unit.read()
        self.assertIn("ExecStart=/usr/bin/streamd\n", text)
        self.assertNotIn("@", text.replace("@system-service", "").replace("@privileged", "")
                         .replace("@resources", ""))
        if shutil.which("systemd-analyze"):
            units = [f"{to}/usr/lib/systemd/system/streamd.{kind}" for kind in ("service", "socket")]
            said = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
            self.assertNotIn("Unknown", said.stderr)
            said = subprocess.run(
                ["systemd-analyze", "security", "--offline=true", "--threshold=20", units[0]],
                capture_output=True, text=True,
            )
            self.assertEqual(said.returncode, 0, said.stdout[-300:])  # an exposure below 2.0

    def test_the_manual_is_in_order(self):
        page = os.path.join(ROOT, "docs", "streamd.8")
        said = subprocess.run(["groff", "-mdoc", "-ww", "-z", page], capture_output=True, text=True)
        self.assertEqual((said.returncode, said.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
