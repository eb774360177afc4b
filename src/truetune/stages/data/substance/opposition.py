"""Statements about the same of which one turns the other round: by a negation, or by a word that says the contrary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from truetune.stages.data.substance.alignment import FEW_WORDS, aligned_pairs, are_nearly_equal, own_words, shared_content
from truetune.stages.data.substance.answers import Found
from truetune.stages.data.substance.contraries import are_opposites, opposites, plain
from truetune.stages.data.substance.reading import Item, Statement, denied_word
from truetune.stages.data.substance.roles import agree
from truetune.stages.data.substance.words import NEGATIONS, REFUSALS, TURNS, shared, stem

SHARED_FRAC = 0.6
"""Of the shorter statement's other words so many must be the other's too. Source: stated."""

SENTENCE_CONTENT_WORDS = 3
"""A sentence of a long answer that has fewer words with content may be about anything. Source: stated."""


def opposites_and_negations(left: Statement, right: Statement, asked: frozenset[str], *, alone: bool) -> Iterator[Found]:
    """What turns one statement round; where there are two such things, they cancel each other ("not open", "closed").

    Args:
        left: a statement.
        right: another one.
        asked: the words of the question.
        alone: are the statements all that the answers say? In long answers two sentences that share a word or two may be about
            different things.
    """
    if not alone and min(len(left.content), len(right.content)) < SENTENCE_CONTENT_WORDS:
        return
    opposed = list(_opposed(left, right))
    itself = {id(item) for pair in opposed for item in pair}  # "unhappy" is the opposite of "happy" and denies it: one thing
    denied = [(x, y) for x, y in _denied(left, right, asked, alone=alone) if not {id(x), id(y)} & itself]
    turned = [
        (x, y)
        for x, y in opposed
        if _is_denied(left, x) == _is_denied(right, y)
        and _of_others(left, x) == _of_others(right, y)
        and _fits(left, right, x.stem, y.stem, asked)
        and not agree(left, right, x, y)
    ]
    if opposed and denied:
        return
    for x, y in turned:
        yield "opposite", x.span, y.span
    for x, y in denied:
        yield "negation", x.span, y.span


def _is_denied(statement: Statement, item: Item) -> bool:
    """Is a word negated, or what it is said of forbidden ("on the grass it's forbidden")?"""
    refused = any(i.norm in REFUSALS - {"closed"} and i is not item for i in statement.items if i.clause == item.clause)
    return (item.stem in statement.negated) != refused


_OTHERS = frozenset("rest other others remaining remainder".split())  # noqa: SIM905


def _of_others(statement: Statement, item: Item) -> bool:
    """Is it said of what is left ("the rest is written")?"""
    return any(i.norm in _OTHERS for i in statement.items if i.clause == item.clause)


def _opposed(left: Statement, right: Statement) -> Iterator[tuple[Item, Item]]:
    """Words of which each stands on its own side only, and that say the contrary of each other; none where one tells a change.

    In statements that are the same but for one word it may stand elsewhere too.
    """
    if any("again" in {i.norm for i in a.items} - {i.norm for i in b.items} for a, b in ((left, right), (right, left))):
        return
    if are_nearly_equal(left, right):
        exchanged = [(x, y) for x, y in aligned_pairs(left, right) if x.stem != y.stem]
        if len(exchanged) == 1 and _say_the_contrary(left, right, *exchanged[0]):
            yield exchanged[0]
            return
    here, there = _stems(left), _stems(right)
    by_stem = _by_stem(right)
    for place, x in enumerate(left.items):
        if x.value is not None or x.stem in there or _opposites(x) & here or _looks_forward(left, place):
            continue
        if _is_a_bound(left, place):
            continue
        said = (item for word in (x.stem, *_opposites(x)) for item in by_stem.get(word, ()) if item.stem != x.stem)
        found = [item for item in said if not _is_a_bound(right, right.items.index(item))]
        for y in sorted(found, key=lambda item: item.start):
            if (
                {x.norm, y.norm} != _PARTICLES
                and _say_the_contrary(left, right, x, y)
                and y.stem not in here
                and not _opposites(y) & there
            ):
                yield x, y
                break


_PARTICLES = {"in", "out"}
"""Of different things these say no contrary."""


def _say_the_contrary(left: Statement, right: Statement, x: Item, y: Item) -> bool:
    """Are the words opposites, or one the other's denial ("paid", "unpaid")? "Less" in front of one turns it round."""
    if _is_lessened(left, x) != _is_lessened(right, y):
        return False
    return are_opposites(x.stem, y.stem) or y.stem == denied_word(x) or x.stem == denied_word(y)


def _is_lessened(statement: Statement, item: Item) -> bool:
    return any(before.norm in ("less", "least") and after is item for before, after in pairwise(statement.items))


def _stems(statement: Statement) -> set[str]:
    return {stemmed for i in statement.items if i.value is None for stemmed in (i.stem, plain(i.stem))}


