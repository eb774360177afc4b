"""Personal data and secrets by pattern and checksum: found here, masked here, so that no finding ever prints one in full.

Source: IBAN lengths and mod-97: ISO 13616 / ISO 7064; card numbers: ISO/IEC 7812 (Luhn); US social security numbers: the
ranges that the SSA never issues; telephone numbers: ITU-T E.164 and the North American numbering plan.
"""

from __future__ import annotations

import ipaddress
import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

PII_ENTITIES = ("email", "phone", "iban", "credit_card", "ssn", "ip_address")


@dataclass(frozen=True, slots=True)
class Span:
    """Where something sensitive stands: `[start, end)` in characters. `kind` is an entity, or the provider of a secret."""

    kind: str
    start: int
    end: int


# --- personal data --------------------------------------------------------------------------------------------------

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+@(?:[\w-]+\.)+[^\W\d_]{2,24}(?![\w-])")
_DIGIT_RUN = re.compile(r"\d(?:[\s().\-/]{0,3}\d){6,}")
_DOTTED = re.compile(r"\d\.\d{1,3}\.\d")
_PHONE = re.compile(r"(?<![\w.#/+-])(?<!\d,)(?:\+|\(\+?)?\d[\d ().\-/]{5,20}\d(?:(?= ?(?:x|ext\.? ?)\d)|(?!\w|[.,:]\d|[-/]\d))")
_NANP = re.compile(r"(?:\+?1[-. ]*)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])[2-9]\d\d[-. ]?\d{4}")
_DATE = re.compile(r"(?:(?:19|20)\d\d[-./ ][01]?\d[-./ ][0-3]?\d|[0-3]?\d[-./ ][0-3]?\d[-./ ](?:19|20)\d\d)(?!\d)")
_PHONE_WORD = re.compile(
    r"\b(?:phone|telephone|tel|mobile|cell|desk|office|call|calling|ring|whats?app|fax|dial|answering at|"
    r"(?:reach|text) (?:me|us) (?:on|at))\b"
    r"[^.!?\d]{0,24}$",
    re.IGNORECASE,
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,4})?(?![A-Za-z0-9])")
_CARD = re.compile(r"(?<![\w.+-])(?:[2-6]\d|1800|2131)(?:[ -]?\d){10,17}(?!\d|[-.]\d)")
_CARD_GROUPS = {(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 3, 3, 3), (4, 4, 4, 4, 3)}
_SSN = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}([- ]?)(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])")
_SSN_WORD = re.compile(r"\b(?:ssn|social security)\b", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d|-\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?!\w|:)")
_VERSION_WORD = re.compile(
    r"\b(?:version|firmware|build|release|software|driver|update|section|rev|ver|v)\b[^.!?\d]{0,16}$|\bv$", re.IGNORECASE
)
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21,
    "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24,
    "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29,
    "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TL": 23, "TN": 24, "TR": 26, "UA": 29,
    "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip


def find_pii(text: str) -> list[Span]:
    """Personal data in a text, left to right, none overlapping another."""
    found: list[Span] = []
    if "@" in text:
        _claim(found, (Span("email", *m.span()) for m in _EMAIL.finditer(text) if not m.group().startswith("git@")))
    if any(digit in text for digit in "0123456789"):
        has_run = _DIGIT_RUN.search(text) is not None
        for finder in (_ibans, _cards, _ssns) if has_run else ():
            _claim(found, finder(text))
        if "::" in text or text.count(":") >= 7 or (text.count(".") >= 3 and _DOTTED.search(text)):
            _claim(found, _ip_addresses(text))
        if has_run:
            _claim(found, _phones(text))
    return found


def _claim(found: list[Span], spans: Iterator[Span]) -> None:
    """Add what does not overlap an earlier find, keeping them in order: a card number is not a telephone number too."""
    starts = [span.start for span in found]
    new = []
    for span in spans:
        after = bisect_left(starts, span.start)
        free_before = after == 0 or found[after - 1].end <= span.start
        if free_before and (after == len(found) or span.end <= found[after].start):
            new.append(span)
    if new:
        found[:] = sorted((*found, *new), key=lambda span: span.start)


