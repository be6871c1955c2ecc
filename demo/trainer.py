#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A real training, watched through streamd: three small models learn modular addition.

Prints nothing; with --verbose the line `Step N: Loss = x.xxxx` every 10 steps. Ends by itself, on
`stop` from the daemon, on Ctrl+C or SIGTERM. Trains the same with or without a daemon.
"""

import argparse
import os
import random
import signal
import sys
import time
from typing import Dict

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients/python"))

import modular_addition as task  # noqa: E402 - the path comes first

import streamd  # noqa: E402

VERBOSE_EVERY = 10


class Training:
    """One model after the other; owns the counters that go on across them."""

    def __init__(self, options: argparse.Namespace, run: streamd.Run) -> None:
        self._options = options
        self._run = run
        self._epoch = 0

    def train_all(self) -> None:
        for index in range(self._options.models):
            self.train_model(index)
            if self._run.should_stop:
                return
            self._run.model_completed(index)

    def train_model(self, index: int) -> None:
        """Train a fresh network on a fresh split, both drawn from the seed."""
        rng = random.Random(self._options.seed * 1000 + index)
        trained, held_out = task.split_pairs(rng)
        network = task.Network(rng)
        step = 0
        validation = network.evaluate(held_out)
        while step < self._options.steps:
            began = time.monotonic()
            epoch = task.Tally()
            for batch in task.batches(trained, rng)[: self._options.steps - step]:
                if self._run.should_stop:
                    return
                step += 1
                loss, norm = network.train(batch, epoch)
                self.report(index, step, loss, validation, norm, network.parameters)
                time.sleep(self._options.step_delay)
            validation = network.evaluate(held_out)
            self.report_epoch(epoch, validation, time.monotonic() - began)

    def report(
        self, index: int, step: int, loss: float, validation: task.Tally, norm: float, size: int
    ) -> None:
        """One progress line a step; the validation figures are those of the last whole epoch."""
        self._run.log(
            {
                "loss": loss,
                "step": step,
                "totalSteps": self._options.steps,
                "modelIndex": index,
                "totalModels": self._options.models,
                "modelParams": size,
                "val_loss": validation.loss,
                "val_accuracy": validation.accuracy,
                "lr": task.LEARNING_RATE,
                "grad_norm": norm,
            }
        )
        if self._options.verbose and step % VERBOSE_EVERY == 0:
            print(f"Step {step}: Loss = {loss:.4f}", flush=True)

    def report_epoch(self, epoch: task.Tally, validation: task.Tally, seconds: float) -> None:
        """One epoch line; the epochs are counted across the models."""
        self._run.log_epoch(
            {
                "epoch": self._epoch,
                "train_loss": epoch.loss,
                "train_accuracy": epoch.accuracy,
                "val_loss": validation.loss,
                "val_accuracy": validation.accuracy,
                "learning_rate": task.LEARNING_RATE,
                "duration": seconds,
            }
        )
        self._epoch += 1


def config(options: argparse.Namespace) -> Dict[str, object]:
    """What the daemon is told at the start."""
    a_pass = len(task.batches(task.split_pairs(random.Random(0))[0], random.Random(0)))
    return {
        "model_count": options.models,
        "batch_size": task.BATCH,
        "learning_rate": task.LEARNING_RATE,
        "total_steps": options.steps,
        "epochs": options.models * -(-options.steps // a_pass),
        "weight_decay": task.WEIGHT_DECAY,
        "task": f"(a + b) mod {task.P}",
        "seed": options.seed,
    }


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Learn modular addition under streamd's eyes.")
    parser.add_argument("--steps", type=int, default=2500, help="steps of each model (2500)")
    parser.add_argument("--models", type=int, default=3, help="models, one after the other (3)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same losses (1)")
    parser.add_argument("--step-delay", type=float, default=0.0, help="seconds after a step (0)")
    parser.add_argument("--session", help="session id (a new one)")
    parser.add_argument("--socket", help="the daemon's Unix socket (the client's default)")
    parser.add_argument("--url", help="a remote daemon instead, http://host:port")
    parser.add_argument("--verbose", action="store_true", help="print a line every 10 steps")
    return parser.parse_args()


def main() -> int:
    """Train; the run is completed, or failed with the reason, whatever ends it."""
    options = parse_options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with streamd.init(
            project="demo",
            name="modular addition (Python)",
            config=config(options),
            session_id=options.session,
            socket_path=options.socket,
            url=options.url,
        ) as run:
            Training(options, run).train_all()
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
