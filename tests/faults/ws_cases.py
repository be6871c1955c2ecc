# SPDX-License-Identifier: MIT
"""The cases of test_ws_rules: what is sent, and what must be seen of it.

The chapters follow the field's usual catalogue of WebSocket cases: framing, control frames,
reserved bits, opcodes, fragments, UTF-8, closing, sizes, chops, compression. There is no echo to
ask, so what is seen is how the daemon answers: a message of the plain dialect is acknowledged with
its own id, a ping with a pong, a fault with a close code.

    open [acks] (pongs)   it goes on: the ids that were acknowledged in order, the pongs in order
    CODE [acks] (pongs)   a close frame with this code, and the end
    dropped               the end, without a close frame

A pong may overtake a text or be overtaken: the two are not in one order.
"""

import json
import zlib
from typing import Iterator, List, NamedTuple, Optional, Tuple, Union

from http_wire import request
from rules import Case
from websocket import (
    BINARY, CLOSE, CONTINUATION, PING, PONG, RSV1, TEXT, close_payload, frame, handshake,
)  # fmt: skip

ANSWER = b""  # in place of a piece
DEFLATE = "permessage-deflate; client_max_window_bits"


class Sent(NamedTuple):
    """A case and the bytes of it. More than one piece: each is sent by itself; ANSWER: wait for one."""

    case: Case
    pieces: List[bytes]
    deflate: bool = False


def ask(mark: Union[int, str], size: int = 0) -> bytes:
    """A message that is acknowledged by its id, of at least so many bytes."""
    text = '{"event":"unsubscribe_session","data":{"sessionId":"a"},"id":%s}' % json.dumps(
        mark, ensure_ascii=False
    )
    data = text.encode()
    return data + b" " * (size - len(data))


def deflated(data: bytes, level: int = 6, bits: int = -15, flush: int = zlib.Z_SYNC_FLUSH) -> bytes:
    """The payload of a compressed message: RFC 7692, 7.2.1."""
    packer = zlib.compressobj(level, zlib.DEFLATED, bits)
    return (packer.compress(data) + packer.flush(flush))[:-4]


def text(payload: Union[str, bytes], **liberties: object) -> bytes:
    return frame(TEXT, payload, **liberties)  # type: ignore[arg-type]


def more(payload: Union[str, bytes], fin: bool = True, **liberties: object) -> bytes:
    return frame(CONTINUATION, payload, fin=fin, **liberties)  # type: ignore[arg-type]


def shown(data: bytes) -> str:
    return data.decode("latin-1") if len(data) <= 8 else "%d octets" % len(data)


def one(
    rule: str,
    what: str,
    expected: str,
    *pieces: bytes,
    deflate: bool = False,
    deviation: Optional[str] = None,
    seen: str = ""
) -> Sent:
    return Sent(Case(rule, what, expected, deviation, seen), list(pieces), deflate)


def framing() -> Iterator[Sent]:
    """Lengths in each of their three forms."""
    for size in (100, 125, 126, 127, 128, 255, 256, 65535, 65536, 65537):
        yield one("6455 5.2", "text of %d octets" % size, "open [1]", text(ask(1, size)))
    for size in (0, 1, 125, 126, 127, 128, 65535, 65536):
        yield one("6455 5.2", "binary of %d octets, where text is spoken" % size, "1003",
                  frame(BINARY, b"\xfe" * size))  # fmt: skip
    yield one("6455 5.2", "text of 0 octets is a message", "open [error]", text(""))
    yield one("6455 5.2", "ten messages at once, in order", "open [0,1,2,3,4,5,6,7,8,9]",
              b"".join(text(ask(i)) for i in range(10)))  # fmt: skip
    yield one("6455 5.2", "a length beyond 63 bits", "1002", text("x", declared=1 << 63),
              deviation="length", seen="dropped")
    yield one("6455 5.1", "an unmasked text", "1002", text(ask(1), masked=False),
              deviation="unmasked", seen="open [1]")  # fmt: skip
    yield one("6455 5.1", "an unmasked ping", "1002", frame(PING, "x", masked=False),
              deviation="unmasked", seen="open (x)")  # fmt: skip


