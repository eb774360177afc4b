"""Personal data of each kind, valid in form, and what resembles it and is none. Fictional, seeded, made from the standards.

Nothing is read from the checks. Telephone numbers follow the numbering plans of thirty countries as people write them at home
and abroad; subscriber digits are random, so that no number is meant to be anybody's.
"""

from __future__ import annotations

import hashlib
import random
import string
from collections.abc import Callable

from benchmarks.faults.samples import card, grouped, iban, iban_check, ip_address, luhn_digit, social_security

Maker = Callable[[random.Random], str]

_HEX = "0123456789abcdef"
_UPPER_DIGITS = string.ascii_uppercase + string.digits

PLANS: dict[str, tuple[str, ...]] = {
    "US": (
        "(2XX) 2XX-NNNN",
        "3XX-4XX-NNNN",
        "4XX.2XX.NNNN",
        "+1 5XX 3XX NNNN",
        "+1-6XX-2XX-NNNN",
        "1-80N-3XX-NNNN",
        "7XX 4XX NNNN",
    ),
    "GB": ("020 7NNN NNNN", "07NNN NNNNNN", "0161 NNN NNNN", "+44 20 7NNN NNNN", "+44 7NNN NNNNNN", "+44 (0)131 NNN NNNN"),
    "DE": (
        "030 NNNNNNN",
        "0170 NNNNNNN",
        "089/NNNNNN",
        "0221-NNNNNNN",
        "+49 30 NNNNNNNN",
        "+49 (0)171 NNNNNNN",
        "0049 89 NNNNNN",
    ),
    "FR": ("01 4N NN NN NN", "06 NN NN NN NN", "04.9N.NN.NN.NN", "+33 6 NN NN NN NN", "+33 (0)1 NN NN NN NN"),
    "ES": ("6NN NNN NNN", "91 NNN NN NN", "+34 6NN NNN NNN", "+34 91 NNN NN NN"),
    "IT": ("06 NNNN NNNN", "02 NNNNNNN", "34N NNN NNNN", "+39 34N NNNNNNN", "+39 06 NNNN NNNN"),
    "NL": ("020 NNN NNNN", "06 NNNNNNNN", "06-NNNNNNNN", "+31 6 NNNNNNNN", "+31 20 NNN NNNN"),
    "BE": ("02 NNN NN NN", "047N NN NN NN", "+32 47N NN NN NN"),
    "CH": ("044 NNN NN NN", "079 NNN NN NN", "+41 79 NNN NN NN"),
    "AT": ("01 NNNNNNN", "0664 NNNNNNN", "+43 664 NNNNNNN"),
    "PL": ("5NN NNN NNN", "22 NNN NN NN", "+48 5NN NNN NNN"),
    "SE": ("08-NNN NN NN", "070-NNN NN NN", "+46 70 NNN NN NN"),
    "NO": ("4N NN NN NN", "22 NN NN NN", "+47 4N NN NN NN"),
    "DK": ("2N NN NN NN", "33 NN NN NN", "+45 2N NN NN NN"),
    "FI": ("040 NNN NNNN", "09 NNN NNNN", "+358 40 NNN NNNN"),
    "IE": ("01 NNN NNNN", "085 NNN NNNN", "+353 85 NNN NNNN"),
    "PT": ("91N NNN NNN", "21 NNN NNNN", "+351 91N NNN NNN"),
    "CZ": ("60N NNN NNN", "+420 60N NNN NNN"),
    "GR": ("210 NNN NNNN", "69N NNN NNNN", "+30 69N NNN NNNN"),
    "TR": ("0532 NNN NN NN", "(0212) NNN NN NN", "+90 532 NNN NN NN"),
    "IN": ("9NNNN NNNNN", "011-NNNN NNNN", "+91 9NNNN NNNNN", "+91-98NNNNNNNN"),
    "CN": ("138 NNNN NNNN", "010-NNNN NNNN", "+86 138 NNNN NNNN"),
    "JP": ("03-NNNN-NNNN", "090-NNNN-NNNN", "+81 90-NNNN-NNNN"),
    "KR": ("02-NNN-NNNN", "010-NNNN-NNNN", "+82 10-NNNN-NNNN"),
    "AU": ("(02) NNNN NNNN", "04NN NNN NNN", "+61 4NN NNN NNN", "+61 2 NNNN NNNN"),
    "NZ": ("09-NNN NNNN", "021 NNN NNNN", "+64 21 NNN NNNN"),
    "ZA": ("011 NNN NNNN", "082 NNN NNNN", "+27 82 NNN NNNN"),
    "BR": ("(11) 9NNNN-NNNN", "(21) NNNN-NNNN", "+55 11 9NNNN-NNNN"),
    "MX": ("55 NNNN NNNN", "+52 55 NNNN NNNN"),
    "SG": ("9NNN NNNN", "6NNN NNNN", "+65 9NNN NNNN"),
}
"""Layouts by country: X is 2 to 9, N any digit, everything else stands as it is."""


