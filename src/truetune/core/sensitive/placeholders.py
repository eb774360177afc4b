"""Typed placeholders in place of what is sensitive: the same value gets the same one, everywhere in a conversation."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from truetune.core.sensitive.spans import PLACEHOLDER, Span

Finder = Callable[[str], list[Span]]
_BARE = re.compile(r"([:\[,]\s*)(\[[A-Z][A-Z0-9_]*_[0-9]+\])(?=\s*[,\]}])")
"""A placeholder that stands where a JSON value is expected."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A value that was replaced, without the value: its kind, its placeholder, and how many times it stood there."""

    kind: str
    placeholder: str
    times: int


def redact(texts: Sequence[str], find: Finder) -> tuple[list[str], tuple[Replacement, ...]]:
    """The texts of one conversation with each find replaced by `[KIND_1]`, `[KIND_2]` …, and what was replaced.

    Nothing that `find` finds is left, nor any other place where a found value stands in the same writing. Placeholders that
    are there already keep their numbers, so redacting twice changes nothing. An answer that is JSON stays JSON.

    Args:
        texts: system prompt, turns, rejected answer: whatever belongs together.
        find: what is sensitive in a text; must not find a placeholder.
    """
    names = _Names.beside(texts)
    redacted = list(texts)
    while found := [[(span, text[span.start : span.end]) for span in find(text)] for text in redacted]:
        if not any(found):
            break
        values = {value: names.of(span.kind, value) for spans in found for span, value in spans}
        redacted = [_replaced(text, spans, values, names) for text, spans in zip(redacted, found, strict=True)]
    return redacted, names.replacements()


@dataclass
class _Names:
    """Which placeholder each value has; numbers go on after those that the texts have already."""

    last: Counter[str] = field(default_factory=Counter)
    known: dict[tuple[str, str], str] = field(default_factory=dict)
    times: Counter[tuple[str, str]] = field(default_factory=Counter)

    @classmethod
    def beside(cls, texts: Sequence[str]) -> _Names:
        names = cls()
        for text in texts:
            for match in PLACEHOLDER.finditer(text):
                kind, number = match.group()[1:-1].rsplit("_", 1)
                names.last[kind] = max(names.last[kind], int(number))
        return names

    def of(self, kind: str, value: str) -> str:
        key = (kind, _identity(kind, value))
        if key not in self.known:
            name = kind.upper()
            self.last[name] += 1
            self.known[key] = f"[{name}_{self.last[name]}]"
        return self.known[key]

    def count(self, placeholder: str, times: int) -> None:
        kind = next(kind for (kind, _), known in self.known.items() if known == placeholder)
        self.times[kind, placeholder] += times

    def replacements(self) -> tuple[Replacement, ...]:
        return tuple(Replacement(kind, placeholder, times) for (kind, placeholder), times in self.times.items())


def _identity(kind: str, value: str) -> str:
    """What makes two writings the same value: an address in capitals, a number in other groups."""
    if kind in ("email", "person"):
        return " ".join(value.casefold().split())
    compact = "".join(c for c in value if c.isalnum())
    return compact.casefold() if kind in _GROUPED else value


_GROUPED = frozenset(("phone", "iban", "credit_card", "ssn", "itin", "uk_nino", "de_tax_id", "mac_address", "ip_address", "vin"))


def _replaced(text: str, spans: Sequence[tuple[Span, str]], values: Mapping[str, str], names: _Names) -> str:
    was_json = _is_json(text)
    for span, value in reversed(spans):
        text = f"{text[: span.start]}{values[value]}{text[span.end :]}"
        names.count(values[value], 1)
    for value in sorted(values, key=len, reverse=True):
        if value in text:
            text, times = re.subn(rf"(?<!\w){re.escape(value)}(?!\w)", values[value], text)
            names.count(values[value], times)
    if was_json and not _is_json(text):
        quoted = _BARE.sub(r'\1"\2"', text)
        return quoted if _is_json(quoted) else text
    return text


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
