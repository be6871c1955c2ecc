# SPDX-License-Identifier: MIT
"""The end of a run on one screen: the fan-out table and the acceptance lines."""

import re
from typing import Dict, List, Optional, Tuple

from scenario.bench import Bench, machine, tidy

COLUMNS = (
    ("msg/CPU-s", "messages_per_cpu_s", 1.0, "%.0f"),
    ("B/msg", "frame_bytes_per_update", 1.0, "%.0f"),
    ("RSS/conn", "rss_bytes_per_connection", 1.0, "%.0f"),
    ("busy/conn", "rss_busy_bytes_per_connection", 1.0, "%.0f"),
    ("p99ms", "latency_p99_us", 1e-3, "%.1f"),
    ("p50ms", "latency_p50_us", 1e-3, "%.1f"),
    ("/bare", "cost_to_bare", 1.0, "%.2f"),
    ("/streamd", "cost_to_streamd", 1.0, "%.2f"),
    ("deliv%", "delivered_percent", 1.0, "%.1f"),
    ("wait%", "server_wait_percent", 1.0, "%.1f"),
    ("writes", "writes_per_subscriber_tick", 1.0, "%.2f"),
)

FANOUT = re.compile(r"fanout\.(?P<label>.+)\.n(?P<n>\d+)\.rooms(?P<rooms>\d+)(\.(?P<key>\w+))?$")

Row = Tuple[int, int, str, str]


def row_of(name: str) -> Optional[Row]:
    """A row by rooms, subscribers, compression, server; None when the figure is of no row."""
    found = FANOUT.match(name)
    if not found:
        return None
    server, compression = found["label"].rsplit(".", 1)
    return int(found["rooms"]), int(found["n"]), compression, server


def fanout_rows(bench: Bench) -> Dict[Row, Dict[str, float]]:
    """Figures by row, what is compared with each other together; no figures of who is absent."""
    rows: Dict[Row, Dict[str, float]] = {}
    for name in list(bench.figures) + list(bench.absent):
        row = row_of(name)
        if row and name in bench.figures:
            rows.setdefault(row, {})[name.rsplit(".", 1)[1]] = bench.figures[name]
        elif row:
            rows.setdefault(row, {})
    order = {"plain": 0, "deflate": 1}
    return dict(sorted(rows.items(), key=lambda each: (*each[0][:2], order[each[0][2]])))


def cells(values: Dict[str, float]) -> List[str]:
    """One row's cells; a dash where there is no such figure."""
    return [
        (form % (values[key] * scale)) if key in values else "-"
        for _, key, scale, form in COLUMNS
    ]


def print_fanout(bench: Bench) -> None:
    """The fan-out table."""
    print("\n%5s %6s  %-8s %-24s" % ("rooms", "subscr", "bytes", "server"), end="")
    print("".join("%10s" % title for title, *_ in COLUMNS))
    for (rooms, subscribers, compression, server), values in fanout_rows(bench).items():
        print("%5d %6d  %-8s %-24s" % (rooms, subscribers, compression, server), end="")
        name = "fanout.%s.%s.n%d.rooms%d" % (server, compression, subscribers, rooms)
        if values:
            print("".join("%10s" % cell for cell in cells(values)))
        else:
            print("       n/a: %s" % bench.absent[name])


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