def email(rng: random.Random) -> str:
    """An address under a name that RFC 2606 keeps free, with a top-level domain that exists (presidio asks for one)."""
    name = rng.choice(
        ("petra.linde", "j.marlowe", "orders", "tom_hazel", "wren+shop", "the.gardener", "k-osei", "MINA99", "o'hara")
    )
    return f"{name}@{rng.choice(('example.com', 'example.org', 'example.net', 'mail.example.com', 'post.shop.example.org'))}"


def phone(rng: random.Random) -> str:
    """A number of one of thirty countries, as it is written at home or abroad."""
    return phone_of(rng.choice(sorted(PLANS)), rng)


def phone_of(country: str, rng: random.Random) -> str:
    """A number of that country."""
    digits = {"X": "23456789", "N": string.digits}
    return "".join(rng.choice(digits[c]) if c in digits else c for c in rng.choice(PLANS[country]))


def itin(rng: random.Random) -> str:
    """A US taxpayer number of the ranges in use (IRS): 9xx, then 50 to 65, 70 to 88, 90 to 92 or 94 to 99."""
    group = rng.choice([*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100)])
    return f"9{rng.randrange(100):02d}-{group}-{rng.randrange(10_000):04d}"


def national_insurance(rng: random.Random) -> str:
    """A UK national insurance number with a prefix that HMRC issues."""
    while True:
        prefix = rng.choice("ABCEGHJKLMNOPRSTWXYZ") + rng.choice("ABCEGHJKLMNPRSTWXYZ")
        if prefix not in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}:
            break
    pairs = [f"{rng.randrange(100):02d}" for _ in range(3)]
    last = rng.choice("ABCD")
    return rng.choice((" ".join([prefix, *pairs, last]), prefix + "".join(pairs) + last))


