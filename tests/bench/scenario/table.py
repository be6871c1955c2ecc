# SPDX-License-Identifier: MIT
"""The end of a run on one screen: the fan-out table and the acceptance lines."""

import re
from typing import Dict, List, Tuple

from scenario.bench import Bench, machine, tidy

COLUMNS = (
    ("CPU-s/M", "cpu_s_per_million", 1.0, "%.2f"),
    ("/bare", "cost_to_bare", 1.0, "%.2f"),
    ("/streamd", "cost_to_streamd", 1.0, "%.2f"),
    ("deliv%", "delivered_percent", 1.0, "%.1f"),
    ("wait%", "server_wait_percent", 1.0, "%.1f"),
    ("p50ms", "latency_p50_us", 1e-3, "%.1f"),
    ("p99ms", "latency_p99_us", 1e-3, "%.1f"),
    ("B/msg", "wire_bytes_per_message", 1.0, "%.0f"),
    ("writes", "writes_per_subscriber_tick", 1.0, "%.2f"),
    ("RSS/conn", "rss_bytes_per_connection", 1.0, "%.0f"),
)

FANOUT = re.compile(r"fanout\.(?P<label>.+)\.n(?P<n>\d+)\.rooms(?P<rooms>\d+)\.(?P<key>\w+)$")

Row = Tuple[int, int, str]


def fanout_rows(figures: Dict[str, float]) -> Dict[Row, Dict[str, float]]:
    """Figures by (rooms, subscribers, server), in the order they were measured."""
    rows: Dict[Row, Dict[str, float]] = {}
    for name, value in figures.items():
        found = FANOUT.match(name)
        if found:
            row = (int(found["rooms"]), int(found["n"]), found["label"])
            rows.setdefault(row, {})[found["key"]] = value
    return rows


def cells(values: Dict[str, float]) -> List[str]:
    """One row's cells; a dash where there is no such figure."""
    return [
        (form % (values[key] * scale)) if key in values else "-"
        for _, key, scale, form in COLUMNS
    ]


def print_fanout(bench: Bench) -> None:
    """The fan-out table."""
    print("\n%5s %6s  %-32s" % ("rooms", "subscr", "server"), end="")
    print("".join("%9s" % title for title, *_ in COLUMNS))
    for (rooms, subscribers, label), values in fanout_rows(bench.figures).items():
        print("%5d %6d  %-32s" % (rooms, subscribers, label), end="")
        print("".join("%9s" % cell for cell in cells(values)))


def print_gates(bench: Bench) -> None:
    """The acceptance lines, those that decide first."""
    print("\nacceptance")
    for gate in sorted(bench.gates, key=lambda each: not each.decides):
        verdict = "holds" if gate.holds() else "FAILS" if gate.decides else "not met"
        sign = ">=" if gate.at_least else "<="
        limit = "%s %s" % (sign, tidy(gate.limit))
        kind = "" if gate.decides else "  (informs)"
        print("  %-58s %9s  %-10s %s%s" % (gate.name, tidy(gate.measured), limit, verdict, kind))


def print_all(bench: Bench) -> None:
    """Table, acceptance, and what was not measured."""
    print_fanout(bench)
    print_gates(bench)
    for line in bench.skipped:
        print("skipped %s" % line)
    about = machine()
    print("\n%s, %d cores, Linux %s" % (about["cpu"], about["cores"], about["kernel"]))
