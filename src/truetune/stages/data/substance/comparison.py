"""Two answers to one question: where do they say different things?

Statements of the two answers that are about the same are laid beside each other, and each rule looks for its own kind of
difference there. What only one of the answers says is more detail, and no difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, product

from truetune.stages.data.substance import choices, opposition, permission, polarity, roles, things
from truetune.stages.data.substance.alignment import (
    about_the_same,
    aligned_pairs,
    are_nearly_equal,
    are_worded_alike,
    sentence_pairs,
)
from truetune.stages.data.substance.doers import who_does_it, who_to_whom
from truetune.stages.data.substance.kinds import are_related
from truetune.stages.data.substance.reading import Item, Reading, Statement, read, small_words
from truetune.stages.data.substance.values import are_unrelated
from truetune.stages.data.substance.words import NEGATIONS

WHOLE_WORDS = 30
"""Answers of at most so many words are laid beside each other as a whole, longer ones sentence by sentence. Source: stated."""

SAME_WORDS_FRAC = 0.8
"""Texts use the same words where so many of all their words with content are in both. Source: stated."""

_MOST_NAMES = 6
"""Of a statement so many full names are compared with each of the other's."""

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
        found = _by_choice(question, a, b, asked, found)
    unique = {
        (left, right): Difference(kind, left, right, _is_plain(kind, left, right, a, b)) for kind, left, right in reversed(found)
    }
    return sorted(unique.values(), key=lambda d: (d.left, d.right))


_VALUES = ("number", "date", "time", "code", "link")


def _is_plain(kind: str, left: tuple[int, int], right: tuple[int, int], a: Reading, b: Reading) -> bool:
    sides = ((left, a), (right, b))
    if kind == "yes/no" and all(polarity.is_head(part, answer) for part, answer in sides):
        return True
    if kind == "name" and all(answer.text[part[0]].isupper() for part, answer in sides):
        return True
    if kind in _VALUES and _is_limited(left, a) == _is_limited(right, b):
        return True
    return are_worded_alike(_around(left, a), _around(right, b))


def _is_limited(part: tuple[int, int], answer: Reading) -> bool:
    """May a word in its clause turn a value round ("only on Sundays", "5 euros more")? A bound ("no more than 5") does not."""
    items = answer.whole.items
    place = next((n for n, i in enumerate(items) if i.end > part[0]), len(items) - 1)
    if {i.norm for i in items[place + 1 : place + 2]} & _DIFFERENCES:
        return True
    clause = {i.norm for i in items if i.clause == items[place].clause}
    return "than" not in clause and not clause.isdisjoint(_LIMITING)


_DIFFERENCES = frozenset("more less longer shorter later earlier extra fewer before after".split())  # noqa: SIM905
"""After a value these make it a difference."""
_LIMITING = NEGATIONS | {"only", "except", "but", "other", "instead", "rather", "more", "less"}


def _around(part: tuple[int, int], answer: Reading) -> Statement:
    """The sentence that the part begins in; the whole of a short answer."""
    if answer.words <= WHOLE_WORDS:
        return answer.whole
    return next((s for s in answer.statements if s.items and s.items[-1].end > part[0]), answer.whole)


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


Found = tuple[str, tuple[int, int], tuple[int, int]]


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
    if left and right and _kind(left) == _kind(right) and not _same(left, right):
        yield _kind(left), left.span, right.span


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


def _kind(item: Item) -> str:
    return item.value.kind if item.value is not None else "name"


def _kind_of_both(a: Item, b: Item) -> str:
    """A bare number beside a year is one."""
    return "date" if "date" in (_kind(a), _kind(b)) else _kind(a)


def _beside_each_other(a: Reading, b: Reading) -> list[tuple[Statement, Statement]]:
    if max(a.words, b.words) <= WHOLE_WORDS and len(a.statements) == len(b.statements) == 1:
        return [(a.whole, b.whole)]
    pairs = sentence_pairs(a.statements, b.statements)
    if not pairs and max(a.words, b.words) <= WHOLE_WORDS:
        return [(a.whole, b.whole)]
    return pairs


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
        offered = [value for value in self.asked.values if _kind(value) == _kind(item)]
        return len(offered) == 1 and _agree(item, offered[0]) and _may_count_the_same(item, offered[0])


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
    """The only code, link or time of each of two short answers, in whatever sentence it stands."""
    for kind in _SPOKEN_OF_ONCE:
        lone = [
            [i for i in side.whole.values if _kind(i) == kind and not answers.was_given(i)]
            for side in (answers.left, answers.right)
        ]
        if all(len(items) == 1 for items in lone) and _conflict(lone[0][0], lone[1][0], any_dimension=True):
            yield kind, lone[0][0].span, lone[1][0].span


_SPOKEN_OF_ONCE = ("code", "link", "time")


def _is_alone(item: Item, answer: Reading, answers: Answers) -> bool:
    """Is it the only value of its kind in the answer, those of the question aside?"""
    return [i for i in answer.whole.values if _kind(i) == _kind(item) and not answers.was_given(i)] == [item]


def _missing(side: Statement, other: Statement, answers: Answers) -> list[Item]:
    return [item for item in side.values if not answers.was_given(item) and not any(_agree(item, y) for y in other.values)]


def _agree(a: Item, b: Item) -> bool:
    """May the two values be the same one?"""
    if a.value is None or b.value is None or not a.value.is_comparable(b.value):
        return False
    return a.value.agrees(b.value) and not are_unrelated(a.value, b.value)


def _may_count_the_same(a: Item, b: Item) -> bool:
    """Do not both say what they count, and say different things ("two doses", "two hours")?"""
    counted = {i.value.dimension for i in (a, b) if i.value is not None and i.value.dimension}
    return len(counted) < 2


def _comparable(a: Item, b: Item) -> bool:
    return a.value is not None and b.value is not None and a.value.is_comparable(b.value)


def _conflict(x: Item, y: Item, *, any_dimension: bool) -> bool:
    if x.value is None or y.value is None or not x.value.is_comparable(y.value) or x.value.agrees(y.value):
        return False
    is_year = x.value.kind != y.value.kind
    return any_dimension or is_year or x.value.dimension == y.value.dimension != ""


# --- names ------------------------------------------------------------------------------------------------------------


def _names(left: Statement, right: Statement, answers: Answers) -> Iterator[Found]:
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
            [n for n in name if len(n.norm) > 1 and not _is_named(n, side, other.whole)]
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


# --- order ------------------------------------------------------------------------------------------------------------


def _order(left: Statement, right: Statement, answers: Answers) -> Iterator[Found]:
    del answers
    yield from _as_order(roles.changed_sides(left, right))


def _as_order(swapped: tuple[roles.Pair, roles.Pair] | None) -> Iterator[Found]:
    if swapped is not None:
        (x, y), (u, v) = swapped
        yield "order", (x.start, y.end), (u.start, v.end)


def _bounds(left: Statement, right: Statement, answers: Answers) -> Iterable[Found]:
    return opposition.bounds(left, right, answers.asked)


def _opposition(left: Statement, right: Statement, answers: Answers) -> Iterable[Found]:
    return opposition.opposites_and_negations(left, right, answers.asked_stems, alone=answers.are_short)


def _modes(left: Statement, right: Statement, answers: Answers) -> Iterable[Found]:
    return permission.contrary_modes(left, right, answers.asked_stems) if answers.are_short else ()


_RULES: tuple[Rule, ...] = (_values, _names, _order, _bounds, _opposition, _modes)
