"""From what people write to an SPDX expression with its terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from truetune.licences.terms import ALIASES, TERMS, Terms

if TYPE_CHECKING:
    from license_expression import Licensing

UNKNOWN = Terms(None, None)
_WORD = re.compile(r"[A-Za-z0-9][\w.+-]*")
_REMEMBERED = 4096
"""So many licences as people write them; three checks ask for each of those that a file has."""


@lru_cache(maxsize=_REMEMBERED)
def parse(raw: str) -> tuple[str | None, Terms]:
    """The SPDX expression, ids in their canonical case, and what it allows; (None, unknown) where it is not one."""
    from license_expression import ExpressionError  # noqa: PLC0415 - half a second, for those who need it

    text = ALIASES.get(raw.strip().lower()) or _WORD.sub(lambda word: ALIASES.get(word[0].lower(), word[0]), raw)
    licensing = _licensing()
    try:
        tree = licensing.parse(text)
        unknown = [key for key in licensing.unknown_license_keys(text) if not key.startswith("LicenseRef-")]
    except ExpressionError:
        return None, UNKNOWN
    return (str(tree), _terms(tree)) if tree is not None and not unknown else (None, UNKNOWN)


@cache
def _licensing() -> Licensing:
    """All SPDX ids: reading them takes a tenth of a second."""
    from license_expression import get_spdx_licensing  # noqa: PLC0415 - as above

    return get_spdx_licensing()


def _terms(node: object) -> Terms:
    """AND allows what all allow; OR lets one choose; an exception (`WITH`) only ever adds to what is allowed."""
    parts: Sequence[object] = getattr(node, "args", ())
    if not parts:
        return TERMS.get(str(getattr(node, "license_symbol", node)), UNKNOWN)
    each = [_terms(part) for part in parts]
    if getattr(node, "operator", "").strip() == "OR":
        return max(each, key=lambda terms: [(False, None, True).index(may) for may in terms])
    return Terms(_all(t.commercial_use for t in each), _all(t.redistribution for t in each))


def _all(answers: Iterable[bool | None]) -> bool | None:
    known = list(answers)
    if False in known:
        return False
    return None if None in known else True
