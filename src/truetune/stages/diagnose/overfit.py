"""Did the model go on learning the rows by heart after it had stopped learning the task?"""

from __future__ import annotations

import statistics

from truetune.core.records import Finding, StepMetrics
from truetune.stages.diagnose.curves import Curves

RISE_FRAC = 0.1
"""Validation ends this much above its best. Source: ours; the rows are the same each time, so a rise is not sampling noise."""

RISE_NATS = 0.02
"""And at least by this much, so that a loss near zero may tremble. Source: ours."""


def check(curves: Curves) -> Finding | None:
    """Finds a validation loss that rises again while the training loss is no higher than it was at the turn.

    Never blocks: the loss of an answer can rise while the answers stay right, and the evaluation decides that.
    """
    if not curves.judged or len(curves.validation) < 3:
        return None
    best = min(curves.validation, key=lambda m: m.loss)
    last = curves.validation[-1]
    if last.loss - best.loss <= max(RISE_NATS, RISE_FRAC * best.loss) or not _still_falling(curves, best):
        return None
    return Finding(
        code="train.overfit",
        severity="warn",
        message=f"validation loss was best at step {best.step} ({best.loss:.3g}) and ended at {last.loss:.3g} as training loss "
        "went on falling: from there on rows were learned by heart",
        evidence={
            "best_step": best.step,
            "best_epoch": best.epoch,
            "best_validation_loss": best.loss,
            "end_validation_loss": last.loss,
            "end_train_loss": curves.end().loss,
        },
        fix=_fix(best),
    )


def _still_falling(curves: Curves, best: StepMetrics) -> bool:
    around = [m.loss for m in curves.train if m.step <= best.step][-(len(curves.train) // 4) :]
    return not around or curves.end().loss <= statistics.median(around)


def _fix(best: StepMetrics) -> str:
    if best.step == 0:
        return "the validation rows never gained: check that they are of the same task, or add training rows"
    return f"set train.epochs: {max(best.epoch, 0.1):.1f}, or add training rows"
