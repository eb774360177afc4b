"""Telephone numbers, by shape where it decides, by the words around them where it does not.

Source: country codes: ITU-T E.164 (list of 2016-11-15 and its amendments); layout of North America: NANP (ATIS-0300119).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from truetune.core.sensitive.spans import Span

_WRITTEN = re.compile(
    r"(?<![\w.#/+-])(?<!\d,)(?:\+|\(\+?)?\d[\d ().\-/\u00a0]{5,20}\d(?:(?= ?(?:x|ext\.? ?)\d)|(?!\w|[.,:]\d|[-/]\d))"
)
_NANP = re.compile(r"(?:\+?1[-. ]*)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])[2-9]\d\d[-. ]?\d{4}")
_DATE = re.compile(r"(?:(?:19|20)\d\d[-./ ][01]?\d[-./ ][0-3]?\d|[0-3]?\d[-./ ][0-3]?\d[-./ ](?:19|20)\d\d)(?!\d)")
_WORD_BEFORE = re.compile(
    r"\b(?:phone|telephone|tel|mobile|cell|cellphone|desk|office|landline|call|calling|ring|whats?app|fax|sms|dial|answering at|"
    r"(?:call|r[ai]ng|text)(?:ed|ing)?(?: you| me| us)? (?:from|on)|my number(?: is)?|"
    r"(?:reach(?:ed)?|text|contact|messages?) (?:me |us )?(?:on|at|to)|"
    r"handynummer|telefon(?:nummer)?|teléfono|móvil|téléphone|portable|telefono)\b\.?[^.!?\d]{0,24}$",
    re.IGNORECASE,
)
_WORD_AFTER = re.compile(
    r"[ ,-]{0,2}(?:\((?:mobile|cell|phone|office|home|work|landline|whatsapp)\)|(?:mobile|cell|office|landline|fax)\b|"
    r"is (?:my|our|the|his|her) (?:mobile|cell|phone|landline))",
    re.IGNORECASE,
)
_OTHER_WORD = re.compile(
    r"\b(?:order|part|article|item|sku|ref(?:erence)?|invoice|ticket|case|batch|serial|model|policy|account|customer|parcel|tracking|"
    r"shipment|isbn|version|code|lot|coupon|voucher|product)\b(?: ?(?:no|nr|number|id|is|code))*[ .:#]{0,3}$",
    re.IGNORECASE,
)
"""What the number is, said right before it: then no layout makes it a telephone number."""
_DECIMAL = re.compile(r"0[.,]\d+")
_SSN_LAYOUT = re.compile(r"\d{3}-\d{2}-\d{4}")
_BEFORE_CHARACTERS = 48
_COUNTRY_CODE = re.compile(
    r"7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|21[12368]|2[2-6]\d|29[017-9]|3[57]\d|38[0-35-79]|42[013]|5[09]\d|"
    r"67[02-9]|68[0-35-9]|69[0-2]|800|808|85[02356]|87[08]|88[0-368]|96[0-8]|97[0-79]|99[2-68]"
)


def phones(text: str, start: int, end: int) -> Iterator[Span]:
    """The telephone numbers of a text that lie in a run of digits `[start, end)`."""
    for match in _WRITTEN.finditer(text, max(0, start - 2), min(len(text), end + 8)):
        written = match.group()
        digits = "".join(c for c in written if c.isdigit())
        if 7 <= len(digits) <= 15 and not _DATE.match(written) and _is_phone(written, digits, text, match.span()):
            yield Span("phone", *match.span())


def _is_phone(written: str, digits: str, text: str, place: tuple[int, int]) -> bool:
    """Shape decides where it can: a `+`, the North American layout, a leading zero in groups; else the words around."""
    if written.startswith(("+", "(+")):
        return is_international(digits)
    if digits.startswith("00") and len(digits) >= 11:
        return is_international(digits[2:])
    start, end = place
    before = text[max(0, start - _BEFORE_CHARACTERS) : start]
    if _OTHER_WORD.search(before):
        return False
    if _NANP.fullmatch(written) or _is_trunk(written, digits):
        return True
    return bool(_WORD_BEFORE.search(before) or _WORD_AFTER.match(text, end))


def _is_trunk(written: str, digits: str) -> bool:
    """Is it dialled at home with a leading zero, and written in groups?"""
    in_groups = not written.isdigit() and not _SSN_LAYOUT.fullmatch(written) and not _DECIMAL.fullmatch(written)
    return digits[0] == "0" and digits[1] != "0" and 9 <= len(digits) <= 12 and in_groups


def is_international(digits: str) -> bool:
    """Do the digits begin with a country code, followed by as many as that country's numbers can have?

    North American numbers have eleven digits with the code; the others 8 to 15 (E.164).
    """
    if digits[0] == "1":
        return len(digits) == 11 and digits[1] in "23456789"
    return 8 <= len(digits) <= 15 and _COUNTRY_CODE.match(digits) is not None
