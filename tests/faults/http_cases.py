# SPDX-License-Identifier: MIT
"""The cases of test_http_rules: what is sent on a connection of its own, and what must be answered.

    200            answered, and the next request on the connection is too
    400 close      answered, and the connection ends
    200 200        two answers, in order, and then as above
    close          the end, without an answer
    403/1.0 close  libwebsockets' own answer to what it cannot parse

Behind the statuses stand the headers that a case wants to see, and `body` with its length.
"""

from typing import Iterator, NamedTuple, Optional, Tuple, Union

from rules import Case

HOST = "Host: 127.0.0.1"
SMUGGLED = "GET /api/training/status/smuggled HTTP/1.1\r\n%s\r\n\r\n" % HOST
LINE = '{"type":"ping"}\n'


class Sent(NamedTuple):
    case: Case
    pieces: Tuple[bytes, ...]  # between two of them an answer is awaited
    shows: Tuple[str, ...] = ()


def one(
    rule: str,
    what: str,
    expected: str,
    *pieces: Union[str, bytes],
    shows: Tuple[str, ...] = (),
    deviation: Optional[str] = None,
    seen: str = ""
) -> Sent:
    sent = tuple(p.encode("latin-1") if isinstance(p, str) else p for p in pieces)
    return Sent(Case(rule, what, expected, deviation, seen), sent, shows)


def lines(*all_lines: str, body: str = "") -> str:
    """A message of these lines."""
    return "\r\n".join(all_lines) + "\r\n\r\n" + body


def get(target: str = "/health", *headers: str, method: str = "GET", version: str = "HTTP/1.1") -> str:
    return lines("%s %s %s" % (method, target, version), HOST, *headers)


def post(*headers: str, body: str = "", target: str = "/api/training/ingest") -> str:
    return lines("POST %s HTTP/1.1" % target, HOST, "Content-Type: application/x-ndjson", *headers, body=body)


def own(rule: str, what: str, expected: str, *pieces: str) -> Sent:
    """Refused as it should be, but by lws's parser."""
    return one(rule, what, expected, *pieces, deviation="parser-403", seen="403/1.0 close")


def request_line() -> Iterator[Sent]:
    yield one("9112 3", "GET", "200", get())
    yield one("9112 2.2", "an empty line before it", "200", "\r\n" + get(), deviation="empty-line", seen="close")
    yield one("9112 3", "two spaces before the target may be read as one", "200", get().replace("GET ", "GET  "))
    yield one("9112 3", "two spaces behind the target may be read as one", "200", get().replace(" HTTP", "  HTTP"))
    yield own("9112 3", "no target", "400 close", lines("GET HTTP/1.1", HOST))
    for what in ("GET", "/health", "GET/health", "\0" * 4096, "\x80\xff" * 2000):
        yield own("9112 3", "no request line: " + ascii(what[:12]), "400 close", lines(what, HOST))
    yield own("9112 3", "a space before the method", "400 close", " " + get())
    yield one("9110 9.1", "a method nobody knows", "501 close", get(method="BREW"), deviation="parser-403", seen="403/1.0 close")
    yield one("9110 9.1", "a method in lower case", "501 close", get(method="get"), deviation="method-case", seen="200")
    yield own("9112 3.1", "a method that is no token", "400 close", get(method="G(ET"))
    yield one("9112 2.3", "HTTP/1.2 is answered as 1.1", "200 close", get(version="HTTP/1.2"))
    yield one("9112 2.3", "HTTP/1.0", "200 close", get(version="HTTP/1.0"))
    yield one("9110 15.6.6", "HTTP/2.0", "505 close", get(version="HTTP/2.0"))
    yield one("9110 15.6.6", "HTTP/9.9", "505 close", get(version="HTTP/9.9"))
    for version in ("HTTP/1", "HTTP/1.", "HTTP/1.1x", "HTTP/11.1", "HTTP/1.10", "http/1.1", "XTTP/1.1", "HTTP/a.b"):
        yield one("9112 2.3", "version " + version, "400 close", get(version=version))
    yield one("9112 2.3", "no version", "400 close", lines("GET /health", HOST))
    yield one("9112 3.2.1", "a query", "200", get("/health?a=b&&c=%20&d"))
    yield one("9112 3.2.1", "an empty query", "200", get("/health?"))
    yield one("9112 3.2.2", "absolute-form", "200", get("http://127.0.0.1/health"), deviation="target-forms", seen="403/1.0 close")
    yield one("9112 3.2.4", "OPTIONS *", "204", get("*", method="OPTIONS"), deviation="target-forms", seen="403/1.0 close")
    yield one("9112 3.2.3", "CONNECT", "405 close", get("127.0.0.1:80", method="CONNECT"), deviation="target-forms", seen="close")
    yield own("9112 3.2.1", "a target without its slash", "400 close", get("health"))
    yield one("9112 3", "a target of 8,000 octets", "404", get("/" + "a" * 7999))
    yield one("9112 3", "a target of 20,000 octets", "414 close", get("/" + "a" * 19999), deviation="header-limit", seen="close")
    for target in ("/%68ealth", "/%68%65%61%6c%74%68", "/health?%73ince=%31"):
        yield one("3986 6.2.2.2", "escaped letters: " + target, "200", get(target))
    yield one("3986 2.1", "hex digits of either case", "404", get("/%c3%A9"))
    for target in ("/%", "/%zz", "/%4", "/%4g"):
        yield own("3986 2.1", "a broken escape: " + target, "400 close", get(target))
    yield one("3986 7.3", "an escaped line end", "400 close", get("/health%0d%0aX-Y:%20z"))
    yield one("3986 7.3", "an escaped NUL", "400 close", get("/health%00"), deviation="nul", seen="close")
    yield one("3986 7.3", "an escaped DEL", "400 close", get("/health%7f"))
    for target in ("/./health", "/a/../health", "/a/b/../../health"):
        yield one("3986 5.2.4", "dot segments: " + target, "200", get(target))


