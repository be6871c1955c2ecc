# SPDX-License-Identifier: MIT
"""streamd/transport.py over real sockets: partial writes, lost daemons, HTTP replies."""

import contextlib
import os
import signal
import socket
import tempfile
import threading
import unittest
from typing import Any, List
from unittest import mock

from support import DEADLINE_S, FakeHttpDaemon

from streamd.transport import HttpLink, SocketLink, Waker, default_socket_path


class SocketPathTest(unittest.TestCase):
    def path_with(self, **environment: str) -> str:
        with mock.patch.dict(os.environ, environment, clear=True):
            return default_socket_path()

    def test_the_variable_then_the_runtime_folder_then_tmp(self) -> None:
        self.assertEqual(self.path_with(STREAMD_SOCKET="/x.sock", XDG_RUNTIME_DIR="/r"), "/x.sock")
        self.assertEqual(self.path_with(XDG_RUNTIME_DIR="/r"), "/r/streamd.sock")
        self.assertEqual(self.path_with(), f"/tmp/streamd-{os.getuid()}.sock")


class WakerTest(unittest.TestCase):
    def test_a_byte_ends_the_sleep_and_a_thousand_are_one(self) -> None:
        waker = Waker()
        waker.wake()  # before it is open: nobody sleeps, nothing breaks
        waker.open()
        self.addCleanup(waker.close)
        for _ in range(100_000):
            waker.wake()
        waker.sleep(DEADLINE_S)
        threading.Thread(target=waker.wake).start()
        waker.sleep(DEADLINE_S)

    def test_waking_what_has_ended_is_harmless(self) -> None:
        waker = Waker()
        waker.open()
        waker.close()
        waker.wake()


class SocketLinkTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "s")
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen(1)
        self.addCleanup(self.server.close)
        waker = Waker()
        waker.open()
        self.addCleanup(waker.close)
        self.link = SocketLink(self.path, waker)
        self.addCleanup(self.link.close)

    def accept(self) -> socket.socket:
        self.link.open(b"start\n")
        peer, _ = self.server.accept()
        peer.settimeout(DEADLINE_S)
        self.addCleanup(peer.close)
        self.assertEqual(peer.recv(100), b"start\n")
        return peer

    def test_a_batch_larger_than_the_socket_leaves_in_parts_without_blocking(self) -> None:
        peer = self.accept()
        batch = os.urandom(4_000_000)
        self.link.write(batch)
        self.assertFalse(self.link.idle)
        received = b""
        while not self.link.idle:
            received += peer.recv(65_536)
            self.link.poll(0.0)
        while len(received) < len(batch):
            received += peer.recv(65_536)
        self.assertEqual(received, batch)

    def test_answers_come_out_whole_whatever_way_they_were_cut(self) -> None:
        peer = self.accept()
        answers: List[Any] = []
        for byte in b'{"type":"pong"}\n\nnot json\n[1]\n{"type":"ack","seq":3}\n':
            peer.sendall(bytes([byte]))
            answers += self.link.poll(DEADLINE_S)
        self.assertEqual(answers, [{"type": "pong"}, {"type": "ack", "seq": 3}])

    def test_an_answer_without_end_is_a_lost_connection(self) -> None:
        peer = self.accept()
        threading.Thread(target=lambda: _send_until_broken(peer), daemon=True).start()
        with self.assertRaises(OSError):
            while True:
                self.link.poll(DEADLINE_S)
        self.link.close()

    def test_a_daemon_that_closes_is_an_os_error_on_both_sides_of_the_link(self) -> None:
        self.accept().close()
        with self.assertRaises(OSError):
            self.link.poll(DEADLINE_S)
        with self.assertRaises(OSError):
            self.link.write(b"x")

    def test_a_dead_daemon_is_no_signal_to_a_training_that_wants_sigpipe(self) -> None:
        signals: List[int] = []
        before = signal.signal(signal.SIGPIPE, lambda number, frame: signals.append(number))
        self.addCleanup(signal.signal, signal.SIGPIPE, before)
        self.accept().close()
        with self.assertRaises(BrokenPipeError):
            self.link.write(b"x")
        self.assertEqual(signals, [])

    def test_a_daemon_whose_backlog_is_full_is_an_os_error_and_not_a_wait(self) -> None:
        self.server.listen(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                other = socket.socket(socket.AF_UNIX)
                self.addCleanup(other.close)
                other.setblocking(False)
                other.connect(self.path)
        refused: List[BaseException] = []

        def open_link() -> None:
            try:
                self.link.open(b"start\n")
            except OSError as error:
                refused.append(error)

        thread = threading.Thread(target=open_link, daemon=True)
        thread.start()
        thread.join(DEADLINE_S)
        self.assertEqual(len(refused), 1)

    def test_no_daemon_is_an_os_error(self) -> None:
        os.unlink(self.path)
        with self.assertRaises(OSError):
            self.link.open(b"start\n")


def _send_until_broken(peer: socket.socket) -> None:
    try:
        while True:
            peer.sendall(b"x" * 65_536)
    except OSError:
        pass


class HttpLinkTest(unittest.TestCase):
    def setUp(self) -> None:
        waker = Waker()
        waker.open()
        self.addCleanup(waker.close)
        self.daemon = FakeHttpDaemon()
        self.daemon.__enter__()
        self.addCleanup(self.daemon.__exit__)
        self.link = HttpLink(self.daemon.url + "/", waker)
        self.addCleanup(self.link.close)

    def test_start_is_posted_and_its_reply_is_started(self) -> None:
        self.daemon.book.last_seq["r"] = 7
        self.link.open(b'{"type":"start","sessionId":"r"}\n')
        self.assertEqual(self.link.poll(DEADLINE_S), [{"type": "started", "lastSeq": 7}])
        self.assertEqual(self.daemon.requests, [("/api/training/ingest", "application/x-ndjson")])

    def test_a_batch_is_acknowledged_by_its_reply(self) -> None:
        self.link.write(b'{"type":"progress","sessionId":"r","seq":1}\n')
        self.assertEqual(self.link.poll(DEADLINE_S), [{"type": "ack", "seq": 1}])

    def test_a_bad_line_is_told_apart_from_those_before_it(self) -> None:
        good = b'{"type":"progress","sessionId":"r","seq":1}\n'
        bad = b'{"type":"progress","sessionId":"r","seq":2,"metrics":{"bad":1}}\n'
        self.link.write(good + bad)
        expected = [{"type": "ack", "seq": 1}, {"type": "refused", "message": "bad line"}]
        self.assertEqual(self.link.poll(DEADLINE_S), expected)

    def test_every_other_reply_is_an_os_error(self) -> None:
        with mock.patch.object(self.daemon, "answer", lambda body: (503, {"error": "full"})):
            with self.assertRaises(OSError):
                self.link.open(b'{"type":"start"}\n')
            with self.assertRaises(OSError):
                self.link.write(b'{"type":"progress"}\n')

    def test_what_is_no_http_server_is_an_os_error(self) -> None:
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def answer() -> None:
            peer, _ = server.accept()
            peer.sendall(b"hello\r\n\r\n")
            peer.close()

        threading.Thread(target=answer, daemon=True).start()
        link = HttpLink(f"127.0.0.1:{server.getsockname()[1]}", Waker())
        with self.assertRaises(OSError):
            link.open(b"{}\n")
        link.close()


if __name__ == "__main__":
    unittest.main()
