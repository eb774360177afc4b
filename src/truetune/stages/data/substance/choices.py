"""One of two: which of the things that a question offers an answer chooses, by naming it or by the contrary of the other.

"Which is heavier, the anvil or the vice?" is answered alike by "the anvil" and "the vice is lighter", and differently by
"the anvil is lighter".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product, takewhile

from truetune.stages.data.substance.contraries import are_opposites
from truetune.stages.data.substance.reading import Item, Reading, Statement
from truetune.stages.data.substance.words import CONVERSES, NEGATIONS, PREPOSITIONS, stem

_ASKS_WHICH = re.compile(r"\b(?:who|which|what)\b", re.IGNORECASE)
_ASKS_TWICE = re.compile(r"\b(?:who|which|what)\b.*\b(?:whom?|which|what)\b", re.IGNORECASE)
_OF_TWO = re.compile(r"\b(?:two|both|other)\b", re.IGNORECASE)
_TURNED = {
    "first": frozenset(map(stem, "after follow follows last later afterwards second".split())),  # noqa: SIM905
    "top": frozenset(map(stem, "below under beneath underneath bottom".split())),  # noqa: SIM905
}
"""What says of a thing that the other one is what was asked for, beside the opposites of the question's words."""
_UNCLEAR = frozenset(("by", "from", "to", "with")) | NEGATIONS

Chosen = tuple[Item, Item]


def chosen(question: str, a: Reading, b: Reading, asked: Statement) -> tuple[bool, Chosen] | None:
    """Whether both choose the same, and the words that say it; None where no two things were offered, or an answer is unclear."""
    if not _ASKS_WHICH.search(question) or _ASKS_TWICE.search(question) or not a.statements or not b.statements:
        return None
    offered = _offered(asked)
    if not offered and _OF_TWO.search(question):
        offered = _opposed(a, b, asked) or _named(a, b)
    picks = [_pick(reading.statements[0], offered, asked) for reading in (a, b)] if len(offered) == 2 else []
    if not all(picks) or len(picks) < 2:
        return None
    (x, x_turned), (y, y_turned) = (pick for pick in picks if pick is not None)
    return (x.stem == y.stem) == (x_turned == y_turned), (x, y)


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


def _pick(statement: Statement, offered: frozenset[str], asked: Statement) -> tuple[Item, bool] | None:
    """The thing that is spoken of, and whether what is said of it is true of the other one."""
    items = [i for i in statement.items if i.clause == statement.items[0].clause]
    known = {i.stem for i in asked.items}
    if items[0].norm in PREPOSITIONS or not (_UNCLEAR - {i.norm for i in asked.items}).isdisjoint(i.norm for i in items):
        return None
    thing = next((i for i in items if i.stem in offered), None)
    if thing is None:
        return None
    said = {i.stem for i in items} - offered
    turned = any(are_opposites(s, k) and k not in said for s in said - known for k in known - offered)
    turned = turned or any(word in known and not said.isdisjoint(words) for word, words in _TURNED.items())
    converse = {word for word, (_, is_turned) in CONVERSES.items() if is_turned} - known
    return None if not turned and converse & said else (thing, turned)
