# SPDX-License-Identifier: MIT
"""A long day in short: many clients of all kinds that come and go, trainers that are restarted, the
daemon restarted once in good order; memory and descriptors stay flat, nothing is missing or twice.

`make soak` runs it for $SOAK_S seconds (600). Prints one table; exits with 1 on a violation.
"""

import json
import os
import random
import re
import shutil
import sys
import tempfile
import threading
import time
from typing import List, Tuple

from askers import Agent, Asker, Poller
from figures import Flatness, Sample
from harness import Daemon
from sender import value
from trainers import Trainers
from watchers import DIALECTS, Tally, Watcher

SECONDS = float(os.environ.get("SOAK_S", "600"))
WATCHERS = {"ws": 80, "ws deflate": 80, "sse": 60, "polling": 30}
TRAINERS, RUNS_EACH, LINES_PER_S = 5, 2, 1000.0
POLLERS = 4
CHURN_PER_S = 0.01
TRAINER_RESTARTS_EVERY_S = 7
RESTART_AT = 0.35  # of the time: memory is judged from the middle on
OPTIONS = ("--max-sessions", "24", "--max-history-records", "2000", "--retain", "1d")


class Soak:
    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="streamd-soak-")
        self.random = random.Random()
        self.tally = Tally()
        self.samples: List[Sample] = []
        self.away_s = 0.0
        self.cpu_s = 0.0
        self.held_ms = (0.0, 0.0)
        self.daemon = self.begin()
        self.trainers = Trainers(self.daemon.socket_path, TRAINERS, RUNS_EACH, LINES_PER_S)
        self.ledgers = list(self.trainers.ledgers.values())
        self.watchers: List[Watcher] = []
        for dialect in DIALECTS:
            for i in range(WATCHERS[dialect]):
                ledger = self.ledgers[i % len(self.ledgers)]
                self.watchers.append(Watcher(self.current, dialect, ledger, self.tally))
        runs = list(self.trainers.ledgers)
        self.askers: List[Asker] = [Agent(self.current, self.tally)]
        self.askers += [Poller(self.current, self.tally, runs) for _ in range(POLLERS)]

    def current(self) -> Daemon:
        return self.daemon

    def begin(self) -> Daemon:
        data = os.path.join(self.folder, "data")
        return Daemon(*OPTIONS, folder=self.folder, data=data).listening()

    # ---- as it goes ----

    def play(self) -> None:
        clients: List[threading.Thread] = [*self.watchers, *self.askers]
        for client in clients:
            client.start()
        begun = time.monotonic()
        restarted = False
        for second in range(1, int(SECONDS) + 1):
            time.sleep(max(0.0, begun + second - time.monotonic()))
            at_s = time.monotonic() - begun
            self.daemon.check_alive()
            if not restarted and at_s >= SECONDS * RESTART_AT:
                restarted = True
                self.restart()
            self.churn(second)
            self.samples.append(Sample(at_s, self.daemon.rss_bytes(), self.daemon.fds()))
            if second % 30 == 0:
                print("%4d s: resident %.2f MB, descriptors %d, wrong %d"
                      % (second, self.samples[-1].rss / 1e6, self.samples[-1].fds,
                         len(self.tally.wrong)), flush=True)  # fmt: skip

    def churn(self, second: int) -> None:
        leaving = len(self.watchers) * CHURN_PER_S
        count = int(leaving) + (self.random.random() < leaving % 1)
        for watcher in self.random.sample(self.watchers, count):
            watcher.leave(abruptly=self.random.random() < 0.5)
            self.tally.add("left")
        if second % TRAINER_RESTARTS_EVERY_S == 0:
            self.random.choice(self.trainers.paced).restart.set()
            self.tally.add("trainers restarted")

    def restart(self) -> None:
        """In good order; the next one has the same socket, the same store and another port."""
        began = time.monotonic()
        self.cpu_s += self.daemon.cpu_s()
        self.daemon.process.terminate()
        status = self.daemon.process.wait(30)
        if status != 0:
            self.tally.blame("restart", "it ended with %d" % status)
        self.daemon.close_stdout()
        self.daemon = self.begin()
        self.away_s = time.monotonic() - began

    # ---- at the end ----

    def settle(self) -> None:
        """Every point is acknowledged; then nobody is left."""
        for trainer in self.trainers.all:
            trainer.settle()
        time.sleep(1)
        self.tally.wrong += self.trainers.wrong()
        for client in [*self.watchers, *self.askers]:
            if not client.is_alive():
                self.tally.blame("client", "a thread of one ended early")
            client.ending.set()
        for watcher in self.watchers:
            if watcher.last != watcher.ledger.sent:
                where = (watcher.dialect, watcher.ledger.session)
                self.tally.blame(
                    "behind", "%s %s %r of %d" % (*where, watcher.last, watcher.ledger.sent)
                )
            watcher.leave(abruptly=False)

    def reread(self) -> int:
        """All history of the long runs: each point once, in order, as it was sent."""
        count = 0
        for ledger in self.ledgers:
            path = "/api/training/history/%s?format=ndjson&fields=v&limit=100000000"
            lines = self.daemon.get(path % ledger.session).body.splitlines()
            for number, line in enumerate(lines, 1):
                entry = json.loads(line)
                want = (number, value(ledger.session, number))
                if (entry["offset"], entry["v"]) != want:
                    self.tally.blame("history", "%s %r is no %r" % (ledger.session, entry, want))
                    break
            if len(lines) != ledger.sent:
                self.tally.blame("history", "%s has %d of %d"
                                 % (ledger.session, len(lines), ledger.sent))  # fmt: skip
            count += len(lines)
        return count

    def rows(self, flat: Flatness, reread: int) -> List[Tuple[str, str]]:
        counts = self.tally.counts
        updates = {d: counts["updates " + d] for d in DIALECTS}
        joined = sum(counts["joined " + d] for d in DIALECTS)
        rows = [
            ("lasted", "%.0f s, the daemon's CPU %.1f s" % (SECONDS, self.cpu_s)),
            ("lines sent and acknowledged", "%d (%.0f a second)" % (reread, reread / SECONDS)),
            ("short runs after each other", "%d" % self.trainers.short.runs),
            ("watchers", "%d; came %d times, with since %d; left %d times"
             % (len(self.watchers), joined, counts["came back with since"], counts["left"])),
            ("updates received", "%d: " % sum(updates.values())
             + ", ".join("%s %d" % each for each in updates.items())),
            ("events received", "%d" % counts["events"]),
            ("requests answered", "%d; agent: %d waits, %d events" % (
                counts["requests answered"], counts["agent's waits"], counts["agent's events"])),
            ("trainers restarted", "%d times" % counts["trainers restarted"]),
            ("the daemon restarted", "once, away for %.2f s" % self.away_s),
            ("gaps, repeats, events missing", "%d, %d, %d"
             % (counts["gap"], counts["repeat"], counts["event missing"])),
        ]  # fmt: skip
        rows += flat.rows()
        rows.append(("a wake-up of the last minute held the loop", "p99 %.1f ms, longest %.1f ms"
                     % self.held_ms))  # fmt: skip
        found = re.search(r"memory: peers can make it hold bytes=(\d+)", self.daemon.log())
        bound = int(found.group(1)) if found else 0
        if max(s.rss for s in self.samples) > bound:
            self.tally.blame("memory", "more than the bound that the log says: %d" % bound)
        rows.append(("most resident, of what is allowed", "%.1f MB of %.1f GB" % (
            max(s.rss for s in self.samples) / 1e6, bound / 1e9)))  # fmt: skip
        return rows

    def end(self) -> int:
        p99, longest = (self.daemon.counter("loop_held_%s_us" % n) / 1000 for n in ("p99", "max"))
        self.held_ms = (p99, longest)
        self.settle()
        reread = self.reread()
        self.cpu_s += self.daemon.cpu_s()
        flat = Flatness(self.samples, SECONDS)
        rows = self.rows(flat, reread)
        for trainer in self.trainers.all:
            trainer.stop()
        violations = self.tally.wrong + flat.violations()
        print("\n".join("%-44s %s" % row for row in rows))
        for text in violations[:40]:
            print("VIOLATION: " + text)
        print("soak: %d violations" % len(violations))
        self.daemon.stop()
        return 1 if violations else 0


def main() -> int:
    soak = Soak()
    try:
        soak.play()
        return soak.end()
    finally:
        if soak.daemon.process.poll() is None:
            soak.daemon.kill()
        shutil.rmtree(soak.folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
