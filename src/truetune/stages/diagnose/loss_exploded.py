"""Did training lose again what it had learned, or more?"""

from __future__ import annotations

import math

from truetune.core.records import Finding
from truetune.stages.diagnose.advice import lower_learning_rate
from truetune.stages.diagnose.curves import Curves

STANDARD_ERRORS = 4.0
"""How clearly the end must lie above what it is compared with. Source: ours; Gaussian noise does it once in 30,000 runs."""

WORSE_THAN_START = 1.1
"""Ends above the start by this factor. Source: ours, calibrated on trainings of the tiny model with 100 times too high a rate."""

LOST_GAIN_FRAC = 0.5
"""Or gives back this share of what it had gained. Source: ours, as above."""


def check(curves: Curves) -> Finding | None:
    """Finds a loss that ends above where it started, or that gave back more than half of its best gain."""
    if not curves.judged:
        return None
    start, end, lowest = curves.start(), curves.end(), curves.lowest()
    noise = STANDARD_ERRORS * math.hypot(start.standard_error, end.standard_error)
    above_start = end.loss > WORSE_THAN_START * start.loss and end.loss - start.loss > noise
    gain = start.loss - lowest.loss
    gave_back = gain > noise and end.loss - lowest.loss > max(noise, LOST_GAIN_FRAC * gain)
    if not (above_start or gave_back):
        return None
    how = "ends higher than it began" if above_start else "gave back most of what had been learned"
    worst = max(curves.train, key=lambda m: m.loss)
    return Finding(
        code="train.loss.exploded",
        severity="block",
        message=f"the loss {how}: {start.loss:.3g} at first, {lowest.loss:.3g} at best, {end.loss:.3g} in the end",
        evidence={
            "start_loss": start.loss,
            "lowest_loss": lowest.loss,
            "end_loss": end.loss,
            "standard_error": end.standard_error,
            "highest_step": worst.step,
            "highest_loss": worst.loss,
            "learning_rate": curves.learning_rate,
        },
        fix=lower_learning_rate(curves.learning_rate) + ", or lengthen train.warmup_frac to 0.1",
    )
