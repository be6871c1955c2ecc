# SPDX-License-Identifier: MIT
"""What the daemon carries when more is asked of it than one core can do, alone and with --senders.

The load generator of the other scenarios takes about as much of a core as the server, so on two
cores there would be nothing left that a second thread could be given. Here the watchers read as
cheaply as can be: a sweep over all sockets every other tick that throws away what has come. The
server has all cores. Each watcher is in one of ten rooms, as in `spread`.
"""

import base64
import json
import socket
import time
import urllib.request
from typing import Dict, List

from scenario.bench import Bench
from scenario.durable import cpu_s
from scenario.servers import Running, Server

ROOMS = 10
HZ = 50
SENDERS = (0, 1, 2)
OPTIONS = ("--max-rate", "1000", "--max-insights", "0")
RECEIVE_BYTES = 1 << 20
LINE = (
    '{"type":"progress","sessionId":"s%02d","metrics":{"loss":1.%04d,"perplexity":4.1234,'
    '"grokProgress":42.3,"modelParams":25000000,"currentStep":%06d,"totalSteps":900000,'
    '"currentModel":1,"totalModels":3,"overallProgress":12.3,"trainingTime":1234.56,'
    '"estimatedTimeRemaining":123.45,"lr":3e-4,"sent_us":1234567890}}\n'
)


def watch(target: str, number: int) -> socket.socket:
    """A watcher of its room; nothing it is sent is looked at."""
    host, port = target.split(":")
    watcher = socket.socket()
    watcher.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    watcher.connect((host, int(port)))
    key = base64.b64encode(b"%016d" % number).decode()
    watcher.sendall(
        (
            "GET /ws?sessionId=s%02d HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n"
            % (number % ROOMS, target, key)
        ).encode()
    )
    watcher.setblocking(False)
    return watcher


def sweep(watchers: List[socket.socket], waste: bytearray) -> None:
    """Throw away what has come."""
    for watcher in watchers:
        try:
            watcher.recv_into(waste, 0, socket.MSG_TRUNC)
        except BlockingIOError:
            pass


def sent(target: str) -> int:
    """Messages the daemon has written so far."""
    with urllib.request.urlopen("http://%s/api/training/stats" % target) as answer:
        return int(json.load(answer)["data"]["websocket_messages_sent"])


class Flood:
    """A trainer of ten runs that ticks faster than can be told, and those who watch."""

    def __init__(self, running: Running, subscribers: int) -> None:
        self.trainer = socket.socket(socket.AF_UNIX)
        self.trainer.connect(running.trainer)
        for room in range(ROOMS):
            self.trainer.sendall(b'{"type":"start","sessionId":"s%02d"}\n' % room)
        self.watchers = [watch(running.target, number) for number in range(subscribers)]
        self.waste = bytearray(RECEIVE_BYTES)
        self.step = 100000

    def run(self, seconds: float) -> float:
        """Tick for so long; returns how long it was."""
        begun = time.monotonic()
        ticks = 0
        while time.monotonic() < begun + seconds:
            self.step += 1
            lines = [LINE % (room, self.step % 10000, self.step) for room in range(ROOMS)]
            self.trainer.sendall("".join(lines).encode())
            ticks += 1
            if ticks % 2 == 0:
                sweep(self.watchers, self.waste)
            time.sleep(max(0.0, begun + ticks / HZ - time.monotonic()))
        return time.monotonic() - begun

    def settle(self) -> None:
        """Until what is on its way has come."""
        time.sleep(0.3)
        sweep(self.watchers, self.waste)

    def close(self) -> None:
        """Everybody goes."""
        self.trainer.close()
        for watcher in self.watchers:
            watcher.close()


def one_round(bench: Bench, senders: int, subscribers: int) -> Dict[str, float]:
    """A fresh daemon."""
    server = Server("streamd", "ws", options=OPTIONS + ("--senders", str(senders)))
    seconds = bench.plan.ticks / 10
    with Running(bench, server, bench.server_cores | bench.load_cores) as running:
        flood = Flood(running, subscribers)
        flood.settle()
        flood.run(0.3)
        flood.settle()
        messages, cpu = sent(running.target), cpu_s(running.pid)
        wall = flood.run(seconds)
        flood.settle()
        messages, cpu = sent(running.target) - messages, cpu_s(running.pid) - cpu
        flood.close()
    return {
        "messages_per_wall_s": messages / wall,
        "cpu_s_per_million": cpu / messages * 1e6,
        "server_cores": cpu / wall,
        "asked_percent": 100 * messages / (wall * HZ * subscribers),
    }


def measure(bench: Bench) -> None:
    """No thread beside the loop, one, two; in turn."""
    subscribers = bench.plan.rooms_sizes[-1]
    best: Dict[int, Dict[str, float]] = {}
    for _ in range(bench.plan.rounds):
        for senders in SENDERS:
            reading = one_round(bench, senders, subscribers)
            known = best.setdefault(senders, reading)
            if reading["messages_per_wall_s"] > known["messages_per_wall_s"]:
                best[senders] = reading
    for senders, reading in best.items():
        prefix = "saturation.streamd.senders%d.n%d" % (senders, subscribers)
        bench.figures_of(prefix, reading, sorted(reading))
    for key, limit, at_least in (("messages_per_wall_s", 1.0, True), ("cpu_s_per_million", 1.1, False)):
        ratio = best[SENDERS[-1]][key] / best[0][key]
        bench.gate("%s, 2 senders to none n%d" % (key, subscribers), ratio, limit, at_least, False)
