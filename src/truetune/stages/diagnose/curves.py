"""The curves of a training, and how much of their movement is noise."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import ValidationError

from truetune.core.errors import EvidenceError
from truetune.core.records import StepMetrics, TrainRecord
from truetune.evidence.store import ObjectStore

MIN_STEPS = 8
"""A curve with fewer steps is not judged. Source: ours; a quarter of it would be a single batch."""

_MEDIAN_ERROR = math.sqrt(math.pi / 2)
"""Standard error of a median relative to that of a mean. Source: asymptotic, for Gaussian noise."""


@dataclass(frozen=True)
class Level:
    """Median loss of some steps in nats per trained token, and its standard error. One hard batch does not move a median."""

    loss: float
    standard_error: float


@dataclass(frozen=True)
class Curves:
    """Training and validation steps in order. `learning_rate` is the one that was configured, None where that is unknown."""

    train: tuple[StepMetrics, ...]
    validation: tuple[StepMetrics, ...]
    learning_rate: float | None

    @property
    def finite(self) -> bool:
        """Is every loss a number?"""
        return all(math.isfinite(m.loss) for m in (*self.train, *self.validation))

    @property
    def judged(self) -> bool:
        """Are there enough steps, all of them numbers, to tell a movement from noise?"""
        return self.finite and len(self.train) >= MIN_STEPS

    def first(self) -> Level:
        """The loss of the first step, which is computed before any weight has moved."""
        return Level(self.train[0].loss, self._noise())

    def start(self) -> Level:
        """The loss before learning: the first eighth of the steps, so that a fast start is not averaged away."""
        return self._level(self.train[: max(1, len(self.train) // 8)])

    def end(self) -> Level:
        """The loss at the end: the last quarter of the steps."""
        return self._level(self.train[-(len(self.train) // 4) :])

    def lowest(self) -> Level:
        """The lowest median of any quarter's length of neighbouring steps."""
        width = len(self.train) // 4
        windows = [self.train[at : at + width] for at in range(len(self.train) - width + 1)]
        return min((self._level(window) for window in windows), key=lambda level: level.loss)

    def _level(self, steps: Sequence[StepMetrics]) -> Level:
        return Level(statistics.median(m.loss for m in steps), _MEDIAN_ERROR * self._noise() / math.sqrt(len(steps)))

    def _noise(self) -> float:
        """Standard deviation of one step's loss around the curve.

        Source: median absolute difference of neighbouring steps / (0.6745 · √2), which a trend or single jumps hardly move;
        for Gaussian noise it is the standard deviation.
        """
        steps = [abs(b.loss - a.loss) for a, b in pairwise(self.train)]
        return statistics.median(steps) / (0.6745 * math.sqrt(2))


def read_curves(store: ObjectStore, train: TrainRecord) -> Curves:
    """The steps as the train stage kept them.

    Raises:
        EvidenceError: the file is not in the store, or a line of it is not a step.
    """
    steps = _parse(store.get_bytes(train.metrics.digest).decode("utf-8", "replace"))
    rate = train.hyperparameters.get("learning_rate")
    return Curves(
        train=tuple(m for m in steps if m.kind == "train"),
        validation=tuple(m for m in steps if m.kind == "validation"),
        learning_rate=float(rate) if isinstance(rate, int | float) else None,
    )


def _parse(text: str) -> list[StepMetrics]:
    steps = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            steps.append(StepMetrics.model_validate_json(line))
        except ValidationError as error:
            raise EvidenceError(
                "evidence.metrics",
                f"line {number} of metrics.jsonl is not a training step",
                why=str(error).splitlines()[0],
                fix="restore the run from a copy, or train again: truetune run --new",
                where=f"metrics.jsonl:{number}",
            ) from error
    return steps