def german_tax_number(rng: random.Random) -> str:
    """Eleven digits: of the first ten one stands twice, one is missing; the last is the check digit (ISO 7064 mod 11,10)."""
    digits = rng.sample(string.digits, 9)
    digits.insert(rng.randrange(10), rng.choice(digits))
    if digits[0] == "0":
        digits.reverse()
    if digits[0] == "0":
        return german_tax_number(rng)
    number = "".join(digits)
    number += str(_mod11_10_digit(number))
    return rng.choice((number, f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"))


def _mod11_10_digit(number: str) -> int:
    product = 10
    for digit in number:
        total = (int(digit) + product) % 10
        product = (2 * (total if total else 10)) % 11
    return (11 - product) % 10


def mac_address(rng: random.Random) -> str:
    """An adapter's address."""
    pairs = [f"{rng.randrange(256):02x}" for _ in range(6)]
    return rng.choice((":".join(pairs), ":".join(pairs).upper(), "-".join(pairs).upper()))


def crypto_address(rng: random.Random) -> str:
    """A Bitcoin address with its checksum (base58check or bech32), or an Ethereum address."""
    payload = rng.randbytes(20)
    return rng.choice(
        (lambda: _base58check(rng.choice((b"\x00", b"\x05")) + payload), lambda: _bech32(payload), lambda: "0x" + payload.hex())
    )()


def _base58check(payload: bytes) -> str:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    content = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, text = int.from_bytes(content, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = alphabet[rest] + text
    return "1" * (len(content) - len(content.lstrip(b"\x00"))) + text


def _bech32(program: bytes) -> str:
    bits = "".join(f"{byte:08b}" for byte in program)
    data = [0] + [int(bits[i : i + 5], 2) for i in range(0, len(bits), 5)]
    expanded = [3, 3, 0, 2, 3]
    check = _polymod(expanded + data + [0] * 6) ^ 1
    data += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return "bc1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[v] for v in data)


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if (top >> i) & 1 else 0
    return check


def vehicle_number(rng: random.Random) -> str:
    """Seventeen characters with the check digit in the ninth place (49 CFR 565.15)."""
    values = {
        **{str(d): d for d in range(10)},
        **dict(
            zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)
        ),
    }
    number = [rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ0123456789") for _ in range(17)]
    number[0], number[8] = rng.choice("12345JKLSVWYZ"), "0"
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    number[8] = "0123456789X"[sum(values[c] * w for c, w in zip(number, weights, strict=True)) % 11]
    return "".join(number)


MAKERS: dict[str, Maker] = {
    "email": email,
    "phone": phone,
    "iban": iban,
    "credit_card": card,
    "ssn": social_security,
    "ip_address": ip_address,
    "itin": itin,
    "uk_nino": national_insurance,
    "de_tax_id": german_tax_number,
    "mac_address": mac_address,
    "crypto_address": crypto_address,
    "vin": vehicle_number,
}

CARRIERS: dict[str, tuple[str, ...]] = {
    "email": (
        "You can write to {}.",
        "My address is {}, thanks.",
        "Please answer to {} and not to the old one.",
        "({})",
        "Mail: {}",
        "I signed up as {} last year.",
    ),
    "phone": (
        "My number is {}.",
        "Please call me on {} after six.",
        "Tel. {}",
        "Phone: {}",
        "You can reach me at {} any day.",
        "I called from {} and nobody answered.",
        "Text me on {} when it ships.",
        "My mobile is {}, before noon.",
        "WhatsApp {} works best.",
    ),
    "iban": ("Please pay it back to {}.", "The IBAN is {} at my bank.", "Refund to {} as agreed.", "My account: {}"),
    "credit_card": (
        "I paid with {} on Monday.",
        "The card is {}.",
        "Card number {}, valid until next year.",
        "You charged {} twice.",
    ),
    "ssn": ("My social security number is {}.", "SSN {}", "They asked for my SSN, it is {}.", "For the form: {}."),
    "ip_address": (
        "I was logged in from {} at the time.",
        "The router is at {}.",
        "Blocked address: {}",
        "Your server says {} is not allowed.",
    ),
    "itin": ("My ITIN is {}.", "For the tax form my number is {}.", "ITIN: {}"),
    "uk_nino": ("My national insurance number is {}.", "NI number {}", "Payroll wants my NINO, which is {}."),
    "de_tax_id": (
        "Meine Steuer-ID ist {}.",
        "My German tax ID is {}.",
        "Steueridentifikationsnummer: {}",
        "Tax number {} for the invoice.",
    ),
    "mac_address": (
        "The adapter shows {}.",
        "Device {} cannot join the network.",
        "MAC {}",
        "I see {} twice in the list of devices.",
    ),
    "crypto_address": ("Please send the refund to {}.", "Wallet {}", "I paid from {} this morning.", "Address: {}"),
    "vin": ("The VIN is {}.", "My vehicle is {} and it is leased.", "Chassis number {}", "VIN: {}"),
}
"""Sentences that bring such a value, as people write them."""


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.digits, k=count))


def _broken_card(rng: random.Random) -> str:
    number = rng.choice(("4", "51", "6011")) + _digits(rng, 14)
    number = number[:15]
    number += str((int(luhn_digit(number)) + rng.randrange(1, 10)) % 10)
    return rng.choice((number, grouped(number, 4, " "), grouped(number, 4, "-")))


def _broken_iban(rng: random.Random) -> str:
    country, size = rng.choice((("DE", 18), ("NL", 14), ("AT", 16)))
    body = _digits(rng, size)
    number = f"{country}{(int(iban_check(country, body)) + rng.randrange(1, 96)) % 97:02d}{body}"
    return rng.choice((number, grouped(number, 4, " ")))


def _isbn(rng: random.Random) -> str:
    body = "978" + _digits(rng, 9)
    check = -sum(int(d) * (1, 3)[i % 2] for i, d in enumerate(body)) % 10
    number = body + str(check)
    return rng.choice((f"ISBN {number}", f"ISBN {number[:3]}-{number[3]}-{number[4:8]}-{number[8:12]}-{number[12]}"))


def _price(rng: random.Random) -> str:
    return rng.choice(
        (
            f"{rng.randrange(1, 99)},{_digits(rng, 3)}.{_digits(rng, 2)} EUR",
            f"$ {rng.randrange(1, 9)} {_digits(rng, 3)} {_digits(rng, 3)}",
            f"{rng.randrange(10, 999)}.{_digits(rng, 2)}",
        )
    )


def _date(rng: random.Random) -> str:
    year, month, day = rng.randrange(2019, 2027), rng.randrange(1, 13), rng.randrange(1, 29)
    hour, minute = rng.randrange(24), rng.randrange(60)
    return rng.choice(
        (
            f"{year}-{month:02d}-{day:02d}",
            f"{day:02d}.{month:02d}.{year}",
            f"{month}/{day}/{year}",
            f"{year}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{rng.randrange(60):02d}",
            f"{year}{month:02d}{day:02d}T{hour:02d}{minute:02d}00Z",
            f"{day:02d}/{month:02d}/{year} {hour:02d}:{minute:02d}",
        )
    )


def _tracking(rng: random.Random) -> str:
    return rng.choice(
        (
            "tracking 1Z" + "".join(rng.choices(_UPPER_DIGITS, k=6)) + _digits(rng, 10),
            f"parcel {_digits(rng, 10)}",
            "tracking " + grouped("94" + _digits(rng, 20), 4, " "),
            "shipment " + "".join(rng.choices(string.ascii_uppercase, k=2)) + _digits(rng, 9) + "DE",
            "tracking " + _digits(rng, 20),
        )
    )


def _order(rng: random.Random) -> str:
    return rng.choice(
        (
            f"order {_digits(rng, 10)}",
            f"order number 11{_digits(rng, 1)}-{_digits(rng, 7)}-{_digits(rng, 7)}",
            f"invoice 2024/{_digits(rng, 9)}",
            f"ORD-2025-{_digits(rng, 6)}",
            f"customer no. {_digits(rng, 8)}",
            f"ticket #{_digits(rng, 7)}",
            f"serial {_digits(rng, 4)}-{_digits(rng, 4)}-{_digits(rng, 4)}",
            f"article {_digits(rng, 3)}.{_digits(rng, 3)}.{_digits(rng, 2)}",
            f"account {_digits(rng, 8)}",
            f"policy {_digits(rng, 3)} {_digits(rng, 3)} {_digits(rng, 3)}",
        )
    )


def _version(rng: random.Random) -> str:
    numbers = ".".join(str(rng.randrange(1, 60)) for _ in range(4))
    return rng.choice((f"version {numbers}", f"v{numbers}", f"firmware {numbers}", f"build {numbers}", f"release {numbers[:-2]}"))


def _hash(rng: random.Random) -> str:
    return "".join(rng.choices(_HEX, k=rng.choice((7, 32, 40, 64))))


def _uuid(rng: random.Random) -> str:
    return "-".join("".join(rng.choices(_HEX, k=n)) for n in (8, 4, 4, 4, 12))


def _no_address(rng: random.Random) -> str:
    return rng.choice(
        (
            "@maren_h",
            "@acme/widgets@2.1.0",
            "logo@2x.png",
            "root@localhost",
            "5 @ 3.50 each",
            "user@@host",
            "git@github.com:acme/app.git",
        )
    )


def _no_ssn(rng: random.Random) -> str:
    return rng.choice(
        (
            f"000-{_digits(rng, 2)}-{_digits(rng, 4)}",
            f"666-{_digits(rng, 2)}-{_digits(rng, 4)}",
            f"{_digits(rng, 3)}-00-{_digits(rng, 4)}",
            f"9{_digits(rng, 2)}-{rng.choice(('12', '35', '49', '67', '89'))}-{_digits(rng, 4)}",
        )
    )


def _no_network(rng: random.Random) -> str:
    return rng.choice(
        (
            f"{rng.randrange(256, 999)}.{rng.randrange(256)}.1.{rng.randrange(256)}",
            "127.0.0.1",
            "0.0.0.0",
            "10:20:30",
            "std::vector",
            f"ratio 3:{rng.randrange(9)}:2",
            f"section {rng.randrange(1, 9)}.{rng.randrange(1, 9)}.{rng.randrange(1, 9)}.{rng.randrange(1, 9)}",
        )
    )


def _no_insurance(rng: random.Random) -> str:
    pairs = " ".join(_digits(rng, 2) for _ in range(3))
    return rng.choice(
        (
            f"part {rng.choice(('GB', 'TN', 'QQ', 'DA'))} {pairs} C",
            f"part {rng.choice(('AB', 'CE'))} {pairs} {rng.choice('EFGH')}",
            f"item {rng.choice(('AB', 'CE', 'HJ'))}{_digits(rng, 6)}{rng.choice('ABCD')}",
        )
    )


def _no_wallet(rng: random.Random) -> str:
    return rng.choice(
        (
            _swapped(_base58check(b"\x00" + rng.randbytes(20))),
            "0x" + "".join(rng.choices(_HEX, k=64)),
            "0x" + "".join(rng.choices(_HEX, k=8)),
        )
    )


def _swapped(address: str) -> str:
    """The address with its last two characters exchanged, or the last one changed where they are the same."""
    return address[:-2] + (
        address[-1] + address[-2] if address[-1] != address[-2] else address[-2] + ("2" if address[-1] != "2" else "3")
    )


def _no_vehicle(rng: random.Random) -> str:
    return "vehicle part " + vehicle_number(rng)[:8] + "-" + _digits(rng, 4)


def _amount(rng: random.Random) -> str:
    return rng.choice(
        (
            f"{_digits(rng, 2)}.{_digits(rng, 6)}, {_digits(rng, 2)}.{_digits(rng, 6)}",
            f"{rng.randrange(1, 9)},{_digits(rng, 3)},{_digits(rng, 3)} people",
            f"{_digits(rng, 3)} x {_digits(rng, 3)} x {_digits(rng, 4)} mm",
            f"{_digits(rng, 4)} {_digits(rng, 4)} units",
            f"error 0x{_digits(rng, 8)}",
            f"code {_digits(rng, 6)}",
        )
    )


NEGATIVES: dict[str, Maker] = {
    "card-like, Luhn fails": _broken_card,
    "IBAN-like, mod 97 fails": _broken_iban,
    "ISBN": _isbn,
    "price": _price,
    "date, time": _date,
    "tracking number": _tracking,
    "order, invoice, serial number": _order,
    "version": _version,
    "hash": _hash,
    "UUID": _uuid,
    "at sign, no address": _no_address,
    "SSN-like, never issued": _no_ssn,
    "address-like, none": _no_network,
    "NI-like, none": _no_insurance,
    "wallet-like, none": _no_wallet,
    "vehicle part": _no_vehicle,
    "amount, size, coordinates": _amount,
}
NEGATIVE_CARRIERS = (
    "It says {}.",
    "I noted {} at the time.",
    "The page shows {}, whatever that is.",
    "See {} for it.",
    "That was {}.",
    "About {}:",
)