def _ibans(text: str) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        # A word that follows may look like one more group: try shorter ends until the checksum agrees.
        length = _IBAN_LENGTHS.get(match.group()[:2].upper())
        if length is None:
            continue
        end, taken = match.start(), 0
        while end < match.end() and taken < length:
            taken += text[end].isalnum()
            end += 1
        if taken == length and iban_checksum_holds(text[match.start() : end]):
            yield Span("iban", match.start(), end)


def iban_checksum_holds(text: str) -> bool:
    """Does the number leave 1 modulo 97 when its first four characters are moved to the end and letters are 10..35?"""
    compact = "".join(c for c in text.upper() if c.isalnum())
    if not compact.isascii():
        return False
    digits = "".join(str(int(c, 36)) for c in compact[4:] + compact[:4])
    return int(digits) % 97 == 1


def _cards(text: str) -> Iterator[Span]:
    for match in _CARD.finditer(text):
        groups = tuple(len(part) for part in re.split(r"[ -]", match.group()))
        digits = re.sub(r"\D", "", match.group())
        if (len(groups) == 1 or groups in _CARD_GROUPS) and len(set(digits)) > 1 and luhn_holds(digits):
            yield Span("credit_card", *match.span())


def luhn_holds(digits: str) -> bool:
    """Is the Luhn sum a multiple of ten?"""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _ssns(text: str) -> Iterator[Span]:
    for match in _SSN.finditer(text):
        # Without dashes nine digits are anything; then the words before must say what they are.
        if match.group(1) == "-" or _SSN_WORD.search(text[max(0, match.start() - 40) : match.start()]):
            yield Span("ssn", *match.span())


def _ip_addresses(text: str) -> Iterator[Span]:
    for match in _IPV4.finditer(text):
        octets = [int(part) for part in match.group().split(".")]
        before = text[max(0, match.start() - 28) : match.start()]
        if max(octets) <= 255 and octets[0] not in (0, 127, 255) and not _VERSION_WORD.search(before):
            yield Span("ip_address", *match.span())
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


def _phones(text: str) -> Iterator[Span]:
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if (
            7 <= len(digits) <= 15
            and not _DATE.match(match.group())
            and _is_phone(match.group(), digits, text[max(0, match.start() - 48) : match.start()])
        ):
            yield Span("phone", *match.span())


def _is_phone(written: str, digits: str, before: str) -> bool:
    """Shape decides where it can: a `+`, the North American layout, a leading zero in groups; else the words before."""
    if written.startswith(("+", "(+")) or (digits.startswith("00") and len(digits) >= 11):
        return len(digits) >= 8
    if _NANP.fullmatch(written):
        return True
    groups = [part for part in re.split(r"\D+", written) if part]
    if digits[0] == "0" and len(groups) >= 2 and 9 <= len(digits) <= 12 and digits[1] != "0":
        return True
    return bool(_PHONE_WORD.search(before))


# --- secrets --------------------------------------------------------------------------------------------------------

