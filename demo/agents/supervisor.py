#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Watches a live run through MCP, and stops it when the verdict says so.

    demo/agents/supervisor.py [SESSION_ID] [--url URL] [--dry-run] [--patience-s S]

Without an id it takes the newest run that is running. It asks once how the run is going, then waits
for events: nothing is polled. Each alert or advice makes it ask for the verdict again. An advice to
`stop` or `kill` is carried out, with its reason; a run that should stop soon (it overfits) is given
another look after the patience, and stopped when the verdict is still the same. At the end it prints
the daemon's audit, and what it would have cost a model, in tokens (four characters each).

Exit: 0 the run is over, or was stopped; 1 there is no run to watch; 3 nobody answers.
"""

import argparse
import math
import os
import sys
import time
import urllib.parse
from typing import Any, Dict, List, Optional

from mcp import Client, Refused
from operations import NoAnswer, get

DEFAULT_URL = "http://127.0.0.1:5001"
OVER = ("completed", "stopped", "failed")
LONGEST_S = 55
WATCHED = ["recommendation", "alert", "status"]
DONE, NOTHING_TO_WATCH, NO_ANSWER = 0, 1, 3


class Supervisor:
    """One run, from now until it is over."""

    def __init__(self, client: Client, session_id: str, dry_run: bool, patience_s: int) -> None:
        self.client = client
        self.session_id = session_id
        self.dry_run = dry_run
        self.patience_s = patience_s
        self.seq = 0
        self.audit: List[str] = []

    def note(self, line: str) -> None:
        """One line of the audit, shown as it happens."""
        self.audit.append(line)
        print(line, flush=True)

    def judge(self) -> Dict[str, Any]:
        """The verdict of this moment."""
        health = self.client.call("assess_health", session_id=self.session_id)
        self.seq = max(self.seq, health["seq"])
        advice = health["recommendation"]
        self.note(f"{health['verdict']}: {health['summary']} -> {advice['action']}")
        return health

    def wait(self, types: List[str], timeout_s: int = LONGEST_S) -> List[Dict[str, Any]]:
        """What has happened since the last look; may be nothing."""
        told = self.client.call(
            "wait_for_event",
            session_id=self.session_id,
            types=types,
            after_seq=self.seq,
            timeout_s=timeout_s,
        )
        self.seq = told["next_seq"]
        for event in told["events"]:
            self.note(f"{event['type']}: {event['text']}")
        return told["events"]

    def stop(self, health: Dict[str, Any]) -> bool:
        """Asks for it, with the reason; True when that was accepted."""
        advice = health["recommendation"]
        answer = self.client.call(
            "request_stop",
            session_id=self.session_id,
            reason=f"{advice['reason']} ({health['summary']})"[:500],
            mode="kill" if advice["action"] == "kill" else "after_epoch",
            dry_run=self.dry_run,
        )
        saving = advice.get("saving_gpu_hours")
        saved = f", saves {saving:.3g} GPU hours" if saving is not None else ""
        self.note(
            f"stop {'accepted' if answer['accepted'] else 'refused'}: {answer.get('note', '')}"
            f" Keeps the checkpoint {answer.get('will_keep_checkpoint') or 'it has'}{saved}"
        )
        return answer["accepted"]

    def run(self) -> None:
        """Until the run is over."""
        health = self.judge()
        doubted_until: Optional[float] = None
        while health["verdict"] != "finished":
            doubted = health["verdict"] == "stop_soon"
            advised = health["recommendation"]["action"] in ("stop", "kill")
            still = doubted and doubted_until is not None and time.monotonic() >= doubted_until
            if (advised or still) and self.stop(health):
                if self.dry_run:
                    return
                while not any(e["data"]["status"] in OVER for e in self.wait(["status"])):
                    pass
                return
            if not doubted:
                doubted_until = None
            elif doubted_until is None:
                doubted_until = time.monotonic() + self.patience_s
            if self.is_over_at_next_look(doubted_until):
                return
            health = self.judge()

    def is_over_at_next_look(self, doubted_until: Optional[float]) -> bool:
        """Waits until there is reason to look again. News of a run in doubt wait for its patience."""
        events: List[Dict[str, Any]] = []
        while not events or doubted_until is not None:
            left_s = LONGEST_S
            if doubted_until is not None:
                left_s = math.ceil(min(LONGEST_S, doubted_until - time.monotonic()))
                if left_s <= 0:
                    return False
            events = self.wait(WATCHED, left_s)
            if any(e["type"] == "status" and e["data"]["status"] in OVER for e in events):
                return True
            if any(e["type"] == "recommendation" for e in events):
                return False
        return False


def newest_running(client: Client) -> Optional[str]:
    """Its id; None when nothing runs."""
    sessions = client.call("list_sessions", status="running", limit=1)["sessions"]
    return sessions[0]["id"] if sessions else None


def show_audit(url: str, session_id: str) -> None:
    """What the daemon has kept of the orders to this run: who, what, why, what came of it."""
    data = get(url, f"/api/training/control/{urllib.parse.quote(session_id, safe='')}")["data"]
    print("\naudit")
    for order in reversed(data["orders"]):
        who = order["who"]
        print(
            f"{order['command']} {order['state']}"
            f"{' (dry run)' if order['dryRun'] else ''} by {who['client']} over {who['via']}:"
            f" {order['reason']}"
        )


def report(client: Client) -> None:
    """What it has cost, call by call."""
    print("\ncall                 said  heard  tokens")
    for spent in client.spent:
        print(f"{spent.what:<20} {spent.said:>5} {spent.heard:>6}")
    print(f"{client.calls()} calls, {client.total()} tokens (characters / 4)")


def main(argv: Optional[List[str]] = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("session_id", nargs="?", help="default: the newest run that is running")
    parser.add_argument("--url", default=os.environ.get("STREAMD_URL", DEFAULT_URL))
    parser.add_argument(
        "--patience-s", type=int, default=LONGEST_S, help="before a second look (default: %(default)s)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be stopped")
    options = parser.parse_args(argv)
    client = Client(options.url.rstrip("/") + "/mcp", "streamd-supervisor")
    try:
        client.tools()
        session_id = options.session_id or newest_running(client)
        if not session_id:
            print("nothing runs", file=sys.stderr)
            return NOTHING_TO_WATCH
        Supervisor(client, session_id, options.dry_run, options.patience_s).run()
        show_audit(options.url, session_id)
    except (Refused, NoAnswer) as error:
        print(error, file=sys.stderr)
        return NO_ANSWER
    except KeyboardInterrupt:
        pass
    report(client)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
