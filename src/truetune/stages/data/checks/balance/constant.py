"""One answer to nearly every prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from truetune.core.records import Finding, TaskShape
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import NO_ROWS, Check, Threshold
from truetune.stages.data.corpus import Corpus

CODE = "data.balance.constant"
_FIX = "leave out most rows with this answer, or collect rows that are answered in another way"

CONSTANT_FRAC = 0.5
"""From this share of one and the same free answer on, long or short, giving it is what the data teaches. Source: ours: it is
then the most likely answer to any prompt."""
FREQUENT_FRAC = 0.1
"""From this share on it is worth knowing, where answers are texts; of short facts many are alike. Source: ours."""
CLOSED_FRAC = 0.95
"""... and from this share of one label or one JSON answer on. Source: ours; `data.balance.labels` judges each value by itself."""
_FRACS: Mapping[TaskShape, tuple[float, float]] = {
    "text": (FREQUENT_FRAC, CONSTANT_FRAC),
    "exact": (CONSTANT_FRAC, CONSTANT_FRAC),
    "labels": (CLOSED_FRAC, CLOSED_FRAC),
    "json": (CLOSED_FRAC, CLOSED_FRAC),
}
"""By the kind of answer: from which share on it is a note, and from which on a warning."""
_ROWS_MIN = 50
_SHOWN = 20


def _find(corpus: Corpus) -> Iterable[Finding]:
    rows, positions = len(corpus.rows), corpus.balance.commonest_answer
    frac = len(positions) / max(1, rows)
    worth_knowing, teaches = _FRACS[corpus.profile.shape]
    if rows < _ROWS_MIN or frac < worth_knowing:
        return
    yield Finding(
        code=CODE,
        severity="warn" if frac >= teaches else "note",
        message=f"{frac:.0%} of the rows have one and the same answer",
        rows=corpus.refs([int(p) for p in positions[:_SHOWN]]),
        evidence={"answer": excerpt(corpus.rows[int(positions[0])].answer), "rows": len(positions), "of": rows},
        fix=_FIX,
    )


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="No single answer is given to most prompts.",
    fix=_FIX,
    find=_find,
    ways=NO_ROWS,
    thresholds=(
        Threshold("share of one free answer, long or short (warn)", CONSTANT_FRAC, "ours"),
        Threshold("share of one free-text answer (note)", FREQUENT_FRAC, "ours"),
        Threshold("share of one label or JSON answer (warn)", CLOSED_FRAC, "ours"),
    ),
)
