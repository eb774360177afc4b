"""Too little, or more than needed, for this job."""

from __future__ import annotations

from collections.abc import Iterable

from truetune.core.records import DataSizing, Finding, Severity
from truetune.stages.data.balance.sizing import amount
from truetune.stages.data.checks.base import NO_ROWS, Check, Threshold
from truetune.stages.data.corpus import Corpus

LITTLE_CODE = "data.sizing.too_little"
MUCH_CODE = "data.sizing.more_than_needed"
_LITTLE_FIX = (
    "collect more examples that differ, not rephrasings; until then compare with the few-shot base, which may do as well"
)
_MUCH_FIX = "train on a part first and look at the learning curve: better rows help more than more rows"
_SOURCE = "by job; see the page of this code"


def _find_little(corpus: Corpus) -> Iterable[Finding]:
    sizing = corpus.sizing
    if sizing and sizing.verdict == "too little":
        yield _finding(LITTLE_CODE, "warn", sizing, f"the job needs at least {sizing.floor:,}", _LITTLE_FIX)


def _find_much(corpus: Corpus) -> Iterable[Finding]:
    sizing = corpus.sizing
    if sizing and sizing.verdict == "more than needed":
        yield _finding(MUCH_CODE, "note", sizing, f"{sizing.plenty:,} are more than most jobs of this kind use", _MUCH_FIX)


def _finding(code: str, severity: Severity, sizing: DataSizing, why: str, fix: str) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        message=f"there {'is' if sizing.have_high == 1 else 'are'} {amount(sizing.have_low, sizing.have_high, sizing.unit)} "
        f"({sizing.job}); {why}",
        evidence={"job": sizing.job, "have": [sizing.have_low, sizing.have_high], "reasons": list(sizing.reasons)},
        fix=fix,
    )


LITTLE = Check(
    code=LITTLE_CODE,
    severity="warn",
    claim="There are enough really different examples to start this job with.",
    fix=_LITTLE_FIX,
    find=_find_little,
    ways=NO_ROWS,
    thresholds=(
        Threshold("labels: different examples a class", 8, "SetFit (2209.11055)"),
        Threshold("JSON, short answers, free text: different examples", 50, "OpenAI's fine-tuning guide"),
        Threshold("preference: different pairs", 200, "ours"),
    ),
)

MUCH = Check(
    code=MUCH_CODE,
    severity="note",
    claim="There are not many more examples than the job needs.",
    fix=_MUCH_FIX,
    find=_find_much,
    ways=NO_ROWS,
    thresholds=(
        Threshold("labels: different examples a class", 1000, "ours"),
        Threshold("JSON, short answers: different examples", 10_000, "ours"),
        Threshold("free text: different examples", 30_000, "ours"),
        Threshold("preference: different pairs", 60_000, "ours, about the size of the set of Zephyr (2310.16944)"),
    ),
)
