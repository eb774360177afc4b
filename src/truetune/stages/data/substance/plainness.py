"""Is a difference plain, or may it be a matter of wording?"""

from __future__ import annotations

from truetune.stages.data.substance import polarity
from truetune.stages.data.substance.alignment import are_worded_alike
from truetune.stages.data.substance.answers import WHOLE_WORDS
from truetune.stages.data.substance.reading import Reading, Statement
from truetune.stages.data.substance.words import NEGATIONS

_VALUES = ("number", "date", "time", "code", "link")


def is_plain(kind: str, left: tuple[int, int], right: tuple[int, int], a: Reading, b: Reading) -> bool:
    """Does the difference lie in a value, in a yes beside a no, between proper names, or in statements that are worded alike?"""
    sides = ((left, a), (right, b))
    if kind == "yes/no" and all(polarity.is_head(part, answer) for part, answer in sides):
        return True
    if kind == "name" and all(_is_proper(part, answer) for part, answer in sides):
        return True
    limits = NEGATIONS if kind in ("code", "link") else _LIMITING
    if kind in _VALUES and _is_limited(left, a, limits) == _is_limited(right, b, limits):
        return True
    return are_worded_alike(_around(left, a), _around(right, b))


def _is_proper(part: tuple[int, int], answer: Reading) -> bool:
    """Is it a name by more than the capital that begins a sentence?"""
    names = [i for i in answer.whole.items if i.start >= part[0] and i.end <= part[1] and i.is_name]
    begins = {s.items[0].start for s in answer.statements if s.items}
    return any(i.start not in begins for i in names) or (bool(names) and answer.words <= _BARE_WORDS)


_BARE_WORDS = 3
"""An answer of so few words that begins with a name is little else."""


def _is_limited(part: tuple[int, int], answer: Reading, limits: frozenset[str]) -> bool:
    """May a word in its clause turn a value round ("only on Sundays", "5 euros more")? A bound ("no more than 5") does not."""
    items = answer.whole.items
    place = next((n for n, i in enumerate(items) if i.end > part[0]), len(items) - 1)
    if {i.norm for i in items[place + 1 : place + 2]} & _DIFFERENCES:
        return True
    clause = {i.norm for i in items if i.clause == items[place].clause}
    return "than" not in clause and not clause.isdisjoint(limits)


_DIFFERENCES = frozenset("more less longer shorter later earlier extra fewer before after".split())  # noqa: SIM905
"""After a value these make it a difference."""
_LIMITING = NEGATIONS | {"only", "except", "but", "other", "instead", "rather", "more", "less"}


def _around(part: tuple[int, int], answer: Reading) -> Statement:
    """The sentence that the part begins in; the whole of a short answer."""
    if answer.words <= WHOLE_WORDS:
        return answer.whole
    return next((s for s in answer.statements if s.items and s.items[-1].end > part[0]), answer.whole)
