# SPDX-License-Identifier: MIT
"""demo/trainer.py really learns, and tells the daemon what the contract asks for."""

import os
import random
import re
import subprocess
import sys
import unittest

from support import DEADLINE_S, ROOT, FakeDaemon

DEMO = os.path.join(ROOT, "demo")
sys.path.insert(0, DEMO)

import modular_addition as task  # noqa: E402 - the path comes first


def train(daemon: FakeDaemon, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, os.path.join(DEMO, "trainer.py"), "--socket", daemon.path, *options]
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=DEADLINE_S * 6
    )


class TaskTest(unittest.TestCase):
    def test_the_network_learns_its_pairs_by_heart_before_it_finds_the_rule(self) -> None:
        rng = random.Random(1000)
        trained, held_out = task.split_pairs(rng)
        network = task.Network(rng)
        for _ in range(80):
            epoch = task.Tally()
            for batch in task.batches(trained, rng):
                network.train(batch, epoch)
        self.assertGreater(epoch.accuracy, 0.95)
        self.assertLess(network.evaluate(held_out).accuracy, 0.5)

    def test_the_gradient_is_the_slope_of_the_loss(self) -> None:
        rng = random.Random(3)
        network = task.Network(rng)
        batch = [(1, 2), (3, 4), (1, 4)]
        seen = []
        for optimizer in network._optimizers:
            optimizer.step = lambda gradient, time, rate: seen.append(gradient)  # type: ignore[assignment]
        network.train(batch, task.Tally())
        for matrix, gradient in zip((network.left, network.right, network.out), seen):
            for row, column in ((1, 0), (2, 5), (4, 47)):
                losses = []
                for change in (1e-5, -2e-5):
                    matrix[row][column] += change
                    losses.append(network.evaluate(batch).loss)
                matrix[row][column] += 1e-5
                slope = (losses[0] - losses[1]) / 2e-5
                self.assertAlmostEqual(gradient[row][column], slope, places=5)

    def test_no_pair_is_both_trained_on_and_held_out(self) -> None:
        trained, held_out = task.split_pairs(random.Random(1))
        self.assertEqual(len(set(trained) | set(held_out)), task.P * task.P)
        self.assertFalse(set(trained) & set(held_out))
        passed = [pair for batch in task.batches(trained, random.Random(2)) for pair in batch]
        self.assertEqual(sorted(passed), sorted(trained))


class TrainerTest(unittest.TestCase):
    def test_a_short_training_tells_everything_and_ends_by_itself(self) -> None:
        with FakeDaemon() as daemon:
            result = train(daemon, "--steps", "12", "--models", "2", "--session", "s")
            lines = daemon.book.lines
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
            self.assertEqual((lines[0]["type"], lines[-1]["type"]), ("start", "complete"))
            self.assertEqual(lines[0]["sessionId"], "s")
            self.assertEqual(lines[0]["config"]["model_count"], 2)
            self.assertEqual(lines[0]["config"]["total_steps"], 12)
            self.assertEqual(lines[0]["config"]["epochs"], len(daemon.book.of("epoch")))
            done = [line["modelIndex"] for line in daemon.book.of("model_completed")]
            self.assertEqual(done, [0, 1])
            self.assertEqual(daemon.book.metrics("step"), list(range(1, 13)) * 2)
            self.assertEqual(daemon.book.metrics("modelIndex"), [0] * 12 + [1] * 12)
            metrics = daemon.book.of("progress")[0]["metrics"]
            for field in ("loss", "totalSteps", "totalModels", "modelParams", "val_loss", "lr"):
                self.assertIn(field, metrics)
            epochs = [line["metrics"]["epoch"] for line in daemon.book.of("epoch")]
            self.assertEqual(epochs, list(range(len(epochs))))

    def test_the_same_seed_gives_the_same_losses_and_another_seed_others(self) -> None:
        losses = []
        for seed in ("1", "1", "2"):
            with FakeDaemon() as daemon:
                train(daemon, "--steps", "5", "--models", "1", "--seed", seed)
                losses.append(daemon.book.metrics("loss"))
        self.assertEqual(losses[0], losses[1])
        self.assertNotEqual(losses[0], losses[2])

    def test_verbose_prints_the_classic_line_every_ten_steps_and_nothing_else(self) -> None:
        daemon = FakeDaemon()  # not started: a training needs none
        self.addCleanup(daemon.folder.cleanup)
        result = train(daemon, "--steps", "25", "--models", "1", "--verbose")
        self.assertEqual(result.returncode, 0)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertTrue(all(re.fullmatch(r"Step \d+: Loss = \d+\.\d{4}", line) for line in lines))

    def test_stop_from_the_daemon_ends_the_training_early(self) -> None:
        with FakeDaemon() as daemon:
            enter = daemon.book.enter

            def stop_at_once(raw: bytes) -> object:
                answer = enter(raw)
                if answer and answer["type"] == "started":
                    daemon.tell({"type": "control", "command": "stop"})
                return answer

            daemon.book.enter = stop_at_once  # type: ignore[method-assign,assignment]
            train(daemon, "--steps", "100000")
            self.assertEqual(daemon.book.of("model_completed"), [])
            self.assertEqual(daemon.book.lines[-1]["type"], "complete")


if __name__ == "__main__":
    unittest.main()
