"""Yes or no: what an answer to a yes-or-no question says, in one word or in its first clause."""

from __future__ import annotations

import re
from collections.abc import Iterator

from truetune.stages.data.substance.reading import Reading, is_negated_by_prefix, read
from truetune.stages.data.substance.words import AUXILIARIES, NEGATIONS, NO, OPPOSITES, REFUSALS, YES

_HEAD = re.compile(r"\W*([a-z]+)(?:\s*[,.!;:–—-]|\s+(?:it|you|we|they|he|she|i|this|that|there|the)\b|\s*$)", re.IGNORECASE)
_ALTERNATIVE = re.compile(r"\bor\b(?! not\b)", re.IGNORECASE)
_LIMITS = frozenset(("only", "unless", "until", "till", "except"))
_CLAUSE_WORDS = 7

Found = tuple[str, tuple[int, int], tuple[int, int]]


def yes_or_no(question: str, a: Reading, b: Reading) -> Iterator[Found]:
    """The parts that say yes on one side and no on the other."""
    heads = [_head(reading) for reading in (a, b)]
    sides = heads
    if _is_yes_or_no_question(question) and not any(map(_limits, (a, b))):
        asked = frozenset(i.stem for i in read(question).whole.items)
        sides = [head or _first_clause(reading, asked) for head, reading in zip(heads, (a, b), strict=True)]
    if sides[0] and sides[1] and sides[0][0] != sides[1][0] and any(heads):
        yield "yes/no", sides[0][1], sides[1][1]
    elif sides[0] and sides[1] and sides[0][0] != sides[1][0]:
        yield "negation", sides[0][1], sides[1][1]


def _limits(reading: Reading) -> bool:
    """Is it yes and no at once ("only until Friday")?"""
    return bool(reading.statements) and any(item.norm in _LIMITS for item in reading.statements[0].items)


def _head(reading: Reading) -> tuple[bool, tuple[int, int]] | None:
    match = _HEAD.match(reading.text)
    if match is None:
        return None
    word = match[1].casefold()
    return (word in YES, match.span(1)) if word in YES | NO else None


def _is_yes_or_no_question(question: str) -> bool:
    """Does the last sentence begin with an auxiliary, and offer no alternative?"""
    asked = [part.strip() for part in re.split(r"(?<=[.!?\n])\s+", question.strip()) if part.strip()]
    words = re.findall(r"[a-z']+", asked[-1].casefold()) if asked else []
    while words and words[0] in ("and", "so", "hi", "hello", "please", "but"):
        words = words[1:]
    return bool(words) and words[0].removesuffix("n't") in AUXILIARIES and not _ALTERNATIVE.search(asked[-1])


def _first_clause(reading: Reading, asked: frozenset[str]) -> tuple[bool, tuple[int, int]] | None:
    """What the first clause with an auxiliary says: "you can" yes, "you can not" and "it is forbidden" no."""
    if not reading.statements:
        return None
    statement = reading.statements[0]
    clause = [i for i in statement.items if i.clause == statement.items[0].clause]
    verb = next((place for place, i in enumerate(clause[:_CLAUSE_WORDS]) if i.norm in AUXILIARIES), None)
    if verb is None:
        return None
    turns = [i for i in clause if i.norm in NEGATIONS - {"without"} or i.norm in REFUSALS or is_negated_by_prefix(i)]
    turns += [i for i in clause if OPPOSITES.get(i.stem, frozenset()) & asked and i not in turns]
    place = turns[0] if turns else clause[verb]
    return len(turns) % 2 == 0, (place.start, place.end)
