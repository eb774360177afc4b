"""Personal data by pattern and checksum.

A text is looked at in a few passes that skip quickly over what cannot begin a find (an `@`, seven digits with little between
them, dotted or colon-joined numbers, two capitals before a digit); the exact patterns run only where such a pass stopped.

Source: IBAN lengths: ISO 13616 registry; US social security numbers: the ranges that the SSA never issues; ITIN ranges: IRS
Pub. 1915; UK national insurance prefixes: HMRC NIM39110. Others beside their rules in `phones` and `checksums`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from truetune.core.sensitive.checksums import (
    base58check_holds,
    bech32_holds,
    german_tax_digits_hold,
    iban_checksum_holds,
    luhn_holds,
    vin_holds,
)
from truetune.core.sensitive.phones import phones
from truetune.core.sensitive.spans import Span, claim

PII_ENTITIES = (
    "email",
    "phone",
    "iban",
    "credit_card",
    "ssn",
    "ip_address",
    "itin",
    "uk_nino",
    "de_tax_id",
    "mac_address",
    "crypto_address",
    "vin",
)


def find_pii(text: str) -> list[Span]:
    """Personal data in a text, left to right, none overlapping another."""
    found: list[Span] = []
    if "@" in text:
        claim(found, _emails(text))
    if text.count(":") >= 5 or text.count("-") >= 5:
        claim(found, _mac_addresses(text))
    if "::" in text or text.count(":") >= 7:
        claim(found, _ipv6s(text))
    digit = _DIGIT.search(text)
    if digit is not None:
        _claim_numbers(found, text, max(0, digit.start() - _LETTERS_BEFORE))
    return found


def _claim_numbers(found: list[Span], text: str, first: int) -> None:
    """What has digits in it; nothing of that kind begins before `first`."""
    if _BASE58_START.search(text, first) or "0x" in text or "bc1" in text or "BC1" in text:
        claim(found, _crypto_addresses(text))
    if "VIN" in text or "hassis" in text or "ehicle" in text:
        claim(found, _vins(text))
    sixes = [(*match.span(), match.lastindex) for match in _DIGIT_RUN.finditer(text, first)]
    runs = [(start, end) for start, end, more in sixes if more]
    for finder, least in _IN_RUNS if runs else ():
        for start, end in runs:
            if end - start >= least:
                claim(found, finder(text, start, end))
    if _DOTTED.search(text):
        claim(found, _ipv4s(text))
    for start, end in runs:
        claim(found, phones(text, start, end))
    if any(text[end : end + 2].lstrip(" -")[:1] in _NINO_LAST for _, end, _ in sixes):
        claim(found, _ninos(text))


_DIGIT = re.compile(r"[0-9]")
_LETTERS_BEFORE = 2
"""A national insurance number has two letters before its first digit, with a space between them and it."""

# --- runs of digits -------------------------------------------------------------------------------------------------

_BETWEEN = "[ \t\n\r\u00a0\u2009\u202f().\\-/]{0,3}"
_DIGIT_RUN = re.compile(f"[0-9](?:{_BETWEEN}[0-9]){{5}}((?:{_BETWEEN}[0-9])+)?")
"""Six digits may be a national insurance number's; with more of them (the group) a run may be anything."""
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,4})?(?![A-Za-z0-9])")
_IBAN_BEFORE, _IBAN_AFTER = 13, 45
"""An IBAN begins at most so far before its first long run of digits (country, check digits, bank), and ends so soon after."""
_CARD = re.compile(r"(?<![\w.+-])(?<![A-Z][0-9]{2} )(?:[2-6][0-9]|1800|2131)(?:[ -]?[0-9]){10,17}(?![0-9]|[-.][0-9])")
_CARD_GROUPS = {(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 3, 3, 3), (4, 4, 4, 4, 3)}
_CARD_ISSUED = re.compile(
    r"4(?:[0-9]{15}|[0-9]{18})|3[47][0-9]{13}|(?:5[1-5][0-9]|222|22[3-9]|2[3-6][0-9]|27[01]|272|220)[0-9]{13}|"
    r"(?:6011|65[0-9]{2}|64[4-9][0-9]|62[0-9]{2}|352[89]|35[3-8][0-9])[0-9]{12,15}|(?:30[0-5]|36[0-9]|3[89][0-9])[0-9]{11}|"
    r"(?:1800|2131)[0-9]{11}"
)
"""Numbers as the large networks issue them, prefix and length. Source: ISO/IEC 7812 issuer ranges that the networks publish."""
_CARD_WORD = re.compile(r"\b(?:cards?|visa|mastercard|amex|maestro|credit|debit|cc)\b", re.IGNORECASE)
_CARD_WORD_BEFORE, _CARD_WORD_AFTER = 100, 40
_SSN = re.compile(r"(?<![\w-])(?!000|666|9)[0-9]{3}([- ]?)(?!00)[0-9]{2}\1(?!0000)[0-9]{4}(?![\w-])")
_SSN_WORD = re.compile(r"\b(?:ssn|social security)\b", re.IGNORECASE)
_ITIN = re.compile(r"(?<![\w-])9[0-9]{2}([- ]?)(?:5[0-9]|6[0-5]|7[0-9]|8[0-8]|9[0-24-9])\1[0-9]{4}(?![\w-])")
_ITIN_WORD = re.compile(r"\bitin\b|\btaxpayer (?:id|number)", re.IGNORECASE)
_TAX_ID = re.compile(r"(?<![\w.+/-])[1-9][0-9](?: ?[0-9]{3}){3}(?![\w/-]|[.,][0-9])")
_TAX_WORD = re.compile(
    r"\b(?:steuer(?:liche)?[ -]?(?:id|ident\w*|nummer|nr)|(?:german )?tax (?:id|number|identification)|id-?nr|tin)\b",
    re.IGNORECASE,
)
_WORD_BEFORE_CHARACTERS = 48
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21,
    "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24,
    "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29,
    "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TL": 23, "TN": 24, "TR": 26, "UA": 29,
    "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip


