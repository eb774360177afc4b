"""Yes or no: what an answer to a yes-or-no question says, in one word or by what it says of the thing asked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from truetune.stages.data.substance.answers import Found
from truetune.stages.data.substance.reading import Reading, Statement
from truetune.stages.data.substance.stance import LIMITS, Stance, first_clause, of_what_was_asked, turns
from truetune.stages.data.substance.words import AUXILIARIES, NEGATIONS, NO, YES

_HEAD = re.compile(r"\W*([a-z]+)(?:\s*[,.!;:–—-]|\s+(?:it|you|we|they|he|she|i|this|that|there|the)\b|\s*$)", re.IGNORECASE)
_TAIL = re.compile(r"(?:\bso|[,;:–—-])\s+(yes|no)\W*$", re.IGNORECASE)
"""A yes or no that the answer ends with."""
_ALTERNATIVE = re.compile(r"\bor\b(?! not\b)", re.IGNORECASE)


def yes_or_no(question: str, asked: Statement, a: Reading, b: Reading) -> Iterator[Found]:
    """The parts that say yes on one side and no on the other."""
    heads = [_head(reading) for reading in (a, b)]
    sides = heads
    is_asked_plainly = not any(item.norm in NEGATIONS - {"without"} for item in asked.items)
    if _is_yes_or_no_question(question) and not all(heads) and is_asked_plainly:
        sides = [head or of_what_was_asked(reading, asked) for head, reading in zip(heads, (a, b), strict=True)]
        sides = _with_not_yet(sides, (a, b), asked)
    if sides[0] and sides[1] and sides[0][0] != sides[1][0]:
        yield "yes/no" if any(heads) else "negation", sides[0][1], sides[1][1]


def _with_not_yet(sides: list[Stance | None], answers: tuple[Reading, Reading], asked: Statement) -> list[Stance | None]:
    """Beside a yes without a limit, "you can't until ..." says no."""
    for place, other in ((0, 1), (1, 0)):
        says_yes, clause = sides[other], first_clause(answers[place])
        if sides[place] is None and says_yes is not None and says_yes[0] and clause.items:
            is_limited = any(i.norm in LIMITS for i in answers[other].whole.items)
            turned = turns(clause, asked)
            if not is_limited and len(turned) == 1 and any(i.norm in ("until", "till") for i in clause.items):
                sides[place] = False, turned[0].span
    return sides


def _head(reading: Reading) -> Stance | None:
    for match in (_HEAD.match(reading.text), _TAIL.search(reading.text)):
        if match is not None and (word := match[1].casefold()) in YES | NO:
            return word in YES, match.span(1)
    return None


def is_head(part: tuple[int, int], answer: Reading) -> bool:
    """Is it the answer's yes or no in so many words?"""
    head = _head(answer)
    return head is not None and head[1] == part


def _is_yes_or_no_question(question: str) -> bool:
    """Does the last sentence begin with an auxiliary, and offer no alternative?"""
    asked = [part.strip() for part in re.split(r"(?<=[.!?\n])\s+", question.strip()) if part.strip()]
    words = re.findall(r"[a-z']+", asked[-1].casefold()) if asked else []
    while words and words[0] in ("and", "so", "hi", "hello", "please", "but"):
        words = words[1:]
    return bool(words) and words[0].removesuffix("n't") in AUXILIARIES and not _ALTERNATIVE.search(asked[-1])
