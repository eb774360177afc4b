"""What of a text may be shown where a person reads it: sensitive parts by kind, first and last character only."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from truetune.core.sensitive.personal import find_pii
from truetune.core.sensitive.secrets import find_secrets
from truetune.core.sensitive.spans import Span, claim

EXCERPT_CHARACTERS = 160
_FINDERS: tuple[Callable[[str], list[Span]], ...] = (find_secrets, find_pii)


def find_sensitive(text: str) -> list[Span]:
    """Secrets and personal data, left to right, none overlapping another; a secret goes before what is part of it."""
    found: list[Span] = []
    for finder in _FINDERS:
        claim(found, finder(text))
    return found


def masked(text: str, span: Span) -> str:
    """The find with only its first and last character."""
    value = text[span.start : span.end]
    return f"{value[0]}…{value[-1]}"


def mask_names(text: str, found: Sequence[Span], known: Sequence[str] = ()) -> str:
    """The text with each name that was found in it, and each whole word or phrase of `known`, masked like other personal data."""
    spans = list(found)
    for name in known:
        claim(spans, (Span("person", *m.span()) for m in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text)))
    for span in sorted(spans, key=lambda span: span.start, reverse=True):
        text = f"{text[: span.start]}[{span.kind} {masked(text, span)}]{text[span.end :]}"
    return text


def excerpt(text: str, limit: int = EXCERPT_CHARACTERS) -> str:
    """A text as a finding may show it: sensitive parts masked, on one line, shortened in the middle."""
    shown = mask(text[: limit * 40])
    flat = " ".join(shown.split()).encode("utf-8", "replace").decode("utf-8")
    return flat if len(flat) <= limit else f"{flat[: limit * 2 // 3]} … {flat[-limit // 3 :]}"


def mask(text: str) -> str:
    """The text with each piece of personal data and each secret replaced by its kind, first and last character."""
    for span in reversed(find_sensitive(text)):
        text = f"{text[: span.start]}[{span.kind} {masked(text, span)}]{text[span.end :]}"
    return text
