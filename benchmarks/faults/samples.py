"""Fictional personal data and keys, valid in form: reserved for documentation, or made with the right check digits.

Nothing here is read from the data gate: the numbers are built from the standards (Luhn, ISO 7064 mod 97-10, the ranges that
regulators reserve for fiction), so that the gate is measured against the world and not against itself.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable

Maker = Callable[[random.Random], str]

_MAILBOXES = ("petra.linde", "j.marlowe", "orders", "tom_hazel", "wren+shop", "the.gardener", "k-osei", "mina99")
_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "fernhollow.test", "post.example")
_AREA_CODES = ("202", "303", "415", "503", "612", "713", "808", "917")
_UPPER_DIGITS = string.ascii_uppercase + string.digits
_ALPHANUMERIC = string.ascii_letters + string.digits
_IBAN_BODIES = {"GB": ("WEST", 14), "DE": ("", 18), "NL": ("ABNA", 10), "AT": ("", 16), "ES": ("", 20), "CH": ("", 17)}
_CARD_PREFIXES = (("4", 16), ("51", 16), ("55", 16), ("37", 15), ("6011", 16), ("2223", 16))


def email(rng: random.Random) -> str:
    """A mail address under a name that RFC 2606 and RFC 6761 reserve."""
    return f"{rng.choice(_MAILBOXES)}@{rng.choice(_DOMAINS)}"


def phone(rng: random.Random) -> str:
    """A number of the ranges kept free for fiction: US 555-0100 to 0199, UK 7946 0xxx and 07700 900xxx (Ofcom)."""
    area, line = rng.choice(_AREA_CODES), f"01{rng.randrange(100):02d}"
    return rng.choice(
        (
            f"({area}) 555-{line}",
            f"{area}-555-{line}",
            f"+1 {area} 555 {line}",
            f"+1-{area}-555-{line}",
            f"020 7946 0{rng.randrange(1000):03d}",
            f"+44 7700 900{rng.randrange(1000):03d}",
        )
    )


def card(rng: random.Random) -> str:
    """A payment-card number with a right Luhn digit, in one of the ways people write it."""
    prefix, length = rng.choice(_CARD_PREFIXES)
    body = prefix + "".join(rng.choices(string.digits, k=length - len(prefix) - 1))
    number = body + luhn_digit(body)
    return rng.choice((number, grouped(number, 4, " "), grouped(number, 4, "-"))) if length == 16 else number


def iban(rng: random.Random) -> str:
    """An account number with right check digits, with or without spaces."""
    country = rng.choice(sorted(_IBAN_BODIES))
    bank, digits = _IBAN_BODIES[country]
    body = bank + "".join(rng.choices(string.digits, k=digits))
    number = country + iban_check(country, body) + body
    return rng.choice((number, grouped(number, 4, " ")))


def ip_address(rng: random.Random) -> str:
    """An address of the networks that RFC 5737 and RFC 3849 reserve for documentation."""
    network = rng.choice(("192.0.2", "198.51.100", "203.0.113"))
    if rng.random() < 0.8:
        return f"{network}.{rng.randrange(1, 255)}"
    return f"2001:db8::{rng.randrange(1, 65536):x}:{rng.randrange(1, 65536):x}"


def social_security(rng: random.Random) -> str:
    """A US social security number in a form that the issuing rules allow (no area 000, 666 or 9xx)."""
    area = rng.choice([n for n in range(1, 900) if n != 666])
    return f"{area:03d}-{rng.randrange(1, 100):02d}-{rng.randrange(1, 10_000):04d}"


def secret(rng: random.Random) -> str:
    """A key that has its provider's form and opens nothing."""
    return rng.choice((_aws_key, _github_token, _slack_token, _stripe_key, _google_key, _private_key, _web_token))(rng)


ENTITIES: dict[str, Maker] = {
    "email": email,
    "phone": phone,
    "credit_card": card,
    "iban": iban,
    "ip_address": ip_address,
    "ssn": social_security,
}