def header_fields() -> Iterator[Sent]:
    def with_line(line: str) -> str:
        return lines("GET /health HTTP/1.1", line, HOST)

    for what, line in (
        ("no space behind the colon", "X-B:b"), ("a tab behind the colon", "X-B:\tb"), ("an empty value", "X-B:"),
        ("white space behind the value", "X-B: b \t "), ("a value of obs-text", "X-B: \xe9\xff"),
        ("a name of all that a token may have", "!#$%&'*+-.^_`|~09azAZ: b"), ("a quoted string", 'X-B: "a, b; \\" c"'),
        ("the same name twice", "X-B: b\r\nX-B: c"), ("a known header with nothing to say", "Accept: "),
    ):  # fmt: skip
        yield one("9112 5", what, "200", with_line(line))
    yield one("9110 5.1", "a name in another case", "200", lines("GET /health HTTP/1.1", "hOST: 127.0.0.1"))
    yield one("9112 5.1", "white space behind the value of Host", "200", lines("GET /health HTTP/1.1", HOST + " \t"))
    for what, line in (("a line without a colon", "X-B b"), ("an empty name", ": b"), ("obs-fold", "X-B: b\r\n c"),
                       ("obs-fold of a tab", "X-B: b\r\n\tc")):  # fmt: skip
        yield one("9112 5", what, "400 close", with_line(line))
    for what, line in (("a space in the name", "X B: b"), ("a NUL in a value", "X-B: b\0c"), ("a CR in a value", "X-B: b\rc"),
                       ("a control character in a value", "X-B: b\x01c"), ("a control character in a name", "X\x01B: b"),
                       ("a name that is no token", "X(B): b")):  # fmt: skip
        yield one("9112 5", what, "400 close", with_line(line), deviation="header-syntax", seen="200")
    for name in ("A", "Hos", "Content-Lengt", "X-Auth"):
        yield one("9112 5", "%s, which is how one begins that lws knows, before Host" % name, "200",
                  lines("GET /health HTTP/1.1", name + ": b", HOST), deviation="swallowed-line", seen="400 close")  # fmt: skip
        yield one("9112 5", "%s before Content-Length, on a GET" % name, "400 close",
                  lines("GET /health HTTP/1.1", HOST, name + ": b", "Content-Length: 5"), deviation="swallowed-line", seen="200")  # fmt: skip
        yield one("9112 5", "%s before Transfer-Encoding, on a GET" % name, "501 close",
                  lines("GET /health HTTP/1.1", HOST, name + ": b", "Transfer-Encoding: x"), deviation="swallowed-line", seen="200")  # fmt: skip
        yield one("9112 5", "%s before Accept, which is lost" % name, "200", get("/health", name + ": b", "Accept: x"))
    yield one("9112 2.2", "white space before the first header", "400 close", lines("GET /health HTTP/1.1", " " + HOST))
    for name in ("Content-Length", "Transfer-Encoding"):
        for gap in (" ", "\t"):
            yield one("9112 5.1", "%r before the colon of %s" % (gap, name), "400 close", post("%s%s: 5" % (name, gap), body=SMUGGLED))
    yield one("9112 2.2", "lines that end in LF alone", "200", get().replace("\r\n", "\n"))
    yield one("9110 5.4", "100 headers", "200", get("/health", *("X-%d: y" % i for i in range(100))))
    yield one("9110 5.4", "a header of 8,000 octets", "200", get("/health", "X-B: " + "b" * 8000))
    yield one("6585 5", "headers of 20,000 octets", "431 close", get("/health", "X-B: " + "b" * 20000), deviation="header-limit", seen="close")


