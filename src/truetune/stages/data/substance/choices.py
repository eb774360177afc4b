"""One of two: which of the things that a question offers an answer chooses, by naming it or by the contrary of the other.

"Which is heavier, the anvil or the vice?" is answered alike by "the anvil" and "the vice is lighter", and differently by
"the anvil is lighter".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product, takewhile

from truetune.stages.data.substance.answers import Found
from truetune.stages.data.substance.contraries import are_opposites, plain
from truetune.stages.data.substance.reading import Item, Reading, Statement
from truetune.stages.data.substance.words import AUXILIARIES, CONVERSES, NEGATIONS, PREPOSITIONS, same_as, stem

_ASKS_WHICH = re.compile(r"\b(?:who|which|what)\b", re.IGNORECASE)
_ASKS_TWICE = re.compile(r"\b(?:who|which|what)\b.*\b(?:whom?|which|what)\b", re.IGNORECASE)
_OF_TWO = re.compile(r"\b(?:two|both|other)\b", re.IGNORECASE)
_TURNED = {
    "first": frozenset(map(stem, "after follow follows last later afterwards second".split())),  # noqa: SIM905
    "top": frozenset(map(stem, "below under beneath underneath bottom".split())),  # noqa: SIM905
}
"""What says of a thing that the other one is what was asked for, beside the opposites of the question's words."""
_UNCLEAR = frozenset(("by", "from", "to", "with")) | NEGATIONS

_TWO = 2

Chosen = tuple[Item, Item]


def chosen(question: str, a: Reading, b: Reading, asked: Statement) -> tuple[bool, Chosen] | None:
    """Whether both choose the same, and the words that say it; None where no two things were offered, or an answer is unclear."""
    if _ASKS_TWICE.search(question) or not a.statements or not b.statements:
        return None
    offered = _compared(asked)
    if not offered and _ASKS_WHICH.search(question):
        either = _offered(asked) or (_OF_TWO.search(question) and (_opposed(a, b, asked) or _named(a, b))) or ()
        offered = {word: side for side, word in enumerate(sorted(either))}
    picks = [_pick(reading.statements[0], offered, asked) for reading in (a, b)] if len(set(offered.values())) == _TWO else []
    if not all(picks) or len(picks) < _TWO:
        return None
    (x, x_turned), (y, y_turned) = (pick for pick in picks if pick is not None)
    return (offered[x.stem] == offered[y.stem]) == (x_turned == y_turned), (x, y)


def _compared(asked: Statement) -> dict[str, int]:
    """What tells the two things of "is A larger than B?" apart, with the side of each word."""
    norms = [i.norm for i in asked.items]
    if "than" not in norms or norms[0] not in AUXILIARIES:
        return {}
    place = norms.index("than")
    before = [i.stem for i in asked.items[1:place] if i.has_content and plain(i.stem) == i.stem]
    after = _run(asked.items[place + 1 :])
    sides = [[w for w in side if w not in other] for side, other in ((before, after), (after, before))]
    return {word: side for side, words in enumerate(sides) for word in words} if all(sides) else {}


def _offered(asked: Statement) -> frozenset[str]:
    """What tells the things on either side of an "or" apart."""
    items = asked.items
    place = next((n for n, item in enumerate(items) if item.norm == "or"), 0)
    before, after = _run(items[:place][::-1]), _run(items[place + 1 :]) if place else []
    own = [next((s for s in side if s not in other), "") for side, other in ((before, after), (after, before))]
    return frozenset(own) if all(own) else frozenset()


def _run(items: Sequence[Item]) -> list[str]:
    """The first words with content, articles and "one" aside."""
    start = next((n for n, item in enumerate(items) if item.has_content), len(items))
    return [i.stem for i in takewhile(lambda i: i.has_content, items[start:])]


def _opposed(a: Reading, b: Reading, asked: Statement) -> frozenset[str]:
    """Two words that are opposites and not of the question ("the left one", "the right one")."""
    known = {i.stem for i in asked.items}
    sides = [
        [i.stem for i in side.whole.items if i.stem not in known and not any(are_opposites(i.stem, k) for k in known)]
        for side in (a, b)
    ]
    both = {*sides[0], *sides[1]}
    pairs = {frozenset((x, y)) for x, y in product(both, both) if are_opposites(x, y)}
    return next(iter(pairs)) if len(pairs) == 1 else frozenset()


