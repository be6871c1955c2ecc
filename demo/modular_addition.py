# SPDX-License-Identifier: MIT
"""A small network that learns (a + b) mod p, in plain Python lists.

The classic grokking task: the network first learns its training pairs by heart, while the other
pairs stay at chance; much later weight decay makes it find the rule, and the validation loss falls
within a few hundred steps. One hidden layer with a quadratic activation, which can express the
rule exactly; AdamW; every gradient is written out by hand.
"""

import random
from math import exp, log, sqrt
from operator import mul
from typing import List, Sequence, Tuple

Pair = Tuple[int, int]
Matrix = List[List[float]]

P = 23
HIDDEN = 48
TRAIN_SHARE = 0.6
BATCH = 64
LEARNING_RATE = 0.005
WEIGHT_DECAY = 1.0
BETA1, BETA2, EPSILON = 0.9, 0.98, 1e-8


def split_pairs(rng: random.Random) -> Tuple[List[Pair], List[Pair]]:
    """All pairs, shuffled: those to train on, and those never trained on."""
    pairs = [(a, b) for a in range(P) for b in range(P)]
    rng.shuffle(pairs)
    count = int(len(pairs) * TRAIN_SHARE)
    return pairs[:count], pairs[count:]


def batches(pairs: List[Pair], rng: random.Random) -> List[List[Pair]]:
    """One epoch: every pair once, in a new order."""
    rng.shuffle(pairs)
    return [pairs[at : at + BATCH] for at in range(0, len(pairs), BATCH)]


class Tally:
    """Mean loss and accuracy over the pairs that were added."""

    def __init__(self) -> None:
        self._loss = 0.0
        self._right = 0
        self._pairs = 0

    def add(self, probabilities: Sequence[float], answer: int) -> None:
        likely = probabilities[answer]
        self._loss -= log(max(likely, 1e-300))
        self._right += likely == max(probabilities)
        self._pairs += 1

    @property
    def loss(self) -> float:
        return self._loss / self._pairs

    @property
    def accuracy(self) -> float:
        return self._right / self._pairs


class AdamW:
    """Adam with decoupled weight decay over one matrix, changed in place."""

    def __init__(self, weights: Matrix) -> None:
        self._weights = weights
        self._mean = [[0.0] * len(row) for row in weights]
        self._square = [[0.0] * len(row) for row in weights]

    def step(self, gradient: Matrix, time: int, learning_rate: float) -> None:
        """Apply one gradient; `time` counts the steps from 1."""
        rate = learning_rate * sqrt(1 - BETA2**time) / (1 - BETA1**time)
        keep = 1 - learning_rate * WEIGHT_DECAY
        for at, slope in enumerate(gradient):
            mean = [BETA1 * m + (1 - BETA1) * g for m, g in zip(self._mean[at], slope)]
            square = [BETA2 * s + (1 - BETA2) * g * g for s, g in zip(self._square[at], slope)]
            self._weights[at] = [
                keep * w - rate * m / (sqrt(s) + EPSILON)
                for w, m, s in zip(self._weights[at], mean, square)
            ]
            self._mean[at], self._square[at] = mean, square


class Network:
    """hidden = (left[a] + right[b])^2, logits = out . hidden; each matrix has one row a residue."""

    def __init__(self, rng: random.Random) -> None:
        self.left = _gaussian(rng, sqrt(0.5))
        self.right = _gaussian(rng, sqrt(0.5))
        self.out = _gaussian(rng, sqrt(1 / HIDDEN))
        self.parameters = 3 * P * HIDDEN
        self._optimizers = [AdamW(matrix) for matrix in (self.left, self.right, self.out)]
        self._time = 0

    def evaluate(self, pairs: List[Pair]) -> Tally:
        """Loss and accuracy on `pairs`, without learning."""
        tally = Tally()
        for a, b in pairs:
            tally.add(self._forward(a, b)[2], (a + b) % P)
        return tally

    def train(
        self, batch: List[Pair], epoch: Tally, learning_rate: float = LEARNING_RATE
    ) -> Tuple[float, float]:
        """One AdamW step; adds to the epoch's tally, returns the batch's loss and gradient norm."""
        here = Tally()
        gradients = [_zeros(), _zeros(), _zeros()]
        columns = list(zip(*self.out))
        for a, b in batch:
            answer = (a + b) % P
            before, hidden, probabilities = self._forward(a, b)
            here.add(probabilities, answer)
            epoch.add(probabilities, answer)
            error = [q / len(batch) for q in probabilities]
            error[answer] -= 1 / len(batch)
            back = [2 * z * sum(map(mul, col, error)) for z, col in zip(before, columns)]
            _add_to(gradients[0], a, back)
            _add_to(gradients[1], b, back)
            for residue, slope in enumerate(error):
                _add_to(gradients[2], residue, [slope * h for h in hidden])
        self._time += 1
        for optimizer, gradient in zip(self._optimizers, gradients):
            optimizer.step(gradient, self._time, learning_rate)
        return here.loss, sqrt(sum(g * g for matrix in gradients for row in matrix for g in row))

    def _forward(self, a: int, b: int) -> Tuple[List[float], List[float], List[float]]:
        """Hidden layer before and after its activation, and the probability of each residue."""
        before = [x + y for x, y in zip(self.left[a], self.right[b])]
        hidden = [z * z for z in before]
        logits = [sum(map(mul, row, hidden)) for row in self.out]
        top = max(logits)
        weights = [exp(logit - top) for logit in logits]
        total = sum(weights)
        return before, hidden, [weight / total for weight in weights]


def _gaussian(rng: random.Random, deviation: float) -> Matrix:
    return [[rng.gauss(0.0, deviation) for _ in range(HIDDEN)] for _ in range(P)]


def _zeros() -> Matrix:
    return [[0.0] * HIDDEN for _ in range(P)]


def _add_to(matrix: Matrix, at: int, row: List[float]) -> None:
    matrix[at] = [x + y for x, y in zip(matrix[at], row)]
