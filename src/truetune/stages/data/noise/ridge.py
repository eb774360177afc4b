"""A linear model of labels that answers for each row as if it had been fitted without that row.

Least squares on the hashed features has a closed form for what a row would be told by the model that was fitted on all the
others, so nothing is fitted twice and the answer has no seed but that of the sample. The weights are sought in the span of a
sample of rows (the landmarks), which is exact up to `LANDMARKS` rows and keeps the cost linear in rows above.

Source: leave-one-out residuals of ridge regression: Allen 1974 (PRESS). Landmarks: Williams & Seeger 2001 (Nyström).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from truetune.stages.data.noise.features import Ints, Weights, hashed

Floats = npt.NDArray[np.float32]

LANDMARKS = 2048
"""Rows in whose span the weights are sought. Source: measured: 0.891 of 6,000 rows of CLINC150 right, with 1,024 of them 0.865
(docs/log.md, label noise)."""

MANY_ROWS, LANDMARKS_OF_MANY = 4096, 1024
"""Of more rows than this fewer are landmarks, for the cost grows with their square. Source: measured on 10,000 rows of CLINC150:
2.5 CPU seconds instead of 6.5, for two points of recall (docs/log.md, label noise)."""

FITTED_ROWS = 1 << 14
"""The model is fitted on a sample of so many rows, which bounds memory (134 MB); the others are judged by it. Source: stated."""

PENALTY = 0.3
"""Of the weights' squares. Source: measured: 0.1 and 1 are right half a percent less often (docs/log.md, label noise)."""

MEANING_FRAC = 0.5
"""Of the likeness so much is that of meanings, where a sentence model gives them. Source: measured: with 0.7 labels of support
messages are judged worse, and others hardly better (docs/log.md, meanings)."""

BLOCK_ROWS = 1 << 11
_JITTER = 1e-3
_MOST_LEVERAGE = 0.999


@dataclass(frozen=True)
class Sample:
    """Which rows are landmarks, and which the model is fitted on, ascending; the landmarks are among the fitted."""

    landmarks: Ints
    fitted: Ints


def sample_rows(rows: int, seed: int) -> Sample:
    """A sample without regard to anything: the same for the same number of rows and seed."""
    order = np.random.default_rng(seed).permutation(rows)
    landmarks = LANDMARKS if rows <= MANY_ROWS else LANDMARKS_OF_MANY
    return Sample(np.sort(order[:landmarks]), np.sort(order[:FITTED_ROWS]))


@dataclass(frozen=True)
class Described:
    """What is known of rows: their texts, and what these mean where a sentence model says it, (rows, dimensions)."""

    texts: Callable[[Sequence[int]], list[str]]
    meanings: Callable[[Sequence[int]], Floats] | None = None


class Space:
    """Rows as points in the span of the landmarks."""

    def __init__(self, landmarks: Ints, described: Described) -> None:
        """Prepare the span of some rows."""
        self._described = described
        counts = hashed(described.texts(landmarks.tolist()))
        self._weights = Weights(counts)
        self._landmarks = self._weights.of(counts)
        self._meanings = described.meanings(landmarks.tolist()) if described.meanings else None
        kernel = self._likeness(self._landmarks, self._meanings).astype(np.float64)
        self._inverse_factor = _inverse(linalg.cholesky(kernel + _JITTER * np.eye(len(kernel)), lower=True))

    def likeness(self, rows: Sequence[int]) -> Floats:
        """Cosine similarity to each landmark, in words and, where that is asked for, in meaning, (rows, landmarks)."""
        meanings = self._described.meanings(rows) if self._described.meanings else None
        return self._likeness(self._weights.of(hashed(self._described.texts(rows))), meanings)

    def _likeness(self, words: sparse.csr_array, meanings: Floats | None) -> Floats:
        found: Floats = (words @ self._landmarks.T).toarray()
        if meanings is None or self._meanings is None:
            return found
        both: Floats = (1 - MEANING_FRAC) * found + MEANING_FRAC * (meanings @ self._meanings.T)
        return both

    def points(self, likeness: Floats) -> Floats:
        """Where texts lie, (texts, dimensions); inner products of points are those of the features."""
        found: Floats = likeness @ self._inverse_factor.T
        return found

    def weights_of_likeness(self, weights: Floats) -> Floats:
        """Weights of a point's coordinates as weights of its likenesses, (landmarks, classes)."""
        found: Floats = self._inverse_factor.T @ weights
        return found


@dataclass(frozen=True)
class Fit:
    """Weights, and the factor of the penalised second moments that they were found with.

    Attributes:
        weights: (dimensions, classes).
        inverse_factor: inverse of the lower triangular one, (dimensions, dimensions).
    """

    weights: Floats
    inverse_factor: Floats


def fit(points: Floats, labels: sparse.csr_array) -> Fit:
    """Least squares; `labels` has a 1 for each row's class, (rows, classes)."""
    moments = (points.T @ points).astype(np.float64)
    moments[np.diag_indices_from(moments)] += PENALTY
    factor = linalg.cholesky(moments, lower=True)
    targets = np.asarray(labels.T @ points, dtype=np.float64).T
    return Fit(linalg.cho_solve((factor, True), targets).astype(np.float32), _inverse(factor))


def _inverse(factor: npt.NDArray[np.float64]) -> Floats:
    """The inverse of a lower triangular matrix. One product with it takes a third of the time of solving for many rows."""
    inverse, _ = linalg.lapack.dtrtri(factor, lower=1)
    found: Floats = np.tril(inverse).astype(np.float32)
    return found


def scores_without_itself(fitted: Fit, points: Floats, labels: sparse.csr_array) -> Floats:
    """Scores of rows that the model was fitted on, each as by a fit without that row, (rows, classes)."""
    scores = points @ fitted.weights
    half = points @ fitted.inverse_factor.T
    leverage = np.minimum(np.einsum("ij,ij->i", half, half), _MOST_LEVERAGE)[:, None]
    found: Floats = (scores - leverage * labels.toarray()) / (1 - leverage)
    return found