def _named(a: Reading, b: Reading) -> frozenset[str]:
    """The names, where one answer gives two and the other none beside them."""
    names = [{i.stem for i in side.whole.names} for side in (a, b)]
    return frozenset(names[0] | names[1]) if max(map(len, names)) == 2 else frozenset()


def _pick(statement: Statement, offered: Mapping[str, int], asked: Statement) -> tuple[Item, bool] | None:
    """The thing that is spoken of, and whether what is said of it is true of the other one."""
    items = [i for i in statement.items if i.clause == statement.items[0].clause]
    known = _without_contraries(asked)
    norms, in_question = {i.norm for i in items}, {i.norm for i in asked.items}
    if (items[0].norm in PREPOSITIONS and "than" not in norms) or not (_UNCLEAR - in_question).isdisjoint(norms):
        return None
    thing = next((i for i in items if i.stem in offered), None)
    if thing is None:
        return None
    said = {i.stem for i in items} - offered.keys()
    turned = any(are_opposites(s, k) and k not in said for s in said - known for k in known - offered.keys())
    turned = turned or any(word in known and not said.isdisjoint(words) for word, words in _TURNED.items())
    if (
        "than" in in_question
        and not turned
        and {same_as(plain(s)) for s in said}.isdisjoint(same_as(plain(k)) for k in _degrees(known))
    ):
        return None
    converse = {word for word, (_, is_turned) in CONVERSES.items() if is_turned} - known
    return None if not turned and converse & said else (thing, turned)


def _degrees(known: frozenset[str]) -> frozenset[str]:
    """The comparatives."""
    return frozenset(word for word in known if plain(word) != word)


def _without_contraries(asked: Statement) -> frozenset[str]:
    """The words of the question, but of two contrary ones ("warmer or cooler") the first alone."""
    known: list[str] = []
    for item in asked.items:
        if not any(are_opposites(item.stem, k) for k in known if plain(k) != k):
            known.append(item.stem)
    return frozenset(known)


_SIDES = (
    ("before", "after"),
    ("above", "below"),
    ("over", "under"),
    ("inside", "outside"),
    ("front", "behind"),
    ("morning", "evening"),
)
"""What two-way questions offer beside opposites."""
_NEAR_OR = 5
"""So many words on either side of an "or" are looked at."""


def of_two_ways(a: Reading, b: Reading, asked: Statement) -> Iterator[Found]:
    """Answers to "high or low?" of which one says the one and the other the other."""
    place = next((n for n, item in enumerate(asked.items) if item.norm == "or"), 0)
    before, after = asked.items[max(0, place - _NEAR_OR) : place], asked.items[place + 1 : place + 1 + _NEAR_OR]
    offered = next(((x, y) for y in after for x in before[::-1] if _are_two_ways(x, y)), None) if place else None
    if offered is None or not a.statements or not b.statements:
        return
    x, y = (_way(reading.statements[0], offered, asked) for reading in (a, b))
    if x is not None and y is not None and x[0] != y[0]:
        yield "opposite", x[1].span, y[1].span


def _are_two_ways(x: Item, y: Item) -> bool:
    return are_opposites(x.stem, y.stem) or (x.norm, y.norm) in _SIDES or (y.norm, x.norm) in _SIDES


def _way(statement: Statement, offered: Chosen, asked: Statement) -> tuple[int, Item] | None:
    """Which of the two ways the first clause names, and the word; None where it names both or neither, denies it, or begins with
    another thing than the question, of which the contrary may be true.
    """
    clause = [i for i in statement.items if i.clause == statement.items[0].clause]
    named = {side: i for i in clause for side, way in enumerate(offered) if same_as(i.stem) == same_as(way.stem)}
    if len(named) != 1 or any(i.norm in NEGATIONS for i in clause):
        return None
    known = [i.stem for i in asked.items if i.has_content]
    told_of = next((i.stem for i in clause if i.has_content and i.stem in known and i not in named.values()), known[0])
    side, item = next(iter(named.items()))
    return (side, item) if told_of == known[0] else None
