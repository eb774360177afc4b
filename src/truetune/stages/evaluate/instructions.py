"""Did the output keep an instruction that a machine can check?

An output cut off by the token limit decides only what more text could not change: the rest is None, not a failure.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from truetune.stages.evaluate.suites import Rule

_BULLET = re.compile(r"^\s*[-*•]\s+\S", re.MULTILINE)
_NUMBERED = re.compile(r"^\s*\d+[.)]\s+\S", re.MULTILINE)
_CLOSERS = " \t\r\n\"'”’*_"


def followed(rule: Rule, output: str, finished: bool) -> bool | None:
    """True or False where the output decides it, None where the output was cut off before it could."""
    text = output.strip()
    if not text:
        return False if finished else None
    if rule.type in _AT_MOST:
        now = _AT_MOST[rule.type](text, rule.value)
        return now if finished or not now else None
    if rule.type in _AT_LEAST:
        now = _AT_LEAST[rule.type](text, rule.value)
        return now if finished or now else None
    if rule.type in _COUNTED:
        found, wanted = len(_COUNTED[rule.type].findall(text)), int(rule.value or 0)
        return found == wanted if finished else (False if found > wanted else None)
    if rule.type == "starts_with":
        now = _starts_with(text, rule.value)
        return now if finished or now or len(text) >= len(str(rule.value)) else None
    return _ends_with(text, rule.value) if finished else None


def _words(text: str) -> int:
    return len(text.split())


def _contains(text: str, value: int | str | None) -> bool:
    return re.search(rf"(?<!\w){re.escape(str(value).casefold())}(?!\w)", text.casefold()) is not None


def _starts_with(text: str, value: int | str | None) -> bool:
    return text.lstrip(_CLOSERS).casefold().startswith(str(value).casefold())


def _ends_with(text: str, value: int | str | None) -> bool:
    return text.rstrip(_CLOSERS).casefold().endswith(str(value).casefold())


_Test = Callable[[str, int | str | None], bool]

# More text can only break these.
_AT_MOST: dict[str, _Test] = {
    "max_words": lambda text, value: _words(text) <= int(value or 0),
    "not_contains": lambda text, value: not _contains(text, value),
    "uppercase": lambda text, _: text == text.upper() and text != text.lower(),
    "lowercase": lambda text, _: text == text.lower() and text != text.upper(),
}
# More text can only fulfil these.
_AT_LEAST: dict[str, _Test] = {
    "min_words": lambda text, value: _words(text) >= int(value or 0),
    "contains": _contains,
}
_COUNTED = {"bullet_count": _BULLET, "numbered_count": _NUMBERED}
