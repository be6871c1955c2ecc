# SPDX-License-Identifier: MIT
"""The daemon's HTTP routes, as the modes need them."""

import http.client
import json
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from runner.processes import Failed

TIMEOUT_S = 5.0
NDJSON = "application/x-ndjson"


class Reply(NamedTuple):
    """Status, decoded JSON (or None), body and headers."""

    status: int
    json: Any
    body: bytes
    headers: Dict[str, str]


class Api:
    """One address; a connection for each request, so that nothing is shared between threads."""

    def __init__(self, address: Tuple[str, int]) -> None:
        self._address = address

    def request(
        self,
        method: str,
        path: str,
        body: Optional[bytes] = None,
        headers: Optional[Dict[str, str]] = None,
    ) -> Reply:
        """Any answer is one; Failed when there is none."""
        connection = http.client.HTTPConnection(*self._address, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            data = response.read()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, _decode(data), data, named)
        except (OSError, http.client.HTTPException) as error:
            raise Failed(f"no answer to {method} {path}: {error!r}") from error
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        """GET; header names are given with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("GET", path, headers=named)

    def push(self, *lines: Any) -> Reply:
        """POST trainer lines: dicts, or bytes where a line is to be bad."""
        encoded = [line if isinstance(line, bytes) else encode(line) for line in lines]
        headers = {"Content-Type": NDJSON}
        return self.request("POST", "/api/training/ingest", b"".join(encoded), headers)

    def data(self, route: str, session: str = "", query: str = "") -> Any:
        """The `data` of a successful answer under /api/training, else None."""
        path = f"/api/training/{route}" + (f"/{session}" if session else "")
        reply = self.get(path + (f"?{query}" if query else ""))
        return reply.json.get("data", reply.json) if reply.status == 200 else None

    def stats(self) -> Dict[str, Any]:
        return dict(self.data("stats"))

    def history(self, session: str, query: str = "limit=100000") -> List[Dict[str, Any]]:
        return list(self.data("history", session, query))


def encode(line: Dict[str, Any]) -> bytes:
    """A trainer line; Python's json writes NaN as the bare word that the daemon accepts."""
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _decode(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