def _by_stem(statement: Statement) -> dict[str, list[Item]]:
    """The first item of each stem, under it and, of "unpaid", under "paid", of "cheaper" under "cheap"."""
    found: dict[str, list[Item]] = {}
    for item in statement.items:
        if item.value is None:
            for word in {item.stem, plain(item.stem), denied_word(item)} - {""}:
                if all(item.stem != other.stem for other in found.setdefault(word, [])):
                    found[word].append(item)
    return found


def _is_a_bound(statement: Statement, place: int) -> bool:
    """Does the "up" of "up to 5" stand there?"""
    up, *after = statement.items[place : place + 3]
    return up.norm == "up" and len(after) > 1 and after[0].norm == "to" and after[1].value is not None


def _looks_forward(statement: Statement, place: int) -> bool:
    return statement.items[place].norm == "forward" and place > 0 and statement.items[place - 1].stem == "look"


def _opposites(item: Item) -> frozenset[str]:
    positive = denied_word(item)
    return opposites(item.stem) | ({positive} if positive else frozenset())


_PLACES = frozenset(map(stem, ("first", "last", "top", "bottom")))
"""Of different things these say no contrary: "the walls come first", "the floor comes last"."""


def _fits(left: Statement, right: Statement, x: str, y: str, asked: frozenset[str]) -> bool:
    """Are the statements the same but for the two words, or do they say little else than one of them?"""
    a, b = left.content - {x}, right.content - {y}
    shorter, longer = sorted((a, b), key=len)
    own = min((own_words(side, asked) - {word} for side, word in ((left, x), (right, y))), key=len)
    if len(own) < FEW_WORDS:
        return x not in _PLACES or not a or not b or not a.isdisjoint(b)
    return shared(shorter, longer) >= SHARED_FRAC * len(shorter)


def _denied(left: Statement, right: Statement, asked: frozenset[str], *, alone: bool) -> Iterator[tuple[Item, Item]]:
    """A word that one side negates and the other, which negates nothing, says plainly.

    Nothing where "only", "until" or the like turns it back.
    """
    if alone and (found := _either(_denies_all, left, right, asked)):
        yield found
    elif shared_content(left, right) < SHARED_FRAC:
        if alone and (found := _either(_denies_a_deed, left, right, asked)):
            yield found
    elif bool(left.negated) != bool(right.negated) and (found := _either(_denies_a_word, left, right, asked)):
        yield found
    elif not _turns(left) ^ _turns(right):
        yield from _one_more(left, right)


Denial = tuple[Item, Item]
"""A negation of one statement, and the word of the other that it denies."""


def _either(
    rule: Callable[[Statement, Statement, frozenset[str]], Denial | None],
    left: Statement,
    right: Statement,
    asked: frozenset[str],
) -> Denial | None:
    """What the left one denies of the right one, or the right one of the left; the left one's word first."""
    if found := rule(left, right, asked):
        return found
    return found[::-1] if (found := rule(right, left, asked)) else None


def _denies_a_deed(denying: Statement, saying: Statement, asked: frozenset[str]) -> Denial | None:
    """The word right after a "not" or "never" that the question did not have, and the other says plainly."""
    if saying.negated or _refuses(saying):
        return None
    for item, deed in pairwise(denying.items):
        if item.norm in ("not", "never") and deed.has_content and deed.stem in denying.negated and deed.stem not in asked:
            return _said_plainly(denying, item, saying, deed.stem)
    return None


def _denies_a_word(denying: Statement, saying: Statement, asked: frozenset[str]) -> Denial | None:
    """The first word that is negated and the other says, in clauses of which neither is turned round otherwise."""
    del asked
    if not denying.negated or _refuses(saying):
        return None
    word = next((word for word in denying.negated if any(i.stem == word for i in saying.items)), None)
    return _said_plainly(denying, denying.negated[word], saying, word) if word is not None else None


def _said_plainly(denying: Statement, by: Item, saying: Statement, word: str) -> Denial | None:
    said = next((i for i in saying.items if i.stem == word), None)
    if said is None or _turns(_clause_of(denying, by)) ^ _turns(_clause_of(saying, said)):
        return None
    return by, said


def _clause_of(statement: Statement, item: Item) -> Statement:
    return Statement(tuple(i for i in statement.items if i.clause == item.clause))


def _denies_all(left: Statement, right: Statement, asked: frozenset[str]) -> tuple[Item, Item] | None:
    """What the left one says beside the question's words is denied, and the right one, which denies nothing, says it plainly."""
    own = left.content - asked
    if not own or right.negated or _turns(left) or not own <= left.negated.keys() & right.content:
        return None
    said = next(i for i in right.items if i.has_content and i.stem in own) if own & {i.stem for i in right.items} else None
    if said is None or _turns(_clause_of(right, said)) or _refuses(right):
        return None
    return left.negated[said.stem], said


_REFUSALS = frozenset(map(stem, REFUSALS))


def _refuses(statement: Statement) -> bool:
    """Does it say no by a word of its own ("forbidden"), or deny what stands elsewhere ("it isn't, because of the steps")?"""
    return any(item.stem in _REFUSALS or item.norm in NEGATIONS for item in statement.items)


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
