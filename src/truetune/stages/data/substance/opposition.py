"""Statements about the same of which one turns the other round: by a negation, or by a word that says the contrary."""

from __future__ import annotations

from collections.abc import Iterator

from truetune.stages.data.substance.alignment import FEW_WORDS, own_words, shared_content
from truetune.stages.data.substance.reading import Item, Statement
from truetune.stages.data.substance.words import NEGATIONS, OPPOSITES, RELATIONS, TURNS, shared, stem

SHARED_FRAC = 0.6
"""Of the shorter statement's other words so many must be the other's too. Source: stated."""

Found = tuple[str, tuple[int, int], tuple[int, int]]


def opposites_and_negations(left: Statement, right: Statement, asked: frozenset[str]) -> Iterator[Found]:
    """What turns one statement round; where there are two such things, they cancel each other ("not open", "closed")."""
    opposed, denied = list(_opposed(left, right)), list(_denied(left, right))
    turned = [
        (x, y)
        for x, y in opposed
        if (x.stem in left.negated) == (y.stem in right.negated) and _fits(left, right, x.stem, y.stem, asked)
    ]
    if opposed and denied:
        return
    if not (len(turned) == 2 and all(x.norm in RELATIONS for x, _ in turned)):
        for x, y in turned:
            yield "opposite", (x.start, x.end), (y.start, y.end)
    for x, y in denied:
        yield "negation", (x.start, x.end), (y.start, y.end)


def _opposed(left: Statement, right: Statement) -> Iterator[tuple[Item, Item]]:
    """Words of which each stands on its own side only, and that say the contrary of each other."""
    here, there = ({i.stem for i in side.items if i.value is None} for side in (left, right))
    for x in left.items:
        if x.value is not None or x.stem in there or x.stem not in OPPOSITES or OPPOSITES[x.stem] & here:
            continue
        for y in right.items:
            if y.stem in OPPOSITES[x.stem] and y.stem not in here and not OPPOSITES[y.stem] & there:
                if not (x.norm in RELATIONS and _things_exchanged(left, right, x, y)):
                    yield x, y
                break


def _things_exchanged(left: Statement, right: Statement, x: Item, y: Item) -> bool:
    """In "A before B" and "B after A", what stands before one word stands after the other."""
    before, after = _around(left, x), _around(right, y)
    straight = len(before[0] & after[0]) + len(before[1] & after[1])
    crossed = len(before[0] & after[1]) + len(before[1] & after[0])
    return crossed >= 2 and crossed > straight


def _around(statement: Statement, item: Item) -> tuple[set[str], set[str]]:
    place = statement.items.index(item)
    sides = statement.items[:place], statement.items[place + 1 :]
    before, after = ({i.stem for i in side if i.has_content} for side in sides)
    return before, after


def _fits(left: Statement, right: Statement, x: str, y: str, asked: frozenset[str]) -> bool:
    """Are the statements the same but for the two words, or do they say little else than one of them?"""
    a, b = left.content - {x}, right.content - {y}
    shorter, longer = sorted((a, b), key=len)
    own = min((own_words(side, asked) - {word} for side, word in ((left, x), (right, y))), key=len)
    if len(own) < FEW_WORDS:
        return True
    return shared(shorter, longer) >= SHARED_FRAC * len(shorter)


def _denied(left: Statement, right: Statement) -> Iterator[tuple[Item, Item]]:
    """A word that one side negates and the other, which negates nothing, says plainly.

    Nothing where "only", "until" or the like turns it back.
    """
    if shared_content(left, right) < SHARED_FRAC or _turns(left) ^ _turns(right):
        return
    if left.negated and not right.negated:
        for word, by in left.negated.items():
            if word in right.content:
                yield by, next(i for i in right.items if i.stem == word)
                return
    elif right.negated and not left.negated:
        for word, by in right.negated.items():
            if word in left.content:
                yield next(i for i in left.items if i.stem == word), by
                return
    else:
        yield from _one_more(left, right)


def _one_more(left: Statement, right: Statement) -> Iterator[tuple[Item, Item]]:
    """Statements that are the same word for word, but for one negation."""
    sides = [[i for i in side.items if i.norm not in ("do", "does", "did")] for side in (left, right)]
    shorter, longer = sorted(sides, key=len)
    if len(longer) != len(shorter) + 1:
        return
    place = next((n for n, (x, y) in enumerate(zip(shorter, longer, strict=False)) if x.norm != y.norm), len(shorter))
    if longer[place].norm not in NEGATIONS or [i.norm for i in shorter[place:]] != [i.norm for i in longer[place + 1 :]]:
        return
    other = shorter[min(place, len(shorter) - 1)]
    yield (other, longer[place]) if shorter is sides[0] else (longer[place], other)


_TURN_STEMS = frozenset(map(stem, TURNS))


def _turns(statement: Statement) -> frozenset[str]:
    return frozenset(i.stem for i in statement.items if i.stem in _TURN_STEMS)