def hosts() -> Iterator[Sent]:
    def asked(*host: str) -> str:
        return lines("GET /health HTTP/1.1", *host)

    for host in ("127.0.0.1", "127.0.0.1:80", "localhost", "LocalHost:5001", "[::1]", "[::1]:5001", "192.168.1.7"):
        yield one("9110 7.2", "Host: " + host, "200", asked("Host: " + host))
    yield one("9112 3.2", "none", "400 close", lines("GET /health HTTP/1.1", "X-B: b"))
    yield one("9112 3.2", "two", "400 close", asked("Host: 127.0.0.1", "Host: localhost"))
    yield one("9112 3.2", "the same one twice", "400 close", asked("Host: 127.0.0.1", "Host: 127.0.0.1"))
    for host in ("", "a b", "a/b", "user@127.0.0.1", "127.0.0.1:x", "127.0.0.1:80:80", "[::1", "127.0.0.1, localhost", "127.0.0.1?", "127.0.0.1#"):
        yield one("9112 3.2", "Host: " + host, "400 close" if "," in host or not host else "400", asked("Host: " + host))
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:5001"):
        yield one("9110 7.4", "Host: " + host, "421", asked("Host: " + host))
    yield one("9110 7.2", "an empty port: by decision", "400", asked("Host: 127.0.0.1:"))
    yield one("9110 7.2", "none in HTTP/1.0: by decision", "400 close", "GET /health HTTP/1.0\r\nX-B: b\r\n\r\n")


def lengths(most: int) -> Iterator[Sent]:
    length = "Content-Length: %d" % len(LINE)
    yield one("9112 6.2", "a body of its length", "200", post(length, body=LINE))
    yield one("9112 6.2", "a body that comes later", "200", post(length) + LINE[:3], LINE[3:])
    yield one("9112 6.2", "leading zeros in the length", "200", post("Content-Length: 000%d" % len(LINE), body=LINE))
    yield one("9112 6.2", "no octets", "200", post("Content-Length: 0"))
    yield one("9110 8.6", "a POST without a length", "411 close", post(body=SMUGGLED))
    for value in ("-1", "+5", "0x5", "5.0", "5 5", "5;", "five", "1e1", "18446744073709551621", "5, 6", "5, 5", "\t5\x0b", "\u00b2"):
        yield one("9112 6.3", "Content-Length: " + value, "400 close", post("Content-Length: " + value, body=SMUGGLED))
    yield one("9110 8.6", "an empty length", "411 close", post("Content-Length:", body=SMUGGLED))
    yield one("9112 6.3", "two lengths", "400 close", post("Content-Length: 5", "Content-Length: 6", body="hello" + SMUGGLED))
    yield one("9112 6.3", "the same length twice", "400 close", post("Content-Length: 5", "Content-Length: 5", body="hello" + SMUGGLED))
    yield one("9110 15.5.14", "one octet more than allowed", "413 close", post("Content-Length: %d" % (most + 1)))
    yield one("9110 15.5.14", "a terabyte", "413 close", post("Content-Length: 1000000000000"))
    for method in ("GET", "HEAD", "OPTIONS", "DELETE"):
        yield one("9110 9.3", method + " with a body", "400 close", get("/health", "Content-Length: %d" % len(SMUGGLED), method=method) + SMUGGLED)
        yield one("9110 9.3", method + " with a body of no octets", "405" if method == "DELETE" else "204" if method == "OPTIONS" else "200",
                  get("/health", "Content-Length: 0", method=method))  # fmt: skip
    yield one("9110 8.4", "Content-Encoding: gzip", "415 close", post("Content-Encoding: gzip", length, body=LINE))
    yield one("9110 8.4", "Content-Encoding: identity", "200", post("Content-Encoding: identity", length, body=LINE))


