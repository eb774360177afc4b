"""The thing that was asked for: two answers to "which ...", "what ..." or "where ..." that name different things of one kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise, product

from truetune.stages.data.substance.answers import Found
from truetune.stages.data.substance.contraries import plain
from truetune.stages.data.substance.kinds import are_related, is_kind_of, is_noun, nouns_between
from truetune.stages.data.substance.reading import Item, Reading, Statement
from truetune.stages.data.substance.words import ARTICLES, AUXILIARIES, NEGATIONS, OWNERS, same_as

NOUNS_OF_ONE_KIND = 2100
"""Two things are of one kind where it has at most so many nouns. Source: stated; all buildings are 850, all devices 1,150, all
that is eaten or drunk 2,000."""

NOUNS_ALONE = 6000
"""The same where each is all that its answer says. Source: stated; all that people make is 5,300."""

PERSONS_OF_ONE_KIND = 300
"""The same for people, who are many things at once ("the owner", "a neighbour"). Source: stated; all craftsmen are 250."""

_ASKS_FOR_A_THING = re.compile(r"\b(?:which|what|where|how)\b[^.!?\n]*\?|^\W*(?:which|what|where|how)\b", re.IGNORECASE)
_ASKS_WHERE_OR_HOW = re.compile(r"\b(?:where|how)\b", re.IGNORECASE)
_ASKS_FOR_MORE = re.compile(
    r"\bwhat (?:(?:is |was |has )?happen|if\b|about\b|time\b|else\b)|\bwhy\b"
    r"|\bwhat (?:should|shall|must|can|do|does|did|would|could) .*\bdo\b",
    re.IGNORECASE,
)
_ASKS_WHICH = re.compile(r"\W*(?:(?:in|on|at|by|with|from|into|to|for) )?(?:which|what|whose)\b", re.IGNORECASE)
_STATES = frozenset(
    [
        "first",
        "last",
        "order",
        "state",
        "effect",
        "outcome",
        "result",
        "condition",
        "happens",
        "difference",
        "purpose",
        "reason",
        "rule",
        "policy",
    ]
)
_FEW_NEW_WORDS = 3
"""An answer that says more may put the same thing in words of its own. Source: stated."""
_KIND = re.compile(r"\b(?:which|what)(?: (?:kind|sort|type)s? of)? (\w+)", re.IGNORECASE)
_AFTER_A_VERB = ARTICLES | OWNERS | frozenset(("it", "them", "him", "me", "us", "you"))
_BEFORE_A_VERB = frozenset("to it he she they we you i not who".split())  # noqa: SIM905
_GROUPS = ("organization", "unit", "group", "room", "floor", "area", "road")
"""What is mostly called by one word in front of it: of "the security team" and "the platform team" there is one each."""


def what_was_asked_for(question: str, a: Reading, b: Reading, asked: Statement) -> Iterator[Found]:
    """Things of one kind; none where the answers share anything new, or a thing of one may be one of the other's."""
    if not _ASKS_FOR_A_THING.search(question) or _ASKS_FOR_MORE.search(question):
        return
    if any(i.norm in NEGATIONS for reading in (a, b) for i in reading.whole.items):
        return
    kind = _KIND.search(question)
    named = kind[1].casefold() if kind is not None else ""
    yield from _called(named, a.whole, b.whole)
    left, right = (_new(reading.whole, asked) for reading in (a, b))
    where_or_how = _ASKS_WHERE_OR_HOW.search(question)
    alone = len(left) == len(right) == 1
    if where_or_how and where_or_how[0].casefold() == "how" and not alone:
        return
    pairs = product(*([i for i in new if not i.is_name or i.start == 0] for new in (left, right)))
    for x, y in sorted(pairs, key=lambda pair: _distance(named, *pair, alone=alone and not where_or_how))[:1]:
        same = [(v, w) for v, w in product(left, right) if _may_be_one(v, w)]
        led = all(_leads(v, x, a.whole) and _leads(w, y, b.whole) for v, w in same)
        if led and _distance(named, x, y, alone=alone and not where_or_how) <= 1:
            yield "name", x.span, y.span
            return
    if _ASKS_WHICH.match(question) and not _asks_for_a_state(asked):
        yield from _nothing_in_common(a, b, left, right)