def lookalike(rng: random.Random) -> str:
    """Something that resembles personal data or a key and is neither: flagging it is a false alarm."""
    return rng.choice(_LOOKALIKES)(rng)


def luhn_digit(body: str) -> str:
    """The digit that makes `body` pass the Luhn test (ISO/IEC 7812-1, annex B)."""
    doubled = [int(d) * 2 if i % 2 == 0 else int(d) for i, d in enumerate(reversed(body))]
    return str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def iban_check(country: str, body: str) -> str:
    """The two check digits of an account number (ISO 13616, ISO 7064 mod 97-10)."""
    as_number = "".join(str(int(c, 36)) for c in body + country + "00")
    return f"{98 - int(as_number) % 97:02d}"


def grouped(number: str, size: int, separator: str) -> str:
    """The characters in groups, as people write long numbers."""
    return separator.join(number[i : i + size] for i in range(0, len(number), size))


def _random(rng: random.Random, alphabet: str, length: int) -> str:
    return "".join(rng.choices(alphabet, k=length))


def _aws_key(rng: random.Random) -> str:
    return "AKIA" + _random(rng, string.ascii_uppercase + "234567", 16)


def _github_token(rng: random.Random) -> str:
    return "ghp_" + _random(rng, _ALPHANUMERIC, 36)


def _slack_token(rng: random.Random) -> str:
    return f"xoxb-{_random(rng, string.digits, 12)}-{_random(rng, string.digits, 12)}-{_random(rng, _ALPHANUMERIC, 24)}"


def _stripe_key(rng: random.Random) -> str:
    return "sk_live_" + _random(rng, _ALPHANUMERIC, 24)


def _google_key(rng: random.Random) -> str:
    return "AIza" + _random(rng, _ALPHANUMERIC + "-_", 35)


def _private_key(rng: random.Random) -> str:
    kind = rng.choice(("RSA ", "EC ", "OPENSSH ", ""))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{_random(rng, _ALPHANUMERIC, 64)}\n-----END {kind}PRIVATE KEY-----"


def _web_token(rng: random.Random) -> str:
    header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    return f"{header}.eyJ{_random(rng, _ALPHANUMERIC, 40)}.{_random(rng, _ALPHANUMERIC + '-_', 43)}"


def _broken_card(rng: random.Random) -> str:
    number = "4" + _random(rng, string.digits, 14)
    return grouped(number + str((int(luhn_digit(number)) + rng.randrange(1, 10)) % 10), 4, " ")


def _broken_iban(rng: random.Random) -> str:
    body = "WEST" + _random(rng, string.digits, 14)
    return f"GB{(int(iban_check('GB', body)) + 7) % 97:02d}{body}"


def _order_number(rng: random.Random) -> str:
    return f"order number FH-{_random(rng, string.digits, 5)}-{_random(rng, _UPPER_DIGITS, 4)}"


def _version(rng: random.Random) -> str:
    return f"firmware {rng.randrange(1, 20)}.{rng.randrange(40)}.{rng.randrange(40)}"


def _date_and_time(rng: random.Random) -> str:
    return f"on 20{rng.randrange(20, 27)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d} at {rng.randrange(24):02d}:30:15"


def _dimensions(rng: random.Random) -> str:
    return f"{rng.randrange(100, 999)} x {rng.randrange(100, 999)} x {rng.randrange(1000, 9999)} mm"


def _handle(rng: random.Random) -> str:
    return f"the handle @{rng.choice(_MAILBOXES)} on the forum"


def _identifier(rng: random.Random) -> str:
    parts = (_random(rng, "0123456789abcdef", n) for n in (8, 4, 4, 4, 12))
    return f"session {'-'.join(parts)}"


_LOOKALIKES: tuple[Maker, ...] = (
    _broken_card,
    _broken_iban,
    _order_number,
    _version,
    _date_and_time,
    _dimensions,
    _handle,
    _identifier,
)
