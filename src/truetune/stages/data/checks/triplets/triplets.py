"""Embedding triplets that teach nothing, or the wrong thing: a positive that is its query, a negative that is no other text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from truetune.core.records import Finding
from truetune.core.sensitive.masking import excerpt
from truetune.core.text import word_features, words
from truetune.stages.data.checks.base import DROPPED, Check
from truetune.stages.data.checks.contradictions.same_question import same_question
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row

POSITIVE_CODE = "data.triplet.positive"
NEGATIVE_CODE = "data.triplet.negative"
_POSITIVE_FIX = "give the query a text that answers or restates it in other words, or delete the row"
_NEGATIVE_FIX = "take a negative that is really about something else, or delete it"


def _find_positives(corpus: Corpus) -> Iterable[Finding]:
    for row in map(corpus.rows.__getitem__, corpus.rows.triplets):
        if words(row.prompt) == words(row.answer):
            yield Finding(
                code=POSITIVE_CODE,
                severity="block",
                message="the positive is the query itself",
                rows=(row.ref,),
                evidence={"query": excerpt(row.prompt), "positive": excerpt(row.answer)},
                fix=_POSITIVE_FIX,
            )


def _find_negatives(corpus: Corpus) -> Iterable[Finding]:
    for row in map(corpus.rows.__getitem__, corpus.rows.triplets):
        for number, negative in enumerate(row.negatives, start=1):
            said = _same_as(row, negative)
            if said is not None:
                which = f"negative {number}" if len(row.negatives) > 1 else "the negative"
                yield Finding(
                    code=NEGATIVE_CODE,
                    severity="block",
                    message=f"{which} {said}",
                    rows=(row.ref,),
                    evidence={"query": excerpt(row.prompt), "positive": excerpt(row.answer), "negative": excerpt(negative)},
                    fix=_NEGATIVE_FIX,
                )


def _same_as(row: Row, negative: str) -> str | None:
    """What a negative wrongly says again; None where it is one."""
    for text, name in ((row.answer, "positive"), (row.prompt, "query")):
        theirs, own = words(text), words(negative)
        if theirs == own:
            return f"is the {name}"
        if says_the_same(theirs, own):
            return f"says what the {name} says"
    return None


def says_the_same(first: list[str], second: list[str]) -> bool:
    """Do two texts differ by typing errors and courtesies only, or, long ones, by very few words?

    A hard negative is *meant* to share most words with the positive: a single other word that carries meaning tells them apart.
    """
    left, right = set(word_features(first)), set(word_features(second))
    if not left or not right:
        return False
    return _is_one_slip(first, second) or same_question(first, second, len(left & right) / len(left | right))


def _is_one_slip(first: Sequence[str], second: Sequence[str]) -> bool:
    """Is it the same but for two letters that changed places in one word? In a text of four words that is a quarter of it."""
    differing = [(a, b) for a, b in zip(first, second, strict=False) if a != b]
    if len(first) != len(second) or len(differing) != 1:
        return False
    (a, b), places = differing[0], [place for place, (x, y) in enumerate(zip(*differing[0], strict=False)) if x != y]
    return len(a) == len(b) and len(places) == 2 and places[1] == places[0] + 1 and sorted(a) == sorted(b) and a.isalpha()


POSITIVE = Check(
    code=POSITIVE_CODE,
    severity="block",
    claim="No triplet's positive is its query, compared by words.",
    fix=_POSITIVE_FIX,
    find=_find_positives,
    ways=DROPPED,
)

NEGATIVE = Check(
    code=NEGATIVE_CODE,
    severity="block",
    claim="No triplet's negative says what its positive or its query says, up to typing errors and courtesies.",
    fix=_NEGATIVE_FIX,
    find=_find_negatives,
    ways=DROPPED,
)
