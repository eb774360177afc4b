"""Embedding triplets: texts that are no other text, and rows that would be each other's false negatives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.stages.data.rows_for_tests import Record, check_rows, distinct_prompts, found, lines_of

from truetune.stages.data.checks.triplets.false_negatives import batch_rate

POSITIVE, NEGATIVE, FALSE = "data.triplet.positive", "data.triplet.negative", "data.triplet.false_negative"
TEXTS = distinct_prompts(180)


def triplet(query: str, positive: str, *negatives: str) -> Record:
    return {"query": query, "positive": positive, "negative": list(negatives) if len(negatives) > 1 else negatives[0]}


def sound(count: int = 40) -> list[Record]:
    return [triplet(*TEXTS[3 * n : 3 * n + 3]) for n in range(count)]


def test_sound_triplets_have_no_finding(tmp_path: Path) -> None:
    assert check_rows(tmp_path, sound()).findings == ()


@pytest.mark.parametrize("positive", ["how do i reset it", "How do I  reset it?"])
def test_a_positive_that_is_its_query(tmp_path: Path, positive: str) -> None:
    report = check_rows(tmp_path, [*sound(), triplet("how do i reset it", positive, "where is the shop")])
    (finding,) = found(report, POSITIVE)
    assert (lines_of([finding]), finding.severity) == ([[41]], "block")


@pytest.mark.parametrize(
    ("negative", "said"),
    [
        ("Hold the button for ten seconds", "is the positive"),
        ("hold the butotn for ten seconds", "says what the positive says"),
        ("please hold the button for ten seconds, thanks", "says what the positive says"),
        ("how do i reset it?", "is the query"),
        ("hi, how do i reset it", "says what the query says"),
    ],
)
def test_a_negative_that_is_no_other_text(tmp_path: Path, negative: str, said: str) -> None:
    row = triplet("how do i reset it", "Hold the button for ten seconds.", negative)
    (finding,) = found(check_rows(tmp_path, [*sound(), row]), NEGATIVE)
    assert said in finding.message
    assert lines_of([finding]) == [[41]]


@pytest.mark.parametrize(
    "negative",
    ["Hold the button for two seconds.", "Do not hold the button for ten seconds.", "Hold the handle for ten seconds."],
)
def test_a_hard_negative_is_left_alone(tmp_path: Path, negative: str) -> None:
    row = triplet("how do i reset it", "Hold the button for ten seconds.", negative)
    assert found(check_rows(tmp_path, [*sound(), row]), NEGATIVE) == []


def test_which_of_several_negatives_is_said(tmp_path: Path) -> None:
    row = triplet("how do i reset it", "Hold the button.", "Open the lid.", "hold the button")
    (finding,) = found(check_rows(tmp_path, [*sound(), row]), NEGATIVE)
    assert finding.message == "negative 2 is the positive"


def test_rows_that_share_a_text_are_one_group_each(tmp_path: Path) -> None:
    rows = [
        *sound(),
        triplet("late parcel", "My order has not arrived yet", "The invoice is wrong"),
        triplet("order missing", "my order has not arrived yet.", "The lamp flickers"),
        triplet("blue lamp", "It shines blue", "It is a kettle"),
        triplet("Blue lamp", "A lamp in the colour of the sky", "It is a toaster"),
        triplet("which lamp is blue", "blue lamp", "It is an oven"),
    ]
    (finding,) = found(check_rows(tmp_path, rows), FALSE)
    assert [[row.line for row in group] for group in finding.groups] == [[41, 42], [43, 44, 45]]
    assert "5 triplets in 2 groups" in finding.message
    assert finding.severity == "warn"


def test_the_same_row_twice_is_a_duplicate_and_no_false_negative(tmp_path: Path) -> None:
    rows = [*sound(), sound()[0]]
    report = check_rows(tmp_path, rows)
    assert lines_of(found(report, "data.duplicate.exact")) == [[1, 41]]
    assert found(report, FALSE) == []


def test_the_same_query_and_positive_with_another_negative_are_no_copies_to_drop(tmp_path: Path) -> None:
    rows = [*sound(), {**sound()[0], "negative": "Something else entirely"}]
    report = check_rows(tmp_path, rows)
    assert found(report, "data.duplicate.exact") + found(report, "data.duplicate.near") == []
    assert lines_of(found(report, FALSE)) == [[1, 41]]


def test_the_rate_is_that_of_drawing_batches() -> None:
    others = np.array([1, 1, 2, 2, 2, *[0] * 35])
    rng = np.random.default_rng(5)
    partners = {0: {1}, 1: {0}, 2: {3, 4}, 3: {2, 4}, 4: {2, 3}}
    meetings = []
    for _ in range(4000):
        batch = rng.permutation(40)[:8]
        meetings += [bool(partners.get(int(row), set()) & set(batch.tolist())) for row in batch]
    assert batch_rate(others, 8) == pytest.approx(np.mean(meetings), abs=0.004)
    assert batch_rate(others, 1000) == pytest.approx(5 / 40)
    assert batch_rate(others, 1) == 0.0
