# SPDX-License-Identifier: MIT
"""streamd replay: a run on standard input, and after each of its points what it means."""

import json
import math
import os
import subprocess
from typing import Any, Dict, List, Tuple

from wire_daemon import BINARY, DEADLINE_S, ROOT, WireTest

HEADER = {"total": 400, "monitor": "val_loss"}
MODEL = os.path.join(ROOT, "tests", "vectors", "insight_fold1.model")


def point(step: int) -> Dict[str, float]:
    """Of a run that learns, and from step 150 on learns by heart."""
    learnt = 2 * math.exp(-step / 40)
    told = {"step": step, "time_s": step / 2, "train_loss": learnt + step % 3 / 100}
    if step % 10 == 0:
        told["val_loss"] = learnt + 0.3 + max(0, step - 150) / 200
    return told


class Replay(WireTest):
    """What it answers, and what it does not take."""

    def replay(self, *options: str, text: str, status: int = 0) -> Tuple[str, str]:
        """What it printed, and what it complained of."""
        done = subprocess.run(
            [BINARY, "replay", *options],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout, done.stderr

    def play(self, *options: str) -> List[Dict[str, Any]]:
        """The answers to the whole run; that to step n is the nth."""
        lines = [HEADER, *(point(step) for step in range(1, 401))]
        told, complaint = self.replay(*options, text="\n".join(map(json.dumps, lines)))
        answers = [json.loads(line) for line in told.splitlines()]
        self.assertEqual((len(answers), complaint), (400, ""))
        return [{}, *answers]

    def test_what_a_run_means_is_said_after_each_of_its_points(self) -> None:
        told = self.play()
        self.assertEqual((told[1]["phase"], told[1]["eta_s"]), ("INITIALIZING", None))
        self.assertEqual((told[100]["phase"], told[100]["stop"]), ("LEARNING_FAST", False))
        self.assertEqual(told[100]["eta_s"], 150)
        self.assertEqual((told[290]["phase"], told[290]["stop"]), ("OVERFITTING_RISK", True))
        self.assertEqual((told[290]["overfitting"], told[290]["best_step"]), (True, 150))
        self.assertEqual(told[290]["findings"]["overfitting"], "warning")
        self.assertGreater(told[290]["forecast_hi"], told[290]["forecast_lo"])

    def test_an_answer_is_out_before_the_next_point_is_read(self) -> None:
        with subprocess.Popen(
            [BINARY, "replay"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin and process.stdout
            print(json.dumps(HEADER), file=process.stdin)
            for step in (1, 2):
                print(json.dumps(point(step)), file=process.stdin, flush=True)
                self.assertIn("phase", json.loads(process.stdout.readline()))

    def test_its_options_make_it_bolder_or_ask_other_constants(self) -> None:
        def stops(told: List[Dict[str, Any]]) -> int:
            return next(step for step in range(1, 401) if told[step]["stop"])

        usual = self.play()
        self.assertLess(stops(self.play("--tau", "1", "--caution", "0.2")), stops(usual))
        self.assertLess(stops(self.play("--strict")), stops(usual))
        self.assertNotEqual(self.play("--model", MODEL)[200]["p_gain"], usual[200]["p_gain"])

    def test_features_are_what_the_models_are_told(self) -> None:
        told = self.play("--features")
        self.assertEqual(set(told[5]), {"best", "eta"})  # nothing was measured
        self.assertAlmostEqual(told[200]["best"], point(150)["val_loss"])
        for name in ("gain", "overfit"):
            self.assertTrue(any(told[200][name]), name)
        self.assertEqual(set(told[200]["forecast"]), {"x", "range", "end", "scale"})

    def test_a_time_left_has_features_while_it_is_asked_for(self) -> None:
        lines = [{**HEADER, "horizon": 400}, *(point(step) for step in range(1, 201))]
        told, _ = self.replay("--features", text="\n".join(map(json.dumps, lines)))
        eta = json.loads(told.splitlines()[-1])["eta"]
        self.assertEqual(eta["s"], 100)
        self.assertTrue(all(math.isfinite(number) for number in eta["x"]))

    def test_what_is_no_run_is_named_by_its_line(self) -> None:
        self.assertIn("there is no header", self.replay(text="", status=1)[1])
        told, why = self.replay(text='{}\n{"step":1}\nnot JSON\n{"step":2}\n', status=1)
        self.assertEqual(told.count("\n"), 1)
        self.assertIn("line 3: no JSON object", why)

    def test_what_it_is_asked_wrongly_is_named(self) -> None:
        for options, status, why in (
            (("--nope",), 2, "no such option"),
            (("--tau", "0"), 2, "--tau: expected a chance above 0"),
            (("--caution", "2x"), 2, "--caution: expected a factor above 0"),
            (("run.ndjson",), 2, "the run comes on standard input"),
            (("--model", "/nowhere"), 1, "/nowhere: it cannot be opened"),
            (("--model", __file__), 1, "it is no set of constants of this version"),
        ):
            told, complaint = self.replay(*options, text="{}\n", status=status)
            self.assertEqual(told, "")
            self.assertIn(why, complaint)
