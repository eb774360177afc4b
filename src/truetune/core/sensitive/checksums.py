"""Check digits and check sums that make a number certain.

Source: Luhn: ISO/IEC 7812-1, annex B; IBAN: ISO 13616 and ISO 7064 mod 97-10; German tax number: ISO 7064 mod 11,10; vehicle
number: 49 CFR 565.15 (ISO 3779); Bitcoin: BIP 173 and BIP 350 (bech32), base58check (double SHA-256).
"""

from __future__ import annotations

import hashlib
from itertools import pairwise

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_BASE58 = {c: i for i, c in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_BECH32 = {c: i for i, c in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CONSTANTS = (1, 0x2BC830A3)
_VIN_VALUES = {
    c: v for v, letters in enumerate(("", "AJ", "BKS", "CLT", "DMU", "ENV", "FW", "GPX", "HY", "RZ")) for c in letters
} | {str(d): d for d in range(10)}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
"""By 49 CFR 565.15, table III and IV."""


def luhn_holds(digits: str) -> bool:
    """Is the Luhn sum a multiple of ten?"""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total += _DOUBLED[int(digit)] if place % 2 else int(digit)
    return total % 10 == 0


def iban_checksum_holds(text: str) -> bool:
    """Does the number leave 1 modulo 97 when its first four characters are moved to the end and letters are 10..35?"""
    compact = "".join(c for c in text.upper() if c.isalnum())
    if not compact.isascii():
        return False
    digits = "".join(str(int(c, 36)) for c in compact[4:] + compact[:4])
    return int(digits) % 97 == 1


def mod11_10_holds(digits: str) -> bool:
    """Is the last digit the check digit of the others under ISO 7064 mod 11,10?"""
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def vin_holds(number: str) -> bool:
    """Is the ninth of the seventeen characters the check digit of the others?"""
    total = sum(_VIN_VALUES[c] * weight for c, weight in zip(number, _VIN_WEIGHTS, strict=True))
    return number[8] == "0123456789X"[total % 11]


def base58check_holds(text: str) -> bool:
    """Are the last four bytes those of the double SHA-256 of the others?"""
    value = 0
    for character in text:
        value = value * 58 + _BASE58[character]
    zeros = len(text) - len(text.lstrip("1"))
    content = bytes(zeros) + value.to_bytes((value.bit_length() + 7) // 8, "big")
    return len(content) == 25 and hashlib.sha256(hashlib.sha256(content[:-4]).digest()).digest()[:4] == content[-4:]


def bech32_holds(text: str) -> bool:
    """Does the address end in the checksum of bech32, or of bech32m?"""
    prefix, _, data = text.lower().rpartition("1")
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + [_BECH32[c] for c in data]
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check in _BECH32_CONSTANTS


def german_tax_digits_hold(digits: str) -> bool:
    """Of the first ten digits one stands twice or three times and no other more than once, and the eleventh checks them.

    Source: § 139b AO; "Technisches Handbuch IdNr" of the German federal tax office: three equal digits never in a row.
    """
    counts = sorted((digits[:10].count(d) for d in set(digits[:10])), reverse=True)
    in_a_row = any(a == b == c for (a, b), c in zip(pairwise(digits[:10]), digits[2:10], strict=False))
    return digits[0] != "0" and counts[0] in (2, 3) and counts[1] == 1 and not in_a_row and mod11_10_holds(digits)
