"""Who does it, and to whom: answers to "who ..." or "which ..." that give the same part to different people or things."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import dropwhile, product, takewhile

from truetune.stages.data.substance.answers import Found
from truetune.stages.data.substance.kinds import are_related, is_kind_of
from truetune.stages.data.substance.reading import Item, Reading, Statement
from truetune.stages.data.substance.roles import agree, partners_agree
from truetune.stages.data.substance.words import (
    ARTICLES,
    AUXILIARIES,
    CONVERSES,
    NEGATIONS,
    OWNERS,
    PREPOSITIONS,
    SYMMETRIC_VERBS,
)

_ASKS_FOR_THE_DOER = re.compile(
    r"\W*(?:who|which)\b(?!(?: \w+){0,2}? (?:do|does|did|can|could|should|may|must|will|am)\b)", re.IGNORECASE
)
_PASSIVE = frozenset(("is", "are", "was", "were", "been", "be", "being", "got", "get", "gets"))
_THE_OTHER_WAY = frozenset(("from", "to", "with"))
"""In front of the other one these may turn the part round: "the tenant gets it from the landlord"."""

_BEHIND_A_VERB = frozenset(("a", "an", "the", "it", "them", "your"))
"""What stands before one of these is no doer but what is to be done ("take the south exit")."""


def who_does_it(question: str, a: Reading, b: Reading, asked: Statement) -> Iterator[Found]:
    """The doers, where they are not the same: the question offered both, or an answer knows the other's in another part."""
    if not _ASKS_FOR_THE_DOER.match(question) or not a.statements or not b.statements:
        return
    choice = _choice(asked)
    left, right = (_doer(reading.statements[0], asked, choice) for reading in (a, b))
    if not left or not right or {i.stem for i in left} & {i.stem for i in right}:
        return
    if any(are_related(x.norm, y.norm) for x, y in product(left, right)) or _one_is_a_kind_of_the_other(a, left, b, right):
        return
    if partners_agree(a, b) or any(agree(a.whole, b.whole, x, y) for x, y in product(left, right)):
        return
    in_other = [all(i.stem in {j.stem for j in other.whole.items} for i in own) for own, other in ((left, b), (right, a))]
    if all(in_other) and any(i.stem in SYMMETRIC_VERBS for i in a.statements[0].items):
        return
    are_names = all(any(i.is_name for i in own) for own in (left, right))
    are_chosen = all(any(i.stem in choice for i in own) for own in (left, right))
    alone = all(_is_all_that_is_new(own, reading, asked) for own, reading in ((left, a), (right, b)))
    are_told = all(_repeats_the_deed(reading, asked) for reading in (a, b))
    if (all(in_other) and are_told) or are_chosen or (any(in_other) and are_names) or (alone and _are_of_one_sort(left, right)):
        yield "order" if any(in_other) else "name", (left[0].start, left[-1].end), (right[0].start, right[-1].end)


_ASKS_WHO_TO_WHOM = re.compile(r"\W*(?:who|which|what)\b(?!.*\band\b).*\b(?:whom?|which|what|the other)\b", re.IGNORECASE)
_TURNS_ROUND = frozenset("who whom that it him her them".split()) | NEGATIONS  # noqa: SIM905
_LEADS_ANOTHER_WAY = frozenset("by from with of for in on at".split())  # noqa: SIM905


def who_to_whom(question: str, a: Reading, b: Reading, asked: Statement) -> Iterator[Found]:
    """The two of "who drove whom" in the other order, where nothing in either answer may turn the sentence round."""
    if not _ASKS_WHO_TO_WHOM.match(question):
        return
    known = {i.stem for i in asked.items}
    sides = [[i for i in side.whole.items if i.has_content and i.stem not in known and i.value is None] for side in (a, b)]
    both = [[i for i in own if i.stem in {j.stem for j in other}] for own, other in (sides, sides[::-1])]
    if [i.stem for i in both[0]] != [i.stem for i in both[1]][::-1] or len(both[0]) != 2 or both[0][0].stem == both[0][1].stem:
        return
    if any(_may_be_turned(side.whole, own, known) for side, own in zip((a, b), both, strict=True)):
        return
    yield "order", (both[0][0].start, both[0][1].end), (both[1][0].start, both[1][1].end)


