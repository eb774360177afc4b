"""Nothing but the task: what a model is not shown while it is tuned, it forgets."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from truetune.core.records import Finding
from truetune.stages.data.checks.base import NO_ROWS, Check, Threshold
from truetune.stages.data.corpus import Corpus

CODE = "data.balance.off_task"
_FIX = (
    "set data.replay in truetune.yaml to a file of general instructions, or leave it so if the model will never do anything else"
)

OFF_TASK_FRAC = 0.01
"""From this share of other rows on the model is shown something else. Source: Scialom et al. 2022 (2205.12393): rehearsing 1
% of the earlier data kept nearly all of the earlier tasks."""
_ROWS_MIN = 50


def _find(corpus: Corpus) -> Iterable[Finding]:
    shaped = corpus.balance.has_shape
    if corpus.has_replay or corpus.profile.shape == "text" or len(shaped) < _ROWS_MIN:
        return
    others = int(np.count_nonzero(~shaped))
    if others >= OFF_TASK_FRAC * len(shaped):
        return
    yield Finding(
        code=CODE,
        severity="note",
        message=f"{others or 'none'} of {len(shaped)} answers {'is' if others == 1 else 'are'} anything but the task's: "
        "a model trained on one task alone forgets to do anything else",
        evidence={"off_task_rows": others, "of": len(shaped), "shape": corpus.profile.shape},
        fix=_FIX,
    )


CHECK = Check(
    code=CODE,
    severity="note",
    claim="Beside the task's own rows there are some of other kinds.",
    fix=_FIX,
    find=_find,
    ways=NO_ROWS,
    thresholds=(Threshold("share of other rows", OFF_TASK_FRAC, "Scialom et al. 2022 (2205.12393): 1 % rehearsal"),),
)
