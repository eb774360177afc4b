"""Few-shot choice, decoding, cache, diversity, alarms: each alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stages.evaluate import world

from truetune.backends.fake import FakeTokenizer
from truetune.core.config import EvaluateConfig
from truetune.core.errors import EnvironmentFault
from truetune.core.ports import ChoiceItem, Decoding, Generation
from truetune.core.records import TaskProfile
from truetune.stages.evaluate import alarms, decoding, diversity, few_shot
from truetune.stages.evaluate.generation_cache import GenerationCache
from truetune.stages.evaluate.outputs import Output, from_jsonl, to_jsonl
from truetune.stages.evaluate.suites import task_items

LABELS = TaskProfile(shape="labels", labels=world.LABELS)
A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
GREEDY = Decoding(8, 0.0, 1)


def output(text: str, item: int = 0, candidate: str = "tuned_adapter", suite: str = "test", **more: object) -> Output:
    fields = {
        "candidate": candidate,
        "suite": suite,
        "item_id": f"i{item}",
        "cluster": f"i{item}",
        "prompt": "p",
        "prompt_ids_digest": A,
        "output": text,
        "finished": True,
        "new_tokens": 1,
        "expected": "billing",
        "score": 0.0,
        "valid": True,
    }
    return Output.model_validate(fields | more)


# --- few-shot -------------------------------------------------------------------------------------------------------


def test_examples_cover_the_labels_before_any_comes_twice() -> None:
    rows = world.rows("train", 80)
    chosen = few_shot.choose(rows, LABELS, 6, seed=1)
    counts = Counter(row.answer for row in chosen)
    assert set(counts) == set(world.LABELS)
    assert max(counts.values()) <= 2


def test_examples_cover_json_values() -> None:
    task = TaskProfile(shape="json", json_fields={"queue": world.LABELS, "urgent": ("false", "true")})
    chosen = few_shot.choose(world.rows("train", 80, world.triage), task, 4, seed=3)
    assert {row.answer for row in chosen} == {world.triage(label) for label in world.LABELS}


def test_choice_follows_the_seed_not_the_order_of_the_rows() -> None:
    rows = world.rows("train", 80)
    assert few_shot.choose(rows, LABELS, 5, 1) == few_shot.choose(rows[::-1], LABELS, 5, 1)
    assert few_shot.choose(rows, LABELS, 5, 1) != few_shot.choose(rows, LABELS, 5, 2)


def test_fewer_rows_than_asked_for_are_all_shown_once() -> None:
    rows = world.rows("train", 3)
    assert {row.row_id for row in few_shot.choose(rows, LABELS, 8, 1)} == {row.row_id for row in rows}


def test_examples_stand_between_system_prompt_and_question() -> None:
    (item,) = task_items(world.rows("test", 1))
    turns = few_shot.with_examples(world.rows("train", 2), item)
    assert [t["role"] for t in turns] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert turns[0] == item.messages[0]
    assert turns[-1] == item.messages[-1]
    assert turns[2]["content"] == "billing"


# --- decoding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "temperature"), [("labels", 0.0), ("json", 0.0), ("exact", 0.0), ("text", 0.2)])
def test_temperature_follows_the_task(shape: str, temperature: float) -> None:
    how = decoding.for_task(EvaluateConfig(), shape, ["abc"], FakeTokenizer(), 5)  # type: ignore[arg-type]
    assert (how.temperature, how.seed) == (temperature, 5)


def test_the_config_decides_where_it_says_so() -> None:
    config = EvaluateConfig(temperature=0.7, max_new_tokens=3)
    assert decoding.for_task(config, "labels", ["abc"], FakeTokenizer(), 5) == Decoding(3, 0.7, 5)


def test_room_is_the_longest_training_answer_and_a_margin() -> None:
    tokenizer = FakeTokenizer()
    longest = len(tokenizer.encode(["X" * 100])[0].ids) + 1
    how = decoding.for_task(EvaluateConfig(), "labels", ["X", "X" * 100], tokenizer, 5)
    assert how.max_new_tokens == longest + -(-longest // 4)


# --- cache ----------------------------------------------------------------------------------------------------------


def test_an_answer_comes_back_exactly(tmp_path: Path) -> None:
    text = "line\nbreak \u2028 \ud800 \x00 ünïcode"
    GenerationCache(tmp_path, A, B).keep_generation([1, 2], GREEDY, Generation(text, False, 8))
    assert GenerationCache(tmp_path, A, B).generation([1, 2], GREEDY) == Generation(text, False, 8)


def test_nothing_else_is_the_same_question(tmp_path: Path) -> None:
    GenerationCache(tmp_path, A, A).keep_generation([1, 2], GREEDY, Generation("x", True, 1))
    assert GenerationCache(tmp_path, A, A).generation([1, 2], GREEDY) is not None
    for candidate, template, prompt, how in (
        (B, A, [1, 2], GREEDY),
        (A, B, [1, 2], GREEDY),
        (A, None, [1, 2], GREEDY),
        (A, A, [1, 3], GREEDY),
        (A, A, [12], GREEDY),
        (A, A, [1, 2], Decoding(9, 0.0, 1)),
        (A, A, [1, 2], Decoding(8, 0.1, 1)),
        (A, A, [1, 2], Decoding(8, 0.0, 2)),
    ):
        assert GenerationCache(tmp_path, candidate, template).generation(prompt, how) is None


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_line_is_no_answer(place: int, flip: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        cache = GenerationCache(Path(name), A, A)
        cache.keep_generation([1], GREEDY, Generation("the answer", True, 3))
        content = bytearray(cache.path.read_bytes())
        content[place % len(content)] ^= flip
        cache.path.write_bytes(bytes(content))
        assert GenerationCache(Path(name), A, A).generation([1], GREEDY) in (None, Generation("the answer", True, 3))


def test_a_line_cut_by_a_kill_spoils_nothing(tmp_path: Path) -> None:
    cache = GenerationCache(tmp_path, A, A)
    for n in range(3):
        cache.keep_generation([n], GREEDY, Generation(str(n), True, 1))
    content = cache.path.read_bytes()
    for cut in range(len(content)):
        cache.path.write_bytes(content[:cut])
        again = GenerationCache(tmp_path, A, A)
        again.keep_generation([9], GREEDY, Generation("9", True, 1))
        reread = GenerationCache(tmp_path, A, A)
        assert reread.generation([9], GREEDY) == Generation("9", True, 1)
        kept = [reread.generation([n], GREEDY) for n in range(3)]
        assert all(g is None or g.text == str(n) for n, g in enumerate(kept))


def test_log_likelihoods_come_back_to_the_last_bit(tmp_path: Path) -> None:
    item = ChoiceItem((1, 2), ((3,), (4, 5)))
    values = (-0.1 - 0.2, -12.345678901234567)
    GenerationCache(tmp_path, A, A).keep_log_likelihoods(item, values)
    assert GenerationCache(tmp_path, A, A).log_likelihoods(item) == values
    assert GenerationCache(tmp_path, A, A).log_likelihoods(ChoiceItem((1, 2), ((3, 4), (5,)))) is None


def test_a_folder_that_cannot_be_written_is_an_environment_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    import errno
    import os
    from unittest import mock

    cache = GenerationCache(tmp_path, A, A)
    with (
        mock.patch.object(Path, "open", side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))),
        pytest.raises(EnvironmentFault) as caught,
    ):
        cache.keep_generation([1], GREEDY, Generation("x", True, 1))
    assert caught.value.code == "environment.disk_full"


# --- stored lines ---------------------------------------------------------------------------------------------------


def test_lines_do_not_depend_on_the_order_of_asking() -> None:
    lines = [output("a\u2028b\ud800", n, candidate) for n in range(5) for candidate in ("base_model", "tuned_adapter")]
    assert to_jsonl(lines) == to_jsonl(lines[::-1])
    assert sorted(from_jsonl(to_jsonl(lines), Output), key=str) == sorted(lines, key=str)


# --- diversity ------------------------------------------------------------------------------------------------------


def test_collapsed_outputs_are_less_varied_by_every_measure() -> None:
    varied = [output(f"word{n} stands beside word{n + 100} in line {n}", n) for n in range(30)]
    same = [output("I am happy to help you with that question", n) for n in range(30)]
    cut_same, cut_varied = diversity.cut_to_equal_length(same, varied)
    low, high = diversity.describe("t", same, cut_same), diversity.describe("b", varied, cut_varied)
    assert low.distinct_2 < 0.1
    assert high.distinct_2 > 0.5
    assert low.compression_ratio > 2 * high.compression_ratio
    assert (low.self_repetition_4, low.commonest_opening_frac, low.duplicate_outputs) == (1.0, 1.0, 29)
    assert high.duplicate_outputs == 0
    loss, interval = diversity.distinct_loss(cut_same, cut_varied, 0.9)
    assert 0.8 < interval.low < loss < interval.high


def test_length_alone_is_no_loss() -> None:
    """The same varied words, said at length or in short."""
    long = [output(" ".join(f"w{n}x{k}" for k in range(40)), n) for n in range(20)]
    short = [output(" ".join(f"w{n}x{k}" for k in range(5)), n) for n in range(20)]
    loss, _ = diversity.distinct_loss(*diversity.cut_to_equal_length(short, long), 0.9)
    assert abs(loss) < 0.15


def test_silence_is_collapse_not_unmeasurable() -> None:
    silent = [output("", n) for n in range(20)]
    varied = [output(f"word{n} and word{n + 50}", n) for n in range(20)]
    loss, _ = diversity.distinct_loss(*diversity.cut_to_equal_length(silent, varied), 0.9)
    assert loss > 0.8
    assert diversity.describe("t", silent, diversity.cut_to_equal_length(silent, varied)[0]).duplicate_outputs == 19


@given(st.lists(st.text(alphabet="ab ", max_size=12), min_size=2, max_size=12))
def test_diversity_is_finite_and_bounded(texts: list[str]) -> None:
    outputs = [output(text, n) for n, text in enumerate(texts)]
    cut, _ = diversity.cut_to_equal_length(outputs, outputs)
    found = diversity.describe("x", outputs, cut)
    assert 0 < found.distinct_2 <= 1
    assert 0 <= found.self_repetition_4 <= 1
    assert 0 < found.commonest_opening_frac <= 1
    assert 0 <= found.duplicate_outputs < len(outputs)
    loss, interval = diversity.distinct_loss(cut, cut, 0.9)
    assert loss == 0
    assert interval.low < 0 < interval.high


# --- alarms ---------------------------------------------------------------------------------------------------------


def test_identical_to_the_base_raises_the_alarm_and_one_other_answer_ends_it() -> None:
    both = [output("x", n, candidate) for n in range(5) for candidate in ("base_model", "tuned_adapter")]
    assert [f.code for f in alarms.outputs_identical(both)] == ["eval.outputs_identical"]
    assert not alarms.outputs_identical([*both, output("x", 9, "base_model"), output("y", 9)])
    assert not alarms.outputs_identical([])


def test_answers_that_never_end_raise_the_alarm() -> None:
    ended = [output("x", n) for n in range(95)]
    assert not alarms.never_ends([*ended, *[output("x", n, finished=False) for n in range(95, 100)]])
    (finding,) = alarms.never_ends([*ended[:90], *[output("x", n, finished=False) for n in range(90, 100)]])
    assert finding.evidence["unfinished"] == 10


def test_a_label_never_given_is_named() -> None:
    outputs = [output("delivery", n, expected="billing") for n in range(3)] + [output("delivery", 9, expected="delivery")]
    (finding,) = alarms.class_never_predicted(LABELS, outputs)
    assert finding.evidence["labels"] == ["billing"]
    assert not alarms.class_never_predicted(LABELS, outputs[:2])
    assert not alarms.class_never_predicted(TaskProfile(shape="text"), outputs)