def codings() -> Iterator[Sent]:
    for what, body in (
        ("one chunk", "10\r\n%s\r\n0\r\n\r\n" % LINE), ("two chunks", "8\r\n%s\r\n8\r\n%s\r\n0\r\n\r\n" % (LINE[:8], LINE[8:])),
        ("size in capitals, with zeros", "0010\r\n%s\r\n0\r\n\r\n" % LINE), ("with an extension", '10;a=b;c="d"\r\n%s\r\n0\r\n\r\n' % LINE),
        ("with trailers", "10\r\n%s\r\n0\r\nX-B: b\r\n\r\n" % LINE),
    ):  # fmt: skip
        yield one("9112 7.1", "chunked: " + what, "200", post("Transfer-Encoding: chunked", body=body), deviation="chunked", seen="501 close")
    for what, body in (
        ("a size that is none", "zz\r\nhello\r\n0\r\n\r\n"), ("a size of 17 digits", "10000000000000000\r\nhello\r\n0\r\n\r\n"),
        ("a negative size", "-5\r\nhello\r\n0\r\n\r\n"), ("no line end behind the data", "5\r\nhelloX0\r\n\r\n"), ("an early end", "0\r\n\r\n"),
    ):  # fmt: skip
        yield one("9112 7.1", "chunked: " + what, "501 close", post("Transfer-Encoding: chunked", body=body + SMUGGLED))
    for coding in ("Chunked", "gzip, chunked", "identity", "chunked, identity", "x", "", "\tchunked", "chunked;q=1"):
        yield one("9112 6.1", "Transfer-Encoding: " + coding, "501 close", post("Transfer-Encoding: " + coding, body="0\r\n\r\n" + SMUGGLED))
    for first, second in (("Content-Length: 5", "Transfer-Encoding: chunked"), ("Transfer-Encoding: chunked", "Content-Length: 5")):
        yield one("9112 6.1", "%s and %s" % (first, second), "501 close", post(first, second, body="0\r\n\r\n" + SMUGGLED))
    yield one("9112 6.1", "chunked on a GET", "501 close", get("/health", "Transfer-Encoding: chunked") + "0\r\n\r\n" + SMUGGLED)
    yield one("9112 6.1", "chunked in HTTP/1.0", "501 close", post("Transfer-Encoding: chunked", body="0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0"))


def expectations() -> Iterator[Sent]:
    length = "Content-Length: %d" % len(LINE)
    yield one("9110 10.1.1", "100-continue is said before the body is sent", "100 200", post("Expect: 100-continue", length), LINE)
    yield one("9110 10.1.1", "in another case", "100 200", post("Expect: 100-Continue", length), LINE)
    yield one("9110 10.1.1", "not to HTTP/1.0", "200 close", post("Expect: 100-continue", length, body=LINE).replace("1.1", "1.0"))
    yield one("9110 10.1.1", "not where there is no body", "200", get("/health", "Expect: 100-continue"))
    yield one("9110 10.1.1", "a final status instead: too large", "413 close", post("Expect: 100-continue", "Content-Length: 9999999"))
    yield one("9110 10.1.1", "a final status instead: two lengths", "400 close", post("Expect: 100-continue", length, length))


def methods() -> Iterator[Sent]:
    for target in ("/", "/health", "/api/training/sessions", "/api/training/status/probe", "/openapi.json", "/api/training/history/probe"):
        yield one("9110 9.3.2", "HEAD " + target, "200 body=0", get(target, method="HEAD"), shows=("body",))
    yield one("9110 9.3.2", "HEAD of what is not there", "404 body=0", get("/none", method="HEAD"), shows=("body",))
    for method, target, allow in (
        ("POST", "/health", "GET, HEAD, OPTIONS"), ("PUT", "/api/training/status/a", "GET, HEAD, OPTIONS"),
        ("DELETE", "/api/training/stats", "GET, HEAD, OPTIONS"), ("PATCH", "/api/training/ingest", "POST, OPTIONS"),
        ("GET", "/api/training/ingest", "POST, OPTIONS"), ("POST", "/", "GET, HEAD, OPTIONS"),
        ("PUT", "/api/v1/operations", "GET, HEAD, POST, OPTIONS"), ("GET", "/sessions/a/metrics", "POST, OPTIONS"),
    ):  # fmt: skip
        length = () if method in ("GET", "DELETE") else ("Content-Length: 0",)
        yield one("9110 15.5.6", "%s %s" % (method, target), "405 allow=" + allow, get(target, *length, method=method), shows=("allow",))
    yield one("9110 9.3.7", "OPTIONS /health", "204 allow=GET, HEAD, OPTIONS body=0", get(method="OPTIONS"), shows=("allow", "body"))
    yield one("9110 9.3.7", "OPTIONS of what is not there", "404", get("/none", method="OPTIONS"))
    yield own("9110 9.3.8", "TRACE", "501 close", get(method="TRACE"))


