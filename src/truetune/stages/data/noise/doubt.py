"""How strongly scores speak against a label: how much commoner they are with a wrong label than with the labels as they stand.

What a wrong label looks like need not be guessed: what a model that has not seen a row scores it does not depend on the row's own
label, so rows that are given other labels here, half of them any other and half one that theirs is mistaken for, are wrong labels
with the very scores that such labels have. What tells them from the labels as they stand is found by a logistic curve over two
numbers: the score of the label, and the best score of another one. It is a ratio of densities, which is what ranks best, and it
says where to stop looking: below which doubt hardly any wrong label lies.

Source: the ratio of densities by classification: Sugiyama, Suzuki & Kanamori 2012, chapter 4; wrong labels among labels as they
stand: Elkan & Noto 2008, "Learning classifiers from only positive and unlabeled data".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from truetune.stages.data.noise.posterior import Labels, probabilities
from truetune.stages.data.noise.ridge import Floats

MISTAKEN_FRAC = 0.5
"""Of the labels that are made wrong so many are ones that the label is mistaken for. Source: measured: with none of them more
random errors are found and fewer similar ones (docs/log.md, label noise)."""

FOUND_FRAC = 0.98
"""The list goes down to the doubt above which so many wrong labels lie. Source: stated; above the 95 % that is promised."""

_WRONG_LABELS = 1 << 15
_PENALTY = 1e-2
_STEPS = 25
_STILL = 1e-4

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Doubt:
    """What speaks against labels.

    Attributes:
        weights: of a constant, the label's own score and the best other score, (3,).
        lowest: the doubt above which nearly all wrong labels lie.
    """

    weights: Doubles
    lowest: float

    def of(self, scores: Floats, given: Labels) -> Floats:
        """The doubt about each label; what is higher is likelier to be wrong, (rows,)."""
        found: Floats = (_numbers(scores, given) @ self.weights).astype(np.float32)
        return found


def learn_doubt(scores: Floats, given: Labels, trusted: npt.NDArray[np.bool_], sharpness: float, seed: int) -> Doubt:
    """Tell wrong labels from the labels as they stand.

    Args:
        scores: of each label, by a model that has not seen the row, (rows, classes).
        given: the labels as they stand, (rows,).
        trusted: rows whose label seems right: another one is wrong for them, (rows,).
        sharpness: of the scores.
        seed: of the labels that are made wrong.
    """
    rng = np.random.default_rng(seed)
    often = max(1, min(5, _WRONG_LABELS // max(1, int(trusted.sum()))))
    scored, right = scores[trusted], given[trusted]
    mistaken = _mistaken(scored, right, sharpness)
    wrong = np.concatenate([_numbers(scored, _others(right, mistaken, rng)) for _ in range(often)])
    weights = _logistic(wrong, _numbers(scores, given))
    return Doubt(weights, float(np.quantile(wrong @ weights, 1 - FOUND_FRAC)))


def _numbers(scores: Floats, given: Labels) -> Doubles:
    """A constant, the label's own score and the best other one, (rows, 3)."""
    rows = np.arange(len(given))
    own = scores[rows, given]
    others = scores.copy()
    others[rows, given] = -np.inf
    return np.stack([np.ones(len(given)), own, others.max(axis=1)], axis=1).astype(np.float64)


def _mistaken(scores: Floats, given: Labels, sharpness: float) -> Doubles:
    """For each label, cumulated, how often it is taken for each of the others, (classes, classes)."""
    classes = scores.shape[1]
    taken = np.zeros((classes, classes))
    np.add.at(taken, given, probabilities(scores, sharpness))
    np.fill_diagonal(taken, 0)
    return np.cumsum(taken / np.maximum(taken.sum(axis=1, keepdims=True), 1e-12), axis=1)


def _others(given: Labels, mistaken: Doubles, rng: np.random.Generator) -> Labels:
    """For each row another label."""
    classes = len(mistaken)
    anything = (given + rng.integers(1, classes, len(given))) % classes
    alike = (mistaken[given] < rng.random(len(given))[:, None]).sum(axis=1)
    is_other = (rng.random(len(given)) < MISTAKEN_FRAC) & (alike < classes) & (alike != given)
    return np.where(is_other, alike, anything).astype(np.int32)


def _logistic(wrong: Doubles, standing: Doubles) -> Doubles:
    """The weights that tell the first from the second, both sides counted alike; Newton's method with a small penalty."""
    numbers = np.concatenate([wrong, standing])
    is_wrong = np.arange(len(numbers)) < len(wrong)
    counted = np.where(is_wrong, len(standing) / max(1, len(wrong)), 1.0)
    weights = np.zeros(numbers.shape[1])
    penalty = _PENALTY * np.eye(len(weights))
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(numbers @ weights, -30, 30)))
        slope = numbers.T @ (counted * (is_wrong - chance)) - penalty @ weights
        curve = (numbers * (counted * chance * (1 - chance))[:, None]).T @ numbers + penalty
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < _STILL:
            break
    return weights
