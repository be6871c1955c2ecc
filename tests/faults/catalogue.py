# SPDX-License-Identifier: MIT
"""The catalogue as it stands in the tests: every first line of a docstring that starts with #N,
here and in tests/durable.

`python3 tests/faults/catalogue.py` prints the rows of docs/reliability.md; test_catalogue.py holds
the page against them.
"""

import ast
import glob
import os
import re
from typing import Dict, Iterator, List, Tuple

FOLDER = os.path.dirname(os.path.abspath(__file__))
FOLDERS = (FOLDER, os.path.join(FOLDER, "..", "durable"))

# Sockets and what is sent to them; the store; the process. The rest is not in the core.
NUMBERS = (*range(1, 139), *range(139, 162), *range(177, 196))

# Cases that the core has nothing for yet, or that it cannot have.
NOT_TESTED = {
    45: "binary attachments of trainers: not offered, a line is JSON",
    152: "one connection writes and checkpoints, without mmap: by construction",
    183: "a memory limit: each queue has its own bound; allocations that fail are #145's",
}

# Cases that other layers play.
ELSEWHERE = {
    66: ("a token is missing, wrong, of another scheme, too long -> 401, the same words, nothing of it "
         "in the log; one that may not do this -> 403", "test_guard, flow/test_tokens, tokens.test.ts"),
    67: ("a token in the query -> counts on /ws and event streams alone, is in no log",
         "test_guard, tokens.test.ts"),
    145: ("each allocation fails in turn, the store's and SQLite's, and every seventh of a whole day's "
          "(STREAMD_OOM_STRIDE=1: each) -> the rows are those that were committed, what was acked is kept, "
          "the next request is answered", "test_store_faults, test_out_of_memory, test_out_of_memory_life"),
    179: ("SIGHUP with broken tokens or a certificate that does not fit -> those of before go on, an "
          "error with file and line", "tokens.test.ts, tls.test.ts, shutdown.test.ts"),
    180: ("an option unknown, of a wrong type, out of range -> no start; option, value and range "
          "are named", "test_options"),
    184: ("as 35 and 77: more connections and trainers than descriptors -> refused first",
          "test_unix_socket, test_http_load"),
    185: ("stderr closed, or a pipe that nobody reads -> lines are dropped and counted", "test_log"),
    186: ("newlines and escape codes in names and paths -> escaped, one line, cut off", "test_log"),
    187: ("tokens -> in no log, figure, argument or core", "tokens.test.ts"),
    188: ("started by root with --user -> his user, groups and files alone, for good",
          "wire/test_service"),
    189: ("a port in use -> no start, the reason, no socket is left", "ingest_socket.test.ts"),
    190: ("ten minutes (of 24 hours) of 250 watchers of which 1 % a second leave, 1 kHz of lines and a "
          "restart -> memory and descriptors flat, no gap, no repeat", "make soak"),
    191: ("every suite under sanitizers -> no report", "make asan, make tsan"),
    195: ("any input -> no assertion is reached: each test here fails on one", "harness"),
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
    paths = [path for folder in FOLDERS for path in glob.glob(os.path.join(folder, "test_*.py"))]
    for path in sorted(paths, key=os.path.basename):
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
    for number in NUMBERS:
        if number in NOT_TESTED:
            table.append("| %d | %s | not tested |" % (number, NOT_TESTED[number]))
            continue
        each = [*found.get(number, []), *([ELSEWHERE[number]] if number in ELSEWHERE else [])]
        what = "; ".join(text.replace("->", "→").replace("|", "\\|") for text, _ in each)
        names = {name for _, where in each for name in where.split(", ")}
        where = ", ".join("`%s`" % name for name in sorted(names))
        table.append("| %d | %s | %s |" % (number, what, where))
    return table


if __name__ == "__main__":
    print("\n".join(rows()))
