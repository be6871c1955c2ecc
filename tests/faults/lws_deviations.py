# SPDX-License-Identifier: MIT
"""Where libwebsockets 4.1.6 does otherwise than the RFCs say, before any callback of ours.

test_ws_rules and test_http_rules play each, and fail when one is gone; docs/reliability.md has the
same table (test_catalogue.py compares). `python3 tests/faults/lws_deviations.py` prints it.
"""

DEVIATIONS = {
    "unmasked": ("RFC 6455, 5.1", "an unmasked client frame is accepted"),
    "control-length": ("RFC 6455, 5.5", "a control frame of more than 125 octets ends the connection without a close frame"),
    "length": ("RFC 6455, 5.2", "so does a length of more than 63 bits"),
    "close-reason": ("RFC 6455, 5.5.1", "and a close frame whose reason is no UTF-8"),
    "ping-burst": ("RFC 6455, 5.5.3", "of pings that come faster than pongs leave, the first is answered, not the last"),
    "close-codes": ("IANA", "close codes 1012 to 1014 are answered with 1002"),
    "extensions-length": ("RFC 6455, 9.1", "a handshake with more than 255 octets of extensions is dropped"),
    "subprotocol": ("RFC 6455, 4.2.2", "so is one that offers only subprotocols"),
    "white-space": ("RFC 9110, 5.5", "white space behind a value belongs to it, where lws itself reads the value"),
    "rsv1-control": ("RFC 7692, 6", "where compression was agreed, RSV1 on a ping or close is passed over"),
    "pong-within": ("RFC 7692, 6.1", "a pong with a payload that nobody asked for, between the fragments of a compressed message, is taken for data: 1007"),
    "parser-403": ("RFC 9110, 15", "what the parser cannot read is refused with a bare HTTP/1.0 403, whatever the reason"),
    "target-forms": ("RFC 9112, 3.2", "so are absolute-form and OPTIONS *; CONNECT ends the connection"),
    "nul": ("RFC 3986, 7.3", "an escaped NUL in the target ends the connection without an answer"),
    "empty-line": ("RFC 9112, 2.2", "so does an empty line before a request"),
    "method-case": ("RFC 9110, 9.1", "a method in lower case is taken for the method"),
    "upgrade": ("RFC 9110, 7.8", "an upgrade to what is neither websocket nor h2c is refused with 403 instead of passed over"),
    "swallowed-line": ("RFC 9112, 5", "a header whose name is only the beginning of one that lws knows, or which has no colon, hides the line behind it"),
    "header-limit": ("RFC 9110, 5.4", "headers above 16 KiB end the connection without an answer"),
    "header-syntax": ("RFC 9112, 5", "headers of a bad syntax are passed over"),
    "chunked": ("RFC 9112, 7.1", "a chunked request body is refused with 501, since lws would read it as a request"),
    "pipelined-body": ("RFC 9112, 9.3.2", "a request with a body behind another at once is refused with 503"),
}  # fmt: skip


def rows() -> "list[str]":
    return ["| `%s` | %s | %s |" % (key, *row) for key, row in DEVIATIONS.items()]


if __name__ == "__main__":
    print("\n".join(rows()))
