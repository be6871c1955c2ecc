# SPDX-License-Identifier: MIT
"""streamd/encode.py: foreign values become numbers, or are left out, and nothing gets through."""

import argparse
import collections.abc
import decimal
import enum
import fractions
import json
import math
import pathlib
import unittest
from typing import Any, Iterator

import support  # noqa: F401 - puts the client on the path

from streamd.encode import (
    LINE_MAX_BYTES,
    Refused,
    clean_text,
    config_json,
    dumps,
    metrics_json,
    number,
    start_json,
)


class Tensor:
    """A 0-d tensor: a number only when asked."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def item(self) -> Any:
        if isinstance(self.value, list):
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self.value


class Floating:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __float__(self) -> float:
        raise self.error


class Hostile:
    """Every attribute is a trap."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError("no text either")


class Endless(collections.abc.Mapping):
    """A mapping that never stops."""

    def __getitem__(self, key: Any) -> Any:
        return 1.0

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1


class Level(enum.IntEnum):
    HIGH = 3


class NumberTest(unittest.TestCase):
    def test_what_is_a_number(self) -> None:
        cases = [
            (1.5, 1.5),
            (3, 3),
            (True, 1),
            (Level.HIGH, 3),
            (decimal.Decimal("0.25"), 0.25),
            (fractions.Fraction(1, 4), 0.25),
            (Tensor(0.5), 0.5),
            (Tensor(7), 7),
            (Tensor(True), 1),
            (2**70, float(2**70)),
            (math.inf, math.inf),
        ]
        for value, expected in cases:
            with self.subTest(value=value):
                self.assertEqual(number(value), expected)
                self.assertIn(type(number(value)), (int, float))

    def test_nan_is_a_number_that_the_daemon_wants_to_hear_of(self) -> None:
        self.assertEqual(dumps(metrics_json({"loss": math.nan})), b'{"loss":NaN}')
        self.assertEqual(dumps(metrics_json({"loss": -math.inf})), b'{"loss":-Infinity}')

    def test_what_is_none(self) -> None:
        cases = [
            None,
            "0.5",
            b"0.5",
            [1.0],
            1j,
            object(),
            Tensor([1.0, 2.0]),
            Tensor(1j),
            Tensor("0.5"),
            Tensor,
            10**400,
            Hostile(),
            Floating(ValueError()),
            Floating(SystemExit()),
            Floating(KeyboardInterrupt()),
        ]
        for value in cases:
            with self.subTest(value=type(value)):
                self.assertIsNone(number(value))


class MetricsTest(unittest.TestCase):
    def test_nested_dicts_stay_nested(self) -> None:
        metrics = {"loss": 1.0, "val": {"loss": 2.0, "top": {"k": Tensor(3)}}}
        expected = {"loss": 1.0, "val": {"loss": 2.0, "top": {"k": 3}}}
        self.assertEqual(metrics_json(metrics), expected)

    def test_what_is_no_number_is_left_out_and_the_rest_stays(self) -> None:
        self.assertEqual(metrics_json({"loss": 1.0, "note": "text", "x": None}), {"loss": 1.0})

    def test_a_line_without_any_number_is_refused(self) -> None:
        for metrics in ({}, {"note": "text"}, {"a": {"b": {}}}, None, 5, "text", [("a", 1)]):
            with self.subTest(metrics=metrics), self.assertRaises(Refused):
                metrics_json(metrics)

    def test_a_dict_within_itself_is_cut_where_it_repeats(self) -> None:
        metrics: dict = {"loss": 1.0}
        metrics["again"] = {"up": metrics, "x": 2.0}
        self.assertEqual(metrics_json(metrics), {"loss": 1.0, "again": {"x": 2.0}})

    def test_the_same_dict_twice_is_no_circle(self) -> None:
        part = {"x": 1}
        self.assertEqual(metrics_json({"a": part, "b": part}), {"a": part, "b": part})

    def test_deep_nesting_is_cut_and_does_not_recurse_without_end(self) -> None:
        metrics: dict = {"x": 1.0}
        for _ in range(5000):
            metrics = {"deeper": metrics, "x": 1.0}
        self.assertLess(str(metrics_json(metrics)).count("deeper"), 100)

    def test_huge_and_endless_mappings_are_refused(self) -> None:
        wide = {str(key): {str(sub): 1.0 for sub in range(100)} for key in range(100)}
        for metrics in (wide, Endless()):
            with self.subTest(type=type(metrics)), self.assertRaises(Refused):
                metrics_json(metrics)

    def test_names_are_bounded_valid_text(self) -> None:
        keys = {"\ud800": 1, "a\0b": 2, 3: 4, "ä": 5, "x" * 9999: 6, None: 7}
        named = metrics_json(keys)
        self.assertEqual(named["?"], 1)
        self.assertEqual(named["ab"], 2)
        self.assertEqual(named["3"], 4)
        self.assertEqual(named["ä"], 5)
        self.assertEqual(named["None"], 7)
        self.assertLess(max(map(len, named)), 9999)
        self.assertEqual(json.loads(dumps(named)), named)

    def test_a_name_that_has_no_text_refuses_the_line(self) -> None:
        with self.assertRaises(RuntimeError):
            clean_text(Hostile())


class ConfigTest(unittest.TestCase):
    def test_dicts_namespaces_and_dataclass_like_objects(self) -> None:
        namespace = argparse.Namespace(lr=0.1, path=pathlib.Path("/data"))
        self.assertEqual(config_json(namespace), {"lr": 0.1, "path": "/data"})
        self.assertEqual(config_json({"lr": Tensor(0.5)}), {"lr": 0.5})

    def test_settings_keep_what_json_can_say(self) -> None:
        config = {"a": None, "b": True, "c": [1, (2, "x")], "d": {"e": math.inf}}
        expected = {"a": None, "b": True, "c": [1, [2, "x"]], "d": {"e": "inf"}}
        self.assertEqual(config_json(config), expected)

    def test_circles_and_giants_end(self) -> None:
        config: dict = {"lr": 0.1}
        config["self"] = [config, config]
        self.assertEqual(config_json(config), {"lr": 0.1, "self": []})
        with self.assertRaises(Refused):
            config_json({"table": list(range(100_000))})

    def test_a_long_config_shrinks_to_what_the_daemon_understands(self) -> None:
        config = {"total_steps": 100, "vocabulary": ["word" * 100] * 1000}
        start = start_json("run", config, "p", None, False)
        self.assertEqual(start["config"], {"total_steps": 100})
        self.assertLess(len(dumps(start)), LINE_MAX_BYTES)
        self.assertNotIn("name", start)


if __name__ == "__main__":
    unittest.main()
