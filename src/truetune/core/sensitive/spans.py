"""Where something sensitive stands."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_]*_[0-9]+\]")
"""What redaction leaves in place of a value; never itself a find."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where something sensitive stands: `[start, end)` in characters. `kind` is an entity, or the provider of a secret."""

    kind: str
    start: int
    end: int


def claim(found: list[Span], spans: Iterable[Span]) -> None:
    """Add what does not overlap an earlier find, keeping them in order: a card number is not a telephone number too."""
    for span in spans:
        place = bisect_left(found, span.start, key=_start)
        free_before = place == 0 or found[place - 1].end <= span.start
        if free_before and (place == len(found) or span.end <= found[place].start):
            found.insert(place, span)


def _start(span: Span) -> int:
    return span.start