def _may_be_turned(statement: Statement, both: Sequence[Item], known: AbstractSet[str]) -> bool:
    """Is there a word that turns the sentence round, or may it begin with what is done, or is nothing done between the two?"""
    items = statement.items
    first, last = (next(n for n, i in enumerate(items) if i is one) for one in both)
    turned = {word for word, (_, is_turned) in CONVERSES.items() if is_turned} - known | SYMMETRIC_VERBS
    is_plain = any(i.has_content or i.norm in AUXILIARIES for i in items[first + 1 : last])
    is_passive = any(i.norm in _PASSIVE for i in items[first + 1 : last])
    led = [next((i.norm for i in reversed(items[:n]) if i.norm not in ARTICLES | OWNERS), "") for n in (first, last)]
    is_turned = not _LEADS_ANOTHER_WAY.isdisjoint(led) or not _TURNS_ROUND.isdisjoint(i.norm for i in items)
    return not is_plain or is_passive or is_turned or any(i.stem in turned for i in items)


def _one_is_a_kind_of_the_other(a: Reading, left: Sequence[Item], b: Reading, right: Sequence[Item]) -> bool:
    """Is one a kind of what the other is called ("a lemonade", "a soft drink")?"""
    behind = (_behind(reading.whole.items, own[-1]) for reading, own in ((a, left), (b, right)))
    return any(is_kind_of(own[-1].norm, noun) for own, noun in zip((right, left), behind, strict=True) if noun)


def _behind(items: Sequence[Item], item: Item) -> str:
    place = next(n for n, other in enumerate(items) if other is item) + 1
    return items[place].norm if place < len(items) and items[place].clause == item.clause else ""


def _repeats_the_deed(reading: Reading, asked: Statement) -> bool:
    """Is it more than a description ("the small one made of brass"): does it use a word of the question, or a verb for it?"""
    known = {item.stem for item in asked.items if item.has_content}
    return any(i.stem in known or i.norm in AUXILIARIES for i in reading.statements[0].items)


def _is_all_that_is_new(own: Sequence[Item], reading: Reading, asked: Statement) -> bool:
    """Does the first clause say nothing but who it is, in the question's own words?"""
    items = reading.statements[0].items
    known = {i.stem for i in (*own, *asked.items)}
    return all(i.stem in known for i in items if i.clause == items[0].clause and i.has_content)


def _are_of_one_sort(left: Sequence[Item], right: Sequence[Item]) -> bool:
    """Are both names or neither? The first word of a sentence may be either."""
    a, b = ({i.is_name for i in own if i.start} for own in (left, right))
    return not a or not b or a == b


def _choice(asked: Statement) -> frozenset[str]:
    """The words on either side of an "or"."""
    place = next((n for n, item in enumerate(asked.items) if item.norm == "or"), None)
    if place is None:
        return frozenset()
    before = next((i.stem for i in reversed(asked.items[:place]) if i.has_content), "")
    after = next((i.stem for i in asked.items[place + 1 :] if i.has_content), "")
    return frozenset((before, after)) - {""}


def _doer(statement: Statement, asked: Statement, choice: AbstractSet[str]) -> Sequence[Item]:
    """The words after "by" of a passive clause, or those that an active one begins with; none where something turns it round."""
    clause = [i for i in statement.items if i.clause == statement.items[0].clause]
    norms = [i.norm for i in clause]
    turning = (NEGATIONS | _THE_OTHER_WAY) - {i.norm for i in asked.items}
    turned = {word for word, (_, is_turned) in CONVERSES.items() if is_turned} - {i.stem for i in asked.items}
    if turning & set(norms) or turned & {i.stem for i in clause}:
        return []
    known = {item.stem for item in asked.items if not item.is_name} - choice
    if "by" in norms:
        return _run(clause[norms.index("by") + 1 :], known) if _PASSIVE & set(norms[: norms.index("by")]) else []
    first = next((i for i in clause if i.has_content), None)
    if first is None or first.value is not None or first.stem in known or norms[0] in PREPOSITIONS:
        return []
    if norms[0] == "it" and {"that", "who"} & set(norms):
        clause = clause[2:]
    return _run(clause, known)


def _run(items: Sequence[Item], known: AbstractSet[str]) -> list[Item]:
    """The first words with content that were not asked; of names these alone, an initial letter left out."""
    begun = list(dropwhile(lambda i: not i.has_content, items))
    run = list(takewhile(lambda i: i.has_content and i.value is None and i.stem not in known, begun))
    if run and run[0].is_name:
        run = list(takewhile(lambda i: i.is_name, run))
    elif any(i.norm in _BEHIND_A_VERB for i in begun[len(run) : len(run) + 1]):
        return []
    return [i for i in run if len(i.norm) > 1]
