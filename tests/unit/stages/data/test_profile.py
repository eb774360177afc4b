"""The task's shape, found from answers."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from truetune.stages.data.profile import profile
from truetune.stages.data.rows.row import Row, row_of


def rows(answers: Iterable[str]) -> list[Row]:
    return [
        row_of("f", n, [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": answer}])
        for n, answer in enumerate(answers)
    ]


def test_labels_even_with_few_rows_each() -> None:
    found = profile(rows(f"intent_{n % 40}" for n in range(100)))
    assert found.shape == "labels"
    assert len(found.labels) == 40


def test_json_with_closed_and_open_fields() -> None:
    answers = [
        json.dumps({"queue": "ab"[n % 2], "urgent": n % 3 == 0, "reason": f"because {n}", "score": n / 7}) for n in range(60)
    ]
    found = profile(rows([*answers, "broken {"]))
    assert found.shape == "json"
    assert found.json_fields == {"queue": ("a", "b"), "urgent": ("false", "true"), "reason": (), "score": ()}


def test_short_different_answers_are_exact() -> None:
    assert profile(rows(f"city number {n}" for n in range(60))).shape == "exact"


def test_one_answer_given_very_often_makes_no_labels_of_the_others() -> None:
    assert profile(rows(["That is not known."] * 80 + [f"city number {n}" for n in range(30)])).shape == "exact"


def test_one_label_nearly_everywhere_is_a_label() -> None:
    assert profile(rows(["joy"] * 90 + ["calm", "anger", "sorrow"])).shape == "labels"
    assert profile(rows(["no"] * 90 + ["yes"] * 30)).shape == "labels"


def test_prose_is_text() -> None:
    assert (
        profile(
            rows(f"Once upon a time there were {n} bears who lived in the wood and ate a great deal of honey" for n in range(9))
        ).shape
        == "text"
    )


def test_a_few_odd_answers_do_not_change_the_shape() -> None:
    assert (
        profile(rows([*["yes", "no"] * 50, "I am afraid that I really cannot say anything about this matter at all"])).shape
        == "labels"
    )


def test_named_shape_wins_and_nothing_is_text() -> None:
    assert profile(rows(["yes", "no"] * 9), "text").shape == "text"
    assert profile([]).shape == "text"


@pytest.mark.parametrize("answer", ["[1, 2]", "null", "3"])
def test_json_that_is_no_object_is_no_json_task(answer: str) -> None:
    assert profile(rows([answer] * 20)).shape == "labels"
