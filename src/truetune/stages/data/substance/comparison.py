"""Two answers to one question: where do they say different things?

Statements of the two answers that are about the same are laid beside each other, and each rule looks for its own kind of
difference there. What only one of the answers says is more detail, and no difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from truetune.stages.data.substance import bounds, choices, opposition, permission, polarity, roles, things
from truetune.stages.data.substance.alignment import (
    about_the_same,
    aligned_pairs,
    are_nearly_equal,
    sentence_pairs,
)
from truetune.stages.data.substance.answers import WHOLE_WORDS, Answers, Found, agree, kind_of
from truetune.stages.data.substance.doers import who_does_it, who_to_whom
from truetune.stages.data.substance.names import other_names
from truetune.stages.data.substance.plainness import is_plain
from truetune.stages.data.substance.reading import Item, Reading, Statement, read, small_words

SAME_WORDS_FRAC = 0.8
"""Texts use the same words where so many of all their words with content are in both. Source: stated."""

MOST_CHARACTERS = 20_000
"""Of longer answers only the beginning is compared."""

_FINAL = re.compile(r"(?:####|\\boxed\{|\b(?:the )?(?:final )?answer(?: is|:))\s*([^\n}]{1,80})", re.IGNORECASE)
_CODE = re.compile(
    r"```|~~~|[;{}]\s*$|^\s*(?:def|class|import|from|return|SELECT|function|#include)\b|\w\([^()\s]*\)\s*[:;{]", re.MULTILINE
)
_HOW_MANY = re.compile(
    r"\bhow many (?:\w+ )??(\w+)"
    r"(?= (?:is|are|was|were|do|does|did|can|may|must|has|have|fit|will|of|go|goes|come|comes|make|take)\b)",
    re.IGNORECASE,
)
_ASKS_FOR_A_NAME = re.compile(
    r"\b(?:who|whom|whose|where|which|what (?:city|country|town|person|place|language|name|is the name))\b", re.I
)

_ASKS_FOR_A_THING = re.compile(r"\bwhat(?: is|[’']s| was| are| were) the\b", re.IGNORECASE)
_BARE_CAPITALS = re.compile(r"[A-Z][\w’'-]+(?: [A-Z][\w’'-]+){0,3}\s*(?:[,.;!(]|$)")
"""An answer that is nothing but a word or a few with capitals, or begins so."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two answers say different things.

    Attributes:
        kind: "yes/no", "negation", "number", "date", "time", "code", "link", "name", "opposite" or "order".
        left: start and end of the part in the first answer.
        right: the same in the second.
        plain: does it lie in a value, in a yes beside a no, between proper names, or in statements that are worded alike? Where
            two people put it in words of their own, a denial, an opposite or an order may be another way of saying the same.
    """

    kind: str
    left: tuple[int, int]
    right: tuple[int, int]
    plain: bool


def differences(question: str, first: str, second: str) -> list[Difference]:
    """What two answers to a question differ in; empty where they only put it differently, or one says more.

    Args:
        question: what was asked; it tells which names an answer was to give, and whether it was a yes-or-no question.
        first: an answer.
        second: another answer.
    """
    first, second = first[:MOST_CHARACTERS], second[:MOST_CHARACTERS]
    if _CODE.search(first) or _CODE.search(second):
        return []  # two programs may do the same in other figures and names
    small = small_words(question, first, second)
    a, b = (read(text, _may_begin_with_a_name(question, text), small) for text in (first, second))
    asked = read(question, names_at_start=True).whole
    found = list(polarity.yes_or_no(question, asked, a, b))
    if a.words and b.words and not _same_items(a.whole, b.whole):
        found += _in_results(a, b)
        found += _in_what_was_counted(question, a, b)
        for left, right in _beside_each_other(a, b):
            found += _in_statements(left, right, Answers(a, b, asked))
        if max(a.words, b.words) <= WHOLE_WORDS:
            found += _as_order(roles.changed_partners(a, b))
            found += who_to_whom(question, a, b, asked)
            found += things.what_was_asked_for(question, a, b, asked)
            found += choices.of_two_ways(a, b, asked)
            found += _lone_values(Answers(a, b, asked))
        found += who_does_it(question, a, b, asked)
        found = [f for f in _by_choice(question, a, b, asked, found) if not bounds.end_alike(f[1], a, f[2], b)]
    unique = {
        (left, right): Difference(kind, left, right, is_plain(kind, left, right, a, b)) for kind, left, right in reversed(found)
    }
    return sorted(unique.values(), key=lambda d: (d.left, d.right))


def _by_choice(question: str, a: Reading, b: Reading, asked: Statement, found: list[Found]) -> list[Found]:
    """What was found, but for what says only that of two things the answers speak of different ones."""
    picked = choices.chosen(question, a, b, asked) if max(a.words, b.words) <= WHOLE_WORDS else None
    if picked is None:
        return found
    agree, (x, y) = picked
    if agree:
        told_apart = ("order", "opposite") if any(i.norm == "than" for i in asked.items) else ("order", "opposite", "name")
        return [f for f in found if f[0] not in told_apart and f[1:] != (x.span, y.span)]
    return [*found, ("order", x.span, y.span)]


def _may_begin_with_a_name(question: str, answer: str) -> bool:
    if _ASKS_FOR_A_NAME.search(question):
        return True
    return bool(_ASKS_FOR_A_THING.search(question) and _BARE_CAPITALS.match(answer))


def says_the_same(first: str, second: str) -> bool:
    """Are two texts the same word for word, once values and contractions are read ("1,000" and "1000", "don't" and "do not")?"""
    return _same_items(read(first).whole, read(second).whole)


def are_of_the_same_words(first: str, second: str) -> bool:
    """Do two texts use nearly the same words that say something, in whatever order and negated or not?"""
    a, b = (read(text[:MOST_CHARACTERS]).whole.content for text in (first, second))
    return len(a & b) >= SAME_WORDS_FRAC * max(1, len(a | b))


def _same_items(a: Statement, b: Statement) -> bool:
    return len(a.items) == len(b.items) and all(_same(x, y) for x, y in zip(a.items, b.items, strict=True))


def _same(a: Item, b: Item) -> bool:
    if a.value is not None and b.value is not None:
        return a.value.kind == b.value.kind and a.value.agrees(b.value)
    return a.norm == b.norm


def _in_results(a: Reading, b: Reading) -> Iterator[Found]:
    """Calculations may go different ways; what counts is the result where an answer names one."""
    named = [list(_FINAL.finditer(reading.text)) for reading in (a, b)]
    if not any(named):
        return
    left, right = (_result(reading, matches) for reading, matches in zip((a, b), named, strict=True))
    if left and right and kind_of(left) == kind_of(right) and not _same(left, right):
        yield kind_of(left), left.span, right.span


def _result(reading: Reading, named: Sequence[re.Match[str]]) -> Item | None:
    """The value after "the answer is", or the only one."""
    start = named[-1].start(1) if named else 0
    values = [item for item in reading.whole.values if item.start >= start]
    return values[0] if values and (named or len(values) == 1) else None


def _in_what_was_counted(question: str, a: Reading, b: Reading) -> Iterator[Found]:
    """Answers to "how many rooms": the number of rooms, or the one that the answer begins with."""
    asked = _HOW_MANY.search(question)
    if asked is None:
        return
    left, right = (_counted(reading, asked[1].casefold().rstrip("s")) for reading in (a, b))
    if left and right and not _same(left, right):
        yield "number", left.span, right.span


def _counted(reading: Reading, noun: str) -> Item | None:
    numbers = [i for i in reading.whole.values if i.value is not None and i.value.kind == "number"]
    named = [i for i in numbers if i.value is not None and i.value.dimension == noun]
    if named or not numbers or numbers[0] is not reading.whole.items[0]:
        return named[0] if len(named) == 1 else None
    return numbers[0] if numbers[0].value is not None and numbers[0].value.dimension == "" else None


def _kind_of_both(a: Item, b: Item) -> str:
    """A bare number beside a year is one."""
    return "date" if "date" in (kind_of(a), kind_of(b)) else kind_of(a)


def _beside_each_other(a: Reading, b: Reading) -> list[tuple[Statement, Statement]]:
    if max(a.words, b.words) <= WHOLE_WORDS and len(a.statements) == len(b.statements) == 1:
        return [(a.whole, b.whole)]
    pairs = sentence_pairs(a.statements, b.statements)
    if not pairs and max(a.words, b.words) <= WHOLE_WORDS:
        return [(a.whole, b.whole)]
    return pairs


Rule = Callable[[Statement, Statement, Answers], Iterable[Found]]


def _in_statements(left: Statement, right: Statement, answers: Answers) -> list[Found]:
    found: list[Found] = []
    for rule in _RULES:
        found.extend(rule(left, right, answers))
    return found


# --- values -----------------------------------------------------------------------------------------------------------


def _values(left: Statement, right: Statement, answers: Answers) -> Iterator[Found]:
    """Values of one dimension that the other answer gives nowhere, on both sides, where the statements are about the same."""
    near = are_nearly_equal(left, right)
    in_place = {(id(x), id(y)) for x, y in aligned_pairs(left, right)}
    if near:
        for x, y in aligned_pairs(left, right):
            both_values = x.value is not None and y.value is not None
            if both_values and (not _comparable(x, y) or _conflict(x, y, any_dimension=True)):
                yield _kind_of_both(x, y), x.span, y.span
        return
    about = about_the_same(left, right, answers.asked_stems)
    missing = [_missing(side, other.whole, answers) for side, other in ((left, answers.right), (right, answers.left))]
    used: set[int] = set()
    for x in missing[0]:
        for y in missing[1]:
            alone = answers.are_short and all(
                _is_alone(i, whole, answers) for i, whole in ((x, answers.left), (y, answers.right))
            )
            sure = alone or (id(x), id(y)) in in_place
            if id(y) not in used and (sure or about) and _conflict(x, y, any_dimension=sure):
                used.add(id(y))
                yield _kind_of_both(x, y), x.span, y.span
                break


def _lone_values(answers: Answers) -> Iterator[Found]:
    """The only value of its kind that each of two short answers gives and the other does not, in whatever sentence it stands."""
    both = ((answers.left, answers.right), (answers.right, answers.left))
    own = [_missing(side.whole, other.whole, answers) for side, other in both]
    for kind in _KINDS_OF_VALUES:
        lone = [[i for i in items if kind_of(i) == kind] for items in own]
        if all(len(items) == 1 for items in lone) and _conflict(lone[0][0], lone[1][0], any_dimension=kind != "number"):
            yield kind, lone[0][0].span, lone[1][0].span


_KINDS_OF_VALUES = ("number", "date", "time", "code", "link")


def _is_alone(item: Item, answer: Reading, answers: Answers) -> bool:
    """Is it the only value of its kind in the answer, those of the question aside?"""
    return [i for i in answer.whole.values if kind_of(i) == kind_of(item) and not answers.was_given(i)] == [item]


def _missing(side: Statement, other: Statement, answers: Answers) -> list[Item]:
    return [item for item in side.values if not answers.was_given(item) and not any(agree(item, y) for y in other.values)]


def _comparable(a: Item, b: Item) -> bool:
    return a.value is not None and b.value is not None and a.value.is_comparable(b.value)


def _conflict(x: Item, y: Item, *, any_dimension: bool) -> bool:
    if x.value is None or y.value is None or not x.value.is_comparable(y.value) or x.value.agrees(y.value):
        return False
    is_year = x.value.kind != y.value.kind
    return any_dimension or is_year or x.value.dimension == y.value.dimension != ""


# --- order ------------------------------------------------------------------------------------------------------------


def _order(left: Statement, right: Statement, answers: Answers) -> Iterator[Found]:
    del answers
    yield from _as_order(roles.changed_sides(left, right))


def _as_order(swapped: tuple[roles.Pair, roles.Pair] | None) -> Iterator[Found]:
    if swapped is not None:
        (x, y), (u, v) = swapped
        yield "order", (x.start, y.end), (u.start, v.end)


def _bounds(left: Statement, right: Statement, answers: Answers) -> Iterable[Found]:
    return bounds.most_and_least(left, right, answers.asked)


def _opposition(left: Statement, right: Statement, answers: Answers) -> Iterable[Found]:
    return opposition.opposites_and_negations(left, right, answers.asked_stems, alone=answers.are_short)


def _modes(left: Statement, right: Statement, answers: Answers) -> Iterable[Found]:
    return permission.contrary_modes(left, right, answers.asked_stems) if answers.are_short else ()


_RULES: tuple[Rule, ...] = (_values, other_names, _order, _bounds, _opposition, _modes)
