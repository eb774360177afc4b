"""Did a number stop being one?"""

from __future__ import annotations

import math

from truetune.core.records import Finding, StepMetrics
from truetune.stages.diagnose.advice import lower_learning_rate
from truetune.stages.diagnose.curves import Curves


def check(curves: Curves) -> Finding | None:
    """Finds the first step whose loss is NaN or infinite, or whose gradient norm is NaN.

    An infinite gradient norm alone is not one: with fp16 the scaler skips such a step and goes on.
    """
    for step in sorted((*curves.train, *curves.validation), key=lambda m: m.step):
        if not math.isfinite(step.loss) or _nan(step.grad_norm):
            return _finding(curves, step)
    return None


def _finding(curves: Curves, step: StepMetrics) -> Finding:
    what = "gradient norm" if math.isfinite(step.loss) else f"{step.kind} loss"
    before = [m for m in curves.train if m.step < step.step and math.isfinite(m.loss)]
    return Finding(
        code="train.loss.nan",
        severity="block",
        message=f"the {what} is not a number from step {step.step} on: the weights are ruined",
        evidence={
            "first_step": step.step,
            "last_loss": before[-1].loss if before else None,
            "last_grad_norm": before[-1].grad_norm if before and not _nan(before[-1].grad_norm) else None,
            "learning_rate": curves.learning_rate,
        },
        fix=lower_learning_rate(curves.learning_rate)
        + "; if it stays, use fp32 (truetune doctor says what this machine can do) and look at the rows of that step",
    )


def _nan(value: float | None) -> bool:
    return value is not None and math.isnan(value)
