"""Names: another one in the same place, or in an answer that is little more than the name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, product

from truetune.stages.data.substance.alignment import about_the_same, aligned_pairs, are_nearly_equal
from truetune.stages.data.substance.answers import Answers, Found
from truetune.stages.data.substance.kinds import are_related
from truetune.stages.data.substance.reading import Item, Statement

_TITLES = frozenset("miss madam sir lady lord mister doctor professor saint st".split())  # noqa: SIM905
"""Whom these stand before has a name without them."""
_MOST_NAMES = 6
"""Of a statement so many full names are compared with each of the other's."""


def other_names(left: Statement, right: Statement, answers: Answers) -> Iterator[Found]:
    """Another name in the same place, or in an answer that is little more than the name."""
    near = are_nearly_equal(left, right)
    for x, y in aligned_pairs(left, right):
        both_names = x.may_be_name and y.may_be_name if near else x.is_name and y.is_name
        if both_names and not _like(x.norm, y.norm) and not are_related(x.norm, y.norm):
            elsewhere = _is_named(x, left, answers.right.whole) or _is_named(y, right, answers.left.whole)
            if near or not elsewhere:
                yield "name", x.span, y.span
    yield from _of_one_house(left, right, answers)
    if answers.asks_twice:
        yield from _one_of_two(left, right, answers)
    given = [[n for n in side.names if n.stem not in answers.asked_stems] for side in (left, right)]
    if not all(given) or not about_the_same(left, right, answers.asked_stems):
        return
    if not any(_is_named(x, left, right) for x in given[0]) and not any(_is_named(y, right, left) for y in given[1]):
        yield "name", _span(given[0]), _span(given[1])


def _one_of_two(left: Statement, right: Statement, answers: Answers) -> Iterator[Found]:
    """Of the two names that each gives one is the other's too, and one is not: "Ann called Bo", "Ann called Cy"."""
    sides = [{n.stem: n for n in side.names if n.stem not in answers.asked_stems} for side in (left, right)]
    if len(sides[0]) != 2 or len(sides[1]) != 2 or len(sides[0].keys() & sides[1].keys()) != 1:
        return
    x = next(n for n in sides[0].values() if n.stem not in sides[1])
    y = next(n for n in sides[1].values() if n.stem not in sides[0])
    if not _like(x.norm, y.norm):
        yield "name", x.span, y.span


def _of_one_house(left: Statement, right: Statement, answers: Answers) -> Iterator[Found]:
    """Names of several words that share some of them, and each has one of its own ("Studio Hagen", "Studio Mirelle")."""
    for a, b in product(_full_names(left), _full_names(right)):
        own = [
            [n for n in name if len(n.norm) > 1 and n.norm not in _TITLES and not _is_named(n, side, other.whole)]
            for name, side, other in ((a, left, answers.right), (b, right, answers.left))
        ]
        if all(own) and {n.stem for n in a} & {n.stem for n in b} - answers.asked_stems:
            yield "name", _span(own[0]), _span(own[1])


def _full_names(statement: Statement) -> list[list[Item]]:
    """Runs of two names and more."""
    runs = [list(run) for is_name, run in groupby(statement.items, key=lambda i: i.is_name) if is_name]
    return [run for run in runs if len(run) > 1][:_MOST_NAMES]


def _span(items: list[Item]) -> tuple[int, int]:
    return items[0].start, items[-1].end


def _is_named(name: Item, own: Statement, other: Statement) -> bool:
    """Is the name there: in full, in part, mistyped, or one of the two as initial letters ("UK")?"""
    if any(_like(name.norm, item.norm) for item in other.items if item.value is None):
        return True
    if name.start == 0 and any(are_related(name.norm, item.norm) for item in other.items):
        return True  # its capital is that of the sentence
    return name.norm in _initials(other) or any(name.norm[0] in n.norm and n.norm in _initials(own) for n in other.names)


def _initials(statement: Statement) -> set[str]:
    """Two or more first letters of neighbouring names."""
    letters = "".join(item.norm[0] for item in statement.names)
    return {letters[i:j] for i in range(len(letters)) for j in range(i + 2, min(i + 6, len(letters)) + 1)}


def _like(a: str, b: str) -> bool:
    if a == b:
        return True
    short, long = sorted((a, b), key=len)
    return len(short) >= 4 and (long.startswith(short) or (len(long) - len(short) <= 1 and _one_edit(short, long)))


def _one_edit(short: str, long: str) -> bool:
    start = next((i for i, (x, y) in enumerate(zip(short, long, strict=False)) if x != y), len(short))
    if len(short) == len(long):
        return short[start : start + 2] == long[start : start + 2][::-1] and short[start + 2 :] == long[start + 2 :]
    return short[start:] == long[start + 1 :]
