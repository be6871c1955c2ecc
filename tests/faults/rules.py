# SPDX-License-Identifier: MIT
"""What test_ws_rules and test_http_rules have in common: a rule of an RFC, a case of it, a verdict.

A case says what is expected by the standard. One that libwebsockets decides otherwise, before any
callback of ours, names the deviation (lws_deviations.py) and what is seen instead; it is known only
as long as exactly that is seen: a deviation that is gone has to leave the table.

STREAMD_RULES=1 prints every case: number, rule, what, expected, observed.
"""

import os
import sys
from typing import Dict, List, NamedTuple, Optional

from lws_deviations import DEVIATIONS


class Case(NamedTuple):
    rule: str  # "RFC section"
    what: str
    expected: str
    deviation: Optional[str] = None  # a key of DEVIATIONS
    seen: str = ""  # with it, instead of what is expected


class Verdicts:
    """Of one checker. A case is numbered within its chapter."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.passed = 0
        self.known: Dict[str, int] = {}
        self.failed: List[str] = []
        self.rows: List[str] = []

    def judge(self, chapter: int, case: Case, observed: str) -> None:
        number = "%d.%d" % (chapter, 1 + sum(row.startswith("%d." % chapter) for row in self.rows))
        row = "%-6s %-16s %-70s %s" % (number, case.rule, case.what, case.expected)
        self.rows.append(row if observed == case.expected else row + ", but: " + observed)
        assert case.deviation is None or case.deviation in DEVIATIONS, case
        if case.deviation is None:
            if observed == case.expected:
                self.passed += 1
            else:
                self.failed.append(self.rows[-1])
        elif observed == case.seen:
            self.known[case.deviation] = self.known.get(case.deviation, 0) + 1
        elif observed == case.expected:
            self.failed.append(row + " holds: %s is no deviation any more" % case.deviation)
        else:
            self.failed.append(self.rows[-1] + ", and known is: " + case.seen)

    def report(self) -> str:
        lines = self.rows if os.environ.get("STREAMD_RULES") else []
        known = sum(self.known.values())
        count = "%s: %d cases, %d passed, %d known deviations of libwebsockets (%s), %d failed" % (
            self.name,
            len(self.rows),
            self.passed,
            known,
            ", ".join("%s %d" % item for item in sorted(self.known.items())),
            len(self.failed),
        )
        return "\n".join([*lines, count, *self.failed])

    def close(self) -> None:
        """Says so on stderr; ends the test when a case failed."""
        sys.stderr.write("\n" + self.report() + "\n")
        if self.failed:
            raise AssertionError("\n".join(self.failed))

