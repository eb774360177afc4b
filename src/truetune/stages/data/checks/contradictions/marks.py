"""A text as a finding may show it, with the places that matter still marked: masked and shortened around them."""

from __future__ import annotations

from collections.abc import Sequence

from truetune.core.sensitive.masking import EXCERPT_CHARACTERS, mask

Span = tuple[int, int]

_MASKED_CHARACTERS = 40 * EXCERPT_CHARACTERS


def marked_excerpt(text: str, spans: Sequence[Span], limit: int = EXCERPT_CHARACTERS) -> tuple[str, list[Span]]:
    """The text masked, on one line, cut to about `limit` characters around the first marked place.

    Args:
        text: a user's text.
        spans: start and end of the places to mark, in `text`.
        limit: characters that may be shown.

    Returns:
        the shown text, and the places in it; a place that is masked or lies outside what is shown is left out.
    """
    base = max(0, spans[0][0] - _MASKED_CHARACTERS // 2) if spans else 0
    window = text[base : base + _MASKED_CHARACTERS]
    flat = _flat(mask(window))
    found = [place for start, end in spans if (place := _find(window, flat, start - base, end - base))]
    if len(flat) <= limit:
        return flat, found
    start = max(0, (found[0][0] if found else 0) - limit // 3)
    start = flat.rfind(" ", 0, start) + 1 if start else 0
    end = min(len(flat), start + limit)
    before, after = ("… " if start else ""), (" …" if end < len(flat) else "")
    shift = len(before) - start
    inside = [(a + shift, b + shift) for a, b in found if start <= a and b <= end]
    return f"{before}{flat[start:end]}{after}", inside


def _flat(text: str) -> str:
    return " ".join(text.split()).encode("utf-8", "replace").decode("utf-8")


def _find(text: str, flat: str, start: int, end: int) -> Span | None:
    """Where the part stands in the masked text: at the same one of its occurrences, unless masking has taken some away."""
    part = _flat(text[start:end])
    if not part or _flat(text).count(part) != flat.count(part):
        return None
    place = -1
    for _ in range(_flat(text[:start]).count(part) + 1):
        place = flat.find(part, place + 1)
    return (place, place + len(part)) if place >= 0 else None
