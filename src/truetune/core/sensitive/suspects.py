"""What may be personal or secret: wider than what the data gate reports, for places where hiding too much costs nothing."""

from __future__ import annotations

import re

from truetune.core.sensitive.masking import find_sensitive
from truetune.core.sensitive.spans import Span, claim

_WIDE = (
    ("private_key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"),
    ("secret", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,64}:[^\s/@]{3,128}@[\w.-]+"),
    ("secret", r"\b(?:eyJ|SG\.)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]{8,})?"),
    ("email", r"[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+"),
    ("secret", r"\b(?:[spr]k|gh[pousr]|github_pat|xox[a-z]|hf|npm|pypi|glpat|AKIA|ASIA|AIza)[-_]?[A-Za-z0-9_-]{12,}"),
    ("secret", r"(?i:api[_-]?key|access[_-]?key|secret|passw\w{1,3}|pwd|token)[\"']?\s*(?:is|=>?|:)\s*[\"']?[^\s\"',;]{4,}"),
    ("secret", r"\b(?=[A-Za-z0-9_/+-]{0,60}\d)(?=[A-Za-z0-9_/+-]{0,60}[A-Za-z])[A-Za-z0-9_/+-]{24,}={0,2}"),
    ("iban", r"\b(?i:[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?)\b"),
    ("ip_address", r"\b(?:\d{1,3}\.){3}\d{1,3}\b"),
    ("ip_address", r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{0,4}(?![\w:])"),
    ("number", r"(?<![\w.])\+?\(?\d(?:[ ()/.-]{0,2}\d){6,18}(?!\w)"),
)
_UNION = re.compile("|".join(f"(?P<p{place}>{pattern})" for place, (_, pattern) in enumerate(_WIDE)))
_HINT = re.compile(r"\d|@|://|:.{0,4}:|[\w-]{14}|(?i:secret|passw|pwd|token|key)")
"""Without any of these a text holds nothing that a pattern matches: most texts are told apart in one quick look."""


def find_suspects(text: str) -> list[Span]:
    """All that `find_sensitive` finds, and whatever else has the looks of it, left to right, none overlapping another."""
    if not _HINT.search(text):
        return []
    found = [Span(_WIDE[int((m.lastgroup or "p0")[1:])][0], *m.span()) for m in _UNION.finditer(text)]
    claim(found, find_sensitive(text))
    return found
