"""The most and the least that may be: "at most 5", "no less than 5", "before the 20th"."""

from __future__ import annotations

from collections.abc import Iterator

from truetune.stages.data.substance.answers import Found
from truetune.stages.data.substance.reading import Item, Reading, Statement
from truetune.stages.data.substance.values import Day, Interval, Value
from truetune.stages.data.substance.words import NEGATIONS

_MOST_VALUES = 12
"""Of a statement so many values are looked at: each is compared with each of the other's."""
_BOUNDS = (
    (-1, ("at", "most")), (-1, ("no", "more", "than")), (-1, ("not", "more", "than")), (-1, ("no", "longer", "than")),
    (-1, ("no", "later", "than")), (-1, ("maximum", "of")), (1, ("at", "least")), (1, ("no", "less", "than")),
    (1, ("not", "less", "than")), (1, ("no", "fewer", "than")), (1, ("minimum", "of")),
    (1, ("or", "more")), (-1, ("or", "less")), (-1, ("or", "fewer")),
)  # fmt: skip
"""What makes a value the most (-1) or the least that may be."""


def most_and_least(left: Statement, right: Statement, asked: Statement) -> Iterator[Found]:
    """One and the same value, which is the most on one side and the least on the other; the question may say which it is."""
    meant = next((side for side, word in ((-1, "maximum"), (1, "minimum")) if word in {i.norm for i in asked.items}), 0)
    for x, left_side in _bounded(left, meant):
        for y, right_side in _bounded(right, meant):
            if left_side == -right_side and x.value is not None and y.value is not None and x.value.agrees(y.value):
                yield "opposite", x.span, y.span


def _bounded(statement: Statement, meant: int) -> Iterator[tuple[Item, int]]:
    """The first values that are the most (-1) or the least that may be."""
    norms = [i.norm for i in statement.items]
    values = [(place, item) for place, item in enumerate(statement.items) if item.value is not None]
    for place, item in values[:_MOST_VALUES]:
        before = {tuple(norms[max(0, place - n) : place]) for n in (2, 3)}
        around = before | {tuple(norms[start : start + 2]) for start in (place + 1, place + 2)}  # what is counted may come first
        side = next((side for side, phrase in _BOUNDS if phrase in around), meant)
        if side:
            yield item, side


_SHORT_OF = frozenset("before under below".split())  # noqa: SIM905
_LESS = frozenset("less fewer earlier sooner younger shorter lighter cheaper".split())  # noqa: SIM905
"""Before "than" these leave out the value that follows, as what stands above does; "not less than 5" does not."""


def end_alike(part: tuple[int, int], a: Reading, other: tuple[int, int], b: Reading) -> bool:
    """Does one end just short of a value and the other with the one before it ("before the 20th", "up to the 19th")?"""
    (x, x_short), (y, y_short) = _valued(part, a), _valued(other, b)
    if x is None or y is None or x_short == y_short:
        return False
    first, after = (y, x) if x_short else (x, y)
    return any(_is_next(p, q) for p in first.readings for q in after.readings)


def _valued(part: tuple[int, int], answer: Reading) -> tuple[Value | None, bool]:
    """The value there, and whether it is left out."""
    items = answer.whole.items
    place = next((n for n, i in enumerate(items) if i.span == part), None)
    if place is None:
        return None, False
    before = [i.norm for i in items[max(0, place - 3) : place]]
    is_less = before[-1:] == ["than"] and not _LESS.isdisjoint(before) and NEGATIONS.isdisjoint(before)
    return items[place].value, is_less or not _SHORT_OF.isdisjoint(before[-2:])


def _is_next(first: Interval | Day | str, after: Interval | Day | str) -> bool:
    if isinstance(first, Day) and isinstance(after, Day):
        return first.day is not None and after.day == first.day + 1 and first.month == after.month
    return isinstance(first, Interval) and isinstance(after, Interval) and after.low == first.high + 1