def control() -> Iterator[Sent]:
    """Pings and pongs."""
    for payload in (b"", b"hello", b"\x00\xff\xfe\xfd", b"\xfe" * 125):
        yield one("6455 5.5.2", "ping of %s" % shown(payload).encode("unicode_escape").decode(),
                  "open (%s)" % shown(payload), frame(PING, payload))  # fmt: skip
    yield one("6455 5.5.2", "ping of 125 octets, an octet at a time", "open (125 octets)",
              *[bytes([b]) for b in frame(PING, b"\xfe" * 125)])  # fmt: skip
    for payload in ("", "not asked for", "x" * 125):
        yield one("6455 5.5.3", "a pong that nobody asked for, %d octets" % len(payload), "open [1]",
                  frame(PONG, payload) + text(ask(1)))  # fmt: skip
    yield one("6455 5.5.3", "a pong, and then a ping", "open (b)", frame(PONG, "a") + frame(PING, "b"))
    yield one("6455 5.5.3", "ten pings at once: the last is answered", "open (9)",
              b"".join(frame(PING, str(i)) for i in range(10)), deviation="ping-burst", seen="open (0)")  # fmt: skip
    yield one("6455 5.5.3", "ten pings, one after the other", "open (0) (1) (2) (3) (4) (5) (6) (7) (8) (9)",
              *[piece for i in range(10) for piece in (frame(PING, str(i)), ANSWER)])  # fmt: skip
    for name, opcode in (("ping", PING), ("pong", PONG), ("close", CLOSE)):
        yield one("6455 5.5", "%s of 126 octets" % name, "1002", frame(opcode, b"\x03\xe8" + b"x" * 124),
                  deviation="control-length", seen="dropped")  # fmt: skip
        yield one("6455 5.5", "%s in fragments" % name, "1002", frame(opcode, b"\x03\xe8", fin=False))


def reserved_bits() -> Iterator[Sent]:
    for rsv in range(1, 8):
        yield one("6455 5.2", "text with RSV %d, nothing agreed" % rsv, "1002", text(ask(1), rsv=rsv))
        yield one("6455 5.2", "a good text, then one with RSV %d" % rsv, "1002 [1]",
                  text(ask(1)), text(ask(2), rsv=rsv))  # fmt: skip
    for opcode in (PING, CLOSE, BINARY):
        yield one("6455 5.2", "opcode %d with RSV 4, nothing agreed" % opcode, "1002",
                  frame(opcode, b"\x03\xe8", rsv=4))  # fmt: skip


def opcodes() -> Iterator[Sent]:
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield one("6455 5.2", "opcode %d" % opcode, "1002", frame(opcode, "x"))
        yield one("6455 5.2", "opcode %d between messages" % opcode, "1002 [1]",
                  text(ask(1)), frame(opcode, ""))  # fmt: skip


def fragments() -> Iterator[Sent]:
    whole = ask(1)
    halves = text(whole[:20], fin=False), more(whole[20:])
    yield one("6455 5.4", "text in two fragments", "open [1]", *halves)
    yield one("6455 5.4", "text in two fragments at once", "open [1]", b"".join(halves))
    yield one("6455 5.4", "a fragment an octet", "open [1]", text(whole[:1], fin=False) + b"".join(
        more(whole[i : i + 1], fin=False) for i in range(1, len(whole))) + more(""))  # fmt: skip
    yield one("6455 5.4", "empty fragments before, between and after", "open [1]",
              text("", fin=False) + more(whole[:9], fin=False) + more("", fin=False) + more(whole[9:], fin=False)
              + more(""))  # fmt: skip
    yield one("6455 5.4", "three empty fragments", "open [error]", text("", fin=False) + more("", fin=False) + more(""))
    yield one("6455 5.4", "a ping between fragments, at once", "open [1] (p)",
              halves[0] + frame(PING, "p") + halves[1])  # fmt: skip
    yield one("6455 5.4", "a ping between fragments is answered before the message is whole", "open [1] (p)",
              halves[0], frame(PING, "p"), ANSWER, halves[1])  # fmt: skip
    yield one("6455 5.4", "a pong between fragments", "open [1]", halves[0] + frame(PONG, "p") + halves[1])
    yield one("6455 5.4", "two messages in fragments, one after the other", "open [1,2]",
              b"".join(halves) + text(ask(2)[:5], fin=False) + more(ask(2)[5:]))  # fmt: skip
    yield one("6455 5.4", "a close between fragments", "1000", halves[0] + frame(CLOSE, close_payload(1000)))
    for fin in (True, False):
        yield one("6455 5.4", "a continuation of nothing, FIN %d" % fin, "1002", more(whole, fin=fin))
        yield one("6455 5.4", "a continuation of what has ended, FIN %d" % fin, "1002 [1]",
                  text(whole), more("x", fin=fin))  # fmt: skip
    for opcode in (TEXT, BINARY):
        for fin in (True, False):
            yield one("6455 5.4", "opcode %d within a message, FIN %d" % (opcode, fin), "1002",
                      halves[0] + frame(opcode, "x", fin=fin))  # fmt: skip


