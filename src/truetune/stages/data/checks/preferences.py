"""Preference rows that prefer nothing: both sides the same, or answers to different prompts."""

from __future__ import annotations

from collections.abc import Iterable

from truetune.core.records import Finding
from truetune.stages.data.checks.base import DROPPED, NEVER_A_ROW, Check, fault_findings
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.sensitive import excerpt
from truetune.stages.data.text import normalise

SAME_CODE = "data.preference.same"
PROMPT_CODE = "data.preference.prompt"
_SAME_FIX = "give the row a rejected answer that is worse than the chosen one, or delete it"
_PROMPT_FIX = "make `chosen` and `rejected` answers to the same prompt, or delete the row"


def _find_same(corpus: Corpus) -> Iterable[Finding]:
    for row in corpus.rows:
        if row.rejected is not None and normalise(row.rejected) == normalise(row.answer):
            yield Finding(
                code=SAME_CODE,
                severity="block",
                message="the chosen and the rejected answer are the same",
                rows=(row.ref,),
                evidence={"prompt": excerpt(row.prompt), "answer": excerpt(row.answer)},
                fix=_SAME_FIX,
            )


SAME = Check(
    code=SAME_CODE,
    severity="block",
    claim="The chosen and the rejected answer of a preference row are different.",
    fix=_SAME_FIX,
    find=_find_same,
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
