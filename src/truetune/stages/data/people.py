"""Names of people in the rows, found once; and what people read without them, where names were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from pydantic import JsonValue

from truetune.core.ports import NameFinder
from truetune.core.records import Finding
from truetune.core.sensitive.masking import mask_names
from truetune.stages.data.rows.row import Row

REJECTED = -1
"""The turn of a name that stands in the rejected answer."""
_BATCH_ROWS = 256
_BATCH_TEXTS = 1024


class Named(NamedTuple):
    """Where a name stands: the turn, counted from 0, and `[start, end)` in its text."""

    turn: int
    start: int
    end: int


def named_in(rows: Iterable[Row], names: NameFinder) -> dict[int, tuple[Named, ...]]:
    """Where names stand, by the position of their row; system prompts are not looked at."""
    found: dict[int, tuple[Named, ...]] = {}
    remaining = enumerate(rows)
    while some := list(islice(remaining, _BATCH_ROWS)):
        turns = [(position, turn, text) for position, row in some for turn, text in _turns(row)]
        for (position, turn, _), spans in zip(turns, names.find([text for _, _, text in turns]), strict=True):
            if spans:
                found[position] = (*found.get(position, ()), *(Named(turn, span.start, span.end) for span in spans))
    return found


def text_of(row: Row, turn: int) -> str:
    """The text of a turn, as `Named` counts them."""
    return (row.rejected or "") if turn == REJECTED else row.messages[turn]["content"]


def _turns(row: Row) -> Iterator[tuple[int, str]]:
    yield from ((turn, message["content"]) for turn, message in enumerate(row.messages) if message["role"] != "system")
    if row.rejected is not None:
        yield REJECTED, row.rejected


class People:
    """Hides names: those that were found in a row, wherever its words are shown, and those that the shown text itself has.

    The text of a finding is shortened, and in a shortened sentence a name is found less well than in the whole one.
    """

    def __init__(self, rows: Sequence[Row], named: Mapping[int, Sequence[Named]], names: NameFinder) -> None:
        """`named` is what `named_in` has found in these rows."""
        self._rows, self._named, self._names = rows, named, names

    def hide(self, text: str, positions: Iterable[int] = ()) -> str:
        """A text without names; it is made of the rows at these positions."""
        return self._hidden([text], self._known(positions))[text]

    def hide_in(self, findings: Sequence[Finding], positions: Sequence[Sequence[int]]) -> list[Finding]:
        """Findings without names in their message and evidence; each with the positions of its rows."""
        shown: list[Finding] = []
        for start in range(0, len(findings), _BATCH_TEXTS):
            some = findings[start : start + _BATCH_TEXTS]
            texts = dict.fromkeys(text for finding in some for text in (finding.message, *_strings(finding.evidence)))
            found = dict(zip(texts, self._names.find(list(texts)), strict=True))
            for finding, places in zip(some, positions[start : start + _BATCH_TEXTS], strict=True):
                known = self._known(places)
                own = (finding.message, *_strings(finding.evidence))
                shown.append(_replaced(finding, {text: mask_names(text, found[text], known) for text in own}))
        return shown

    def _hidden(self, texts: Sequence[str], known: Sequence[str]) -> dict[str, str]:
        return {t: mask_names(t, spans, known) for t, spans in zip(texts, self._names.find(texts), strict=True)}

    def _known(self, positions: Iterable[int]) -> list[str]:
        places = ((self._rows[p], named) for p in positions for named in self._named.get(p, ()))
        return sorted({text_of(row, named.turn)[named.start : named.end] for row, named in places}, key=len, reverse=True)


def _replaced(finding: Finding, texts: Mapping[str, str]) -> Finding:
    if all(text == hidden for text, hidden in texts.items()):
        return finding
    # Places in a text that is another one now would mark the wrong words; readers then compare the words themselves.
    evidence = {key: _with(value, texts) for key, value in finding.evidence.items() if key not in ("mark", "spans")}
    return finding.model_copy(update={"message": texts[finding.message], "evidence": evidence})


def _with(value: JsonValue, texts: Mapping[str, str]) -> JsonValue:
    if isinstance(value, str):
        return texts[value]
    if isinstance(value, dict):
        return {key: _with(part, texts) for key, part in value.items()}
    return [_with(part, texts) for part in value] if isinstance(value, list) else value


def _strings(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)