def is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def utf8() -> Iterator[Sent]:
    """Sequences at the edges of each length, whole, cut and out of range."""
    good = ("kosme \u03ba\u1f79\u03c3\u03bc\u03b5", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufdd0", "\ufffe",
            "\uffff", "\ufffd", "\U00010000", "\U0001fffe", "\U0010ffff", "\U0001f642")  # fmt: skip
    for mark in good:
        label = mark.encode("unicode_escape").decode()
        yield one("6455 8.1", "text with %s" % label, 'open ["%s"]' % mark, text(ask(mark)))
        data = ask(mark)
        cuts = [i for i in range(1, len(data)) if not is_utf8(data[:i])]
        if cuts:
            yield one("6455 5.6", "%s, cut within by fragments" % label, 'open ["%s"]' % mark,
                      text(data[: cuts[-1]], fin=False) + more(data[cuts[-1] :]))  # fmt: skip
            whole = text(data)
            yield one("6455 5.6", "%s, cut within by the network" % label, 'open ["%s"]' % mark,
                      whole[: cuts[-1] - len(data)], whole[cuts[-1] - len(data) :])  # fmt: skip
    bad = {
        "a lone continuation": b"\x80", "another": b"\xbf", "six of them": b"\x80\xbf\x80\xbf\x80\xbf",
        "a lone start of two": b"\xc3 ", "a lone start of three": b"\xe2 ", "a lone start of four": b"\xf0 ",
        "three without the third": b"\xe2\x82 ", "four without the fourth": b"\xf0\x9f\x99 ",
        "overlong slash of two": b"\xc0\xaf", "overlong slash of three": b"\xe0\x80\xaf",
        "overlong slash of four": b"\xf0\x80\x80\xaf", "overlong U+7F": b"\xc1\xbf", "overlong U+7FF": b"\xe0\x9f\xbf",
        "overlong U+FFFF": b"\xf0\x8f\xbf\xbf", "overlong NUL": b"\xc0\x80", "surrogate D800": b"\xed\xa0\x80",
        "surrogate DBFF": b"\xed\xaf\xbf", "surrogate DFFF": b"\xed\xbf\xbf",
        "a pair of surrogates": b"\xed\xa0\x80\xed\xb0\x80", "U+110000": b"\xf4\x90\x80\x80",
        "of five": b"\xf8\x88\x80\x80\x80", "of six": b"\xfc\x84\x80\x80\x80\x80", "FE": b"\xfe", "FF": b"\xff",
    }  # fmt: skip
    for label, octets in bad.items():
        data = b'{"event":"' + octets + b'"}'
        at = 10 + len(octets)
        yield one("6455 8.1", label, "1007", text(data))
        yield one("6455 8.1", label + ", in fragments", "1007", text(data[:11], fin=False) + more(data[11:]))
        yield one("6455 8.1", label + ", before the message is whole", "1007",
                  text(data[: at + 1], fin=False))  # fmt: skip
    for label, octets in (("two", b"\xc3"), ("three", b"\xe2\x82"), ("four", b"\xf0\x9f\x99")):
        yield one("6455 8.1", "ends within a character of " + label, "1007", text(b"a" + octets))
        yield one("6455 8.1", "its last fragment ends within a character of " + label, "1007",
                  text("a", fin=False) + more(octets))  # fmt: skip


