"""The two answers that are laid beside each other, with their question."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from truetune.stages.data.substance.reading import Item, Reading, Statement
from truetune.stages.data.substance.values import are_unrelated

WHOLE_WORDS = 30
"""Answers of at most so many words are laid beside each other as a whole, longer ones sentence by sentence. Source: stated."""

Found = tuple[str, tuple[int, int], tuple[int, int]]
"""A kind of difference, and where it stands in either answer."""


@dataclass(frozen=True)
class Answers:
    """The two answers as a whole, and what was asked."""

    left: Reading
    right: Reading
    asked: Statement

    @cached_property
    def asked_stems(self) -> frozenset[str]:
        """The words of the question."""
        return frozenset(item.stem for item in self.asked.items)

    @property
    def asks_twice(self) -> bool:
        """Is it asked who does it to whom, or for one and another?"""
        return sum(item.norm in ("who", "whom", "which", "what") for item in self.asked.items) > 1

    @property
    def are_short(self) -> bool:
        """May the answers be laid beside each other as a whole?"""
        return max(self.left.words, self.right.words) <= WHOLE_WORDS

    def was_given(self, item: Item) -> bool:
        """Did the question itself name the value, and offer no other?"""
        offered = [value for value in self.asked.values if kind_of(value) == kind_of(item)]
        return len(offered) == 1 and agree(item, offered[0]) and _may_count_the_same(item, offered[0])


def kind_of(item: Item) -> str:
    """The kind of its value; "name" where it is none."""
    return item.value.kind if item.value is not None else "name"


def agree(a: Item, b: Item) -> bool:
    """May the two values be the same one?"""
    if a.value is None or b.value is None or not a.value.is_comparable(b.value):
        return False
    return a.value.agrees(b.value) and not are_unrelated(a.value, b.value)


def _may_count_the_same(a: Item, b: Item) -> bool:
    """Do not both say what they count, and say different things ("two doses", "two hours")?"""
    counted = {i.value.dimension for i in (a, b) if i.value is not None and i.value.dimension}
    return len(counted) < 2
