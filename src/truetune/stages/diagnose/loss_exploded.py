"""Did training lose again what it had learned, or more?"""

from __future__ import annotations

import math

from truetune.core.records import Finding
from truetune.stages.diagnose.advice import lower_learning_rate
from truetune.stages.diagnose.curves import Curves, Level

STANDARD_ERRORS = 4.0
"""How clearly the end must lie above what it is compared with. Source: ours; Gaussian noise does it once in 30,000 runs."""

WORSE_THAN_START = 1.1
"""Ends above the start by this factor. Source: ours; a tenth more is beyond what decaying rates tremble."""

LOST_GAIN_FRAC = 0.5
"""Or gives back this share of what it had gained. Source: ours, as above."""


def check(curves: Curves) -> Finding | None:
    """Finds a loss that ends above where it started, or that gave back more than half of its best gain."""
    if not curves.judged:
        return None
    begun = [curves.first(), curves.start()]
    if any(_above(level, curves.end()) for level in begun) or _validation_above(curves):
        return _finding(curves, "ends higher than it began")
    return _finding(curves, "gave back most of what had been learned") if _gave_back(curves) else None


def _above(start: Level, end: Level) -> bool:
    return end.loss > WORSE_THAN_START * start.loss and end.loss - start.loss > _noise(start, end)


def _validation_above(curves: Curves) -> bool:
    """The same rows are worse than before training, and it is not for learning other rows by heart."""
    losses = [m.loss for m in curves.validation]
    return len(losses) > 1 and losses[-1] > WORSE_THAN_START * losses[0] and curves.end().loss > curves.first().loss


def _gave_back(curves: Curves) -> bool:
    start, end, lowest = curves.start(), curves.end(), curves.lowest()
    gain, lost = start.loss - lowest.loss, end.loss - lowest.loss
    return gain > _noise(start, end) and lost > max(_noise(start, end), LOST_GAIN_FRAC * gain)


def _noise(a: Level, b: Level) -> float:
    return STANDARD_ERRORS * math.hypot(a.standard_error, b.standard_error)


def _finding(curves: Curves, how: str) -> Finding:
    first, end, lowest = curves.first(), curves.end(), curves.lowest()
    worst = max(curves.train, key=lambda m: m.loss)
    return Finding(
        code="train.loss.exploded",
        severity="block",
        message=f"the loss {how}: {first.loss:.3g} at first, {lowest.loss:.3g} at best, {end.loss:.3g} in the end",
        evidence={
            "first_loss": first.loss,
            "lowest_loss": lowest.loss,
            "end_loss": end.loss,
            "standard_error": end.standard_error,
            "highest_step": worst.step,
            "highest_loss": worst.loss,
            "learning_rate": curves.learning_rate,
        },
        fix=lower_learning_rate(curves.learning_rate) + ", or lengthen train.warmup_frac to 0.1",
    )
