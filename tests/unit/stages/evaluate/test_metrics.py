"""What counts as right, and as the task's form, for each shape of task."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.core.records import TaskProfile
from truetune.stages.evaluate.metrics import form_is_telling, has_form, judge, same_json, strict_json, token_f1

LABELS = TaskProfile(shape="labels", labels=("billing", "late delivery", "delivery"))
TRIAGE = TaskProfile(shape="json", json_fields={"queue": ("billing", "returns"), "urgent": ("false", "true"), "note": ()})
TEXT = TaskProfile(shape="text")
EXACT = TaskProfile(shape="exact")
ANSWER = '{"queue": "billing", "urgent": true, "note": "x"}'


@pytest.mark.parametrize(
    ("output", "success", "valid", "recoverable"),
    [
        ("billing", 1, True, 1),
        (" Billing.\n", 1, True, 1),
        ("delivery", 0, True, 0),
        ("The label is: billing", 0, False, 1),
        ("billing or delivery", 0, False, 0),
        ("rebilling", 0, False, 0),
        ("", 0, False, 0),
    ],
)
def test_labels(output: str, success: float, valid: bool, recoverable: float) -> None:
    judgement = judge(LABELS, output, True, "billing")
    assert (judgement.success, judgement.valid, judgement.recoverable) == (success, valid, recoverable)


def test_a_label_inside_a_longer_label_is_no_second_label() -> None:
    assert judge(LABELS, "It is a late delivery", True, "late delivery").recoverable == 1


@pytest.mark.parametrize(
    ("output", "success", "valid", "recoverable"),
    [
        (ANSWER, 1, True, 1),
        ('{"note":"x","urgent":true,"queue":"billing"}\n', 1, True, 1),
        (f"```json\n{ANSWER}\n```", 0, False, 1),
        (f"Here you are: {ANSWER} Anything else?", 0, False, 1),
        ('{"queue": "billing", "urgent": true}', 0, False, 0),
        ('{"queue": "billing", "urgent": true, "note": "x", "more": 1}', 0, False, 0),
        ('{"queue": "sales", "urgent": true, "note": "x"}', 0, False, 0),
        ('{"queue": "returns", "urgent": true, "note": "x"}', 0, True, 0),
        ('{"queue": "billing", "urgent": 1, "note": "x"}', 0, False, 0),
        ('{"queue": "returns", "queue": "billing", "urgent": true, "note": "x"}', 0, False, 0),
        ('{"queue": "billing", "urgent": true, "note": NaN}', 0, False, 0),
        ('{"queue": "billing", "urg', 0, False, 0),
        ("[1]", 0, False, 0),
        ("", 0, False, 0),
    ],
)
def test_json(output: str, success: float, valid: bool, recoverable: float) -> None:
    judgement = judge(TRIAGE, output, True, ANSWER)
    assert (judgement.success, judgement.valid, judgement.recoverable) == (success, valid, recoverable)


def test_json_fields_are_scored_one_by_one() -> None:
    judgement = judge(TRIAGE, '{"queue": "billing", "urgent": false}', True, ANSWER)
    assert dict(judgement.fields) == {"queue": 1, "urgent": 0, "note": 0}
    assert dict(judge(TRIAGE, "prose", True, ANSWER).fields) == {"queue": 0, "urgent": 0, "note": 0}


def test_a_right_answer_is_valid_even_where_the_profile_does_not_know_it() -> None:
    rare = '{"queue": "legal", "urgent": true, "note": "x", "case": 7}'
    assert judge(TRIAGE, rare, True, rare).valid
    assert not judge(TRIAGE, rare, True, ANSWER).valid
    assert judge(LABELS, "legal", True, "legal").valid


def test_deeply_nested_output_is_wrong_not_a_crash() -> None:
    assert judge(TRIAGE, "[" * 100_000, True, ANSWER).success == 0
    assert judge(TRIAGE, '{"a":' * 5_000, True, ANSWER).recoverable == 0


def test_an_answer_that_is_no_json_is_never_matched_by_no_json() -> None:
    assert judge(TRIAGE, "prose", True, "prose").success == 0


@pytest.mark.parametrize(
    ("a", "b", "same"), [(1, 1.0, True), (1, True, False), (0, False, False), ([1, 2], [2, 1], False), (None, 0, False)]
)
def test_json_equality(a: object, b: object, same: bool) -> None:
    assert same_json(a, b) is same  # type: ignore[arg-type]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)))
def test_json_equals_itself_after_a_round_trip(value: object) -> None:
    import json

    assert same_json(strict_json(json.dumps(value)), value)  # type: ignore[arg-type]


def test_exact_ignores_only_space() -> None:
    assert judge(EXACT, " 42  apples\n", True, "42 apples").success == 1
    assert judge(EXACT, "42 Apples", True, "42 apples").success == 0


def test_token_f1_by_hand() -> None:
    """Two of three words shared on each side: precision and recall 2/3."""
    assert token_f1("the quick fox", "the slow fox") == pytest.approx(2 / 3)
    assert token_f1("The quick fox!", "the quick fox") == 1.0
    assert token_f1("", "fox") == 0.0
    assert token_f1("", "") == 1.0
    assert 0 < token_f1("東京都に行く", "東京に行く") < 1


@given(st.text(max_size=40), st.text(max_size=40))
def test_token_f1_is_symmetric_and_bounded(a: str, b: str) -> None:
    assert token_f1(a, b) == pytest.approx(token_f1(b, a))
    assert 0 <= token_f1(a, b) <= 1
    assert token_f1(a, a) == 1.0


def test_text_has_form_when_it_says_something_and_ends() -> None:
    assert has_form(TEXT, "Some words.", True)
    assert not has_form(TEXT, "Some words", False)
    assert not has_form(TEXT, " \n", True)
    assert not form_is_telling(TEXT)
    assert form_is_telling(LABELS)
    assert form_is_telling(TRIAGE)
