# SPDX-License-Identifier: MIT
"""The operations API of the daemon, as much of it as the agents need. Standard library only."""

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Dict, List, Optional

TIMEOUT_S = 10.0
DEFAULT_URL = "http://127.0.0.1:5001"

#: Exit codes of every agent: it did what it is for, there is not enough to judge by, it was asked
#: wrongly (argparse), nobody answers or nobody knows the operation.
DONE, TOO_EARLY, USAGE, NO_ANSWER = 0, 1, 2, 3


class NoAnswer(Exception):
    """The daemon cannot be reached, or refuses; the text says why."""


def parse(description: str, argv: Optional[List[str]], follows: bool = False) -> Any:
    """What every agent is told: an operation, and where the daemon is."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("operation_id")
    parser.add_argument(
        "--url",
        default=os.environ.get("STREAMD_URL", DEFAULT_URL),
        help="the daemon (default: $STREAMD_URL, else %(default)s)",
    )
    if follows:
        parser.add_argument(
            "--follow", action="store_true", help="go on until the operation has ended"
        )
    return parser.parse_args(argv)


def get(url: str, path: str) -> Dict[str, Any]:
    """The JSON object that the route answers; NoAnswer when it refuses."""
    try:
        with urllib.request.urlopen(url.rstrip("/") + path, timeout=TIMEOUT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        body = error.read().decode("utf-8", "replace")
        try:
            raise NoAnswer(json.loads(body)["detail"]) from error
        except (ValueError, KeyError, TypeError):
            raise NoAnswer(f"{error.code} {body}") from error
    except (OSError, ValueError) as error:
        raise NoAnswer(f"no answer from {url}: {error}") from error


def route(operation_id: str, rest: str = "") -> str:
    """The path of an operation."""
    return f"/api/v1/operations/{urllib.parse.quote(operation_id, safe='')}{rest}"


def run(agent: Any, argv: Optional[List[str]] = None) -> int:
    """An agent's main with its refusals on stderr."""
    try:
        return agent(argv)
    except NoAnswer as error:
        print(error, file=sys.stderr)
        return NO_ANSWER
    except KeyboardInterrupt:
        return DONE
