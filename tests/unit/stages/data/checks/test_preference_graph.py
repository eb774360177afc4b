"""Preferences against each other: both orders, circles, and length as the only difference."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.unit.stages.data.rows_for_tests import Record, check_rows, distinct_prompts, found, lines_of

FLIPPED, CYCLE, LENGTH = "data.preference.flipped", "data.preference.cycle", "data.preference.length_bias"
PROMPTS = distinct_prompts(400)


def pair(prompt: str, chosen: str, rejected: str) -> Record:
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


def pairs(count: int, longer_chosen: float = 0.5, seed: int = 1) -> list[Record]:
    """Pairs under prompts of their own; exactly that share of them has the longer answer chosen."""
    rng = random.Random(seed)
    rows = []
    for n, prompt in enumerate(PROMPTS[:count]):
        short, long = f"Answer {n} is short.", f"Answer {n} is longer by {'some ' * rng.randrange(2, 9)}words."
        rows.append(pair(prompt, long, short) if n < longer_chosen * count else pair(prompt, short, long))
    rng.shuffle(rows)
    return rows


def test_the_same_pair_in_both_orders(tmp_path: Path) -> None:
    rows = [*pairs(40), pair("Which?", "Left  one.", "Right one."), pair(" which?", "RIGHT one.", "left one.")]
    (finding,) = found(check_rows(tmp_path, rows), FLIPPED)
    assert [row.line for row in finding.rows] == [41, 42]
    assert [[row.line for row in group] for group in finding.groups] == [[41], [42]]


@pytest.mark.parametrize("size", [3, 4, 7])
def test_a_circle(tmp_path: Path, size: int) -> None:
    answers = [f"Answer number {n}." for n in range(size)]
    circle = [pair("Which?", answers[n], answers[(n + 1) % size]) for n in range(size)]
    beside = pair("Which?", answers[0], "Something worse.")
    report = check_rows(tmp_path, [*pairs(40), beside, *circle])
    assert lines_of(found(report, CYCLE)) == [list(range(42, 42 + size))]
    assert found(report, FLIPPED) == []


def test_an_order_under_one_prompt_and_a_circle_over_two_are_sound(tmp_path: Path) -> None:
    order = [pair("Which?", "A one.", "B one."), pair("Which?", "B one.", "C one."), pair("Which?", "A one.", "C one.")]
    report = check_rows(tmp_path, [*pairs(40), *order, pair("Which of the others?", "C one.", "A one.")])
    assert found(report, CYCLE) + found(report, FLIPPED) == []


def test_two_flips_that_share_an_answer_are_no_circle(tmp_path: Path) -> None:
    rows = [pair("Which?", x, y) for x, y in (("A.", "B."), ("B.", "A."), ("B.", "C."), ("C.", "B."))]
    report = check_rows(tmp_path, [*pairs(40), *rows])
    assert found(report, CYCLE) == []
    assert lines_of(found(report, FLIPPED)) == [[41, 42], [43, 44]]


@pytest.mark.parametrize(("share", "said"), [(0.8, "longer"), (0.2, "shorter")])
def test_length_that_decides_is_one_finding(tmp_path: Path, share: float, said: str) -> None:
    (finding,) = found(check_rows(tmp_path, pairs(100, share)), LENGTH)
    assert f"the {said} answer is preferred in 80 of 100 pairs" in finding.message
    assert finding.evidence["auc"] == share
    assert len(finding.rows) == 10


@pytest.mark.parametrize(("count", "share"), [(100, 0.5), (100, 0.64), (100, 0.36), (49, 1.0)])
def test_length_that_does_not_decide_or_too_few_pairs(tmp_path: Path, count: int, share: float) -> None:
    assert found(check_rows(tmp_path, pairs(count, share)), LENGTH) == []


def test_answers_of_equal_length_count_for_neither_side(tmp_path: Path) -> None:
    rows = [pair(prompt, f"yes {n:03d}", f"nay {n:03d}") for n, prompt in enumerate(PROMPTS[:80])]
    assert found(check_rows(tmp_path, rows), LENGTH) == []