def closing() -> Iterator[Sent]:
    yield one("6455 7.1.5", "close without a code", "closed", frame(CLOSE, b""))
    for octet in (b"\x00", b"\x03", b"\xff"):
        yield one("6455 5.5.1", "close of one octet, %02x" % octet[0], "1002", frame(CLOSE, octet))
    yield one("6455 5.5.1", "close with a reason of 123 octets", "1000", frame(CLOSE, close_payload(1000, b"r" * 123)))
    yield one("6455 5.5.1", "close, an octet at a time", "1000",
              *[bytes([b]) for b in frame(CLOSE, close_payload(1000, b"bye"))])  # fmt: skip
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        yield one("6455 7.4.1", "close %d is answered with it" % code, str(code), frame(CLOSE, close_payload(code)))
    for code in (1012, 1013, 1014):
        yield one("IANA", "close %d, registered later" % code, str(code), frame(CLOSE, close_payload(code)),
                  deviation="close-codes", seen="1002")  # fmt: skip
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield one("6455 7.4", "close %d, not to be sent" % code, "1002", frame(CLOSE, close_payload(code)))
    for label, octets in (("broken", b"\xff"), ("overlong", b"\xc0\xaf")):
        yield one("6455 5.5.1", "close with a reason that is %s UTF-8" % label, "1007",
                  frame(CLOSE, close_payload(1000, octets)), deviation="close-reason", seen="dropped")  # fmt: skip
    yield one("6455 5.5.1", "close with a reason that ends within a character", "1007",
              frame(CLOSE, close_payload(1000, b"\xe2\x82")))  # fmt: skip
    yield one("6455 5.5.1", "close with a reason in Greek", "1000",
              frame(CLOSE, close_payload(1000, "\u03ba\u1f79\u03c3\u03bc\u03b5".encode())))  # fmt: skip
    goodbye = frame(CLOSE, close_payload(1000))
    yield one("6455 5.5.1", "a text after the close is not heard", "1000", goodbye + text(ask(1)))
    yield one("6455 5.5.1", "a ping after the close is not answered", "1000", goodbye + frame(PING, "late"))
    yield one("6455 5.5.1", "a second close", "1000", goodbye + frame(CLOSE, close_payload(1001)))
    yield one("6455 5.5.1", "a text, and a close after its answer", "1000 [1]", text(ask(1)), ANSWER, goodbye)
    yield one("6455 5.5.1", "a close after a ping", "1000 (p)", frame(PING, "p"), ANSWER, goodbye)


