"""Labels that similar rows speak against: named, ranked and counted, and left alone where nothing can be said."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from tests.unit.stages.data.rows_for_tests import PLACES, Record, Silent, check_rows, found, record, write_lines

from truetune.core.config import DataConfig
from truetune.stages.data.check import run_check
from truetune.stages.data.noise.doubt import learn_doubt
from truetune.stages.data.noise.features import hashed
from truetune.stages.data.noise.judge import Judgement, Task
from truetune.stages.data.noise.nearest import Nearest
from truetune.stages.data.noise.posterior import ConfidentJoint, chance_wrong, fit_chance
from truetune.stages.data.noise.ridge import fit, scores_without_itself

TOPICS = {
    "plants": ("water the fern", "prune the roses", "sow some beans", "the orchid has brown leaves", "repot a cactus"),
    "trains": ("the train is late", "a seat by the window", "change at the junction", "ticket for the express"),
    "bread": ("the dough does not rise", "bake a rye loaf", "my sourdough is flat", "knead it for longer"),
}
LABELS = tuple(TOPICS)


def prompts(count: int) -> list[tuple[str, str]]:
    """Different sentences, each with its topic."""
    rng = random.Random(5)
    rows = []
    for n in range(count):
        topic = LABELS[n % 3]
        first, second = rng.sample(TOPICS[topic], 2)
        rows.append((f"{first}, number{n} says, and {second} near {rng.choice(PLACES)} word{n * 7}", topic))
    return rows


def with_wrong(count: int, wrong: set[int], as_json: bool = False) -> list[Record]:
    rows = []
    for n, (prompt, topic) in enumerate(prompts(count)):
        label = LABELS[(LABELS.index(topic) + 1) % 3] if n in wrong else topic
        rows.append(record(prompt, json.dumps({"topic": label, "n": n}) if as_json else label))
    return rows


@pytest.mark.parametrize("as_json", [False, True])
def test_wrong_labels_are_named_with_what_similar_rows_say_and_counted(tmp_path: Path, as_json: bool) -> None:
    wrong = {10, 50, 90, 130, 170}
    findings = found(check_rows(tmp_path, with_wrong(210, wrong, as_json)), "data.label.noise")
    named = [f for f in findings if f.severity == "warn"]
    assert {f.rows[0].line - 1 for f in named} == wrong
    for finding in named:
        topic = prompts(210)[finding.rows[0].line - 1][1]
        assert finding.evidence["suggested"] == topic != finding.evidence["given"]
        assert str(finding.evidence["like"]).startswith(str(tmp_path))
    (note,) = [f for f in findings if f.severity == "note"]
    low, high = note.evidence["interval"]  # type: ignore[misc, str-unpack]
    assert low <= 5 <= high
    assert ("'topic'" in note.message) is as_json
    assert {row.line - 1 for row in note.rows[:5]} == wrong
    assert note.evidence["seed"] == 17


def test_what_is_only_listed_as_worth_a_look_is_neither_dropped_nor_counted_nor_raised(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "rows.jsonl", with_wrong(210, {10, 50, 90}))
    said = {"data.label.noise": {"severity": "block", "policy": "drop", "max_frac": 0.0}}
    plain, strict = (
        run_check([path], [], DataConfig.model_validate({"sources": [], "checks": checks}), progress=Silent())
        for checks in ({}, said)
    )
    (listed,) = [f for f in found(plain, "data.label.noise") if f.severity == "note"]
    assert len(listed.rows) > 3
    assert [f for f in found(strict, "data.label.noise") if f.severity == "note"] == [listed]
    assert strict.stats.dropped_by_code["data.label.noise"] == 3
    assert strict.gate_reason == "data.label.noise: 3 of 210 rows (1.43%); max_frac allows 0.00%"


def test_the_same_rows_give_the_same_findings(tmp_path: Path) -> None:
    rows = with_wrong(150, {3, 77})
    first, second = (found(check_rows(tmp_path, rows), "data.label.noise") for _ in range(2))
    assert first == second and first


def test_right_labels_are_left_alone(tmp_path: Path) -> None:
    assert found(check_rows(tmp_path, with_wrong(210, set())), "data.label.noise") == []


def test_labels_that_do_not_follow_from_the_text_are_not_judged(tmp_path: Path) -> None:
    rng = random.Random(3)
    rows = [record(prompt, rng.choice(LABELS)) for prompt, _ in prompts(210)]
    assert found(check_rows(tmp_path, rows), "data.label.noise") == []


def test_few_rows_and_rare_labels_are_not_judged(tmp_path: Path) -> None:
    assert found(check_rows(tmp_path, with_wrong(90, {5})), "data.label.noise") == []
    rare = [record(f"a stray letter about whales {n}", "whales") for n in range(3)]
    named = found(check_rows(tmp_path, [*with_wrong(150, set()), *rare]), "data.label.noise")
    assert not {row.line for f in named for row in f.rows} & {151, 152, 153}


def test_one_question_with_two_labels_is_a_contradiction_and_no_noise(tmp_path: Path) -> None:
    rows = with_wrong(150, set())
    prompt, topic = prompts(150)[0]
    report = check_rows(tmp_path, [*rows, record(prompt, LABELS[(LABELS.index(topic) + 1) % 3])])
    assert len(found(report, "data.contradiction")) == 1
    assert [f for f in found(report, "data.label.noise") if f.severity == "warn"] == []


def test_free_text_has_no_labels_to_judge(tmp_path: Path) -> None:
    rows = [record(prompt, f"{prompt}, and that is what there is to say about it") for prompt, _ in prompts(150)]
    assert found(check_rows(tmp_path, rows), "data.label.noise") == []


def test_leaving_a_row_out_gives_what_a_fit_without_it_gives() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(40, 6)).astype(np.float32)
    from scipy import sparse

    labels = sparse.csr_array(np.eye(3, dtype=np.float32)[rng.integers(0, 3, 40)])
    scores = scores_without_itself(fit(points, labels), points, labels)
    others = np.arange(40) != 7
    by_hand = points[7] @ fit(points[others], labels[np.flatnonzero(others)]).weights
    assert np.allclose(scores[7], by_hand, atol=1e-4)


def test_features_know_words_and_letters_and_no_order_of_rows() -> None:
    one, both = hashed(["the red fox"]), hashed(["", "the red fox"])
    assert both[[0]].nnz == 0
    assert (both[[1]] != one).nnz == 0
    assert hashed(["the red fox"]).sum() > 3
    assert (hashed(["fox red the"]) != one).nnz > 0


def test_words_near_each_other_are_a_feature_in_either_order() -> None:
    one, other, far = hashed(["red tin fox"]), hashed(["fox tin red"]), hashed(["red one two three four five fox"])
    shared = one.multiply(other).nnz - one.multiply(hashed(["red"])).nnz - one.multiply(hashed(["tin"])).nnz
    assert shared - one.multiply(hashed(["fox"])).nnz >= 3, "three pairs beside the words and their letters"
    assert one.multiply(far).nnz == one.multiply(hashed(["red"])).nnz + one.multiply(hashed(["fox"])).nnz


def test_a_sure_model_makes_a_label_wrong_and_an_unsure_one_does_not() -> None:
    sure, unsure, agreeing = chance_wrong(np.array([0.001, 0.4, 0.99], dtype=np.float32), classes=4, noise_frac=0.1)
    assert sure > 0.9 and unsure < 0.1 and agreeing < 0.01


def judged(wrong: list[float], doubt: list[float]) -> Judgement:
    """A judgement of rows with these chances and doubts; the last row was not judged."""
    given = np.zeros(len(wrong), dtype=np.int32)
    chances, doubts = np.array([*wrong, np.nan], dtype=np.float32), np.array([*doubt, -np.inf], dtype=np.float32)
    return Judgement(
        task=Task("", ("a", "b"), np.append(given, np.int32(-1))),
        wrong=chances,
        sure=chances,
        doubt=doubts,
        lowest=2.0,
        suggested=np.append(given + 1, np.int32(-1)),
        margin=np.zeros(len(chances), dtype=np.float32),
        accuracy=0.9,
        judged=len(wrong),
        confident=3.0,
    )


def test_only_so_many_rows_are_named_as_keep_the_expected_false_ones_few() -> None:
    judgement = judged([0.99, 0.8, 0.9, 0.7, 0.6, 0.2] + [0.0] * 94, [9.0, 7.0, 8.0, 6.0, 5.0, 4.0] + [0.0] * 94)
    assert judgement.named(0.005).tolist() == [0, 2, 1], "by doubt, and half a right one of a hundred rows may be among them"
    assert judgement.named(1.0).tolist() == [0, 2, 1, 3, 4], "what is likelier right is not named"


def test_the_list_goes_down_to_where_hardly_a_wrong_label_is_left() -> None:
    chances, doubts = [0.99, 0.9, 0.6] + [0.01] * 97, [9.0, 8.0, 7.0, *np.linspace(3.0, 1.0, 97)]
    listed = judged(chances, doubts).listed()
    assert listed[:3].tolist() == [0, 1, 2]
    expected = sum(chances)
    of_the_chances = expected + 1.96 * sum(chance**2 for chance in chances) ** 0.5
    most = max(of_the_chances, 3.0 + 1.96 * 3.0**0.5)
    assert len(listed) == int(3 * most) < sum(d >= 2.0 for d in doubts), "three times the upper end of the interval is the most"
    few = judged([0.99, 0.9, 0.6] + [0.01] * 97, [9.0, 8.0, 7.0] + [1.0] * 97).listed()
    assert 3 < len(few) < int(3 * most), "as many as the estimate leaves open, however little the others are doubted"


def test_labels_made_wrong_tell_what_speaks_against_a_label() -> None:
    rng = np.random.default_rng(0)
    given = rng.integers(0, 4, 400).astype(np.int32)
    scores = rng.normal(0, 0.1, (400, 4)).astype(np.float32)
    scores[np.arange(400), given] += 1
    is_wrong = np.arange(400) < 20
    given[is_wrong] = (given[is_wrong] + 1) % 4
    doubt = learn_doubt(scores, given, ~is_wrong, sharpness=5.0, seed=1)
    found = doubt.of(scores, given)
    assert found[is_wrong].min() > found[~is_wrong].max()
    assert (found[is_wrong] >= doubt.lowest).mean() > 0.9
    assert (found[~is_wrong] >= doubt.lowest).mean() < 0.1


def test_of_two_labels_one_is_the_only_other() -> None:
    given = np.arange(200, dtype=np.int32) % 2
    scores = np.where(np.arange(2) == given[:, None], 1.0, 0.0).astype(np.float32)
    given[:10] = 1 - given[:10]
    found = learn_doubt(scores, given, np.arange(200) >= 10, sharpness=5.0, seed=1).of(scores, given)
    assert np.isfinite(found).all()
    assert found[:10].min() > found[10:].max()


def test_a_label_that_usually_scores_little_is_doubted_less_for_a_low_score() -> None:
    rng = np.random.default_rng(3)
    given = rng.integers(0, 3, 600).astype(np.int32)
    scores = rng.normal(0, 0.05, (600, 3)).astype(np.float32)
    scores[np.arange(600), given] += np.array([1.0, 1.0, 0.4], dtype=np.float32)[given]
    doubt = learn_doubt(scores, given, np.full(600, True), sharpness=5.0, seed=1)
    low = np.array([[0.4, 0.0, 0.0], [0.0, 0.0, 0.4]], dtype=np.float32)
    strong, weak = doubt.of(low, np.array([0, 2], dtype=np.int32))
    assert strong > weak


def test_the_most_similar_rows_of_each_label_are_told_by_three_of_them() -> None:
    labels = np.array([2, 0, -1, 0, 0, 2, 0, 3], dtype=np.int32)
    likeness = np.random.default_rng(5).random((6, len(labels))).astype(np.float32)
    found = Nearest(labels, classes=5).of(likeness)
    for label in range(5):
        columns = np.sort(likeness[:, labels == label], axis=1)[:, -3:]
        assert np.allclose(found[:, label], columns.mean(axis=1) if columns.size else 0.0, atol=1e-6)


def test_a_few_wrong_labels_of_an_easy_task_are_not_explained_by_a_blunter_model() -> None:
    given = np.arange(150, dtype=np.int32) % 3
    scores = np.full((150, 3), -0.05, dtype=np.float32)
    scores[np.arange(150), given] = 1.1
    given[[3, 77]] = (given[[3, 77]] + 1) % 3
    assert 0.005 < fit_chance(scores, given).noise_frac < 0.05


def test_the_confident_joint_counts_what_is_off_the_diagonal() -> None:
    predicted = np.array([[0.9, 0.1]] * 50 + [[0.1, 0.9]] * 50, dtype=np.float32)
    given = np.array([0] * 45 + [1] * 55, dtype=np.int32)  # five of the first kind have the second label
    joint = ConfidentJoint(predicted, given)
    joint.add(predicted, given)
    assert joint.wrong() == pytest.approx(5, abs=0.6)
