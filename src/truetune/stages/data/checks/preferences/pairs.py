"""Preference rows that prefer nothing: both sides the same, or answers to different prompts."""

from __future__ import annotations

from truetune.core.records import TaskProfile
from truetune.core.sensitive.masking import excerpt
from truetune.core.text import normalise
from truetune.stages.data.checks.base import DROPPED, NEVER_A_ROW, Check, RowCheck, Said, fault_findings, say_each
from truetune.stages.data.rows.row import Row

SAME_CODE = "data.preference.same"
PROMPT_CODE = "data.preference.prompt"
_SAME_FIX = "give the row a rejected answer that is worse than the chosen one, or delete it"
_PROMPT_FIX = "make `chosen` and `rejected` answers to the same prompt, or delete the row"


def _look_same(row: Row, _: TaskProfile) -> Said | None:
    if row.rejected is None or normalise(row.rejected) != normalise(row.answer):
        return None
    evidence = {"prompt": excerpt(row.prompt), "answer": excerpt(row.answer)}
    return Said("the chosen and the rejected answer are the same", evidence)


SAME = RowCheck(
    code=SAME_CODE,
    severity="block",
    claim="The chosen and the rejected answer of a preference row are different.",
    fix=_SAME_FIX,
    look=_look_same,
    conclude=say_each(SAME_CODE, "block", _SAME_FIX),
    ways=DROPPED,
)

PROMPT = Check(
    code=PROMPT_CODE,
    severity="block",
    claim="Both sides of a preference row answer the same prompt.",
    fix=_PROMPT_FIX,
    find=fault_findings(PROMPT_CODE, _PROMPT_FIX),
    ways=NEVER_A_ROW,
)
