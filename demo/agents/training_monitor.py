#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Print the epochs of an operation, one line each.

    training_monitor.py <operation_id> [--follow] [--url URL]

The same command and the same lines, wherever the trainer runs. With --follow it goes on until the
operation has ended; only epochs that are new are asked for. Exit codes: 0 done, 2 asked wrongly,
3 nobody answers or nobody knows the operation.
"""

import json
import sys
import time
from typing import Any, Dict, List, Optional

from operations import DONE, get, parse, route, run

#: Between two looks with --follow.
PAUSE_S = 0.5
ENDED = ("completed", "failed", "cancelled")


def number(value: Any) -> str:
    """Four decimals; a loss that was not given, or is no number any more, is n/a."""
    return f"{value:.4f}" if isinstance(value, (int, float)) else "n/a"


def describe(epoch: Dict[str, Any]) -> str:
    """The line of one epoch."""
    return (
        f"✅ Epoch {epoch['epoch']}: train_loss={number(epoch['train_loss'])}, "
        f"val_loss={number(epoch['val_loss'])}"
    )


def show(answer: Dict[str, Any], first: bool) -> None:
    """What an answer has to say."""
    epochs = answer["data"]["metrics"].get("epochs", [])
    if first and not epochs:
        print("⏳ No metrics yet (API returns empty)")
        print(f"   Response structure: {json.dumps(answer)}")
    for epoch in epochs:
        print(describe(epoch))
    sys.stdout.flush()


def follow(url: str, operation_id: str, cursor: int) -> None:
    """What comes from now on. The status is asked first, so that nothing comes after the last."""
    while True:
        ended = get(url, route(operation_id))["data"]["status"] in ENDED
        answer = get(url, route(operation_id, f"/metrics?cursor={cursor}"))
        show(answer, False)
        cursor = answer["data"]["cursor"]
        if ended:
            return
        time.sleep(PAUSE_S)


def main(argv: Optional[List[str]] = None) -> int:
    """Ask, print, and go on if told to."""
    told = parse("Print the epochs of an operation.", argv, follows=True)
    answer = get(told.url, route(told.operation_id, "/metrics"))
    show(answer, True)
    if told.follow:
        seen = answer["data"]["metrics"].get("total_epochs_completed", 0)
        follow(told.url, told.operation_id, seen)
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
