"""The stage over the fakes: every answer kept, nothing asked twice, every score derived again from what was stored."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.stages.evaluate import world

from truetune.backends.fake import FakeHost, FakeLanguageModel
from truetune.core.contract import Contract
from truetune.core.errors import DataError, EvidenceError
from truetune.core.ports import CandidateRef, ChoiceItem, Decoding, Drift, Generation
from truetune.core.records import EvaluationRecord, SealRecord, TaskProfile
from truetune.evidence.digests import tree_of
from truetune.stages.evaluate.outputs import Choice, Output, from_jsonl
from truetune.stages.evaluate.rescore import rescore


class Killed(Exception):
    """The process ends here."""


class CountingHost(FakeHost):
    """Counts what is loaded and asked; kills after `kill_after` answers."""

    def __init__(self, inner: FakeHost, kill_after: int | None = None) -> None:
        super().__init__(inner._knowledge)
        self.opened: list[CandidateRef] = []
        self.asked: Counter[str] = Counter()
        self._kill_after = kill_after

    @contextmanager
    def open(self, candidate: CandidateRef) -> Iterator[FakeLanguageModel]:
        self.opened.append(candidate)
        with super().open(candidate) as model:
            yield _Counting(model, self)  # type: ignore[misc]

    def count(self, what: str) -> None:
        self.asked[what] += 1
        if self._kill_after is not None and self.asked.total() > self._kill_after:
            raise Killed


class _Counting:
    def __init__(self, model: FakeLanguageModel, host: CountingHost) -> None:
        self._model, self._host = model, host

    def generate(
        self, prompts: Sequence[Sequence[int]], decoding: Decoding, on_done: Callable[[int, Generation], None]
    ) -> list[Generation]:
        def done(index: int, generation: Generation) -> None:
            self._host.count("generation")
            on_done(index, generation)

        return self._model.generate(prompts, decoding, done)

    def choice_log_likelihoods(self, items: Sequence[ChoiceItem], on_done: Callable[[int], None]) -> list[tuple[float, ...]]:
        def done(index: int) -> None:
            self._host.count("choice")
            on_done(index)

        return self._model.choice_log_likelihoods(items, done)


def stored(made: world.World, record: EvaluationRecord) -> tuple[bytes, bytes]:
    assert record.choices is not None
    return made.run.store.get_bytes(record.generations.digest), made.run.store.get_bytes(record.choices.digest)


def score(record: EvaluationRecord, candidate: str, suite: str = "test", metric: str = "task_success") -> float | None:
    return next(s.value for s in record.scores if (s.candidate, s.suite, s.metric) == (candidate, suite, metric))


def criterion(record: EvaluationRecord, name: str) -> str:
    return next(c.state for c in record.criteria if c.name == name)


def timeless(record: EvaluationRecord) -> EvaluationRecord:
    return record.model_copy(update={"candidates": tuple(c.model_copy(update={"seconds": 0.0}) for c in record.candidates)})


def test_candidates_are_asked_the_same_items_and_every_output_is_kept(tmp_path: Path) -> None:
    made = world.make(tmp_path)
    record = made.evaluate()
    assert record.gate == "passed"
    outputs = from_jsonl(stored(made, record)[0], Output)
    per_place = Counter((o.candidate, o.suite) for o in outputs)
    for candidate in ("base_model", "few_shot_base", "tuned_adapter", "merged_model"):
        assert per_place[candidate, "test"] == 40
    assert per_place["base_model", "off_task"] == per_place["tuned_adapter", "off_task"] == 64
    assert {s.name: s.n for s in record.suites} == {"test": 40, "off_task": 64, "general_knowledge": 260}
    assert all(s.interval is not None for s in record.scores if s.value is not None)
    assert all(made.run.store.path(s.items.digest).exists() for s in record.suites)


def test_tuned_beats_a_base_that_knows_no_labels(tmp_path: Path) -> None:
    record = world.make(tmp_path).evaluate()
    assert score(record, "base_model") == 0.0
    assert 0.0 < (score(record, "few_shot_base") or 0) < (score(record, "tuned_adapter") or 0)
    assert criterion(record, "beats_base_model") == criterion(record, "beats_few_shot_base") == "met"
    assert criterion(record, "adapter_equals_merged") == "met"
    assert not record.findings


TASKS = {
    "labels": (TaskProfile(shape="labels", labels=world.LABELS), str),
    "json": (TaskProfile(shape="json", json_fields={"queue": world.LABELS, "urgent": ("false", "true")}), world.triage),
    "exact": (TaskProfile(shape="exact"), str),
    "text": (TaskProfile(shape="text"), lambda label: f"please send this one to the {label} desk at once"),
}


@pytest.mark.parametrize("shape", TASKS)
def test_scores_are_derived_again_from_what_was_stored(shape: str, tmp_path: Path) -> None:
    task, answer = TASKS[shape]
    made = world.make(
        tmp_path, task=task, train=world.rows("train", 80, answer), test=world.rows("test", 40, answer), learning_rate=2e-5
    )
    record = made.evaluate()
    reloaded = EvaluationRecord.model_validate_json(record.model_dump_json())
    assert rescore(reloaded, *stored(made, record)) == record.scores == reloaded.scores
    assert 0 < (score(record, "tuned_adapter") or 0) < 1


def test_rescore_reads_the_outputs_not_the_marks_beside_them(tmp_path: Path) -> None:
    made = world.make(tmp_path)
    record = made.evaluate()
    generations, choices = stored(made, record)
    marked_up = generations.replace(b'"score":0.0', b'"score":1.0')
    assert marked_up != generations
    assert rescore(record, marked_up, choices) == record.scores
    other_answers = generations.replace(b'"output":"billing"', b'"output":"returns"')
    assert rescore(record, other_answers, choices) != record.scores


def test_json_fields_have_scores_of_their_own(tmp_path: Path) -> None:
    task, answer = TASKS["json"]
    made = world.make(tmp_path, task=task, train=world.rows("train", 80, answer), test=world.rows("test", 40, answer))
    record = made.evaluate()
    assert score(record, "tuned_adapter", metric="field.queue") is not None
    assert score(record, "tuned_adapter", metric="field.urgent") is not None
    assert score(record, "base_model", metric="schema_validity") == 0.0


def test_the_same_inputs_give_the_same_record(tmp_path: Path) -> None:
    assert timeless(world.make(tmp_path / "a").evaluate()) == timeless(world.make(tmp_path / "b").evaluate())


def test_each_set_of_weights_is_loaded_once(tmp_path: Path) -> None:
    made = world.make(tmp_path)
    host = CountingHost(made.ports.host)  # type: ignore[arg-type]
    made.with_host(host).evaluate()
    request = made.request
    expected = [
        CandidateRef(request.model_dir),
        CandidateRef(request.model_dir, request.adapter_dir),
        CandidateRef(request.merged_dir),
    ]
    assert host.opened == expected


def test_kept_answers_load_nothing(tmp_path: Path) -> None:
    made = world.make(tmp_path)
    first = made.evaluate()
    host = CountingHost(made.ports.host)  # type: ignore[arg-type]
    second = made.with_host(host).evaluate()
    assert host.opened == []
    assert timeless(first) == timeless(second)


@pytest.mark.parametrize("kill_after", [0, 1, 37, 80, 200, 500])
def test_a_killed_evaluation_goes_on_where_it_was(kill_after: int, tmp_path: Path) -> None:
    whole = CountingHost(world.make(tmp_path / "whole").ports.host)  # type: ignore[arg-type]
    uninterrupted = world.make(tmp_path / "whole").with_host(whole).evaluate()
    made = world.make(tmp_path / "killed")
    with pytest.raises(Killed):
        made.with_host(CountingHost(made.ports.host, kill_after)).evaluate()  # type: ignore[arg-type]
    rest = CountingHost(made.ports.host)  # type: ignore[arg-type]
    assert timeless(made.with_host(rest).evaluate()) == timeless(uninterrupted)
    before = min(kill_after, whole.asked.total())
    # Log-likelihoods come in blocks of 64; a block that was not finished is asked again.
    assert whole.asked.total() - before <= rest.asked.total() <= whole.asked.total() - before + 64


def test_damaged_cache_lines_are_asked_again(tmp_path: Path) -> None:
    made = world.make(tmp_path)
    first = made.evaluate()
    for path in made.request.cache_dir.iterdir():
        lines = path.read_bytes().split(b"\n")
        lines[1] = lines[1].replace(b"e", b"o", 1)
        path.write_bytes(b"\n".join(lines) + b'{"key": "sha256:12')
    host = CountingHost(made.ports.host)  # type: ignore[arg-type]
    again = made.with_host(host).evaluate()
    assert timeless(first) == timeless(again)
    assert host.asked.total() == 3


def test_other_decoding_is_another_question(tmp_path: Path) -> None:
    made = world.make(tmp_path)
    made.evaluate()
    longer = made.request.config.model_copy(
        update={"evaluate": made.request.config.evaluate.model_copy(update={"max_new_tokens": 9})}
    )
    host = CountingHost(made.ports.host)  # type: ignore[arg-type]
    made.with_host(host).evaluate(config=longer)
    assert host.asked["generation"] == 4 * 40
    assert host.asked["choice"] == 0


class DeafHost(FakeHost):
    """Forgets to apply the adapter, as libraries have done."""

    @contextmanager
    def open(self, candidate: CandidateRef) -> Iterator[FakeLanguageModel]:
        with super().open(CandidateRef(candidate.model_dir)) as model:
            yield model


def test_an_adapter_that_is_not_applied_raises_the_alarm(tmp_path: Path) -> None:
    record = world.make(tmp_path).with_host(DeafHost()).evaluate()
    assert {f.code for f in record.findings} >= {"eval.outputs_identical", "eval.class_never_predicted"}
    assert criterion(record, "beats_base_model") == "not_measured"
    assert record.gate == "failed"


def test_an_exploded_adapter_is_seen_everywhere(tmp_path: Path) -> None:
    contract = Contract.model_validate(
        {"metrics": {"task_success_min": 0.6, "forgetting_max": 0.05, "diversity_loss_max": 0.2, "task_confusion_max": 0.1}}
    )
    record = world.make(tmp_path, learning_rate=0.1, contract=contract).evaluate()
    assert criterion(record, "task_success_min") == criterion(record, "forgetting_max") == "broken"
    assert criterion(record, "diversity_loss_max") == "broken"
    assert criterion(record, "task_confusion_max") == "met"
    assert record.gate == "failed"
    assert "eval.never_ends" in {f.code for f in record.findings}
    tuned = next(d for d in record.diversity if d.candidate == "tuned_adapter")
    assert tuned.duplicate_outputs == 63
    assert tuned.commonest_opening_frac == 1.0


class ConfusedHost(FakeHost):
    """An adapter that answers everything with a label."""

    @contextmanager
    def open(self, candidate: CandidateRef) -> Iterator[FakeLanguageModel]:
        with super().open(candidate) as model:
            if candidate.adapter_dir is not None:
                model._answer = lambda text, decoding: "billing"  # type: ignore[method-assign]
            yield model


def test_task_confusion_is_seen(tmp_path: Path) -> None:
    contract = Contract.model_validate({"metrics": {"task_confusion_max": 0.1}})
    made = world.make(tmp_path, contract=contract)
    record = made.with_host(ConfusedHost()).evaluate()
    assert score(record, "tuned_adapter", "off_task", "task_format") == 1.0
    assert criterion(record, "task_confusion_max") == "broken"


def test_free_text_cannot_show_confusion_and_says_so(tmp_path: Path) -> None:
    task, answer = TASKS["text"]
    contract = Contract.model_validate({"metrics": {"task_confusion_max": 0.1}})
    made = world.make(
        tmp_path, task=task, train=world.rows("train", 40, answer), test=world.rows("test", 30, answer), contract=contract
    )
    record = made.evaluate()
    found = next(s for s in record.scores if s.metric == "task_format")
    assert found.value is None
    assert "no form" in found.reason
    assert criterion(record, "task_confusion_max") == "not_measured"
    assert record.decoding["task"]["temperature"] == 0.2  # type: ignore[index, call-overload]
    assert next(d for d in record.drift if d.candidate == "merged_model").greedy_flips is None


def test_the_merged_model_is_removed_unless_it_is_to_be_kept(tmp_path: Path) -> None:
    made = world.make(tmp_path / "a")
    made.evaluate()
    assert not made.request.merged_dir.exists()
    kept = world.make(tmp_path / "b", evaluate={"keep_merged": True})
    record = kept.evaluate()
    merged = next(c for c in record.candidates if c.kind == "merged_model")
    assert tree_of(kept.request.merged_dir).digest == merged.digest


def test_a_kill_leaves_no_merged_model_behind(tmp_path: Path) -> None:
    made = world.make(tmp_path)
    with pytest.raises(Killed):
        made.with_host(CountingHost(made.ports.host, 780)).evaluate()  # type: ignore[arg-type]
    assert not made.request.merged_dir.exists()


class DriftingHost(FakeHost):
    """Merging changes the logits."""

    def drift(self, reference: CandidateRef, candidate: CandidateRef, *rest: Sequence[object]) -> Drift:
        return Drift(tokens=100, max_abs_logit=0.5, mean_kl_nats=0.01, top1_agreement=0.97)


def test_a_merge_that_changes_the_logits_is_broken(tmp_path: Path) -> None:
    contract = Contract.model_validate({"metrics": {"merge_drift_max": 1.0}})
    record = world.make(tmp_path, contract=contract).with_host(DriftingHost()).evaluate()
    assert criterion(record, "adapter_equals_merged") == "broken"
    assert criterion(record, "merge_drift_max") == "met"
    assert record.gate == "failed"


def test_only_what_the_contract_compares_is_asked(tmp_path: Path) -> None:
    contract = Contract.model_validate(
        {"metrics": {"task_success_min": 0.6, "merge_drift_max": 0.1}, "compare": ["base_model", "tuned_adapter"]}
    )
    record = world.make(tmp_path, contract=contract).evaluate()
    assert {c.name for c in record.candidates} == {"base_model", "tuned_adapter"}
    assert criterion(record, "beats_few_shot_base") == "not_measured"
    assert criterion(record, "merge_drift_max") == "not_measured"
    assert record.gate == "not_measured"


def test_what_this_version_cannot_measure_is_not_measured(tmp_path: Path) -> None:
    contract = Contract.model_validate(
        {
            "metrics": {"task_success_min": 0.6, "refusal_regression_max": 0.0, "toxicity_regression_max": 0.0},
            "human_review": {"sample_size": 50},
        }
    )
    record = world.make(tmp_path, contract=contract).evaluate()
    for name in ("refusal_regression_max", "toxicity_regression_max", "human_review"):
        assert criterion(record, name) == "not_measured"
    assert record.gate == "not_measured"


def test_gold_is_a_suite_of_its_own(tmp_path: Path) -> None:
    contract = Contract.model_validate({"metrics": {"task_success_min": {"bound": 0.6, "suite": "gold"}}})
    made = world.make(tmp_path, contract=contract)
    assert criterion(made.evaluate(), "task_success_min") == "not_measured"
    record = made.evaluate(gold=tuple(world.rows("gold", 24)))
    assert criterion(record, "task_success_min") == "met"
    assert {s.name: s.n for s in record.suites}["gold"] == 24
    assert any(c.suite == "gold" and c.reference == "few_shot_base" for c in record.comparisons)


def test_an_empty_test_measures_nothing_and_passes_nothing(tmp_path: Path) -> None:
    record = world.make(tmp_path, test=[]).evaluate()
    assert criterion(record, "task_success_min") == criterion(record, "beats_base_model") == "not_measured"
    assert record.gate == "not_measured"


def test_ten_items_decide_nothing(tmp_path: Path) -> None:
    record = world.make(tmp_path, test=world.rows("test", 10)).evaluate()
    found = next(c for c in record.criteria if c.name == "task_success_min")
    assert found.state == "not_measured"
    assert found.would_settle == "at least 10 more test items"


def test_few_shot_examples_that_do_not_fit_are_fewer_and_said(tmp_path: Path) -> None:
    made = world.make(tmp_path)
    base = made.request.base.model_copy(update={"context_length_tokens": 500})
    record = made.evaluate(base=base)
    shown = next(c.few_shot_rows for c in record.candidates if c.name == "few_shot_base")
    assert 0 < len(shown) < 8
    assert next(f for f in record.findings if f.code == "eval.few_shot_reduced").evidence == {"shown": len(shown), "asked_for": 8}


def test_replay_rows_are_no_few_shot_examples(tmp_path: Path) -> None:
    general = [replace(row, row_id=f"replay-{row.row_id}", origin="replay") for row in world.rows("general", 80)]
    record = world.make(tmp_path, train=[*general, *world.rows("train", 80)]).evaluate()
    (shown,) = [c.few_shot_rows for c in record.candidates if c.few_shot_rows]
    assert shown and all(row.startswith("train-") for row in shown)


def test_no_room_for_an_example_means_no_few_shot_base(tmp_path: Path) -> None:
    made = world.make(tmp_path)
    record = made.evaluate(base=made.request.base.model_copy(update={"context_length_tokens": 130}))
    assert "few_shot_base" not in {c.name for c in record.candidates}
    assert criterion(record, "beats_few_shot_base") == "not_measured"
    assert [f.severity for f in record.findings if f.code == "eval.few_shot_reduced"] == ["warn"]


def test_a_prompt_longer_than_the_context_is_an_error_with_its_place(tmp_path: Path) -> None:
    made = world.make(tmp_path)
    with pytest.raises(DataError) as caught:
        made.evaluate(base=made.request.base.model_copy(update={"context_length_tokens": 40}))
    assert caught.value.code == "eval.prompt_too_long"
    assert caught.value.where == "tickets.jsonl:1"


@pytest.mark.parametrize("which", ["model_dir", "adapter_dir"])
def test_weights_that_are_not_the_recorded_ones_are_refused(which: str, tmp_path: Path) -> None:
    made = world.make(tmp_path)
    weights = next(getattr(made.request, which).glob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(EvidenceError) as caught:
        made.evaluate()
    assert caught.value.code == "eval.weights_changed"
    assert caught.value.where == str(weights)
    weights.unlink()
    with pytest.raises(EvidenceError):
        made.evaluate()


def test_every_look_at_the_frozen_test_is_in_the_ledger(tmp_path: Path) -> None:
    made = world.make(tmp_path)
    digest = made.request.data.splits["test"].digest
    seal = SealRecord(sealed_at="2026-11-01T00:00:00Z", digest=digest, inputs=digest, chosen_by="cut", rows=())
    made.ports.frozen_test.put_seal(seal, "0001")
    counted = [made.evaluate().frozen_test, made.evaluate().frozen_test]
    assert [info.looks for info in counted if info is not None] == [1, 2]
    assert [e.event for e in made.ports.frozen_test.ledger.read()] == ["test.sealed", "test.looked", "test.looked"]
    looks = [e.data for e in made.run.ledger.read() if e.event == "test.looked"]
    assert [look["rows"] for look in looks] == [40, 40]
    assert looks[0]["split"] == made.request.data.splits["test"].digest


def test_progress_runs_to_its_end(tmp_path: Path) -> None:
    made = world.make(tmp_path)
    made.evaluate()
    seen = made.ports.progress.seen  # type: ignore[attr-defined]
    assert all(done <= total for done, total, _ in seen)
    assert seen[-1][0] == seen[-1][1] > 0
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


def test_a_repeated_prompt_is_asked_once_and_scored_twice(tmp_path: Path) -> None:
    test = world.rows("test", 30)
    test.append(replace(test[0], row_id="test-twin"))
    made = world.make(tmp_path, test=test)
    record = made.evaluate()
    assert next(s.n for s in record.scores if s.metric == "task_success") == 31


def test_choices_keep_every_option(tmp_path: Path) -> None:
    made = world.make(tmp_path)
    choices = from_jsonl(stored(made, made.evaluate())[1], Choice)
    assert len(choices) == 2 * 260
    assert all(len(c.log_likelihoods) == len(c.options) == 4 for c in choices)
    assert json.loads(choices[0].model_dump_json())["item_id"].startswith("gk-")
