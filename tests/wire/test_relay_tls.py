# SPDX-License-Identifier: MIT
"""
A relay's way over a network that nobody trusts: certificates, tokens, and hubs that are none.

The hub's TLS is a proxy of the test's own in front of it, with a certificate made for the test.
"""

import os
import socket
import ssl
import subprocess
import threading
from typing import List, Tuple

from wire_daemon import BINARY, Program, eventually
from wire_relay import RelayTest, record, steps


class Front(threading.Thread):
    """Takes connections, notes what each begins with, and leads them to a hub, if there is one."""

    def __init__(self, hub: Program = None, context: ssl.SSLContext = None) -> None:
        super().__init__(daemon=True)
        self._hub = int(hub.url.rsplit(":", 1)[1]) if hub else 0
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.answer = b""
        self.heads: List[bytes] = []
        self.port = self._listener.getsockname()[1]
        self.start()

    def run(self) -> None:
        while True:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        try:
            if self._context:
                taken = self._context.wrap_socket(taken, server_side=True)
            head = taken.recv(65536)
            self.heads.append(head)
            if not self._hub:
                taken.sendall(self.answer)
                taken.close()
                return
            onward = socket.create_connection(("127.0.0.1", self._hub))
            onward.sendall(head)
            back = threading.Thread(target=self._pump, args=(onward, taken), daemon=True)
            back.start()
            self._pump(taken, onward)
        except OSError:
            taken.close()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while True:
                piece = source.recv(65536)
                if not piece:
                    break
                target.sendall(piece)
        except OSError:
            pass
        finally:
            target.close()

    def close(self) -> None:
        """No more connections."""
        self._listener.close()


class Network(RelayTest):
    """What is between a relay and its hub."""

    def certificate(self, *names: str) -> Tuple[str, ssl.SSLContext]:
        """One that is signed by itself, for these names; its file, and a server with it."""
        folder = self.new_folder()
        cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
        command += ["ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert]
        command += ["-days", "2", "-subj", "/CN=streamd test"]
        command += ["-addext", "subjectAltName=" + ",".join(names)]
        subprocess.run(command, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        return cert, context

    def front(self, hub: Program = None, context: ssl.SSLContext = None) -> Front:
        """A proxy that ends with the test."""
        made = Front(hub, context)
        self.addCleanup(made.close)
        return made

    def test_only_a_certificate_that_is_signed_and_for_this_host_is_good(self) -> None:
        hub = self.daemon()
        good, context = self.certificate("IP:127.0.0.1", "DNS:localhost")
        other, foreign = self.certificate("DNS:elsewhere.example")
        front, impostor = self.front(hub, context), self.front(hub, foreign)

        unsigned = self.relay(f"https://127.0.0.1:{front.port}")
        wrong_host = self.relay(f"https://127.0.0.1:{impostor.port}", "--ca-file", other)
        wrong_signer = self.relay(f"https://127.0.0.1:{front.port}", "--ca-file", other)
        for relay in (unsigned, wrong_host, wrong_signer):
            self.far(relay).begin("refused")
        for relay in (unsigned, wrong_signer):
            eventually("the refusal", lambda r=relay: "SSL certificate problem" in r.log())
        eventually("the refusal", lambda: "subject name" in wrong_host.log())
        self.assertEqual((b"".join(front.heads), b"".join(impostor.heads)), (b"", b""))

        relay = self.relay(f"wss://127.0.0.1:{front.port}", "--ca-file", good)
        trainer = self.far(relay)
        trainer.begin("run")
        trainer.send(*(record(seq) for seq in range(1, 5001)))
        trainer.hear("ack", seq=5000)
        eventually("all lines", lambda: steps(hub, "run") == list(range(1, 5001)))
        hub.json("/api/training/control/run", {"command": "pause"})
        self.assertEqual(trainer.hear("control")["command"], "pause")

    def test_the_token_goes_to_the_hub_and_nowhere_else(self) -> None:
        folder = self.new_folder()
        kept, path = os.path.join(folder, "tokens"), os.path.join(folder, "token")
        scopes = {"reader": "read", "relay": "write"}
        made = {
            name: subprocess.run(
                [BINARY, "token", name, "--scope", scope, "--file", kept],
                check=True,
                capture_output=True,
                text=True,
            ).stdout.strip()
            for name, scope in scopes.items()
        }
        hub = self.daemon("--token-file", kept, "--require-token")
        front = self.front(hub)
        os.environ["STREAMD_LOG_LEVEL"] = "debug"
        self.addCleanup(os.environ.pop, "STREAMD_LOG_LEVEL")
        refused = self.relay(f"http://127.0.0.1:{front.port}")
        self.far(refused).begin("run")
        eventually("the refusal", lambda: "the hub answers 401" in refused.log())
        for name, secret in made.items():
            with open(path, "w", encoding="utf-8") as file:
                file.write(secret + "\n")
            relay = self.relay(f"http://127.0.0.1:{front.port}", "--token-file", path)
            trainer = self.far(relay)
            trainer.begin(name)
            trainer.send(record(1))
            trainer.hear("ack", seq=1)
            bearer = f"\r\nAuthorization: Bearer {secret}\r\n".encode()
            eventually("the token", lambda b=bearer: any(b in head for head in front.heads))
            if name == "reader":
                eventually("the refusal", lambda r=relay: "the hub answers 403" in r.log())
            else:
                eventually("the trainer", lambda: "begin id=relay" in hub.log())
            for program in (hub, relay):
                self.assertNotIn(secret, program.log())

    def test_what_is_no_hub_is_survived_and_named(self) -> None:
        for answer, why in (
            (b"SSH-2.0-OpenSSH\r\n\r\n", "no hub"),
            (b"HTTP/1.1 101 Sure\r\nUpgrade: websocket\r\n\r\n", "the hub answers 101"),
            (b"", "closed"),
        ):
            front = self.front()
            front.answer = answer
            relay = self.relay(f"http://127.0.0.1:{front.port}")
            trainer = self.far(relay)
            self.assertEqual(trainer.begin("run"), 0)
            trainer.send(record(1))
            trainer.hear("ack", seq=1)
            eventually(f"{why} in {relay.log()}", lambda r=relay, w=why: w in r.log())
