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

FOUND_FRAC = 0.99
"""The list goes down to the doubt above which so many wrong labels lie. Source: stated; above the 95 % that is promised, for
wrong labels of one kind teach the model that they are right."""

_WRONG_LABELS = 1 << 15
_PENALTY = 1e-2
_STEPS = 25
_STILL = 1e-4

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Doubt:
    """What speaks against labels.

    Attributes:
        weights: of `_numbers`, (6,).
        usual: what each label scores where it is right, (classes,).
        lowest: the doubt above which nearly all wrong labels lie.
    """

    weights: Doubles
    usual: Floats
    lowest: float

    def of(self, scores: Floats, given: Labels) -> Floats:
        """The doubt about each label; what is higher is likelier to be wrong, (rows,)."""
        found: Floats = (_numbers(scores, given, self.usual) @ self.weights).astype(np.float32)
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
    usual = _usual(scored, right)
    wrong = np.concatenate([_numbers(scored, _others(right, mistaken, rng), usual) for _ in range(often)])
    weights = _logistic(wrong, _numbers(scores, given, usual))
    return Doubt(weights, usual, float(np.quantile(wrong @ weights, 1 - FOUND_FRAC)))


def _usual(scores: Floats, given: Labels) -> Floats:
    """The mean score of each label among its rows; of a label without rows, of all, (classes,)."""
    own = scores[np.arange(len(given)), given]
    counts = np.bincount(given, minlength=scores.shape[1])
    sums = np.bincount(given, weights=own, minlength=scores.shape[1])
    found: Floats = np.where(counts > 0, sums / np.maximum(counts, 1), own.mean() if len(own) else 0.0).astype(np.float32)
    return found


def _numbers(scores: Floats, given: Labels, usual: Floats) -> Doubles:
    """A constant, the scores of the label and of the two best others, and the usual ones of the first two of these, (rows, 6)."""
    rows = np.arange(len(given))
    own = scores[rows, given]
    others = scores.copy()
    others[rows, given] = -np.inf
    best = others.argmax(axis=1)
    highest = others[rows, best]
    others[rows, best] = -np.inf
    # Of two labels no second one is left to speak for.
    second = others.max(axis=1) if scores.shape[1] > 2 else highest
    return np.stack([np.ones(len(given)), own, highest, second, usual[given], usual[best]], axis=1).astype(np.float64)


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
