# SPDX-License-Identifier: MIT
"""What keeping costs: acked lines per CPU-second, bytes on disk, memory, and starts on much history.

CPU is that of all the daemon's threads, from the first line to the last ack; `sealed` goes on until
the keeper has nothing left to do.
"""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from scenario.bench import Bench
from scenario.servers import STREAMD_DEFAULT, Running

LINES_PER_CPU_S = 200000  # the acceptance lines
BYTES_PER_POINT = 8
GROWTH_KIB = 10240  # of which SQLite's page cache may have 8000, and is full late
START_MS = 5000
BLOCK = 1000  # lines of one write
QUEUE = ("--max-unkept-bytes", "4194304")  # so that what grows is not what waits for the disk
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
DEADLINE_S = 900.0  # a whole demo on a busy machine

# A line of five values, and one of as many as the other scenarios send.
SHORT = (
    '{"type":"progress","sessionId":"kept","seq":%d,"metrics":{"step":%d,"loss":%.4f,'
    '"val_loss":%.4f,"learning_rate":0.0003,"grad_norm":%.3f}}\n'
)
LONG = (
    '{"type":"progress","sessionId":"kept","seq":%d,"metrics":{"currentStep":%d,"loss":%.4f,'
    '"perplexity":%.4f,"overallProgress":%.3f,"grokProgress":42.5,"modelParams":25000000,'
    '"totalSteps":900000,"currentModel":1,"totalModels":3,"trainingTime":1234.56,'
    '"estimatedTimeRemaining":123.45,"lr":3e-4,"sent_us":1234567890}}\n'
)


def blocks(form: str, count: int) -> Iterator[bytes]:
    """So many lines whose seq counts from 1, in writes."""
    for first in range(1, count + 1, BLOCK):
        lines = []
        for n in range(first, min(first + BLOCK, count + 1)):
            loss = 0.5 + n * 7919 % 10007 / 10007
            lines.append(form % (n, n, loss, loss * 1.1, loss * 3))
        yield "".join(lines).encode()


def settled(what: str, holds: Callable[[], bool]) -> None:
    """Ask again until it holds."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError("waited for " + what)
        time.sleep(0.01)


def cpu_s(pid: int) -> float:
    """Of all threads of the process."""
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, task), encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def rss_kib(pid: int) -> int:
    with open("/proc/%d/statm" % pid, encoding="ascii") as file:
        return int(file.read().split()[1]) * PAGE_KIB


class Trainer:
    """The run `kept`, whose acks a thread of its own reads."""

    def __init__(self, path: str) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(DEADLINE_S)
        self.sock.connect(path)
        self.sock.sendall(b'{"type":"start","sessionId":"kept"}\n')
        self.acked = 0
        self.failure: Optional[str] = None
        self.thread = threading.Thread(target=self._hear, daemon=True)
        self.thread.start()

    def _hear(self) -> None:
        for line in self.sock.makefile("rb"):
            answer: Dict[str, Any] = json.loads(line)
            if answer["type"] == "ack":
                self.acked = answer["seq"]
            elif answer["type"] != "started":
                self.failure = line.decode()

    def push(self, form: str, count: int, after_block: Callable[[], None]) -> None:
        """All lines; returns when the last is acknowledged."""
        for block in blocks(form, count):
            self.sock.sendall(block)
            after_block()
        settled("acks", lambda: self.acked == count or self.failure is not None)
        if self.failure:
            raise RuntimeError(self.failure)

    def close(self) -> None:
        self.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.sock.close()


def on_disk(data: str) -> int:
    return sum(os.path.getsize(os.path.join(data, name)) for name in os.listdir(data))


def await_quiet(pid: int) -> None:
    """Until a fifth of a second passes without any work."""
    last = [cpu_s(pid), time.monotonic()]

    def holds() -> bool:
        now = cpu_s(pid)
        if now - last[0] > 0.001:
            last[:] = [now, time.monotonic()]
        return time.monotonic() - last[1] > 0.2

    settled("the keeper", holds)


def measure_lines(bench: Bench, name: str, form: str, count: int) -> float:
    """Lines per CPU-second with acks."""
    with tempfile.TemporaryDirectory(dir=bench.scratch) as data:
        with Running(bench, STREAMD_DEFAULT._replace(data=data)) as running:
            trainer = Trainer(running.trainer)
            before = cpu_s(running.pid)
            start = time.monotonic()
            trainer.push(form, count, lambda: None)
            took_s = time.monotonic() - start
            acked = cpu_s(running.pid) - before
            await_quiet(running.pid)
            sealed = cpu_s(running.pid) - before
            trainer.close()
        prefix = "durable.streamd.%s" % name
        bench.figure(prefix + ".acked_lines_per_wall_s", count / took_s)
        bench.figure(prefix + ".sealed_lines_per_cpu_s", count / sealed)
        bench.figure(prefix + ".disk_bytes_per_line", on_disk(data) / count)
        return bench.figure(prefix + ".acked_lines_per_cpu_s", count / acked)


def measure_memory(bench: Bench, count: int) -> None:
    """RSS while so many lines go into one run: the second fifth of the samples, and the last."""
    samples: List[int] = []
    with tempfile.TemporaryDirectory(dir=bench.scratch) as data:
        with Running(bench, STREAMD_DEFAULT._replace(data=data, options=QUEUE)) as running:
            trainer = Trainer(running.trainer)
            trainer.push(SHORT, count, lambda: samples.append(rss_kib(running.pid)))
            trainer.close()
    part = len(samples) // 5
    growth = max(samples[-part:]) - max(samples[part : 2 * part])
    prefix = "durable.streamd.n%d" % count
    bench.figure(prefix + ".rss_second_fifth_kib", max(samples[part : 2 * part]))
    bench.figure(prefix + ".rss_last_fifth_kib", max(samples[-part:]))
    bench.gate("RSS growth of one run KiB", growth, GROWTH_KIB)


def measure_demo(bench: Bench, steps: int) -> None:
    """The demo's own run: bytes of the store for each value that it sent."""
    trainer = os.path.join(os.path.dirname(bench.programs.streamd), "demo-trainer")
    if not os.path.exists(trainer):
        bench.skip("durable.demo", "no " + trainer)
        return
    with tempfile.TemporaryDirectory(dir=bench.scratch) as data:
        with Running(bench, STREAMD_DEFAULT._replace(data=data)) as running:
            command = [trainer, "--socket", running.trainer, "--session", "demo", "--quiet"]
            subprocess.run(
                command + ["--steps", str(steps)],
                stdout=subprocess.DEVNULL,
                timeout=DEADLINE_S,
                check=True,
            )
            await_quiet(running.pid)
            records, values = count_values(running.target)
        bench.figure("durable.demo.records", records)
        bench.figure("durable.demo.store_bytes", on_disk(data))
        per_point = bench.figure("durable.demo.disk_bytes_per_point", on_disk(data) / values)
    bench.gate("demo's run, bytes a point on disk", per_point, BYTES_PER_POINT)


