"""Personal data and secrets, with look-alikes that are none."""

from __future__ import annotations

import string
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.core.sensitive.checksums import iban_checksum_holds, luhn_holds
from truetune.core.sensitive.masking import excerpt, mask
from truetune.core.sensitive.personal import find_pii
from truetune.core.sensitive.secrets import find_secrets


def kinds(text: str) -> list[str]:
    return [span.kind for span in find_pii(text)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a.b+c@mail.example.co.uk", "email"),
        ("call (212) 555-0147 tonight", "phone"),
        ("212-555-0147", "phone"),
        ("+49 30 901820", "phone"),
        ("ring me on 0171 496 0123", "phone"),
        ("my mobile is 07700900123", "phone"),
        ("DE89 3704 0044 0532 0130 00", "iban"),
        ("pay GB82WEST12345698765432 now", "iban"),
        ("4111 1111 1111 1111", "credit_card"),
        ("378282246310005", "credit_card"),
        ("219-09-1234", "ssn"),
        ("ssn 219 09 1234", "ssn"),
        ("from 203.0.113.9.", "ip_address"),
        ("2001:db8::ff00:42:8329: no answer", "ip_address"),
        ("o'hara@example.com", "email"),
        ("I rang from (11) 99589-1871", "phone"),
        ("+55 11 99589-1871", "phone"),
        ("0033 1 42 68 53 00", "phone"),
        ("416 60 039 office", "phone"),
        ("Tel. 608 379 409", "phone"),
        ("6011 0009 9013 9424", "credit_card"),
        ("the card 501864667909", "credit_card"),
        ("912-70-1234", "itin"),
        ("AB 12 34 56 C", "uk_nino"),
        ("for 2 people: AB 12 34 56 C, or B", "uk_nino"),
        ("AB-12-34-56-C", "uk_nino"),
        ("my NI number: AB123456C", "uk_nino"),
        ("Steuer-ID 65 929 970 489", "de_tax_id"),
        ("00:1B:44:11:3A:B7", "mac_address"),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "crypto_address"),
        ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "crypto_address"),
        ("0x52908400098527886E0F7030069857D2E4169EE7", "crypto_address"),
        ("VIN 1M8GDM9AXKP042788", "vin"),
    ],
)
def test_found(text: str, kind: str) -> None:
    assert kinds(text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "order 4471229038 of 2024-05-12",
        "12.05.2024 at 10:20:30",
        "firmware 2.14.0.3",
        "version 10.0.0.1",
        "a cosine of -0.3571428571 and a sine of 0.9235687435",
        "999.1.1.1",
        "127.0.0.1",
        "4111 1111 1111 1112",
        "DE89 3704 0044 0532 0130 01",
        "000-12-3456, 666-12-3456, 900-12-3456, 123-00-4567, 123-45-0000",
        "invoice 2024/000123456",
        "1,234,567,890 people",
        "ISBN 978-3-16-148410-0",
        "git@github.com:a/b.git",
        "std::vector",
        "logo@2x.png",
        "+12345678",
        "+999 1234 5678",
        "order 0171 496 0123",
        "ticket #212-555-0147",
        "IMEI 490154203237518",
        "tracking 601864667900",
        "900-12-3456",
        "GB 12 34 56 C",
        "item AB123456C",
        "65929970489",
        "Steuer-ID 65 929 970 488",
        "00:00:00:00:00:00",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "0x" + "5" * 64,
        "1M8GDM9AXKP042788",
        "VIN 1M8GDM9A1KP042788",
    ],
)
def test_look_alikes(text: str) -> None:
    assert kinds(text) == []


SECRETS = {
    "telegram_token": "7345678901:AA" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q",
    "twilio_key": "SK" + "0123456789abcdef" * 2,
    "azure_storage_key": "AccountKey=" + "a1B2" * 21 + "c3==",
    "age_key": "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE",
    "aws_access_key": "AKIA" + "Z7Q2M4X8K1P5T9W3",
    "github_token": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "slack_token": "xoxb-" + "123456789012-abcdefABCDEF",
    "jwt": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N",
    "private_key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    "password_in_url": "postgres://admin:s3cr3tpw@db.example.org",
    "stripe_key": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_secret_found_and_masked(kind: str) -> None:
    text = f"before {SECRETS[kind]} after"
    (span,) = find_secrets(text)
    assert span.kind == kind
    assert SECRETS[kind] not in mask(text)
    assert mask(text).startswith("before [") and mask(text).endswith("] after")


@pytest.mark.parametrize(
    "text",
    [
        'api_key = "f8K2m9Qx7LpR4vTz"',
        "PWD=f8K2m9Qx7LpR4vTz",
        "at 10:30 a=b: Passwd => f8K2m9Qx7LpR4vTz",
        "the Access-Token: f8K2m9Qx7LpR4vTz",
        "password: Tr0ub4dor&3x",
        "SECRET_KEY=9f86d081884c7d659a2feaa0c55ad015",
        "my config:\nclient_secret=f8K2m9Qx7LpR4vTz",
        "the Datadog API key is 9f86d081884c7d659a2feaa0c55ad015",
    ],
)
def test_assigned_secret(text: str) -> None:
    assert [span.kind for span in find_secrets(text)] == ["assigned_secret"]


@pytest.mark.parametrize(
    "text",
    [
        "password: please reset it",
        "api_key = your_api_key_here",
        "token: <TOKEN>",
        "password=${PASSWORD}",
        "the secret: never give up",
        "key: 123456789012",
        "commit 9f86d081884c7d659a2feaa0c55ad015aa00bb11",
        "token=[ASSIGNED_SECRET_1]",
        "postgres://admin:[PASSWORD_1]@db.example.org",
    ],
)
def test_no_secret(text: str) -> None:
    assert find_secrets(text) == []


def test_excerpt_masks_before_it_shortens() -> None:
    text = "x" * 130 + " " + SECRETS["github_token"] + " " + "y" * 200
    assert "a1B2c3" not in excerpt(text)
    assert len(excerpt(text)) < 180
    assert "\n" not in excerpt("a\nb")


@given(st.text(max_size=300))
def test_spans_are_inside_and_apart(text: str) -> None:
    for spans in (find_pii(text), find_secrets(text)):
        assert all(0 <= span.start < span.end <= len(text) for span in spans)
        assert all(a.end <= b.start for a, b in pairwise(spans))


@given(st.text(string.digits, min_size=12, max_size=18))
def test_one_digit_completes_a_luhn_number(digits: str) -> None:
    assert sum(luhn_holds(digits + check) for check in string.digits) == 1


@given(st.text(string.ascii_uppercase + string.digits, min_size=10, max_size=26), st.sampled_from(["DE", "GB", "FR"]))
def test_two_check_digits_complete_an_iban(account: str, country: str) -> None:
    assert 1 <= sum(iban_checksum_holds(f"{country}{check:02d}{account}") for check in range(100)) <= 2


@pytest.mark.parametrize(
    "unit", ["sk-", "-----BEGIN PRIVATE KEY-----", "1 ", "a.b@", "ab:", "1.", "xoxb-", "token=", "://a:", "(1) ", "eyJabcdefgh."]
)
def test_hostile_repetition_takes_linear_time(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        start = time.process_time()
        find_pii(text)
        find_secrets(text)
        return time.process_time() - start

    # Quadratic work would take 256 times as long for 16 times the text: far more than noise on a busy machine can explain.
    assert seconds(64_000) < 64 * max(seconds(4_000), 0.01)