def sizes(most: int) -> Iterator[Sent]:
    """Up to the limit, and one octet more."""
    for size in (1 << 16, 1 << 18, most):
        whole = ask(1, size)
        yield one("6455 5.2", "text of %d octets" % size, "open [1]", text(whole))
        for piece in (size // 4, size // 64):
            cut = [whole[i : i + piece] for i in range(0, size, piece)]
            yield one("6455 5.4", "of %d octets in fragments of %d" % (size, piece), "open [1]",
                      text(cut[0], fin=False) + b"".join(more(p, fin=False) for p in cut[1:]) + more(""))  # fmt: skip
    over = ask(1, most + 1)
    yield one("6455 7.4.1", "one octet over the limit", "1009", text(over))
    yield one("6455 7.4.1", "one octet over, announced", "1009", text("x", declared=most + 1))
    yield one("6455 7.4.1", "one octet over, in fragments", "1009", text(over[:-1], fin=False) + more(over[-1:]))


def chops() -> Iterator[Sent]:
    """A message cut where the network likes, not where frames end."""
    for size, cut in ((100, 1), (1000, 7), (65536, 1460), (65536, 4096)):
        data = text(ask(1, size)) + frame(PING, "p") + text(ask(2))
        yield one("6455 5.2", "text of %d octets, ping, text, %d octets at a time" % (size, cut), "open [1,2] (p)",
                  *[data[i : i + cut] for i in range(0, len(data), cut)])  # fmt: skip


def compression(most: int) -> Iterator[Sent]:
    def packed(rule: str, what: str, expected: str, *pieces: bytes, **known: str) -> Sent:
        return one(rule, what, expected, *pieces, deflate=True, **known)  # type: ignore[arg-type]

    whole = ask(1)
    data = deflated(whole)
    for size in (100, 1000, 4096, 65535, 65536, 131072, most):
        noise = zlib.compress(bytes(range(256)) * (size // 256))[2:].hex().encode()
        mixed = b'{"pad":"%s",' % noise[: max(0, size - 90)] + whole[1:]
        yield packed("7692 7.2.2", "text of %d octets, compressed" % len(mixed), "open [1]",
                     text(deflated(mixed), rsv=RSV1))  # fmt: skip
    for level in (0, 1, 9):
        yield packed("7692 7.2.3", "of level %d" % level, "open [1]", text(deflated(ask(1, 5000), level), rsv=RSV1))
    for bits in range(9, 16):
        yield packed("7692 7.1.2.2", "with a window of 2^%d" % bits, "open [1]",
                     text(deflated(ask(1, 70000), bits=-bits), rsv=RSV1))  # fmt: skip
    yield packed("7692 7.2.3.4", "with a full flush", "open [1]",
                 text(deflated(whole, flush=zlib.Z_FULL_FLUSH), rsv=RSV1))  # fmt: skip
    final = zlib.compressobj(6, zlib.DEFLATED, -15)
    ended = final.compress(whole) + final.flush(zlib.Z_FINISH)
    yield packed("7692 7.2.3.4", "whose block is the last", "open [1]", text(ended + b"\x00", rsv=RSV1))
    yield packed("7692 7.2.3.5", "in two blocks", "open [1]", text(
        (lambda p: p.compress(whole[:9]) + p.flush(zlib.Z_SYNC_FLUSH) + p.compress(whole[9:])
         + p.flush(zlib.Z_SYNC_FLUSH))(zlib.compressobj(6, zlib.DEFLATED, -15))[:-4], rsv=RSV1))  # fmt: skip
    yield packed("7692 7.2.3.6", "an empty message, compressed", "open [error]", text(b"\x00", rsv=RSV1))
    yield packed("7692 6.1", "a plain message in between", "open [1,2,3]",
                 text(data, rsv=RSV1) + text(ask(2)) + text(deflated(ask(3)), rsv=RSV1))  # fmt: skip
    yield packed("7692 6.1", "in two fragments", "open [1]", text(data[:9], fin=False, rsv=RSV1) + more(data[9:]))
    yield packed("7692 6.1", "a fragment an octet", "open [1]", text(data[:1], fin=False, rsv=RSV1)
                 + b"".join(more(data[i : i + 1], fin=False) for i in range(1, len(data))) + more(""))  # fmt: skip
    yield packed("7692 6.1", "empty fragments around", "open [1]",
                 text("", fin=False, rsv=RSV1) + more(data, fin=False) + more(""))  # fmt: skip
    yield packed("7692 6.1", "a ping between fragments", "open [1] (p)",
                 text(data[:9], fin=False, rsv=RSV1) + frame(PING, "p") + more(data[9:]))  # fmt: skip
    yield packed("7692 6.1", "a pong without payload between fragments", "open [1]",
                 text(data[:9], fin=False, rsv=RSV1) + frame(PONG) + more(data[9:]))  # fmt: skip
    yield packed("7692 6.1", "a pong with payload between fragments", "open [1]",
                 text(data[:9], fin=False, rsv=RSV1) + frame(PONG, "x") + more(data[9:]),
                 deviation="pong-within", seen="1007")  # fmt: skip
    yield packed("7692 6.1", "a compressed message, an octet at a time", "open [1]",
                 *[bytes([b]) for b in text(data, rsv=RSV1)])  # fmt: skip
    yield packed("7692 6", "RSV1 on a continuation", "1002", text(data[:9], fin=False, rsv=RSV1) + more(data[9:], rsv=RSV1))
    yield packed("7692 6", "RSV1 on a continuation alone", "1002", text(whole[:9], fin=False) + more(whole[9:], rsv=RSV1))
    yield packed("7692 6", "RSV1 on a ping", "1002", frame(PING, "x", rsv=RSV1),
                 deviation="rsv1-control", seen="open (x)")  # fmt: skip
    yield packed("7692 6", "RSV1 on a pong", "1002", frame(PONG, "x", rsv=RSV1))
    yield packed("7692 6", "RSV1 on a close", "1002", frame(CLOSE, close_payload(1000), rsv=RSV1),
                 deviation="rsv1-control", seen="1000")  # fmt: skip
    for rsv in (1, 2, 3, 5, 6, 7):
        yield packed("6455 5.2", "RSV %d where compression is agreed" % rsv, "1002", text(data, rsv=rsv))
    for label, octets in (("no deflate data", b"\xff" * 20), ("a block of the reserved type", b"\x07\x00"),
                          ("a stored block of a wrong length", b"\x01\x05\x00\x00\x00hello"),
                          ("cut off", data[:-5]), ("a distance before the beginning", b"\x4b\x04\x22\x00"[:3] + b"\xff")):  # fmt: skip
        yield packed("7692 7.2.2", label, "1007", text(octets, rsv=RSV1))
    for label, octets in (("broken", b"\xff"), ("cut", b"\xe2\x82")):
        yield packed("7692 6.2", "inflates to %s UTF-8" % label, "1007", text(deflated(b"a" + octets), rsv=RSV1))
    yield packed("6455 7.4.1", "inflates to one octet over the limit", "1009", text(deflated(ask(1, most + 1)), rsv=RSV1))
    yield packed("6455 7.4.1", "a bomb of 64 MiB", "1009", text(deflated(b" " * (64 << 20)), rsv=RSV1))
    yield packed("6455 5.2", "binary, compressed, where text is spoken", "1003", frame(BINARY, data, rsv=RSV1))
    yield one("7692 6", "compressed, and nothing was agreed", "1002", text(data, rsv=RSV1))


KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, 1.3
VERSION = "Sec-WebSocket-Version: 13"
CONNECTION = "Connection: Upgrade"
UPGRADE = "Upgrade: websocket"


def handshakes() -> Iterator[Tuple[Case, bytes]]:
    """What is asked for, and the status with what it must name."""
    for path in ("/ws", "/socket.io/?EIO=4&transport=websocket"):

        def asked(*headers: str, method: str = "GET", at: str = path) -> bytes:
            return request(method, at, *headers)

        good = handshake(path)
        yield Case("6455 4.2.2", "a good one, " + path, "101"), good
        for what, headers in (
            ("Connection: keep-alive, Upgrade", ("Connection: keep-alive, Upgrade", UPGRADE, VERSION, KEY)),
            ("names in lower case", tuple(h.lower() for h in (CONNECTION, UPGRADE, VERSION)) + (KEY,)),
            ("Upgrade: WebSocket", (CONNECTION, "Upgrade: WebSocket", VERSION, KEY)),
            ("spaces before values", ("Connection:   Upgrade", "Upgrade:  websocket", "Sec-WebSocket-Version:   13", KEY)),
            ("no space before values", ("Connection:Upgrade", "Upgrade:websocket", "Sec-WebSocket-Version:13", KEY)),
            ("spaces behind values", ("Connection: Upgrade  ", UPGRADE, VERSION + " ", KEY)),
            ("an extension nobody knows", (CONNECTION, UPGRADE, VERSION, KEY, "Sec-WebSocket-Extensions: x; y=1")),
        ):  # fmt: skip
            yield Case("6455 4.2.1", what, "101"), asked(*headers)
        yield Case("9110 5.5", "a space behind Upgrade: websocket", "101", "white-space", "HTTP/1.0 403"), asked(
            CONNECTION, UPGRADE + " ", VERSION, KEY)  # fmt: skip
        yield Case("9110 5.5", "a space behind the key", "101", "white-space", "400"), asked(
            CONNECTION, UPGRADE, VERSION, KEY + " ")  # fmt: skip
        yield Case("6455 4.2.2", "a subprotocol nobody knows", "101", "subprotocol", "nothing"), asked(
            CONNECTION, UPGRADE, VERSION, KEY, "Sec-WebSocket-Protocol: mqtt, soap")  # fmt: skip
        for what, key in (("no key", ()), ("a short key", ("Sec-WebSocket-Key: short",)), ("an empty key", ("Sec-WebSocket-Key:",)),
                          ("a long key", ("Sec-WebSocket-Key: " + "A" * 200,)), ("no base64", ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ!!",))):  # fmt: skip
            yield Case("6455 4.2.1", what, "400"), asked(CONNECTION, UPGRADE, VERSION, *key)
        for version in ("12", "0", "14", "130", "abc", ""):
            yield Case("6455 4.4", "version '%s'" % version, "426 13"), asked(
                CONNECTION, UPGRADE, KEY, "Sec-WebSocket-Version: " + version)  # fmt: skip
        yield Case("6455 4.4", "no version", "426 13"), asked(CONNECTION, UPGRADE, KEY)
        yield Case("6455 4.1", "POST", "405"), asked(CONNECTION, UPGRADE, KEY, VERSION, method="POST")
        yield Case("6455 4.1", "HTTP/1.0", "400"), good.replace(b"HTTP/1.1", b"HTTP/1.0")
        yield Case("6455 4.1", "no Host", "400"), good.replace(b"Host: 127.0.0.1\r\n", b"")
        yield Case("6455 10.2", "Origin of another site", "403"), asked(
            CONNECTION, UPGRADE, KEY, VERSION, "Origin: http://evil.example")  # fmt: skip
        yield Case("6455 4.2.1", "Connection without Upgrade", "400"), asked(UPGRADE, KEY, VERSION)
        yield Case("6455 9.1", "300 octets of extensions", "101", "extensions-length", "nothing"), asked(
            CONNECTION, UPGRADE, KEY, VERSION, "Sec-WebSocket-Extensions: permessage-deflate; " + "x" * 300)  # fmt: skip
    yield Case("6455 4.2.2", "another path", "404"), handshake("/nowhere")


def offers() -> Iterator[Tuple[Case, str]]:
    """What is agreed, behind the extension's name."""
    ours, both = "client_no_context_takeover", "server_no_context_takeover; client_no_context_takeover"
    p = "permessage-deflate"
    for parameters, answer in (
        ("client_no_context_takeover", ours), ("server_no_context_takeover; client_no_context_takeover", both),
        ("client_no_context_takeover;server_no_context_takeover", both), ("server_no_context_takeover", both),
        ("client_max_window_bits", ours), ("client_max_window_bits; server_no_context_takeover", both),
        ('client_max_window_bits="10"', ours), ("client_max_window_bits=15; client_no_context_takeover", ours),
        *(("client_max_window_bits=%d" % bits, ours) for bits in range(8, 16)),
    ):  # fmt: skip
        yield Case("7692 7.1", parameters, answer), "%s; %s" % (p, parameters)
    for parameters in (
        *("server_max_window_bits=%d" % bits for bits in range(8, 16)),
        "unknown", "unknown=1", "client_max_window_bits=7", "client_max_window_bits=16", "client_max_window_bits=08",
        "client_max_window_bits=x", "client_max_window_bits=", 'client_max_window_bits="15', 'client_max_window_bits=""',
        "client_max_window_bits=-9", "client_no_context_takeover=1", "client_no_context_takeover=", "server_no_context_takeover=1",
        "server_max_window_bits", "server_max_window_bits=7", "server_max_window_bits=16", "server_max_window_bits=20",
        "client_max_window_bits; client_max_window_bits", "client_no_context_takeover; client_no_context_takeover",
        "server_no_context_takeover; server_no_context_takeover", ";", "=",
    ):  # fmt: skip
        yield Case("7692 7.1", parameters, "declined"), "%s; %s" % (p, parameters)
    for offer in (p, "x-webkit-deflate-frame", "permessage-bzip2", "permessage-deflat", "permessage-deflate2", ",", "foo=bar"):
        yield Case("7692 5", "only " + offer, "declined"), offer
    second = "%s; server_max_window_bits=10, %s; client_max_window_bits" % (p, p)
    yield Case("7692 7", "a second offer behind one that cannot be met may be declined", "declined"), second


CHAPTERS = {
    1: lambda most: framing(),
    2: lambda most: control(),
    3: lambda most: reserved_bits(),
    4: lambda most: opcodes(),
    5: lambda most: fragments(),
    6: lambda most: utf8(),
    7: lambda most: closing(),
    9: sizes,
    10: lambda most: chops(),
    12: compression,
}
