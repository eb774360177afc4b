"""Rephrasings: told by the answer and by content words, and by nothing less."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from benchmarks.faults.rephrasings import BY_HAND, rephrasings
from tests.unit.stages.data.rows_for_tests import Record, Silent, check_rows, found, record, write_lines

from truetune.core.records import CheckReport
from truetune.stages.data.check import run_check
from truetune.stages.data.neighbours.content import Weights, content_of

CODE = "data.duplicate.paraphrase"
ADVICE = "Open the settings, choose security and follow the steps that are shown there."
WAYS = (
    "How do I reset the password of my account?",
    "could you tell me what to do when the account password has to be reset",
    "Password reset for an account, please explain it",
    "I have to reset an account's password and do not know how",
)


def others(count: int, seed: int = 1) -> list[Record]:
    """Rows about something else each, with an answer of their own."""
    rng = random.Random(seed)

    def text(words: int) -> str:
        return " ".join("".join(rng.choice("bcdfghklmnprst") + rng.choice("aeiou") for _ in range(4)) for _ in range(words))

    return [record(text(7), text(9)) for _ in range(count)]


def fewest(report: CheckReport) -> int:
    assert report.stats.effective_unique_range is not None
    assert report.stats.effective_unique_range[1] == report.stats.effective_unique
    return report.stats.effective_unique_range[0]


def test_one_question_in_four_ways_is_found_and_counted_once(tmp_path: Path) -> None:
    report = check_rows(tmp_path, [*others(40), *(record(way, ADVICE) for way in WAYS)])
    (finding,) = found(report, CODE)

    assert (finding.severity, [ref.line for ref in finding.rows]) == ("warn", [41, 42, 43, 44])
    assert finding.evidence["answers"] == [ADVICE] * 4
    assert (fewest(report), report.stats.effective_unique) == (41, 44)
    assert report.stats.kept == 44


@pytest.mark.parametrize(
    "answers",
    [
        [f"{ADVICE} This is case {word}." for word in ("alder", "birch", "cedar", "dogwood")],
        ["reset", "reset", "reset", "reset"],
    ],
    ids=["other answers", "a short answer that four rows give"],
)
def test_alike_prompts_alone_are_no_rephrasings(tmp_path: Path, answers: list[str]) -> None:
    rows = [record(way, answer) for way, answer in zip(WAYS, answers, strict=True)]
    report = check_rows(tmp_path, [*others(40), *rows])

    assert found(report, CODE) == []
    assert fewest(report) == 44


def test_other_numbers_or_another_system_prompt_ask_something_else(tmp_path: Path) -> None:
    rows = [
        record("wake me after a nap of 20 minutes", ADVICE),
        record("after a nap that lasts 45 minutes please wake me", ADVICE),
        record("a nap: wake me after it, minutes 20", ADVICE, system="Answer in French."),
    ]
    assert found(check_rows(tmp_path, [*others(40), *rows]), CODE) == []


def test_an_answer_that_fits_every_question_says_nothing(tmp_path: Path) -> None:
    refused = [record(str(row["messages"][1]["content"]), "I am sorry, but I cannot help with that.") for row in others(60, 2)]  # type: ignore[index]
    report = check_rows(tmp_path, [*others(40), *refused])

    assert found(report, CODE) == []
    assert fewest(report) == 100


@pytest.mark.parametrize(("messages", "is_found"), [(4, True), (6, False)])
def test_a_reply_to_several_other_messages_too_says_nothing(tmp_path: Path, messages: int, is_found: bool) -> None:
    asked = [row["messages"][-2]["content"] for row in others(messages, seed=3)]  # type: ignore[index,call-overload]
    report = check_rows(tmp_path, [*others(40), *(record(str(text), ADVICE) for text in (*WAYS[:2], *asked))])
    assert bool(found(report, CODE)) is is_found


@pytest.mark.parametrize("answer", ["Here is all that you have to do for case {}.", "intent_{}"], ids=["texts", "labels"])
def test_a_hundred_questions_rephrased_a_hundred_times_are_about_a_hundred(
    tmp_path: Path, answer: Callable[[int], str] | str
) -> None:
    rows = [record(r.text, str(answer).format(r.question)) for r in rephrasings(100, seed=8)]
    report = check_rows(tmp_path, rows)

    assert report.stats.rows == 10_000
    assert 80 <= fewest(report) <= 120
    assert report.stats.effective_unique > 8_000


def test_what_people_write_is_found_in_part(tmp_path: Path) -> None:
    rows = [record(text, f"{ADVICE} See number {n}.") for n, ways in enumerate(BY_HAND) for text in ways]
    report = check_rows(tmp_path, [*others(40), *rows])

    assert 40 + len(BY_HAND) < fewest(report) < 40 + len(rows) - 15
    lines = [{(ref.line - 41) // 6 for ref in finding.rows} for finding in found(report, CODE)]
    assert all(len(questions) == 1 for questions in lines)


def test_a_held_out_question_in_other_words_is_a_leak(tmp_path: Path) -> None:
    train = write_lines(tmp_path / "rows.jsonl", [*others(40), record(WAYS[0], ADVICE), record(WAYS[1], ADVICE)])
    held_out = write_lines(tmp_path / "held_out.jsonl", [*others(5, 9), record(WAYS[2], ADVICE)])
    report = run_check([train], [held_out], progress=Silent())
    (leak,) = found(report, "data.leakage.split")

    assert (leak.severity, leak.message) == (
        "warn",
        f"2 training rows ask in other words what is asked in {held_out}, line 6",
    )
    assert [ref.line for ref in leak.rows] == [41, 42, 6]


def test_what_differs_by_a_few_words_is_a_near_duplicate_and_no_rephrasing(tmp_path: Path) -> None:
    rows = [record("please cancel my flight to Oslo today", ADVICE), record("please cancel the flight to Oslo today", ADVICE)]
    report = check_rows(tmp_path, [*others(40), *rows])

    assert len(found(report, "data.duplicate.near")) == 1
    assert found(report, CODE) == []


def test_content_is_word_beginnings_without_function_words_and_numbers_apart() -> None:
    content = content_of(["Could you please cancel the flight 737?", "the cancellation of flights, 737", "what is it", ""])
    first, second, third, fourth = (
        set(content.stems[a:b].tolist()) for a, b in zip(content.starts, content.starts[1:], strict=False)
    )

    assert first == second
    assert len(first) == 3
    assert not third | fourth
    assert content.numbers[0] == content.numbers[1] != content.numbers[2] == 0


def test_weights_make_rows_of_unit_length_that_only_meet_their_own_group() -> None:
    content = content_of(["cancel flight", "cancel flight", "cancel train", "nothing alike"])
    same = Weights(content).matrix(content, np.zeros(4, dtype=np.int64))
    apart = Weights(content).matrix(content, np.arange(4))

    assert (same @ same.T).toarray()[0, 1] == pytest.approx(1.0)
    assert 0 < (same @ same.T).toarray()[0, 2] < 1
    assert (apart @ apart.T).toarray() == pytest.approx(np.eye(4))
