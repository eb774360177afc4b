"""Rows that stand on two of the sides that training does not see: what is chosen on the one is then tested on the same rows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from truetune.core.records import Finding
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import NO_ROWS, Check, Threshold
from truetune.stages.data.checks.leaks.between import Leak, leaks_between, said
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.neighbours.prompts import LONG_WORDS, NEAR_WORDS_FRAC

CODE = "data.leakage.held_out"
_FIX = "delete the row from one of the two (from validation rather than from the test)"


def _find(corpus: Corpus) -> Iterable[Finding]:
    for (one, rows), (other, others) in combinations(corpus.sides, 2):
        for leaks in leaks_between(corpus, rows, others):
            yield _finding(corpus, (one, other), leaks)


def _finding(corpus: Corpus, sides: tuple[str, str], leaks: list[Leak]) -> Finding:
    rows, others = corpus.refs([leak.row for leak in leaks]), corpus.refs([leaks[0].other])
    count = f"{len(rows)} rows" if len(rows) > 1 else "a row"
    return Finding(
        code=CODE,
        # Training is not spoilt by it, but a score is.
        severity="note" if leaks[0].how == "reworded" else "warn",
        message=f"{count} of {sides[0]} {said(leaks)} {sides[1]}: {others[0].file}, line {others[0].line}",
        rows=(*rows, *others),
        groups=(rows, others),
        evidence={
            "first": excerpt(corpus.everyone[leaks[0].row].prompt),
            "second": excerpt(corpus.everyone[leaks[0].other].prompt),
            "jaccard": [round(leak.jaccard, 3) for leak in leaks[:8]],
        },
        fix=_FIX,
    )


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="No row of one held-out side (validation, test, gold set, each file of --against) is asked on another one too.",
    fix=_FIX,
    find=_find,
    ways=NO_ROWS,
    thresholds=(
        Threshold("share of the longer prompt's words kept in order", NEAR_WORDS_FRAC, "as for near-duplicates"),
        Threshold("a near copy counts whatever its answer from so many words on", LONG_WORDS, "as for near-duplicates"),
    ),
)
