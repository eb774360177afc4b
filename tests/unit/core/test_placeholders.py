"""Redaction: the same value the same placeholder, nothing found is left, twice is once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.core.sensitive.masking import find_sensitive
from truetune.core.sensitive.placeholders import redact

VALUES = (
    "petra.linde@example.com",
    "PETRA.LINDE@example.com",
    "+44 7700 900123",
    "(212) 555-0147",
    "DE89 3704 0044 0532 0130 00",
    "4111 1111 1111 1111",
    "219-09-1234",
    "203.0.113.9",
    "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "password: Tr0ub4dor&3x",
    "[EMAIL_1]",
    "[PHONE_7]",
    '{"phone": 2125550147}',
    "postgres://admin:s3cr3tpw@db.example.org",
    "order 4471229038",
)
pieces = st.one_of(st.sampled_from(VALUES), st.text(max_size=12), st.text("0123456789 .-+()@:/[]_", max_size=25))
texts = st.lists(st.lists(pieces, max_size=6).map(" ".join), min_size=1, max_size=4)


def test_one_value_has_one_placeholder_in_every_turn() -> None:
    given_ = ["Write to a@example.com.", "A@example.com or b@example.com?", "b@example.com, call (212) 555-0147"]
    done, replaced = redact(given_, find_sensitive)
    assert done == ["Write to [EMAIL_1].", "[EMAIL_1] or [EMAIL_2]?", "[EMAIL_2], call [PHONE_1]"]
    assert {(r.placeholder, r.times) for r in replaced} == {("[EMAIL_1]", 2), ("[EMAIL_2]", 2), ("[PHONE_1]", 1)}


def test_a_value_that_only_its_context_gives_away_is_replaced_where_it_stands_alone_too() -> None:
    done, _ = redact(["My mobile is 612345678.", "I have noted 612345678."], find_sensitive)
    assert done == ["My mobile is [PHONE_1].", "I have noted [PHONE_1]."]


def test_numbers_go_on_after_the_placeholders_that_are_there() -> None:
    done, _ = redact(["[EMAIL_4] and c@example.com"], find_sensitive)
    assert done == ["[EMAIL_4] and [EMAIL_5]"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"mail": "a@example.com", "n": 3}', {"mail": "[EMAIL_1]", "n": 3}),
        ('{"tel": 2125550147, "call": ["phone 212-555-0147"]}', {"tel": "[PHONE_1]", "call": ["phone [PHONE_1]"]}),
    ],
)
def test_an_answer_that_is_json_stays_json(answer: str, expected: object) -> None:
    done, _ = redact(["my phone is 2125550147 or 212-555-0147", answer], find_sensitive)
    assert json.loads(done[1]) == expected


def test_nothing_to_replace_leaves_the_texts_as_they_are() -> None:
    assert redact(["order 4471229038 of 2024-05-12", ""], find_sensitive) == (["order 4471229038 of 2024-05-12", ""], ())


@given(texts)
def test_no_found_value_is_left_and_redacting_twice_is_once(given_: list[str]) -> None:
    done, replaced = redact(given_, find_sensitive)
    assert [find_sensitive(text) for text in done] == [[] for _ in done]
    assert redact(done, find_sensitive) == (done, ())
    assert sum(r.times for r in replaced) >= max(len(find_sensitive(text)) for text in given_)


@given(texts)
def test_what_was_replaced_says_no_value(given_: list[str]) -> None:
    _, replaced = redact(given_, find_sensitive)
    assert all(r.placeholder.startswith(f"[{r.kind.upper()}_") and r.times >= 1 for r in replaced)
