# SPDX-License-Identifier: MIT
"""The catalogue as it stands in the tests: every first line of a docstring that starts with #N.

`python3 tests/faults/catalogue.py` prints the rows of docs/reliability.md; test_catalogue.py holds
the page against them.
"""

import ast
import glob
import os
import re
from typing import Dict, Iterator, List, Tuple

FOLDER = os.path.dirname(os.path.abspath(__file__))
LAST = 138

# Cases that the core has nothing for yet, or that it cannot have.
NOT_TESTED = {
    36: "a trainer that writes faster than the disk: history is in memory until it is durable",
    45: "binary attachments of trainers: not offered, a line is JSON",
    66: "tokens: none are asked for; loopback, Host and Origin are the guard",
    67: "tokens in the query: as 66",
}


def first_lines(path: str) -> Iterator[str]:
    """Of the docstrings of a file's functions, in order."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        text = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
        if text:
            yield text.splitlines()[0]


def tested() -> Dict[int, List[Tuple[str, str]]]:
    """By number: what is asserted, and in which file."""
    found: Dict[int, List[Tuple[str, str]]] = {}
    for path in sorted(glob.glob(os.path.join(FOLDER, "test_*.py"))):
        name = os.path.basename(path)[:-3]
        for line in first_lines(path):
            match = re.match(r"#(\d+) [a-z.]+: (.+)", line)
            if match:
                found.setdefault(int(match.group(1)), []).append((match.group(2), name))
    return found


def rows() -> List[str]:
    """The table, a row a case."""
    found = tested()
    table = []
    for number in range(1, LAST + 1):
        if number in NOT_TESTED:
            table.append("| %d | %s | not tested |" % (number, NOT_TESTED[number]))
            continue
        what = "; ".join(text.replace("->", "→").replace("|", "\\|") for text, _ in found[number])
        where = ", ".join(sorted({"`%s`" % name for _, name in found[number]}))
        table.append("| %d | %s | %s |" % (number, what, where))
    return table


if __name__ == "__main__":
    print("\n".join(rows()))
