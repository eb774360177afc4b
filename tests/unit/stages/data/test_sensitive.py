"""Personal data and secrets, with look-alikes that are none."""

from __future__ import annotations

import string
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.stages.data.sensitive import excerpt, find_pii, find_secrets, iban_checksum_holds, luhn_holds, mask


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
    ],
)
def test_look_alikes(text: str) -> None:
    assert kinds(text) == []


SECRETS = {
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
    "text", ['api_key = "f8K2m9Qx7LpR4vTz"', "password: Tr0ub4dor&3x", "SECRET_KEY=9f86d081884c7d659a2feaa0c55ad015"]
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