def connections() -> Iterator[Sent]:
    length = "Content-Length: %d" % len(LINE)
    yield one("9112 9.3", "three requests, one after the other", "200 200 200", get(), get(), get())
    yield one("9112 9.3.2", "three requests at once", "200 404 200", get() + get("/none") + get())
    yield one("9112 9.3.2", "a hundred at once", " ".join(["200"] * 100), get() * 100)
    yield one("9112 9.3", "a body, then a request", "200 200", post(length, body=LINE), get())
    yield one("9112 9.3", "two bodies, one after the other", "200 200", post(length, body=LINE), post(length, body=LINE))
    yield one("9112 9.3.2", "a body behind a request at once", "200 200", get() + post(length, body=LINE), deviation="pipelined-body", seen="200 503 close")
    for value in ("close", "Close", "keep-alive, close", "x, close"):
        yield one("9112 9.6", "Connection: " + value, "200 close", get("/health", "Connection: " + value))
        yield one("9112 9.6", "nothing is heard behind Connection: " + value, "200 close", get("/health", "Connection: " + value) + get())
    yield one("9112 9.3", "HTTP/1.0", "200 close", get(version="HTTP/1.0"))
    yield one("9112 9.3", "HTTP/1.0 with keep-alive", "200", get("/health", "Connection: keep-alive", version="HTTP/1.0"))
    yield one("9110 7.8", "an upgrade to what is not spoken", "200", get("/health", "Connection: Upgrade", "Upgrade: TLS/1.0"), deviation="upgrade", seen="403/1.0 close")
    yield one("7540 3.2", "an upgrade to h2c", "200", get("/health", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"))
    yield own("9113 3.4", "the preface of HTTP/2", "400 close", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    yield one("9112 2.2", "a TLS hello", "close", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600), deviation="parser-403", seen="403/1.0 close")


def conditions(etag: str) -> Iterator[Sent]:
    weak, strong = etag, etag[2:]
    for value in (weak, strong, '"x", %s' % weak, "%s , W/\"y\"" % weak, "*"):
        for method in ("GET", "HEAD"):
            yield one("9110 13.1.2", "%s / with If-None-Match: %s" % (method, value.replace(weak, "ours").replace(strong, "ours, as strong")),
                      "304 etag=%s body=0" % etag, get("/", "If-None-Match: " + value, method=method), shows=("etag", "body"))  # fmt: skip
    for value in ('"x"', 'W/"x", "y"', weak[:-2] + '"', "", weak.strip('W/"')):
        yield one("9110 13.1.2", "another: " + value.replace(weak[:-2], "ours, cut"), "200 etag=" + etag, get("/", "If-None-Match: " + value), shows=("etag",))
    yield one("9110 13.2.1", "not where there is nothing", "404", get("/none", "If-None-Match: *"))
    yield one("9110 13.1.3", "If-Modified-Since where no date is known", "200", get("/", "If-Modified-Since: Sat, 29 Oct 2033 19:43:31 GMT"))
    for ranges in ("bytes=0-3", "bytes=5-", "bytes=-1", "bytes=9-1", "pages=1-2", "bytes=0-1,3-4"):
        yield one("9110 14.2", "Range: %s may be passed over" % ranges, "200 content-range=", get("/", "Range: " + ranges), shows=("content-range",))


def contents() -> Iterator[Sent]:
    yield one("9110 8.3", "JSON", "200 content-type=application/json", get(), shows=("content-type",))
    yield one("9110 8.3", "a page", "200 content-type=text/html; charset=utf-8", get("/"), shows=("content-type",))
    yield one("9110 15.5.5", "an error", "404 content-type=application/json", get("/none"), shows=("content-type",))
    for value, answer in (("gzip", "gzip"), ("GZIP", "gzip"), ("br, gzip;q=0.5", "gzip"), ("gzip;q=0", ""), ("gzip;q=0.000", ""),
                          ("identity", ""), ("", ""), ("deflate, br", ""), ("gzipx", ""), ("x-gzip-2", "")):  # fmt: skip
        yield one("9110 12.5.3", "Accept-Encoding: " + value, "200 content-encoding=" + answer,
                  get("/openapi.json", "Accept-Encoding: " + value), shows=("content-encoding",))  # fmt: skip
    yield one("9110 12.5.5", "what depends on it says so", "200 vary=Accept-Encoding, Origin", get(), shows=("vary",))