def _asks_for_a_state(asked: Statement) -> bool:
    """Is it asked what something is like, or which of several is more or comes first?"""
    return any(i.norm in _STATES or plain(i.stem) != i.stem for i in asked.items)


def _has_its_kind(new: list[Item], other: Statement) -> bool:
    """Does the other answer call a kind by its name that one of these is of?"""
    return any(is_kind_of(word.norm, item.norm) for word in new for item in other.items if item.has_content)


def _nothing_in_common(a: Reading, b: Reading, left: list[Item], right: list[Item]) -> Iterator[Found]:
    """The only new word of one short answer, where the other's few new words are others and may not name the same."""
    if len(a.statements) != 1 or len(b.statements) != 1 or not left or not right:
        return
    few = min(len(left), len(right)) == 1 and max(len(left), len(right)) <= _FEW_NEW_WORDS
    if _has_its_kind(left, b.whole) or _has_its_kind(right, a.whole):
        return  # "a soft drink", "a lemonade"
    if few and not any(i.value for i in (*left, *right)) and not any(_may_be_one(v, w) for v, w in product(left, right)):
        yield "name", (left[0].start, left[-1].end), (right[0].start, right[-1].end)


def _may_be_one(x: Item, y: Item) -> bool:
    return same_as(x.stem) == same_as(y.stem) or are_related(x.norm, y.norm)


def _leads(word: Item, thing: Item, statement: Statement) -> bool:
    """Does the word stand right in front of the thing ("contains almonds")?"""
    return any(before is word and after is thing for before, after in pairwise(statement.items))


def _new(statement: Statement, asked: Statement) -> list[Item]:
    """The words with content that the question did not have, as far as their place tells that they are none of the verbs."""
    known = {i.stem for i in asked.items}
    return [i for n, i in enumerate(statement.items) if i.has_content and i.stem not in known and _may_be_noun(statement, n)]


def _may_be_noun(statement: Statement, place: int) -> bool:
    item = statement.items[place]
    if item.value is not None or item.is_name:
        return True
    following = next((i for i in statement.items[place + 1 : place + 2] if i.clause == item.clause), None)
    if following is not None and following.norm in _AFTER_A_VERB:
        return False
    before = statement.items[place - 1].norm if place else ""
    return (
        not (item.norm.endswith("ing") and before in AUXILIARIES)
        and not item.norm.endswith(("ed", "ly"))
        and before not in _BEFORE_A_VERB
    )


def _distance(kind: str, x: Item, y: Item, *, alone: bool) -> float:
    """How far apart two things are; up to 1 they are of one kind."""
    if kind and all(is_kind_of(i.norm, kind) for i in (x, y)):
        return 0.0
    are_people = all(is_kind_of(i.norm, "person") for i in (x, y))
    most = PERSONS_OF_ONE_KIND if are_people else NOUNS_ALONE if alone else NOUNS_OF_ONE_KIND
    return nouns_between(x.norm, y.norm) / most


def _called(kind: str, left: Statement, right: Statement) -> Iterator[Found]:
    """What stands in front of the kind that was asked for, where that is one of people or places."""
    if not any(is_kind_of(kind, group) for group in _GROUPS):
        return
    x, y = (_in_front_of(kind, side) for side in (left, right))
    if x and y and x.stem != y.stem and is_noun(x.norm) and is_noun(y.norm) and not are_related(x.norm, y.norm):
        yield "name", x.span, y.span


def _in_front_of(kind: str, statement: Statement) -> Item | None:
    place = next((n for n, i in enumerate(statement.items) if i.norm == kind and n), 0)
    item = statement.items[place - 1] if place else None
    return item if item is not None and item.has_content and item.value is None else None
