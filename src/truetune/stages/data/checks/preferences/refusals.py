"""Preference pairs that mostly say whether to refuse: refusals that stand on one side of the pairs only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from truetune.core.records import Finding
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import NO_ROWS, Check, Threshold
from truetune.stages.data.checks.preferences.sign_test import sign_test_p
from truetune.stages.data.checks.records.boilerplate import REFUSAL, kind_of
from truetune.stages.data.corpus import Corpus

CODE = "data.preference.refusals"
_REJECTED_FIX = "add pairs in which refusing is the better answer, or leave out pairs whose rejected answer is a refusal"
_CHOSEN_FIX = "add pairs in which answering is the better answer, or leave out pairs whose chosen answer is a refusal"

SHARE_FRAC = 0.1
"""From this share of the pairs on, what they say about refusing is heard. Source: stated; see the page of this code."""
PAIRS_MIN = 50
"""Source: stated: as for the other checks that look at all pairs together."""
P_MAX = 0.01
"""Source: stated: a sign test on the pairs of which one side refuses."""


def _find(corpus: Corpus) -> Iterable[Finding]:
    pairs = len(corpus.rows.pairs)
    chosen: list[int] = []
    rejected: list[int] = []
    for position in corpus.rows.pairs:
        row = corpus.rows[position]
        sides = (row.answer, row.rejected or "")
        refuses = tuple(kind_of(text, no_value_is_an_answer=True, prompt=row.prompt) == REFUSAL for text in sides)
        if refuses == (True, False):
            chosen.append(position)
        elif refuses == (False, True):
            rejected.append(position)
    more, less, side = (rejected, chosen, "rejected") if len(rejected) >= len(chosen) else (chosen, rejected, "chosen")
    if pairs < PAIRS_MIN or len(more) < SHARE_FRAC * pairs or sign_test_p(len(more), len(less)) > P_MAX:
        return
    yield _finding(corpus, side, more, len(less), pairs)


def _finding(corpus: Corpus, side: str, positions: Sequence[int], others: int, pairs: int) -> Finding:
    row = corpus.rows[positions[0]]
    learned = "never to refuse" if side == "rejected" else "to refuse"
    return Finding(
        code=CODE,
        severity="warn",
        message=f"the {side} answer refuses in {len(positions)} of {pairs} pairs, the other one in {others}: "
        f"what is learned first is {learned}",
        rows=corpus.refs(positions),
        evidence={
            "pairs": pairs,
            "refusing_frac": round(len(positions) / pairs, 3),
            "prompt": excerpt(row.prompt),
            "refusal": excerpt((row.rejected or "") if side == "rejected" else row.answer),
        },
        fix=_REJECTED_FIX if side == "rejected" else _CHOSEN_FIX,
    )


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="Refusals do not stand on one side of the preference pairs only.",
    fix=_REJECTED_FIX,
    find=_find,
    ways=NO_ROWS,
    thresholds=(
        Threshold("share of the pairs of which that side refuses", SHARE_FRAC, "stated; see the page of this code"),
        Threshold("pairs", PAIRS_MIN, "stated: as for the other checks that look at all pairs together"),
        Threshold("largest p of a sign test", P_MAX, "stated"),
    ),
)
