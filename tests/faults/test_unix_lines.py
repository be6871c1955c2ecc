# SPDX-License-Identifier: MIT
"""Unix ingest, #1-#33 and #44: what a line may hold, and what becomes of the lines after it."""

import json
import resource
import unittest
from typing import Any, Dict, List, Tuple

from harness import FaultTest, eventually
from http_wire import request
from trainer_wire import Trainer, progress
from websocket import WebSocket


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


class Lines(FaultTest):
    """The stack is as small as #9 wants it."""

    options = ("--no-throttle",)
    limits = ((resource.RLIMIT_STACK, 256 * 1024),)

    def setUp(self) -> None:
        super().setUp()
        self.bad = self.trainer()
        self.run_id = self.id().rsplit(".", 1)[1][:60]

    def history(self, session: str) -> List[Dict[str, Any]]:
        answer = self.daemon.get("/api/training/history/%s?limit=1000000" % session).json()
        entries: List[Dict[str, Any]] = answer["data"]
        return entries

    def raw_history(self, session: str) -> str:
        return self.daemon.get("/api/training/history/%s" % session).body.decode()

    def assert_refused(self, code: str, *lines: Any) -> None:
        """Each is answered with that error, and what follows is taken."""
        for line in lines:
            with self.subTest(line=str(line)[:80]):
                self.assertEqual(self.bad.refusal(line)["code"], code)

    def assert_metrics_refused(self, code: str, *values: str) -> None:
        for value in values:
            self.assert_refused(
                code,
                '{"type":"progress","sessionId":"%s","metrics":{"x":%s}}' % (self.run_id, value),
            )
        self.assertEqual(self.history(self.run_id), [])

    def kept_as(self, value: str, **more: Any) -> str:
        """The bytes of one number after its way through history."""
        session = "%s.%d" % (self.run_id, len(value))
        line = '{"type":"progress","sessionId":"%s","metrics":{"loss":1,"x":%s}}' % (session, value)
        self.assertEqual(self.bad.ask(line), [])
        return self.raw_history(session).split('"x":')[1].split(",")[0].rstrip("}]")

    def test_001_no_json_at_all(self) -> None:
        """#1 unix: a line that is no JSON -> one error that names it; the lines after it go on"""
        before = self.daemon.counter("lines_rejected")
        self.bad.send({"type": "ping"})
        self.bad.answer()
        error = self.bad.refusal("hello")
        self.assertEqual((error["code"], error["line"], error["at"]), ("syntax", 2, 0))
        self.assertEqual(self.daemon.counter("lines_rejected"), before + 1)
        self.assertEqual(self.bad.ask(progress(self.run_id, {"loss": 1})), [])
        self.assertEqual(len(self.history(self.run_id)), 1)

    def test_002_empty_lines(self) -> None:
        """#2 unix: empty lines and white space -> ignored, no error"""
        before = self.daemon.counter("lines_rejected")
        self.assertEqual(self.bad.ask("", "   ", "\t \t", "\r"), [])
        self.assertEqual(self.daemon.counter("lines_rejected"), before)

    def test_003_two_values_on_a_line(self) -> None:
        """#3 unix: something behind the value -> refused"""
        self.assert_refused(
            "syntax",
            '{"type":"ping"}{"type":"ping"}',
            "[1] x",
            '{"type":"ping"} x',
            '{"type":"ping"}]',
        )

    def test_004_torn_line(self) -> None:
        """#4 unix: a line without its end, then EOF -> counted, nothing of it in history"""
        before = self.daemon.counter("lines_truncated")
        self.bad.start(self.run_id)
        self.bad.raw('{"type":"progress","metrics":{"loss":1}}')
        self.bad.close()
        eventually(
            "the torn line to be counted",
            lambda: self.daemon.counter("lines_truncated") == before + 1,
        )
        self.assertEqual(self.history(self.run_id), [])

    def test_009_depth_of_a_whole_line(self) -> None:
        """#9 unix: a line of nothing but brackets, on a stack of 256 KiB -> refused for its depth"""
        self.assert_refused("syntax", nested(30_000))
        self.assert_refused("depth", '{"a":' + nested(30_000) + "}", '{"a":' + "[" * 60_000)
        deep = '{"type":"start","config":{"a":' + '{"a":' * 10_000
        self.assert_refused("depth", deep)

    def test_010_depth_at_the_limit(self) -> None:
        """#10 unix: 64 containers inside each other -> delivered unchanged; 65 -> refused"""
        config = '{"a":%s}' % nested(62)
        line = '{"type":"start","sessionId":"%s","config":%s}'
        self.assertEqual(len(self.bad.ask(line % (self.run_id, config))), 1)
        status = self.daemon.get("/api/training/status/" + self.run_id).body.decode()
        self.assertIn('"config":' + config, status)
        self.assert_refused("depth", line % (self.run_id, '{"a":%s}' % nested(63)))

    def test_011_words_that_are_no_json(self) -> None:
        """#11 unix: NaN, Infinity, -Infinity -> null and a mark, on every route"""
        watcher = self.websocket("/ws?sessionId=" + self.run_id)
        stream = self.http()
        stream.send(request("GET", "/api/training/events/" + self.run_id))
        stream.head()
        for word in ("NaN", "Infinity", "-Infinity"):
            line = '{"type":"progress","sessionId":"%s","metrics":{"loss":%s,"x":{"y":%s}}}'
            self.assertEqual(self.bad.ask(line % (self.run_id, word, word)), [])
            live = watcher.event("progress_update")["metrics"]
            polled = self.daemon.get("/api/training/metrics/" + self.run_id).json()["data"]
            kept = self.history(self.run_id)[-1]
            streamed = json.loads(
                stream.until(b'"status"').split(b'"metrics":')[1].rsplit(b",", 1)[0]
            )
            for where in (live, polled, kept, streamed):
                self.assertIsNone(where["loss"])
                self.assertIsNone(where["x/y"])
                self.assertEqual(where["nonFinite"]["loss"], word)
                self.assertEqual(where["nonFinite"]["x/y"], word)

    def test_011_words_in_the_config(self) -> None:
        """#11 unix: NaN in a start's config -> what watchers and pollers get is JSON all the same"""
        self.bad.send(
            '{"type":"start","sessionId":"%s","config":{"a":NaN,"b":[-Infinity]}}' % self.run_id
        )
        self.bad.answer()
        watcher = self.websocket("/ws?sessionId=" + self.run_id)
        self.assertIsNone(watcher.event("session_status")["config"]["a"])
        body = self.daemon.get("/api/training/status/" + self.run_id).body.decode()
        self.assertIsNone(json.loads(body, parse_constant=self.fail)["data"]["config"]["b"][0])

    def test_012_beyond_the_largest_double(self) -> None:
        """#12 unix: 1e999 and -1e999 -> infinities, marked as such"""
        for value, word in (("1e999", "Infinity"), ("-1e999", "-Infinity")):
            line = '{"type":"progress","sessionId":"%s","metrics":{"loss":%s}}' % (
                self.run_id,
                value,
            )
            self.assertEqual(self.bad.ask(line), [])
            entry = self.history(self.run_id)[-1]
            self.assertIsNone(entry["loss"])
            self.assertEqual(entry["nonFinite"]["loss"], word)

    def test_013_integers_beyond_2_53(self) -> None:
        """#13 unix: integers no double can hold -> the same bytes come out"""
        for value in ("9007199254740993", "18446744073709551616", "123456789012345678901234567890"):
            self.assertEqual(self.kept_as(value), value)
            live = self.daemon.get("/api/training/metrics/%s.%d" % (self.run_id, len(value)))
            self.assertIn('"x":%s,' % value, live.body.decode().replace("}", ","))

    def test_014_the_largest_double(self) -> None:
        """#14 unix: 1.7976931348623157e308 -> unchanged"""
        self.assertEqual(float(self.kept_as("1.7976931348623157e308")), 1.7976931348623157e308)

    def test_015_doubles(self) -> None:
        """#15 unix: doubles of many kinds -> the same number comes out, shortest form"""
        for value in ("0.1", "3.141592653589793", "5e-324", "-0"):
            self.assertEqual(self.kept_as(value), value)

    def test_016_numbers_that_are_none(self) -> None:
        """#16 unix: leading zeros, missing digits -> refused"""
        self.assert_metrics_refused(
            "syntax",
            "01",
            "1.",
            "-01",
            "2.e3",
            "[01]",
            "[-]",
            "+1",
            ".5",
            "0x1",
            "1e",
            "1e+",
            "-NaN",
            "+Infinity",
            "nan",
        )

    def test_017_duplicate_keys(self) -> None:
        """#17 unix: a key twice -> the last counts, live and in history"""
        watcher = self.websocket("/ws?sessionId=" + self.run_id)
        line = '{"type":"progress","sessionId":"%s","metrics":{"step":1,"x":1,"step":2,"x":2}}'
        self.assertEqual(self.bad.ask(line % self.run_id), [])
        live = watcher.event("progress_update")["metrics"]
        kept = self.history(self.run_id)[0]
        for record in (live, kept):
            self.assertEqual((record["currentStep"], record["x"]), (2, 2))
        self.assertEqual(self.raw_history(self.run_id).count('"x":'), 1)

    def test_018_case_of_keys(self) -> None:
        """#18 unix: Step and step -> two names"""
        self.assertEqual(self.bad.ask(progress(self.run_id, {"step": 1, "Step": 2, "STEP": 3})), [])
        entry = self.history(self.run_id)[0]
        self.assertEqual((entry["currentStep"], entry["Step"], entry["STEP"]), (1, 2, 3))

    def test_019_invalid_utf8(self) -> None:
        """#19 unix: bytes that are no UTF-8 -> refused"""
        line = b'{"type":"start","sessionId":"a","name":"%s"}'
        for bad in (
            b"\xff\xfe",
            b"\xc0\xaf",
            b"\xe0\x80\xaf",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xe2\x82",
            b"\x80",
        ):
            self.assert_refused("utf8", line % bad)

    def test_020_nul_escapes(self) -> None:
        """#20 unix: \\u0000 in a string or a key -> refused"""
        self.assert_refused(
            "syntax", '{"type":"start","name":"a\\u0000b"}', '{"type":"start","a\\u0000b":1}'
        )

    def test_021_raw_control_characters(self) -> None:
        """#21 unix: control characters inside a string -> refused"""
        self.assert_refused(
            "syntax", *('{"type":"start","name":"a%sb"}' % c for c in "\t\x01\x1f\r")
        )

    def test_022_half_a_surrogate_pair(self) -> None:
        """#22 unix: lone surrogate escapes -> refused"""
        self.assert_refused(
            "syntax",
            *(
                '{"type":"start","name":"%s"}' % s
                for s in ("\\ud800", "\\udc00", "\\ud800\\ud800", "\\ud800x")
            ),
        )

    def test_023_byte_order_mark(self) -> None:
        """#23 unix: a BOM -> taken once, at the start of the stream"""
        self.bad.raw(b"\xef\xbb\xbf")
        self.assertEqual(self.bad.ask(), [])
        self.assert_refused("syntax", b'\xef\xbb\xbf{"type":"ping"}')

    def test_024_awkward_names(self) -> None:
        """#24 unix: U+2028, </script>, emoji, in names -> delivered unchanged"""
        name = 'a\u2028b\u2029</script><img src=x>\U0001f642 "q" \\ \u00e9'
        self.bad.start(self.run_id, name=name, project=name)
        self.assertEqual(self.bad.ask(progress(self.run_id, {name: 1})), [])
        data = self.daemon.get("/api/training/status/" + self.run_id).json()["data"]
        self.assertEqual((data["name"], data["project"]), (name, name))
        self.assertEqual(self.history(self.run_id)[0][name], 1)

    def test_025_thousands_of_metrics(self) -> None:
        """#25 unix: as many metrics as 65,536 bytes hold (4,000), 30,000 array elements -> once"""
        metrics = {"m%d" % i: i for i in range(4_000)}
        self.assertEqual(self.bad.ask(progress(self.run_id, metrics)), [])
        (entry,) = self.history(self.run_id)
        self.assertEqual({name: entry[name] for name in metrics}, metrics)
        array = "[" + ",".join("1" for _ in range(30_000)) + "]"
        line = '{"type":"progress","sessionId":"%s","metrics":{"loss":1,"a":%s}}' % (
            self.run_id,
            array,
        )
        self.assertEqual(self.bad.ask(line), [])
        self.assertEqual(len(self.history(self.run_id)), 2)

    def test_026_names_that_are_too_long_or_unclean(self) -> None:
        """#26 unix: names with control characters, empty or too long -> refused, an SSE line never split"""
        for bad in ("", "a" * 129, "a\\nb", "a\\r\\nb", "a b", "\\u0001", "\u00e9", "a/b"):
            self.assert_refused("session_id", '{"type":"start","sessionId":"%s"}' % bad)
        self.assert_refused("field", '{"type":"start","name":"%s"}' % ("n" * 257))
        self.assert_refused(
            "type", '{"type":"%s"}' % ("t" * 60_000), '{"type":""}', '{"type":"a\\r\\nb"}'
        )
        for bad in ("", "m" * 257, "a\r\ndata: x"):
            self.assert_refused("metrics", progress(self.run_id, {bad: 1}))
        stream = self.http()
        stream.send(request("GET", "/api/training/events/" + self.run_id))
        stream.head()
        self.bad.start(self.run_id)
        self.bad.ask({"type": "fail", "error": "a\r\n\r\nevent: x\r\ndata: x"})
        stream.until(b"event: training_error\n")
        data = stream.until(b"\n")
        self.assertEqual(json.loads(data[len("data: ") :])["error"], "a\r\n\r\nevent: x\r\ndata: x")

    def test_027_reserved_event_names(self) -> None:
        """#27 unix: events clients would throw on -> a trainer cannot name an event"""
        for name in (
            "connect",
            "connect_error",
            "disconnect",
            "disconnecting",
            "newListener",
            "removeListener",
        ):
            self.assert_refused("type", '{"type":"%s","sessionId":"a"}' % name)

    def test_028_names_of_javascript(self) -> None:
        """#28 unix: __proto__, constructor, toString as a run and as metrics -> plain strings"""
        names = ("__proto__", "constructor", "toString")
        for name in names:
            self.bad.start(name)
            self.assertEqual(self.bad.ask(progress(name, {n: 1 for n in names})), [])
            entry = self.history(name)[0]
            self.assertEqual([entry[n] for n in names], [1, 1, 1])
            watcher = self.websocket("/ws?sessionId=" + name)
            self.assertEqual(watcher.event("session_status")["session_id"], name)

    def test_029_steps_of_every_kind(self) -> None:
        """#29 unix: steps backwards, repeated, negative, float, text -> taken as sent; offsets rise"""
        for step in (5, 3, 3, -1, 1.5, "7", None, True):
            self.assertEqual(self.bad.ask(progress(self.run_id, {"loss": 1, "step": step})), [])
        entries = self.history(self.run_id)
        self.assertEqual([e["offset"] for e in entries], list(range(1, 9)))
        self.assertEqual([e.get("currentStep") for e in entries][:5], [5, 3, 3, -1, 1.5])

    def test_030_timestamps_of_every_age(self) -> None:
        """#30 unix: timestamps of 1970, 2106, nanoseconds, text -> kept; order is arrival's"""
        stamps = (0, 4294967296.5, 1700000000000000000, 86400)
        for stamp in stamps:
            self.assertEqual(
                self.bad.ask(progress(self.run_id, {"loss": 1, "timestamp": stamp})), []
            )
        self.bad.ask(progress(self.run_id, {"loss": 1, "timestamp": "yesterday"}))
        entries = self.history(self.run_id)
        self.assertEqual([e["timestamp"] for e in entries[:4]], list(stamps))
        self.assertEqual([e["offset"] for e in entries], [1, 2, 3, 4, 5])
        times = [e["serverTime"] for e in entries]
        self.assertEqual(times, sorted(times))

    def test_031_after_the_end_and_before_the_start(self) -> None:
        """#31 unix: a line for an ended run -> refused; for an unknown one -> starts it"""
        self.assertEqual(self.bad.ask(progress(self.run_id, {"loss": 1})), [])
        self.assertEqual(self.bad.ask({"type": "complete", "sessionId": self.run_id}), [])
        self.assertEqual(
            self.bad.refusal(progress(self.run_id, {"loss": 2}))["code"], "session_finished"
        )
        self.assertEqual(len(self.history(self.run_id)), 1)
        self.assertEqual(
            self.bad.refusal({"type": "model_completed", "sessionId": "nobody"})["code"],
            "unknown_session",
        )

    def test_032_two_trainers_one_run(self) -> None:
        """#32 unix: two trainers write one run -> the order of each is kept, and all see the same one"""
        watchers = [self.websocket("/ws?sessionId=" + self.run_id) for _ in range(2)]
        other: Trainer = self.trainer()
        for i in range(200):
            self.bad.send(progress(self.run_id, {"loss": 1, "a": i}))
            other.send(progress(self.run_id, {"loss": 1, "b": i}))
        self.bad.ask()
        other.ask()
        entries = self.history(self.run_id)
        self.assertEqual([e["a"] for e in entries if "a" in e], list(range(200)))
        self.assertEqual([e["b"] for e in entries if "b" in e], list(range(200)))
        order = [("a", e["a"]) if "a" in e else ("b", e["b"]) for e in entries]
        for watcher in watchers:
            seen = [self.next_mark(watcher)]
            while seen[-1] != order[-1]:
                seen.append(self.next_mark(watcher))
            places = [order.index(mark) for mark in seen]
            self.assertEqual(places, sorted(set(places)))

    def next_mark(self, watcher: WebSocket) -> Tuple[str, int]:
        metrics = watcher.event("progress_update")["metrics"]
        return ("a", metrics["a"]) if "a" in metrics else ("b", metrics["b"])

    def test_033_the_same_line_twice(self) -> None:
        """#33 unix: a seq that was seen -> stored once, acknowledged again"""
        for _ in range(2):
            self.bad.send(progress(self.run_id, {"loss": 1}, seq=1))
            self.assertEqual(self.bad.acked(self.run_id), 1)
        self.assertEqual(len(self.history(self.run_id)), 1)

    def test_044_other_ways_to_end_a_line(self) -> None:
        """#44 unix: CRLF -> taken; NUL ends and length prefixes -> syntax errors"""
        self.assertEqual(
            self.bad.ask(
                '{"type":"progress","sessionId":"%s","metrics":{"loss":1}}\r' % self.run_id
            ),
            [],
        )
        self.assert_refused(
            "syntax", '{"type":"ping"}\0', '\0{"type":"ping"}', '\0\0\0\x0f{"type":"ping"}'
        )


if __name__ == "__main__":
    unittest.main()