def _said_before(words: re.Pattern[str], text: str, start: int) -> bool:
    return words.search(text, max(0, start - _WORD_BEFORE_CHARACTERS), start) is not None


def _ibans(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _IBAN.finditer(text, max(0, start - _IBAN_BEFORE), min(len(text), end + _IBAN_AFTER)):
        # A word that follows may look like one more group: the country says where the number ends.
        length = _IBAN_LENGTHS.get(match.group()[:2].upper())
        if length is None:
            continue
        stop, taken = match.start(), 0
        while stop < match.end() and taken < length:
            taken += text[stop].isalnum()
            stop += 1
        if taken == length and iban_checksum_holds(text[match.start() : stop]):
            yield Span("iban", match.start(), stop)


def _cards(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _CARD.finditer(text, start, min(len(text), end + 2)):
        groups = tuple(len(part) for part in re.split(r"[ -]", match.group()))
        digits = "".join(c for c in match.group() if c.isdigit())
        if (len(groups) == 1 or groups in _CARD_GROUPS) and len(set(digits)) > 1 and luhn_holds(digits):
            # One in ten numbers passes: of an unusual length (Maestro's 12, Visa's old 13) or prefix, the words must agree.
            near = (max(0, match.start() - _CARD_WORD_BEFORE), min(len(text), match.end() + _CARD_WORD_AFTER))
            if _CARD_ISSUED.fullmatch(digits) or _CARD_WORD.search(text, *near):
                yield Span("credit_card", *match.span())


def _ssns(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _SSN.finditer(text, start, min(len(text), end + 1)):
        # Without dashes nine digits are anything; then the words before must say what they are.
        if match.group(1) == "-" or _said_before(_SSN_WORD, text, match.start()):
            yield Span("ssn", *match.span())


def _itins(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _ITIN.finditer(text, start, min(len(text), end + 1)):
        if match.group(1) == "-" or _said_before(_ITIN_WORD, text, match.start()):
            yield Span("itin", *match.span())


def _tax_ids(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _TAX_ID.finditer(text, start, min(len(text), end + 2)):
        if german_tax_digits_hold(match.group().replace(" ", "")) and _said_before(_TAX_WORD, text, match.start()):
            yield Span("de_tax_id", *match.span())


_IN_RUNS: tuple[tuple[Callable[[str, int, int], Iterator[Span]], int], ...] = (
    (_ibans, 7),
    (_cards, 12),
    (_ssns, 9),
    (_itins, 9),
    (_tax_ids, 11),
)
"""With the characters that a run has at least where the find's digits are in it; what a checksum makes certain comes first."""

# --- e-mail ---------------------------------------------------------------------------------------------------------

_LOCAL = re.compile(r"[\w.+%'&-]+\Z")
_DOMAIN = re.compile(r"(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])")
_LOCAL_CHARACTERS = 64
"""Source: RFC 5321, 4.5.3.1.1."""
_FILE_ENDINGS = frozenset(("png", "jpg", "jpeg", "gif", "webp", "svg"))
"""`logo@2x.png` is a picture in double resolution; none of these is a top-level domain (IANA root zone)."""


def _emails(text: str) -> Iterator[Span]:
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1)
        local = _LOCAL.search(text, max(0, at - _LOCAL_CHARACTERS), at) if domain else None
        if domain and local and local.group() != "git" and domain.group().rpartition(".")[2].lower() not in _FILE_ENDINGS:
            yield Span("email", local.start() + (local.group()[0] == "'"), domain.end())
        at = text.find("@", at + 1)


# --- addresses of machines ------------------------------------------------------------------------------------------

_DOTTED = re.compile(r"\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]")
_IPV4 = re.compile(r"(?<![\w.-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|\.[0-9]|-[0-9])")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?!\w|:)")
_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])")
_VERSION_WORD = re.compile(
    r"\b(?:version|firmware|build|release|software|driver|update|section|rev|ver|v)\b[^.!?\d]{0,16}$|\bv$", re.IGNORECASE
)


def _ipv4s(text: str) -> Iterator[Span]:
    for match in _IPV4.finditer(text):
        octets = [int(part) for part in match.group().split(".")]
        before = text[max(0, match.start() - 28) : match.start()]
        if max(octets) <= 255 and octets[0] not in (0, 127, 255) and not _VERSION_WORD.search(before):
            yield Span("ip_address", *match.span())


def _mac_addresses(text: str) -> Iterator[Span]:
    return (Span("mac_address", *match.span()) for match in _MAC.finditer(text) if len(set(match.group())) > 2)


def _ipv6s(text: str) -> Iterator[Span]:
    for match in _IPV6.finditer(text):
        # The colon of a sentence ("from 2001:db8::1: …") is not the address's.
        written = match.group() if match.group().endswith("::") else match.group().rstrip(":")
        if sum(bool(part) for part in written.split(":")) >= 3 and _is_ipv6(written):
            yield Span("ip_address", match.start(), match.start() + len(written))


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


# --- numbers with letters -------------------------------------------------------------------------------------------

_NINO = re.compile(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]([ -]?)[0-9]{2}\1[0-9]{2}\1[0-9]{2}\1[A-D](?![\w-])")
_NINO_LAST = frozenset("ABCD")
_NINO_UNUSED = frozenset(("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"))
_NINO_WORD = re.compile(r"\b(?:ni|nino|national insurance)\b", re.IGNORECASE)
_VIN_WORD = re.compile(r"\bVIN\b|\b[Cc]hassis\b|\b[Vv]ehicle\b")
_VIN = re.compile(r"\b[A-HJ-NPR-Z0-9]{17}\b")
_BASE58_START = re.compile(r"[13][1-9A-HJ-NP-Za-km-z]{25}")
_BASE58 = re.compile(r"[13][1-9A-HJ-NP-Za-km-z]{25,34}(?!\w)")
_BECH32 = re.compile(r"\b(?:bc1[02-9ac-hj-np-z]{11,71}|BC1[02-9AC-HJ-NP-Z]{11,71})\b")
_ETHER = re.compile(r"\b0x[0-9A-Fa-f]{40}\b")


def _ninos(text: str) -> Iterator[Span]:
    for match in _NINO.finditer(text):
        start = match.start()
        alone = start == 0 or not (text[start - 1].isalnum() or text[start - 1] in "-_")
        # In one piece it looks like many an order number: then the words before must say what it is.
        if alone and match.group()[:2] not in _NINO_UNUSED and (match.group(1) or _said_before(_NINO_WORD, text, start)):
            yield Span("uk_nino", *match.span())


def _vins(text: str) -> Iterator[Span]:
    """Only where the text speaks of a vehicle: one in eleven codes of seventeen characters passes the check digit."""
    for match in _VIN.finditer(text):
        number = match.group()
        mixed = not (number.isdigit() or number.isalpha())
        if mixed and vin_holds(number) and _said_before(_VIN_WORD, text, match.start()):
            yield Span("vin", *match.span())


def _crypto_addresses(text: str) -> Iterator[Span]:
    for match in _BASE58.finditer(text):
        alone = match.start() == 0 or not text[match.start() - 1].isalnum()
        if alone and base58check_holds(match.group()):
            yield Span("crypto_address", *match.span())
    yield from (Span("crypto_address", *m.span()) for m in _BECH32.finditer(text) if bech32_holds(m.group()))
    yield from (Span("crypto_address", *m.span()) for m in _ETHER.finditer(text))