def count_values(target: str) -> Tuple[int, int]:
    """Records, and numbers in them that the demo's trainer sends (demo/trainer.c)."""
    sent = 12
    url = "http://%s/api/training/history/demo?limit=100000000&format=ndjson" % target
    with urllib.request.urlopen(url, timeout=DEADLINE_S) as answer:
        records = sum(1 for _ in answer)
    return records, records * sent


def measure_start(bench: Bench, runs: int) -> None:
    """How long a start takes that finds so many runs, ended in good order or killed."""
    options = ("--max-sessions", "1000000")
    with tempfile.TemporaryDirectory(dir=bench.scratch) as data:
        server = STREAMD_DEFAULT._replace(data=data, options=options)
        with Running(bench, server) as running:
            fill(running.trainer, runs)
        with Running(bench, server) as running:
            clean_ms = running.start_ms
            bench.figure("durable.start.runs%d.rss_kib" % runs, rss_kib(running.pid))
            os.kill(running.pid, signal.SIGKILL)
        with Running(bench, server) as running:
            bench.figure("durable.start.runs%d.killed_ms" % runs, running.start_ms)
    bench.figure("durable.start.runs%d.clean_ms" % runs, clean_ms)
    bench.gate("start ms with %d runs" % runs, clean_ms, START_MS, decides=False)


def fill(path: str, runs: int) -> None:
    """A point of each run."""
    form = (
        '{"type":"start","sessionId":"run-%d","config":{"learning_rate":0.001}}\n'
        '{"type":"progress","sessionId":"run-%d","metrics":{"step":1,"loss":0.5}}\n'
    )
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(DEADLINE_S)
    sock.connect(path)
    answers = sock.makefile("rb")
    for first in range(0, runs, BLOCK):
        lines = "".join(form % (i, i) for i in range(first, min(first + BLOCK, runs)))
        sock.sendall(lines.encode() + b'{"type":"ping"}\n')
        while not re.search(rb'"pong"', answers.readline()):
            pass
    answers.close()
    sock.close()


def measure(bench: Bench) -> None:
    """Lines, memory, disk and starts."""
    count = bench.plan.ingest_lines
    short = max(measure_lines(bench, "five", SHORT, count) for _ in range(bench.plan.rounds))
    measure_lines(bench, "thirteen", LONG, count)
    bench.gate("durable lines/CPU-s with acks", short, LINES_PER_CPU_S, True, decides=False)
    measure_memory(bench, bench.plan.kept_lines)
    measure_demo(bench, bench.plan.demo_steps)
    for runs in bench.plan.stored_runs:
        measure_start(bench, runs)
