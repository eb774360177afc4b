"""Training rows whose prompt also stands in a file that training must not see."""

from __future__ import annotations

from collections.abc import Iterable

from truetune.core.records import Finding
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import DROPPED, Check, Threshold
from truetune.stages.data.checks.leaks.between import Leak, leaks_between, said
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.neighbours.prompts import LONG_WORDS, NEAR_WORDS_FRAC

CODE = "data.leakage.split"
_FIX = "delete the training row (`truetune run` leaves it out); the held-out row stays where it is"


def _find(corpus: Corpus) -> Iterable[Finding]:
    for leaks in leaks_between(corpus, *corpus.both_sides):
        yield _finding(corpus, leaks)


def _finding(corpus: Corpus, leaks: list[Leak]) -> Finding:
    held = leaks[0].other
    train = corpus.refs([leak.row for leak in leaks])
    held_row = corpus.everyone[held]
    same = corpus.index.members[int(corpus.index.node_of[held])]
    held_refs = corpus.refs([position for position in same if position >= len(corpus.rows)])
    count = f"{len(train)} training rows" if len(train) > 1 else "a training row"
    return Finding(
        code=CODE,
        severity=leaks[0].severity,
        message=f"{count} {said(leaks)} {held_row.file}, line {held_row.line}",
        rows=(*train, *held_refs),
        groups=(train, held_refs),
        evidence={
            "train": excerpt(corpus.rows[leaks[0].row].prompt),
            "held_out": excerpt(held_row.prompt),
            "jaccard": [round(leak.jaccard, 3) for leak in leaks[:8]],
        },
        fix=_FIX,
    )


CHECK = Check(
    code=CODE,
    severity="block",
    claim="No training row asks what a held-out row asks, in the same words, nearly, or in other words.",
    fix=_FIX,
    find=_find,
    ways=DROPPED,
    thresholds=(
        Threshold("share of the longer prompt's words kept in order", NEAR_WORDS_FRAC, "as for near-duplicates"),
        Threshold("a near copy blocks from so many words on", LONG_WORDS, "as for near-duplicates"),
    ),
)
