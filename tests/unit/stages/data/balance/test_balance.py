"""What rows teach as a whole: labels, constant answers, openings, lengths, topics, off-task rows, sizing."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from tests.unit.stages.data import rows_for_tests
from tests.unit.stages.data.rows_for_tests import Record, distinct_prompts, found, labelled, record

from truetune.core.records import CheckReport
from truetune.stages.data.balance.difficulty import novelty
from truetune.stages.data.balance.sizing import items_to_see, learning_curve
from truetune.stages.data.balance.summary import entropy_bits
from truetune.stages.data.balance.topics import find_topics

LABELS, CONSTANT, OPENINGS = "data.balance.labels", "data.balance.constant", "data.style.openings"
LENGTH, TOPICS, OFF_TASK = "data.balance.length", "data.balance.topics", "data.balance.off_task"
LITTLE, MUCH = "data.sizing.too_little", "data.sizing.more_than_needed"
PROMPTS = distinct_prompts(600)
WORDS = ("river", "engine", "letter", "window", "garden", "market", "bridge", "candle", "pencil", "harbour", "saddle", "mirror")


def check_rows(folder: Path, records: Iterable[object]) -> CheckReport:
    return rows_for_tests.check_rows(folder, records, of_the_whole=True)


def prose(count: int, seed: int = 3) -> list[Record]:
    """Clean rows of free text; no two answers begin alike."""
    rng = random.Random(seed)
    return [record(prompt, f"{' '.join(rng.sample(WORDS, 8))} number {n}.") for n, prompt in enumerate(PROMPTS[:count])]


def with_labels(counts: dict[str, int]) -> list[Record]:
    answers = [label for label, n in counts.items() for _ in range(n)]
    return [record(prompt, label) for prompt, label in zip(PROMPTS, answers, strict=False)]


# --- labels ---------------------------------------------------------------------------------------------------------


def test_even_labels_are_left_alone(tmp_path: Path) -> None:
    report = check_rows(tmp_path, labelled(200))
    assert found(report, LABELS) == found(report, CONSTANT) == []
    assert report.balance
    (labels,) = report.balance.labels
    assert (labels.classes, labels.entropy_bits, labels.effective_classes) == (4, 2.0, 4.0)
    assert labels.rarest.rows == 50


@pytest.mark.parametrize(("most", "severity"), [(190, "warn"), (160, "note")])
def test_one_label_that_is_nearly_all(tmp_path: Path, most: int, severity: str) -> None:
    (finding, *_) = found(check_rows(tmp_path, with_labels({"joy": most, "calm": 200 - most})), LABELS)
    assert finding.severity == severity
    assert f"{most / 200:.0%}" in finding.message and "joy" in finding.message
    assert finding.evidence["entropy_bits_of_even_shares"] == 1.0


def test_a_label_too_rare_to_be_tested_names_its_rows(tmp_path: Path) -> None:
    (finding,) = found(check_rows(tmp_path, with_labels({"joy": 100, "calm": 97, "fear": 3})), LABELS)
    assert finding.severity == "warn"
    assert [row.line for row in finding.rows] == [198, 199, 200]
    assert "3 rows" in finding.message and "fear" in finding.message


def test_a_label_with_few_rows_is_a_note(tmp_path: Path) -> None:
    (finding,) = found(check_rows(tmp_path, with_labels({"joy": 100, "calm": 93, "fear": 7})), LABELS)
    assert finding.severity == "note"


def test_many_rare_labels_are_no_closed_set(tmp_path: Path) -> None:
    counts = {"joy": 80, "calm": 80} | {f"rare {n}": 2 for n in range(20)}
    assert found(check_rows(tmp_path, with_labels(counts)), LABELS) == []


def test_closed_json_fields_are_judged_one_by_one(tmp_path: Path) -> None:
    rows = [
        record(p, f'{{"mood": "{"joy" if n % 2 else "calm"}", "urgent": {"true" if n < 3 else "false"}}}')
        for n, p in enumerate(PROMPTS)
    ]
    report = check_rows(tmp_path, rows[:200])
    assert {f.severity for f in found(report, LABELS)} == {"warn"}
    assert all("urgent" in f.message for f in found(report, LABELS))
    assert report.balance and [labels.field for labels in report.balance.labels] == ["mood", "urgent"]


@pytest.mark.parametrize(("counts", "bits"), [([5], 0.0), ([4, 4], 1.0), ([2, 2, 2, 2, 0], 2.0), ([3, 1], 0.8113)])
def test_entropy(counts: list[int], bits: float) -> None:
    assert entropy_bits(np.array(counts)) == pytest.approx(bits, abs=1e-4)


# --- constant answers and openings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("same", "severity"), [(120, "warn"), (40, "note"), (10, None)])
def test_one_answer_to_many_prompts(tmp_path: Path, same: int, severity: str | None) -> None:
    rows = prose(200)
    rows[:same] = [record(prompt, "That is not in the documents that I have.") for prompt in PROMPTS[:same]]
    findings = found(check_rows(tmp_path, rows), CONSTANT)
    assert [f.severity for f in findings] == ([severity] if severity else [])


@pytest.mark.parametrize(("same", "severity"), [(120, "warn"), (160, "warn"), (80, None)])
def test_one_answer_to_many_prompts_where_answers_are_short(tmp_path: Path, same: int, severity: str | None) -> None:
    rows = [
        record(prompt, "This was not said." if n < same else f"Platform {n} and {n + 1}.")
        for n, prompt in enumerate(PROMPTS[:200])
    ]
    assert [f.severity for f in found(check_rows(tmp_path, rows), CONSTANT)] == ([severity] if severity else [])


@pytest.mark.parametrize(("share", "severity"), [(0.4, "warn"), (0.15, "note"), (0.95, "note"), (0.05, None)])
def test_answers_that_begin_alike(tmp_path: Path, share: float, severity: str | None) -> None:
    rows = [
        record(r, a) if n >= share * 200 else record(r, f"Certainly! Here is a {a}")
        for n, (r, a) in enumerate(_texts(prose(200)))
    ]
    findings = found(check_rows(tmp_path, rows), OPENINGS)
    assert [f.severity for f in findings] == ([severity] if severity else [])
    if findings:
        assert "certainly here is a" in findings[0].message


def test_one_answer_given_often_is_no_repeated_opening(tmp_path: Path) -> None:
    rows = prose(200)
    rows[:60] = [record(prompt, "That is not in the documents that I have.") for prompt in PROMPTS[:60]]
    assert found(check_rows(tmp_path, rows), OPENINGS) == []


def test_labels_and_json_have_no_openings(tmp_path: Path) -> None:
    rows = [record(prompt, f'{{"mood": "joy", "words": "{prompt}"}}') for prompt in PROMPTS[:100]]
    assert found(check_rows(tmp_path, rows), OPENINGS) == []


def _texts(rows: list[Record]) -> list[tuple[str, str]]:
    turns = [row["messages"] for row in rows]
    return [(t[-2]["content"], t[-1]["content"]) for t in turns]  # type: ignore[index]


# --- lengths --------------------------------------------------------------------------------------------------------


def test_an_answer_many_times_longer_is_a_note(tmp_path: Path) -> None:
    rows = prose(100)
    rows[40] = record(PROMPTS[40], " ".join(f"word{n}" for n in range(4000)))
    (finding,) = found(check_rows(tmp_path, rows), LENGTH)
    assert finding.severity == "note" and [row.line for row in finding.rows] == [41]
    assert finding.evidence["share_of_characters"] > 0.5  # type: ignore[operator]


def test_twice_as_long_is_nothing_to_say(tmp_path: Path) -> None:
    rows = prose(100)
    rows[40] = record(PROMPTS[40], " ".join(WORDS) + " " + " ".join(reversed(WORDS)))
    assert found(check_rows(tmp_path, rows), LENGTH) == []


# --- topics and difficulty ------------------------------------------------------------------------------------------

KITCHEN = ("oven", "kettle", "fridge", "toaster", "saucepan", "dishwasher", "blender", "freezer")
GARDEN = ("roses", "hedge", "lawn", "shovel", "compost", "seedling", "tulips", "greenhouse")


def about(words: tuple[str, ...], count: int, rng: random.Random) -> list[str]:
    return [
        f"my {' and '.join(rng.sample(words, 3))} need help {rng.choice(('today', 'tomorrow', 'soon'))}" for _ in range(count)
    ]


def test_topics_are_the_groups_that_share_words() -> None:
    rng = random.Random(5)
    prompts = about(KITCHEN, 60, rng) + about(GARDEN, 40, rng)
    topics = find_topics(prompts, seed=1).topics
    for topic in topics:
        assert set(topic.words) <= set(KITCHEN) or set(topic.words) <= set(GARDEN)
        assert topic.members.max() < 60 or topic.members.min() >= 60
    assert sum(len(topic.members) for topic in topics) == 100
    assert find_topics(prompts, seed=1).topics[0].members.tolist() == topics[0].members.tolist()


@pytest.mark.parametrize("prompts", [[], ["one"], ["same words here"] * 100, [f"w{n} x{n}" for n in range(100)], [""] * 60])
def test_prompts_without_groups_have_a_reason(prompts: list[str]) -> None:
    topics = find_topics(prompts, seed=1)
    assert topics.topics == () and topics.reason
    assert len(topics.difficulty) == len(prompts)


def test_a_prompt_that_is_like_no_other_is_hard() -> None:
    many = [f"where is order {n}".split() for n in range(40)]
    chairs = [["send", "the", "red", what, "back"] for what in ("chair", "chair", "lamp")]
    copy, like, other, unlike = novelty([*many, *chairs, ["zymurgy"]])[-4:]
    assert copy == like == pytest.approx(0.0, abs=1e-6)
    assert 0.2 < other < 1.0
    assert unlike == 1.0


@pytest.mark.parametrize("texts", [[], [[]], [["one"]], [[], []], [["a", "b"]] * 3])
def test_difficulty_of_a_few_texts_is_a_share(texts: list[list[str]]) -> None:
    found = novelty(texts)
    assert len(found) == len(texts)
    assert ((found >= 0) & (found <= 1)).all()


def test_one_topic_that_outweighs_all_others_is_a_note(tmp_path: Path) -> None:
    rng = random.Random(5)
    rooms = ("hall", "attic", "cellar", "bedroom")
    lamps = [f"the {rng.choice(rooms)} lamp number {n} flickers {rng.choice(KITCHEN)} {rng.choice(GARDEN)}" for n in range(190)]
    others = [f"our {' and '.join(rng.sample(WORDS, 3))} sang" for _ in range(10)]
    report = check_rows(tmp_path, [record(p, WORDS[n % 4]) for n, p in enumerate(lamps + others)])
    (finding,) = found(report, TOPICS)
    assert finding.severity == "note" and "are about one topic (" in finding.message and "lamp" in finding.message


def test_groups_of_one_topic_are_taken_together_and_those_of_several_are_not() -> None:
    rng = random.Random(5)
    one = find_topics([f"rate {rng.choice(KITCHEN)} {rng.choice(GARDEN)} stars {n}" for n in range(120)], seed=1)
    assert one.theme is not None and one.theme.prompts == 120 and {"rate", "stars"} <= set(one.theme.words)
    two = find_topics([f"{' '.join(rng.sample(side, 3))}" for side in (KITCHEN, GARDEN) for _ in range(60)], seed=1)
    assert two.theme is not None and two.theme.prompts <= 60
    assert find_topics([], seed=1).theme is None


def test_groups_are_of_one_topic_where_their_words_have_the_same_stem() -> None:
    rng = random.Random(5)
    written = (*["nutrition"] * 2, "nutritional", "nutritious", "nutrients")
    theme = find_topics([f"{rng.choice(written)} {rng.choice(KITCHEN)} {rng.choice(GARDEN)}" for _ in range(150)], seed=1).theme
    assert theme is not None and theme.prompts == 150 and "nutrition" in theme.words and "nutri" not in theme.words


def test_words_that_ask_for_a_text_are_no_topic() -> None:
    rng = random.Random(5)
    asked = ("write a sentence", "generate a list", "create a list")
    prompts = [f"{rng.choice(asked)} {' '.join(rng.sample(side, 3))}" for side in (KITCHEN, GARDEN) for _ in range(60)]
    theme = find_topics(prompts, seed=1).theme
    assert theme is not None and theme.prompts <= 60


# --- off-task rows --------------------------------------------------------------------------------------------------


def test_a_label_task_without_other_rows_points_to_replay(tmp_path: Path) -> None:
    (finding,) = found(check_rows(tmp_path, labelled(200)), OFF_TASK)
    assert finding.severity == "note" and "data.replay" in finding.fix


def test_some_general_rows_are_enough(tmp_path: Path) -> None:
    report = check_rows(tmp_path, [*labelled(197), *prose(200)[197:]])
    assert report.task.shape == "labels"
    assert found(report, OFF_TASK) == []
    assert report.balance and report.balance.off_task_rows == 3


def test_free_text_has_no_mark_of_its_own(tmp_path: Path) -> None:
    report = check_rows(tmp_path, prose(100))
    assert found(report, OFF_TASK) == [] and report.balance and report.balance.off_task_rows is None


# --- sizing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "verdict"), [(20, "too little"), (60, "a start"), (240, "enough")])
def test_label_tasks_are_sized_by_class(tmp_path: Path, rows: int, verdict: str) -> None:
    report = check_rows(tmp_path, labelled(rows))
    assert report.sizing and report.sizing.verdict == verdict
    assert report.sizing.have_low == rows // 4
    assert bool(found(report, LITTLE)) is (verdict == "too little")


def test_free_text_is_sized_by_different_examples(tmp_path: Path) -> None:
    rephrased = [record(f"{prompt}!" if n % 2 else prompt, a) for n, (prompt, a) in enumerate(_texts(prose(30)) * 4)]
    report = check_rows(tmp_path, rephrased)
    assert report.sizing and report.sizing.have_high == 30
    (finding,) = found(report, LITTLE)
    assert "30 different examples" in finding.message


def test_the_learning_curve_and_its_test() -> None:
    assert learning_curve(1000) == (250, 500, 1000)
    assert learning_curve(1) == (1,)
    assert items_to_see(0.05, 0.15) == 471


def test_no_rows_are_not_measured(tmp_path: Path) -> None:
    report = check_rows(tmp_path, [{"messages": []}])
    assert report.balance is None and report.sizing is None
