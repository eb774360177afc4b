"""Different answers that begin with the same words: the seed of modal collapse."""

from __future__ import annotations

from collections.abc import Iterable

from truetune.core.records import Finding
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.balance.traits import OPENING_WORDS
from truetune.stages.data.checks.base import NO_ROWS, Check, Threshold
from truetune.stages.data.corpus import Corpus

CODE = "data.style.openings"
_FIX = "rewrite some of these answers so that they begin in other ways; where it is a fixed format, leave it as it is"

REPEATED_FRAC = 0.3
"""From this share of different answers with one opening on, a model begins nearly everything so. Source: ours; the first
words decide what follows, and greedy decoding takes the most frequent ones."""
NOTED_FRAC = 0.1
"""From this share on it is worth knowing. Source: ours; measured rates of real data stand on the page of this code."""
FORMAT_FRAC = 0.9
"""From this share on the opening is a format that was decided on, not a habit. Source: ours."""
ANSWERS_MIN = 50
"""With fewer different answers a few alike say nothing. Source: ours."""
_SHOWN = 20


def _find(corpus: Corpus) -> Iterable[Finding]:
    answers = corpus.balance.different_answers
    if answers < ANSWERS_MIN:
        return
    for opening in corpus.balance.openings:
        frac = opening.answers / answers
        if frac < NOTED_FRAC:
            return
        yield Finding(
            code=CODE,
            severity="warn" if REPEATED_FRAC <= frac < FORMAT_FRAC else "note",
            message=f"{frac:.0%} of the different answers begin with “{excerpt(opening.words)}”",
            rows=corpus.refs([int(p) for p in opening.positions[:_SHOWN]]),
            evidence={
                "opening": excerpt(opening.words),
                "answers": opening.answers,
                "of": answers,
                "different_openings": corpus.balance.different_openings,
            },
            fix=_FIX,
        )


CHECK = Check(
    code=CODE,
    severity="warn",
    claim=f"Different free-text answers do not begin with the same {OPENING_WORDS} words.",
    fix=_FIX,
    find=_find,
    ways=NO_ROWS,
    thresholds=(
        Threshold("share of the different answers (warn)", REPEATED_FRAC, "ours; see the page of this code"),
        Threshold("share of the different answers (note)", NOTED_FRAC, "ours; see the page of this code"),
        Threshold("share from which it is a format (note)", FORMAT_FRAC, "ours"),
        Threshold("different answers", ANSWERS_MIN, "ours"),
    ),
)
