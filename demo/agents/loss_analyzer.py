#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Say how the loss of an operation goes, which epoch was best, and what to do.

    loss_analyzer.py <operation_id> [--url URL]

The recommendation follows the flags of the API. Exit codes: 0 done, 1 fewer than ten epochs, 2
asked wrongly, 3 nobody answers or nobody knows the operation.
"""

import sys
from typing import Any, Dict, List, Optional, Tuple

from operations import DONE, TOO_EARLY, get, parse, route, run

WINDOW = 10
#: Less than this is no trend.
NOTABLE = 0.01


def window(epochs: List[Dict[str, Any]]) -> Tuple[str, List[float]]:
    """The losses that are judged: of validation if there are two among the last ten."""
    recent = epochs[-WINDOW:]
    for key, name in (("val_loss", "Val loss"), ("train_loss", "Train loss")):
        values = [e[key] for e in recent if isinstance(e[key], (int, float))]
        if len(values) >= 2:
            return name, values
    return "Train loss", []


def change_of(values: List[float]) -> float:
    """From the first to the last, as a share of the first."""
    first, last = values[0], values[-1]
    if first == 0:
        return 0.0 if last == 0 else float("inf") if last > 0 else float("-inf")
    return (last - first) / abs(first)


def trend_of(change: float) -> str:
    """In a word."""
    if change < -NOTABLE:
        return "improving"
    return "degrading" if change > NOTABLE else "stable"


def describe_trend(name: str, values: List[float]) -> Tuple[str, List[str]]:
    """The word, and the block."""
    lines = ["📈 Loss Trend Analysis"]
    if not values:
        return "unknown", [*lines, "   No losses that are numbers"]
    change = change_of(values)
    word = trend_of(change)
    lines.append(f"   Recent trend (last {WINDOW} epochs): {word}")
    lines.append(f"   Change: {100 * change:+.1f}%")
    lines.append(f"   {name}: {values[0]:.4f} → {values[-1]:.4f}")
    return word, lines


def describe_best(metrics: Dict[str, Any]) -> List[str]:
    """The best epoch, if there were validation losses."""
    if metrics["best_epoch"] is None:
        return ["🏆 Best Performance", "   No validation loss to judge by"]
    return [
        "🏆 Best Performance",
        f"   Epoch {metrics['best_epoch']} with val_loss={metrics['best_val_loss']:.4f}",
        f"   {metrics['epochs_since_improvement']} epochs since improvement",
    ]


def recommend(metrics: Dict[str, Any], word: str) -> Tuple[str, str]:
    """What to do, and why."""
    best, since = metrics["best_epoch"], metrics["epochs_since_improvement"]
    if metrics.get("health", {}).get("is_diverging"):
        return "STOP TRAINING", "Training loss is diverging"
    if metrics["is_overfitting"]:
        return "USE CHECKPOINT", f"Model is overfitting: take the one of epoch {best}"
    if metrics["is_plateaued"]:
        return "STOP TRAINING", f"No improvement for {since} epochs: take epoch {best}"
    if word == "improving" or (best is not None and since == 0):
        return "CONTINUE TRAINING", "Model is still improving"
    return "CONTINUE TRAINING", "Nothing speaks against it yet"


def analyze(metrics: Dict[str, Any]) -> Optional[List[str]]:
    """The report; None when it is too early."""
    epochs = metrics.get("epochs", [])
    if len(epochs) < WINDOW:
        return None
    word, lines = describe_trend(*window(epochs))
    action, why = recommend(metrics, word)
    return [*lines, *describe_best(metrics), f"💡 Recommendation: {action}", f"   {why}"]


def main(argv: Optional[List[str]] = None) -> int:
    """Ask and print."""
    told = parse("Say how the loss of an operation goes.", argv)
    report = analyze(get(told.url, route(told.operation_id, "/metrics"))["data"]["metrics"])
    if report is None:
        print("❌ Not enough data yet")
        return TOO_EARLY
    print("\n".join(report))
    return DONE


if __name__ == "__main__":
    sys.exit(run(main))
