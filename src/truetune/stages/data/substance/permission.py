"""What may be, may not be, must be and need not be: statements that say contrary ones of the same thing."""

from __future__ import annotations

from collections.abc import Iterator

from truetune.stages.data.substance.alignment import about_the_same
from truetune.stages.data.substance.answers import Found
from truetune.stages.data.substance.reading import Item, Statement
from truetune.stages.data.substance.words import NEGATIONS, stem

_MODES = {
    ("may",): "allowed",
    ("allowed",): "allowed",
    ("permitted",): "allowed",
    ("welcome",): "allowed",
    ("free", "to"): "allowed",
    ("objection",): "forbidden",
    ("forbidden",): "forbidden",
    ("prohibited",): "forbidden",
    ("banned",): "forbidden",
    ("ban",): "forbidden",
    ("restriction",): "forbidden",
    ("off", "limits"): "forbidden",
    ("must",): "required",
    ("have", "to"): "required",
    ("has", "to"): "required",
    ("required",): "required",
    ("mandatory",): "required",
    ("compulsory",): "required",
    ("optional",): "free",
    ("need", "not"): "free",
}
_BEGIN = frozenset(words[0] for words in _MODES)
_DENIED = {"allowed": "forbidden", "forbidden": "allowed", "required": "free"}
_DENIED_MUST = "forbidden"
"""Of "must", whose negation forbids."""
_CONTRARY = ({"allowed", "forbidden"}, {"required", "free"})
"""What must be and what is forbidden are mostly two things ("keep off the grass", "no walking on the grass")."""
_LIMITS = frozenset("only unless until till except if before after without but otherwise instead once".split())  # noqa: SIM905
"""With one of these a thing may be allowed and forbidden at once."""
_POINTING = ("it", "they", "that", "this", "these", "those")
"""What an answer begins with that says something of what was asked about."""
_STEMS = frozenset(stem(word) for words in _MODES for word in words)


def contrary_modes(left: Statement, right: Statement, asked: frozenset[str]) -> Iterator[Found]:
    """Of one thing the one says that it may be and the other that it may not; or that it must be and that it need not."""
    x, y = _mode(left), _mode(right)
    if x is None or y is None or {x[0], y[0]} not in _CONTRARY or _limits(left) or _limits(right):
        return
    shared = (left.content & right.content) - _STEMS
    points_back = any(side.items[0].norm in _POINTING for side in (left, right))
    if (shared or points_back) and about_the_same(left, right, asked | _STEMS):
        yield "negation", x[1].span, y[1].span


def _limits(statement: Statement) -> bool:
    return any(i.norm in _LIMITS for i in statement.items)


def _mode(statement: Statement) -> tuple[str, Item] | None:
    """The only such word of a statement with what it says there; None where there is none or more than one."""
    items = statement.items
    norms = [i.norm for i in items]
    begin = int(norms[:1] == ["please"])
    if norms[begin : begin + 2] == ["do", "not"] or norms[begin : begin + 1] == ["never"]:
        is_all = sum(norm in NEGATIONS for norm in norms) == 1 and _BEGIN.isdisjoint(norms)
        return ("forbidden", items[begin]) if is_all else None
    begun = [place for place, norm in enumerate(norms) if norm in _BEGIN]
    found = [(place, words, mode) for place in begun for words, mode in _MODES.items() if _is_at(norms, place, words)]
    if len(found) != 1:
        return None
    place, words, mode = found[0]
    around = {*norms[max(0, place - 2) : place], *norms[place + 1 : place + 2]}
    others = sum(norm in NEGATIONS for norm in norms)
    if words == ("need", "not") or not others:
        return mode, items[place]
    if others > 1 or around.isdisjoint(NEGATIONS):
        return None
    return (_DENIED_MUST if words == ("must",) else _DENIED.get(mode, "")), items[place]


def _is_at(norms: list[str], place: int, words: tuple[str, ...]) -> bool:
    return tuple(norms[place : place + len(words)]) == words
