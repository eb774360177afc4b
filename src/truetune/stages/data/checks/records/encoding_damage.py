"""Text that was decoded with the wrong encoding before it came into the file, and characters that no text has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from truetune.core.records import TaskProfile
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import RowCheck, Said, say_each
from truetune.stages.data.rows.row import Row

MOJIBAKE_CODE = "data.encoding.mojibake"
CONTROL_CODE = "data.encoding.control"
_MOJIBAKE_FIX = "export the text again as UTF-8; where that is not possible, replace it by what `repaired` shows"
_CONTROL_FIX = "remove the characters that are named, or write what they stood for"

_REPLACEMENT = "\ufffd"
_SHOWN = 24
"""Characters shown on each side of the damage."""


def _bytes_by_character() -> dict[str, int]:
    """The byte that each character was made of, by Windows-1252, and by latin-1 for the five bytes that it leaves open."""
    known = {}
    for byte in range(0x80, 0x100):
        known[chr(byte)] = byte
        decoded = bytes([byte]).decode("cp1252", "ignore")
        if decoded:
            known[decoded] = byte
    return known


_BYTE = _bytes_by_character()
_LEADS = "\u00c2-\u00f4"
_FOLLOWERS = "".join(re.escape(c) for c, byte in _BYTE.items() if byte < 0xC0)
_RUN = re.compile(f"(?:[{_LEADS}][{_FOLLOWERS}]{{1,3}})+")
_QUOTES = "\u2018\u2019\u201c\u201d"
# A curly quote in UTF-8 whose third byte Windows-1252 leaves open and which a tool has thrown away.
_CUT_QUOTE = "\u00e2\u20ac"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def mojibake(text: str) -> Iterator[tuple[int, int, str]]:
    """Where UTF-8 was read as Windows-1252 or latin-1, as (start, end, what it was); told by decoding it the right way.

    What decodes to something that nobody writes (a lone letter of a rare script) was no UTF-8: a quoted capital such as
    "CAF\u00c9\u201d" happens to be a valid byte pair.
    """
    for run in _RUN.finditer(text):
        repaired = bytes(_BYTE[character] for character in run[0]).decode("utf-8", "ignore")
        if repaired and _is_written(repaired) and not _is_quoted(text, run):
            yield run.start(), run.end(), repaired
        elif _CUT_QUOTE in run[0]:
            yield run.start(), run.end(), "a quotation mark"


def _is_written(repaired: str) -> bool:
    """Common Latin letters and signs count alone; a letter of another script only where others stand beside it."""
    if any("\u00a0" <= c <= "\u017f" or "\u2010" <= c <= "\u2122" for c in repaired):
        return True
    wide = [c for c in repaired if unicodedata.category(c)[0] in "LSN"]
    return len(wide) > 1 or any(ord(c) > 0xFFFF for c in wide)


def _is_quoted(text: str, run: re.Match[str]) -> bool:
    """Is it a capital and the quote that closes after it, and not a broken letter within a word?"""
    return len(run[0]) == 2 and run[0][1] in _QUOTES and not text[run.end() : run.end() + 1].isalpha()


def _look_mojibake(row: Row, _: TaskProfile) -> Said | None:
    return next(filter(None, map(_damage, _texts(row))), None)


def _damage(text: str) -> Said | None:
    """What is said about the first damage of a text, with the evidence for it; None for a sound text."""
    if text.isascii():
        return None
    for start, end, repaired in mojibake(text):
        around = text[max(0, start - _SHOWN) : end + _SHOWN]
        evidence = {"text": excerpt(around), "written": text[start:end], "repaired": repaired}
        return Said(f"UTF-8 that was read as Windows-1252 or latin-1: {text[start:end]!r} was {repaired!r}", evidence)
    lost = text.find(_REPLACEMENT)
    if lost < 0:
        return None
    around = text[max(0, lost - _SHOWN) : lost + _SHOWN]
    return Said("a character was lost in decoding: U+FFFD stands in its place", {"text": excerpt(around)})


def _look_control(row: Row, _: TaskProfile) -> Said | None:
    for text in _texts(row):
        stray = _stray(text)
        if stray is not None:
            around = text[max(0, stray.start() - _SHOWN) : stray.end() + _SHOWN]
            message = f"a control character stands in the text: U+{ord(stray[0]):04X}"
            return Said(message, {"text": repr(excerpt(around))})
    return None


def _stray(text: str) -> re.Match[str] | None:
    """The first control character that is no part of wrongly decoded UTF-8, which is another finding."""
    for stray in _CONTROL.finditer(text):
        if stray[0] < "\x80" or all(not start <= stray.start() < end for start, end, _ in mojibake(text)):
            return stray
    return None


def _texts(row: Row) -> Iterator[str]:
    """Every text of a row that is trained on or read before."""
    yield from (message["content"] for message in row.messages)
    if row.rejected is not None:
        yield row.rejected


MOJIBAKE = RowCheck(
    code=MOJIBAKE_CODE,
    severity="warn",
    claim="No text is UTF-8 that was once read as another encoding, and no character was lost in decoding.",
    fix=_MOJIBAKE_FIX,
    look=_look_mojibake,
    conclude=say_each(MOJIBAKE_CODE, "warn", _MOJIBAKE_FIX),
)

CONTROL = RowCheck(
    code=CONTROL_CODE,
    severity="warn",
    claim="No text has control characters other than tab, line feed and carriage return.",
    fix=_CONTROL_FIX,
    look=_look_control,
    conclude=say_each(CONTROL_CODE, "warn", _CONTROL_FIX),
)
