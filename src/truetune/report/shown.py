"""What of a user's text may be shown: cut to a length, cleaned of what would break the page, personal data hidden."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from pydantic import JsonValue

from truetune.core.ports import NameFinder
from truetune.core.records import Finding
from truetune.core.sensitive.personal import PII_ENTITIES
from truetune.core.sensitive.spans import Span
from truetune.core.sensitive.suspects import find_suspects
from truetune.report.bundle import Place, ReportBundle, RowText

_WORDS = {"email": "e-mail", "iban": "IBAN", "ip_address": "IP address", "number": "number", "private_key": "key"}
"""What a reader is told was hidden; other personal data is a number, everything else a secret."""
_ROOM_CHARS = 400
_SPARE_CHARS = 20
_CONTROLS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {0x7F: 0x2421}


@dataclass(frozen=True)
class Limits:
    """How much is shown before a list is cut and says so; `render` halves it until the file is small enough."""

    flips: int = 24
    items: int = 150
    examples: int = 4
    groups: int = 8
    text_chars: int = 1200
    tokens: int = 700

    def halved(self) -> Limits:
        """Half of everything, but never nothing."""
        return Limits(
            flips=max(3, self.flips // 2),
            items=max(3, self.items // 2),
            examples=max(1, self.examples // 2),
            groups=max(1, self.groups // 2),
            text_chars=max(120, self.text_chars // 2),
            tokens=max(60, self.tokens // 2),
        )


class Shown:
    """Decides what of a text is shown.

    Every row that a `data.pii.*` or `data.secret` finding names has all that looks personal hidden in it; a value
    hidden there is hidden wherever else it turns up: in the same row under another finding, in a prompt, in an answer
    that a model learned to repeat.
    """

    def __init__(self, bundle: ReportBundle, limits: Limits, names: NameFinder | None = None) -> None:
        """Collect what must be hidden from the rows that the data gate flagged; names of people too, where `names` finds them."""
        self.limits = limits
        self._names = names
        self._names_in = lru_cache(maxsize=4096)(self._found_names)
        findings = bundle.data.findings if bundle.data else ()
        self._flagged = {(row.file, row.line) for f in findings if is_personal(f) for row in f.rows}
        rows = [bundle.rows[place] for place in self._flagged if place in bundle.rows]
        evidence = [text for f in findings if is_personal(f) for text in _strings(f.evidence)]
        self._values = {_plain(hit) for text in [*_words(rows), *evidence] for hit in _hits(text)}

    def _found_names(self, text: str) -> list[Span]:
        return self._names.find([text])[0] if self._names and text else []

    def text(self, value: str, place: Place | None = None, limit: int | None = None) -> str:
        """The text as it may be shown; `place` is the row it comes from, where it comes from one."""
        if place is not None:
            value = self._without_names(value)
        return self._fit(value, limit or self.limits.text_chars, everything=place in self._flagged)

    def words(self, value: str, limit: int | None = None) -> str:
        """What a person or a model has written, whose row is not known: names are hidden as in a row."""
        return self.text(self._without_names(value), limit=limit)

    def personal(self, value: str) -> str:
        """A text that is about personal data itself: all that looks personal is hidden."""
        return self._fit(value, self.limits.text_chars, everything=True)

    def hidden_pieces(self, pieces: Sequence[str], place: Place) -> list[bool]:
        """For a text in pieces (tokens): which of them are part of something that must be hidden."""
        everything = place in self._flagged
        text = "".join(pieces)
        spans = [span for span in find_suspects(text) if self._must_hide(text[span.start : span.end], everything)]
        spans += self._names_in(text)
        ends = list(accumulate(len(piece) for piece in pieces))
        return [any(end - len(p) < s.end and s.start < end for s in spans) for p, end in zip(pieces, ends, strict=True)]

    def _must_hide(self, hit: str, everything: bool) -> bool:
        return everything or _plain(hit) in self._values

    def _hide(self, value: str, *, everything: bool) -> str:
        return _hidden(value, lambda hit: self._must_hide(hit, everything))

    def _without_names(self, value: str) -> str:
        """Looked for with room beyond what is shown: the rest is cut off anyway."""
        looked_at = self.limits.text_chars + _ROOM_CHARS
        for span in reversed(self._names_in(value[:looked_at])):
            value = f"{value[: span.start]}‹name hidden›{value[span.end :]}"
        return value

    def _fit(self, value: str, limit: int, *, everything: bool) -> str:
        """Hide first, with room beyond the cut, so that half a value cannot stand at the cut; then cut."""
        seen = self._hide(value[: limit + _ROOM_CHARS], everything=everything)
        if len(seen) <= limit + _SPARE_CHARS and len(value) <= limit + _ROOM_CHARS:
            return seen
        return f"{seen[:limit]} … ({max(len(value), len(seen)) - limit:,} more characters)"


def hide_personal(value: str) -> str:
    """The text with all that looks personal hidden."""
    return _hidden(value, lambda _: True)


def _hidden(value: str, must_hide: Callable[[str], bool]) -> str:
    for span in reversed(find_suspects(value)):
        if must_hide(value[span.start : span.end]):
            word = _WORDS.get(span.kind, "number" if span.kind in PII_ENTITIES else "secret")
            value = f"{value[: span.start]}‹{word} hidden›{value[span.end :]}"
    return clean(value)


def is_personal(finding: Finding) -> bool:
    """Is the finding about personal data or a secret?"""
    return finding.code.startswith(("data.pii", "data.secret"))


def clean(value: str) -> str:
    """Text that any page can hold: control characters made visible, halves of surrogate pairs replaced."""
    whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.translate(_CONTROLS)


def _hits(text: str) -> Iterable[str]:
    return (text[span.start : span.end] for span in find_suspects(text))


def _plain(hit: str) -> str:
    return re.sub(r"[\s()/.\-]", "", hit).casefold()


def _words(rows: Iterable[RowText]) -> Iterable[str]:
    return (text for row in rows for text in (row.prompt, row.answer, row.raw))


def _strings(value: JsonValue) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
