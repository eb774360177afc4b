"""From scores to chances: how probably each label is wrong, and how many labels are.

Scores become probabilities by one sharpness, fitted together with the share of labels that follow nothing but chance, so that
wrong labels do not blunt the model that is to find them. A second count comes from confident learning, which needs no such share.

Source: Northcutt, Jiang & Chuang 2021, "Confident learning", arXiv 1911.00068, section 3 (confident joint and its calibration).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from truetune.stages.data.noise.ridge import Floats

Labels = npt.NDArray[np.int32]
_FITTED_MOST = 1 << 12
_STARTS = tuple((sharpness, noise) for sharpness in (1.5, 2.2, 2.9, 3.6) for noise in (-5.0, -3.0, -1.8))
"""Logarithm of the sharpness and log odds of the noise: the likelihood has two hills (blunt without noise, sharp with it), and a
search from one start climbs the wrong one."""
_TINY = 1e-12

WRONG_BEFORE, RIGHT_BEFORE = 0.5, 15
"""What is believed before any row is seen counts as so many wrong and right labels. Without it a few wrong labels of an easy task
are explained by a blunter model, and none is found. Source: Northcutt, Athalye & Mueller 2021, "Pervasive label errors in test
sets", arXiv 2103.14749: 3.3 % on average."""


@dataclass(frozen=True)
class Chance:
    """How sharp scores are, and which share of the labels is drawn without regard to the text."""

    sharpness: float
    noise_frac: float


def fit_chance(scores: Floats, given: Labels) -> Chance:
    """The sharpness and the share that make the given labels most likely, with what is believed before.

    Args:
        scores: out of fold, (rows, classes).
        given: the label of each row, (rows,).
    """
    from scipy import optimize  # noqa: PLC0415 - half a second to import, that only label tasks have to pay

    some = slice(0, _FITTED_MOST)
    scores, given = scores[some], given[some]
    classes = scores.shape[1]

    def loss(parameters: npt.NDArray[np.float64]) -> float:
        chance = _chance(parameters)
        own = probabilities(scores, chance.sharpness)[np.arange(len(given)), given]
        said = np.log((1 - chance.noise_frac) * own + chance.noise_frac / classes + _TINY).sum()
        before = WRONG_BEFORE * np.log(chance.noise_frac + _TINY) + RIGHT_BEFORE * np.log1p(-chance.noise_frac + _TINY)
        return float(-(said + before) / len(given))

    start = min(_STARTS, key=lambda parameters: loss(np.array(parameters)))
    found = optimize.minimize(loss, start, method="Nelder-Mead", options={"xatol": 0.02, "fatol": 1e-5, "maxiter": 80})
    return _chance(found.x)


def _chance(parameters: npt.NDArray[np.float64]) -> Chance:
    return Chance(float(np.exp(np.clip(parameters[0], -3, 6))), float(1 / (1 + np.exp(-parameters[1]))))


def probabilities(scores: Floats, sharpness: float) -> Floats:
    """Scores as probabilities of the classes, (rows, classes)."""
    powers: Floats = sharpness * (scores - scores.max(axis=1, keepdims=True))
    np.exp(powers, out=powers)
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def chance_wrong(own: Floats, classes: int, noise_frac: float) -> Floats:
    """How probably each label was drawn by chance and is not the right one, (rows,).

    Args:
        own: the probability of the given label, (rows,).
        classes: how many there are.
        noise_frac: the share of labels that are drawn by chance.
    """
    by_chance = noise_frac / classes
    found: Floats = (by_chance * (1 - own) / ((1 - noise_frac) * own + by_chance + _TINY)).astype(np.float32)
    return found


class ConfidentJoint:
    """Counts of rows by given label and by the label that the model is as sure of as it usually is."""

    def __init__(self, predicted: Floats, given: Labels) -> None:
        """Learn from some rows how sure the model usually is of each class: its mean probability where that is the label."""
        classes = predicted.shape[1]
        counts = np.bincount(given, minlength=classes)
        own = predicted[np.arange(len(given)), given]
        sums = np.bincount(given, weights=own, minlength=classes)
        self._usual = np.where(counts > 0, sums / np.maximum(counts, 1), 2.0)
        self._joint = np.zeros((classes, classes))
        self._given = np.zeros(classes)

    def add(self, predicted: Floats, given: Labels) -> None:
        """Count some rows."""
        sure = np.where(predicted >= self._usual, predicted, -1.0)
        best = sure.argmax(axis=1)
        has = sure[np.arange(len(best)), best] >= 0
        np.add.at(self._joint, (given[has], best[has]), 1)
        self._given += np.bincount(given, minlength=len(self._given))

    def wrong(self) -> float:
        """How many labels are wrong: what is off the diagonal, each row of counts brought to the number of its label."""
        totals = self._joint.sum(axis=1)
        scale = np.divide(self._given, totals, out=np.zeros_like(totals), where=totals > 0)
        return float(((totals - np.diag(self._joint)) * scale).sum())
