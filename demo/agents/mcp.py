# SPDX-License-Identifier: MIT
"""A client of the Model Context Protocol, as much of it as an agent needs: revision 2026-07-28 over
Streamable HTTP, where each request says all about itself. Standard library only.

It counts what a model would have to read and write: every tool's arguments and results, and the
list of tools, at four characters a token.
"""

import json
import urllib.error
import urllib.request
from typing import Any, Dict, List, NamedTuple, Optional

VERSION = "2026-07-28"
# What tools ask to be repeated in a header (x-mcp-header of their schemas).
PARAM_HEADERS = {
    "session_id": "Mcp-Param-Session-Id",
    "operation_id": "Mcp-Param-Operation-Id",
}
CHARACTERS_A_TOKEN = 4
#: Longer than any tool waits.
TIMEOUT_S = 70.0
#: One is what a relay needs.
REDIRECTS_MAX = 3


class Refused(Exception):
    """The server cannot be reached, or says no; the text says why."""


class Spent(NamedTuple):
    """One exchange, in tokens."""

    what: str
    said: int
    heard: int


def tokens(text: str) -> int:
    """An estimate: four characters a token, as English and JSON have it."""
    return -(-len(text) // CHARACTERS_A_TOKEN)


def compact(value: Any) -> str:
    """JSON as a model is shown it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def message(body: str, content_type: str) -> Any:
    """The answer in a body, which may be a stream of events that ends with it."""
    if not content_type.startswith("text/event-stream"):
        return json.loads(body)
    data = [line[5:].strip() for line in body.splitlines() if line.startswith("data:")]
    return json.loads(data[-1])


class Client:
    """One endpoint, and what it has cost so far."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.spent: List[Spent] = []
        self._id = 0
        self._meta = {
            "io.modelcontextprotocol/protocolVersion": VERSION,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": name, "version": "1"},
        }

    def _request(self, method: str, params: Dict[str, Any]) -> urllib.request.Request:
        self._id += 1
        body = {
            "jsonrpc": "2.0",
            "id": self._id,
            "method": method,
            "params": {**params, "_meta": self._meta},
        }
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": VERSION,
            "Mcp-Method": method,
        }
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
            for argument, header in PARAM_HEADERS.items():
                if argument in params.get("arguments", {}):
                    headers[header] = params["arguments"][argument]
        return urllib.request.Request(self.url, compact(body).encode(), headers)

    def ask(self, method: str, params: Dict[str, Any]) -> Dict[str, Any]:
        """The result of one request. A relay says where its hub is, which is then asked."""
        for _ in range(REDIRECTS_MAX + 1):
            asked = self.url
            said = self._post(method, params)
            if said is not None:
                break
        else:
            raise Refused(f"{asked} leads elsewhere, as did {REDIRECTS_MAX} before it")
        if "error" in said:
            raise Refused(said["error"]["message"])
        return said["result"]

    def _post(self, method: str, params: Dict[str, Any]) -> Optional[Dict[str, Any]]:
        """What is answered; None: that somebody else is to be asked, whose URL is ours now."""
        try:
            with urllib.request.urlopen(self._request(method, params), timeout=TIMEOUT_S) as answer:
                return message(answer.read().decode(), answer.headers["Content-Type"])
        except urllib.error.HTTPError as error:
            if error.code == 307 and error.headers["Location"]:
                self.url = error.headers["Location"]
                return None
            raise Refused(f"{error.code} {error.read().decode('utf-8', 'replace')}") from error
        except (OSError, ValueError) as error:
            raise Refused(f"no answer from {self.url}: {error}") from error

    def tools(self) -> List[str]:
        """The names of the tools; a model is shown name, description and arguments of each."""
        listed = self.ask("tools/list", {})["tools"]
        shown = [{k: tool[k] for k in ("name", "description", "inputSchema")} for tool in listed]
        self.spent.append(Spent("tools/list", 0, tokens(compact(shown))))
        return [tool["name"] for tool in listed]

    def call(self, tool: str, /, **arguments: Any) -> Dict[str, Any]:
        """The structured result of a tool."""
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        text = result["content"][0]["text"]
        self.spent.append(Spent(tool, tokens(tool + compact(arguments)), tokens(text)))
        if result.get("isError"):
            raise Refused(text)
        return result["structuredContent"]

    def calls(self) -> int:
        """How many tools were called."""
        return sum(1 for spent in self.spent if spent.what != "tools/list")

    def total(self) -> int:
        """Tokens in all."""
        return sum(spent.said + spent.heard for spent in self.spent)