_PROVIDERS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (kind, literal, re.compile(pattern))
    for kind, literal, pattern in (
        ("aws_access_key", "AKIA", r"\bAKIA[0-9A-Z]{16}\b"),
        ("aws_access_key", "ASIA", r"\bASIA[0-9A-Z]{16}\b"),
        ("github_token", "gh", r"\bgh[pousr]_[A-Za-z0-9]{30,255}\b"),
        ("github_token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{22,255}\b"),
        ("gitlab_token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20,}"),
        ("slack_token", "xox", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
        ("slack_webhook", "hooks.slack.com", r"hooks\.slack\.com/services/[A-Za-z0-9/_-]{20,}"),
        ("google_api_key", "AIza", r"\bAIza[0-9A-Za-z_-]{35}"),
        ("stripe_key", "k_", r"\b[sr]k_(?:live|test)_[0-9A-Za-z]{16,}\b"),
        ("anthropic_key", "sk-ant-", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
        ("openai_key", "sk-", r"\bsk-(?!ant-)(?=[A-Za-z0-9_-]{0,64}\d)(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,}"),
        ("huggingface_token", "hf_", r"\bhf_[A-Za-z0-9]{30,}\b"),
        ("npm_token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("pypi_token", "pypi-", r"\bpypi-[A-Za-z0-9_-]{50,}"),
        ("sendgrid_key", "SG.", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
        ("jwt", "eyJ", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
        (
            "private_key",
            "PRIVATE KEY",
            r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]{0,8000}?-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----)?",
        ),
        ("password_in_url", "://", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,64}:[^\s/@]{3,128}@[\w.-]+"),
    )
)
_ASSIGNMENT = re.compile(
    r"(?i)(?:api[_-]?key|secret(?:[_-]?(?:access[_-]?)?key)?|access[_-]?(?:key|token)|auth[_-]?token|client[_-]?secret|token|passwd|password|pwd)"
    r"[\"']?\s{0,3}(?:=|:|=>)\s{0,3}[\"']?([^\s\"',;<>{}]{8,200})"
)
_ASSIGNMENT_HINTS = ("key", "secret", "token", "passw", "pwd")
_PLACEHOLDER = re.compile(r"(?i)your|xxxx|\*\*\*|\.\.\.|placeholder|changeme|redacted|\$|%\(|dummy|^[a-z_.]+$|^[A-Z_]+$|^\d+$")
MIN_SECRET_ENTROPY_BITS = 3.0
"""Bits per character from which an assigned value counts as a secret. Source: Shannon entropy of English words in the
measured corpora stays below 2.9 for 8 to 20 characters; random base-62 of 16 characters is above 3.4 in 99 % of draws."""


def find_secrets(text: str) -> list[Span]:
    """Keys, tokens, private keys and passwords in a text, left to right, none overlapping another."""
    found: list[Span] = []
    for kind, literal, pattern in _PROVIDERS:
        if literal in text:
            _claim(found, (Span(kind, *m.span()) for m in pattern.finditer(text)))
    lower = text.lower()
    if any(hint in lower for hint in _ASSIGNMENT_HINTS):
        matches = (m for m in _ASSIGNMENT.finditer(text) if _looks_random(m.group(1)))
        _claim(found, (Span("assigned_secret", *m.span(1)) for m in matches))
    return found


def _looks_random(value: str) -> bool:
    value = value.rstrip(".)!?")
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return (
        len(value) >= 8
        and mixed
        and not _PLACEHOLDER.search(value)
        and entropy_bits(value) >= MIN_SECRET_ENTROPY_BITS - (0.5 if len(value) < 12 else 0.0)
    )


def entropy_bits(text: str) -> float:
    """Shannon entropy of the characters, in bits per character."""
    total = len(text)
    return -sum(n / total * math.log2(n / total) for n in Counter(text).values())


# --- what may be shown ----------------------------------------------------------------------------------------------

EXCERPT_CHARACTERS = 160


def masked(text: str, span: Span) -> str:
    """The find with only its first and last character."""
    value = text[span.start : span.end]
    return f"{value[0]}…{value[-1]}"


def excerpt(text: str, limit: int = EXCERPT_CHARACTERS) -> str:
    """A text as a finding may show it: sensitive parts masked, on one line, shortened in the middle."""
    shown = mask(text[: limit * 40])
    flat = " ".join(shown.split()).encode("utf-8", "replace").decode("utf-8")
    return flat if len(flat) <= limit else f"{flat[: limit * 2 // 3]} … {flat[-limit // 3 :]}"


def mask(text: str) -> str:
    """The text with each piece of personal data and each secret replaced by its kind, first and last character."""
    finders: tuple[Callable[[str], list[Span]], ...] = (find_secrets, find_pii)
    for finder in finders:
        for span in reversed(finder(text)):
            text = f"{text[: span.start]}[{span.kind} {masked(text, span)}]{text[span.end :]}"
    return text
