#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A real training, watched through streamd: three small models learn modular addition.

Prints nothing; with --verbose the line `Step N: Loss = x.xxxx` every 10 steps. Ends by itself, on
`stop` from the daemon, on Ctrl+C or SIGTERM; heeds `pause`, `resume` and `checkpoint`, and its
learning rate is a knob. Trains the same with or without a daemon. With
--checkpoints it may be killed at any time: started again it goes on from the last one.
"""

import argparse
import os
import pickle
import random
import signal
import sys
import time
from typing import Dict, List, Optional, Tuple

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients/python"))

import modular_addition as task  # noqa: E402 - the path comes first

import streamd  # noqa: E402

VERBOSE_EVERY = 10


class State:
    """All that a checkpoint holds: the model in training with its place in it, and what was before.

    Restored, it goes on exactly as if it had never been interrupted.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.session = ""
        self.epochs = 0
        self.begin_model(0)

    def begin_model(self, index: int) -> None:
        """A fresh network on a fresh split, both drawn from the seed."""
        self.index = index
        self.step = 0
        self._rng = random.Random(self.seed * 1000 + index)
        self._trained, self._held_out = task.split_pairs(self._rng)
        self.network = task.Network(self._rng)
        self.validation = self.network.evaluate(self._held_out)
        self.tally: Optional[task.Tally] = None
        self.seconds = 0.0
        self._batches: List[List[task.Pair]] = []

    def next_batch(self, steps: int) -> Optional[List[task.Pair]]:
        """The next of the epoch, or of a new one after end_epoch(); None when it has no more."""
        if self.tally is None:
            self.tally = task.Tally()
            self._batches = task.batches(self._trained, self._rng)[: steps - self.step]
        return self._batches.pop(0) if self._batches else None

    def train(self, batch: List[task.Pair], learning_rate: float) -> Tuple[float, float]:
        """One step; the loss of its batch and the norm of its gradient."""
        assert self.tally is not None
        began = time.monotonic()
        figures = self.network.train(batch, self.tally, learning_rate)
        self.step += 1
        self.seconds += time.monotonic() - began
        return figures

    def end_epoch(self) -> None:
        """Look at the pairs that were held out."""
        self.validation = self.network.evaluate(self._held_out)
        self.tally = None
        self.seconds = 0.0
        self.epochs += 1


class Training:
    """One model after the other, from where `state` stands."""

    def __init__(
        self,
        options: argparse.Namespace,
        state: State,
        run: streamd.Run,
        checkpoints: Optional[streamd.Checkpoints],
    ) -> None:
        self._options = options
        self._state = state
        self._run = run
        self._checkpoints = checkpoints
        self._learning_rate = task.LEARNING_RATE

    def train_all(self) -> None:
        for index in range(self._state.index, self._options.models):
            if index != self._state.index:
                self._state.begin_model(index)
            self.train_model()
            if self._run.should_stop:
                return
            self._run.model_completed(index)

    def train_model(self) -> None:
        state = self._state
        while state.step < self._options.steps or state.tally is not None:
            batch = state.next_batch(self._options.steps)
            while batch is not None:
                self._run.wait_while_paused()
                if self._run.should_stop:
                    return
                self._learning_rate = self._run.knob("learning_rate")
                self.report(*state.train(batch, self._learning_rate))
                self.save()
                time.sleep(self._options.step_delay)
                batch = state.next_batch(self._options.steps)
            self.report_epoch()

    def save(self) -> None:
        """Between two steps: a checkpoint, if one is due or was asked for."""
        step = self._state.index * self._options.steps + self._state.step
        if self._checkpoints is not None and self._checkpoints.step(step):
            self._run.done("checkpoint")

    def report(self, loss: float, norm: float) -> None:
        """One progress line a step; the validation figures are those of the last whole epoch."""
        state = self._state
        self._run.log(
            {
                "loss": loss,
                "step": state.step,
                "totalSteps": self._options.steps,
                "modelIndex": state.index,
                "totalModels": self._options.models,
                "modelParams": state.network.parameters,
                "val_loss": state.validation.loss,
                "val_accuracy": state.validation.accuracy,
                "lr": self._learning_rate,
                "grad_norm": norm,
            }
        )
        if self._options.verbose and state.step % VERBOSE_EVERY == 0:
            print(f"Step {state.step}: Loss = {loss:.4f}", flush=True)

    def report_epoch(self) -> None:
        """One epoch line; the epochs are counted across the models."""
        state = self._state
        assert state.tally is not None
        figures = {
            "epoch": state.epochs,
            "train_loss": state.tally.loss,
            "train_accuracy": state.tally.accuracy,
            "learning_rate": self._learning_rate,
            "duration": state.seconds,
        }
        state.end_epoch()
        figures["val_loss"] = state.validation.loss
        figures["val_accuracy"] = state.validation.accuracy
        self._run.log_epoch(figures)


def recover(
    options: argparse.Namespace,
) -> Tuple[State, bool, Optional[streamd.Checkpoints]]:
    """Where to begin, whether that goes on with an earlier run, and what saves it."""
    state = State(options.seed)
    if options.checkpoints is None:
        return state, False, None
    checkpoints = streamd.Checkpoints(
        options.checkpoints, lambda path: pickle.dumps(state), every=options.checkpoint_every
    )
    found = checkpoints.recover()
    if found is not None:
        state = pickle.loads(found.read())
    return state, found is not None, checkpoints


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
    parser.add_argument("--checkpoints", metavar="DIR", help="save there, and go on from there")
    parser.add_argument("--checkpoint-every", type=int, default=100, help="steps (100)")
    parser.add_argument("--socket", help="the daemon's Unix socket (the client's default)")
    parser.add_argument("--url", help="a remote daemon instead, http://host:port")
    parser.add_argument("--verbose", action="store_true", help="print a line every 10 steps")
    return parser.parse_args()


def main() -> int:
    """Train; the run is completed, or failed with the reason, whatever ends it."""
    options = parse_options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    state, resume, checkpoints = recover(options)
    try:
        with streamd.init(
            project="demo",
            name="modular addition (Python)",
            config=config(options),
            session_id=options.session or state.session or None,
            resume=resume,
            socket_path=options.socket,
            url=options.url,
            knobs={"learning_rate": {"value": task.LEARNING_RATE, "min": 0.0, "max": 0.1}},
        ) as run:
            state.session = run.id
            if checkpoints is not None:
                run.on_control(checkpoints.on_control)
            Training(options, state, run, checkpoints).train_all()
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
