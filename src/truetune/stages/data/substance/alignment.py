"""Which sentences of two answers are about the same, and which of their words stand in the same place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from truetune.stages.data.substance.reading import Item, Statement
from truetune.stages.data.substance.words import shared

ABOUT_FRAC = 0.5
"""Two statements are about the same where the shorter one shares so many of its words with content. Source: stated."""

IN_PLACE_RATIO = 0.6
"""Words are in the same place where so much of the two statements is the same in the same order. Source: stated."""

ALIKE_RATIO = 0.5
"""Two statements are worded alike where so much of them is the same in the same order. Source: measured: of 2,788
pairs of answers that say the same in other people's words the rules take 125 for a denial, an opposite, another order or another
thing, and one of these reaches it (docs/log.md)."""

NEARLY_EQUAL_FRAC = 0.8
"""Of two statements as long as each other so many words are the same, each in its place. Source: stated."""

FEW_WORDS = 2
"""A statement of so few words beside its values and the question's own words is about what was asked. Source: stated."""

_MOST_SENTENCES = 60
_MOST_REPLACED = 4
_MOST_ITEMS = 300
"""Aligning two statements costs the product of their lengths."""


def shared_content(a: Statement, b: Statement) -> float:
    """The share of the shorter statement's words with content that the other one has; 0 where there are none."""
    shorter, longer = sorted((a.content, b.content), key=len)
    if not shorter:
        return 0.0
    return shared(shorter, longer) / len(shorter)


def about_the_same(a: Statement, b: Statement, asked: frozenset[str]) -> bool:
    """Are two answers to one question about the same? A bare answer ("20 euros", "in Lisbon") is about what was asked."""
    own = [own_words(s, asked) for s in (a, b)]
    return min(len(words) for words in own) <= FEW_WORDS or shared_content(a, b) >= ABOUT_FRAC


def own_words(statement: Statement, asked: frozenset[str]) -> set[str]:
    """The words with content that the question did not have; values and names aside."""
    return {i.stem for i in statement.items if i.has_content and i.value is None and not i.is_name and i.stem not in asked}


def sentence_pairs(left: Sequence[Statement], right: Sequence[Statement]) -> list[tuple[Statement, Statement]]:
    """Sentences that are each other's closest, and about the same; each sentence once."""
    left, right = left[:_MOST_SENTENCES], right[:_MOST_SENTENCES]
    table = [[_closeness(a, b) for b in right] for a in left]
    pairs = []
    for i, row in enumerate(table):
        best = max(range(len(row)), key=row.__getitem__, default=None)
        if best is None or row[best] == 0.0:
            continue
        if row[best] >= max(table[k][best] for k in range(len(left))):
            pairs.append((left[i], right[best]))
    return [*pairs, *_left_over(left, right, pairs)]


def _left_over(
    left: Sequence[Statement], right: Sequence[Statement], pairs: Sequence[tuple[Statement, Statement]]
) -> Iterator[tuple[Statement, Statement]]:
    """The sentences at the same place of answers that are otherwise the same sentence by sentence."""
    paired = {(id(a), id(b)) for a, b in pairs}
    beside = list(zip(left, right, strict=False))
    if len(left) == len(right) and sum((id(a), id(b)) in paired for a, b in beside) >= len(left) / 2:
        yield from ((a, b) for a, b in beside if (id(a), id(b)) not in paired)


def _closeness(a: Statement, b: Statement) -> float:
    """How alike two sentences are; 0 where they are not about the same."""
    common = shared(a.content, b.content)
    shorter, union = min(len(a.content), len(b.content)), len(a.content) + len(b.content) - common
    if not shorter or common < min(2, shorter) or common < ABOUT_FRAC * shorter:
        return 0.0
    return common / union


def aligned_pairs(a: Statement, b: Statement) -> Iterator[tuple[Item, Item]]:
    """Items that stand in each other's place in statements that are otherwise largely the same; none in endless ones."""
    if max(len(a.items), len(b.items)) > _MOST_ITEMS:
        return
    matcher = SequenceMatcher(None, [_place_key(i) for i in a.items], [_place_key(i) for i in b.items], autojunk=False)
    if matcher.ratio() < IN_PLACE_RATIO and len(a.items) + len(b.items) > 2 * FEW_WORDS:
        return
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "replace" and max(j - i, m - k) <= _MOST_REPLACED:
            yield from _replaced(a.items[i:j], b.items[k:m])


def are_worded_alike(a: Statement, b: Statement) -> bool:
    """Does each keep half of the other's words in their order? Endless statements do not."""
    if max(len(a.items), len(b.items)) > _MOST_ITEMS:
        return False
    matcher = SequenceMatcher(None, [i.stem for i in a.items], [i.stem for i in b.items], autojunk=False)
    return matcher.ratio() >= ALIKE_RATIO


def are_nearly_equal(a: Statement, b: Statement) -> bool:
    """Is one statement the other with a word or two exchanged, none added and none left out?"""
    if len(a.items) != len(b.items):
        return False
    differing = sum(_place_key(x) != _place_key(y) for x, y in zip(a.items, b.items, strict=True))
    return differing <= max(1, (1 - NEARLY_EQUAL_FRAC) * len(a.items))


def _replaced(a: Sequence[Item], b: Sequence[Item]) -> Iterator[tuple[Item, Item]]:
    """The values of a replaced part in their order, then its names, then the rest."""
    for pick in (lambda i: i.value is not None, lambda i: i.is_name, lambda i: i.value is None and not i.is_name):
        yield from zip([i for i in a if pick(i)], [i for i in b if pick(i)], strict=False)


def _place_key(item: Item) -> str:
    return item.stem
