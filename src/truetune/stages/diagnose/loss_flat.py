"""Did anything get learned?"""

from __future__ import annotations

import math

from truetune.core.records import Finding
from truetune.stages.diagnose.advice import higher_learning_rate
from truetune.stages.diagnose.curves import Curves, Level

STANDARD_ERRORS = 2.0
"""A smaller fall than this cannot be told from noise. Source: the usual 95 % interval."""

TREND_P = 0.02
"""One-sided p-value of Kendall's rank trend below which the loss falls. Source: two standard errors, one side."""

VALIDATION_FALL_FRAC = 0.02
"""A fall of the validation loss (same rows each time) by this share shows learning in spite of noisy batches. Source: ours."""

NOTHING_LEFT_NATS = 0.1
"""A loss that starts below this leaves nothing to fall to. Source: ours; at 0.1 nats the right token has a probability of 0.9."""


def check(curves: Curves) -> Finding | None:
    """Finds a loss that did not fall by more than its own noise, while validation did not fall either."""
    if not curves.judged or _validation_fell(curves):
        return None
    start, end = curves.start(), curves.end()
    if _level_fell(start, end) or _ranks_fall(curves):
        return None
    return _known_already(start, end) if start.loss < NOTHING_LEFT_NATS else _finding(curves, start, end)


def _level_fell(start: Level, end: Level) -> bool:
    """A clear fall between the first steps and the last: finds what was learned at once."""
    fall = start.loss - end.loss
    return fall > 0 and fall >= STANDARD_ERRORS * math.hypot(start.standard_error, end.standard_error)


def _ranks_fall(curves: Curves) -> bool:
    """A trend in the order of all steps, whatever their spread: finds slow learning, and learning in few steps."""
    from scipy.stats import kendalltau  # noqa: PLC0415 - start-up stays cheap

    losses = [m.loss for m in curves.train]
    return bool(kendalltau(range(len(losses)), losses, alternative="less").pvalue < TREND_P)


def _validation_fell(curves: Curves) -> bool:
    losses = [m.loss for m in curves.validation]
    return len(losses) > 1 and losses[-1] < losses[0] * (1 - VALIDATION_FALL_FRAC)


def _finding(curves: Curves, start: Level, end: Level) -> Finding:
    steps = len(curves.train)
    return Finding(
        code="train.loss.flat",
        severity="block",
        message=f"the loss did not fall: {start.loss:.3g} at first, {end.loss:.3g} after {steps} steps, within its own noise",
        evidence={
            "start_loss": start.loss,
            "end_loss": end.loss,
            "fall": start.loss - end.loss,
            "standard_error": math.hypot(start.standard_error, end.standard_error),
            "steps": steps,
            "learning_rate": curves.learning_rate,
        },
        fix=higher_learning_rate(curves.learning_rate)
        + "; if the loss stays flat, the answers do not follow from the prompts: truetune check FILE looks for contradictions",
    )


def _known_already(start: Level, end: Level) -> Finding:
    return Finding(
        code="train.loss.flat",
        severity="warn",
        message=f"the loss had nowhere to fall: the base model starts at {start.loss:.3g} nats a token",
        evidence={"start_loss": start.loss, "end_loss": end.loss},
        fix="compare the base model's score in the report: it may do this task without tuning",
    )
