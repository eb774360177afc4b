"""How similar the most similar rows of each label are: what a linear model of all rows overlooks where a label has few."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from truetune.stages.data.noise.features import Ints
from truetune.stages.data.noise.ridge import Floats

NEAREST = 3
"""The mean is over so many rows. Source: measured: with one of them a point less is found of labels that were changed to the most
similar one of 150 (docs/log.md, label noise with neighbours)."""


class Nearest:
    """The most similar landmarks of each label."""

    def __init__(self, labels: npt.NDArray[np.int32], classes: int) -> None:
        """Sort the landmarks by label.

        Args:
            labels: of each landmark, -1 for none, (landmarks,).
            classes: how many labels there are.
        """
        self._classes = classes
        order: Ints = np.argsort(labels, kind="stable")
        counts = np.bincount(labels[labels >= 0], minlength=classes)
        ends = np.cumsum(counts) + np.count_nonzero(labels < 0)
        self._many = [(label, order[ends[label] - counts[label] : ends[label]]) for label in np.flatnonzero(counts > NEAREST)]
        few = np.flatnonzero((counts > 0) & (counts <= NEAREST))
        self._few, self._counts = few, counts[few].astype(np.float32)
        self._of_few = np.concatenate([order[ends[label] - counts[label] : ends[label]] for label in few] or [order[:0]])
        self._starts = np.concatenate([[0], np.cumsum(counts[few])[:-1]]).astype(np.int64)

    def of(self, likeness: Floats) -> Floats:
        """The mean likeness of the `NEAREST` most similar landmarks of each label, 0 where it has none, (rows, classes).

        Args:
            likeness: to each landmark, (rows, landmarks); what must not count as similar to itself is 0.
        """
        found: Floats = np.zeros((len(likeness), self._classes), dtype=np.float32)
        for label, columns in self._many:
            found[:, label] = np.partition(likeness[:, columns], -NEAREST, axis=1)[:, -NEAREST:].mean(axis=1)
        if len(self._few):
            found[:, self._few] = np.add.reduceat(likeness[:, self._of_few], self._starts, axis=1) / self._counts
        return found
