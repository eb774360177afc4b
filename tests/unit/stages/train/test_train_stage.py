"""The train stage: rows as they are trained, metrics that never double, an adapter in store and folder, nothing left over."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.training_case import conversation

from truetune.backends.fake import FakeTokenizer, FakeTrainer
from truetune.core.config import BaseConfig, Config, DataConfig, DoNotTrainEntry, TrainConfig
from truetune.core.errors import DataError
from truetune.core.ports import Message, TrainOutcome, TrainRequest
from truetune.core.records import DataRecord, DataStats, Finding, RowRef, Severity, StepMetrics, TaskProfile, TrainRecord
from truetune.evidence.curated import CuratedRow, to_parquet
from truetune.evidence.digests import tree_of
from truetune.evidence.run_folder import RunFolder
from truetune.evidence.store import ObjectStore
from truetune.project.do_not_train.entries import read_do_not_train
from truetune.stages.train import stage


class StillClock:
    def now_iso(self) -> str:
        return "2026-01-01T00:00:00Z"

    def monotonic_s(self) -> float:
        return 0.0


class Heard:
    def __init__(self) -> None:
        self.updates: list[tuple[float, float, str]] = []

    def update(self, done: float, total: float, note: str = "") -> None:
        self.updates.append((done, total, note))


class Killed(Exception):
    pass


class DyingTrainer(FakeTrainer):
    """Dies after it has told step `at`."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def train(self, request: TrainRequest) -> TrainOutcome:
        def tell(step: StepMetrics) -> None:
            request.on_step(step)
            if step.kind == "train" and step.step == self.at:
                raise Killed

        from dataclasses import replace

        return super().train(replace(request, on_step=tell))


def curated_row(at: int, messages: list[Message]) -> CuratedRow:
    return CuratedRow(
        f"row-{at:03d}", "data.jsonl", at + 1, f"c{at}", tuple(messages), messages[-2]["content"], messages[-1]["content"]
    )


Run = Callable[..., TrainRecord]


@pytest.fixture
def evidence(tmp_path: Path) -> RunFolder:
    state = tmp_path / "project" / ".truetune"
    return RunFolder(tmp_path / "project" / "runs" / "r1", ObjectStore(state / "objects"), StillClock())


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def request_for(evidence: RunFolder, tmp_path: Path) -> Callable[..., stage.Request]:
    def make(rows: list[CuratedRow] | None = None, **train: object) -> stage.Request:
        folder = tmp_path / "curated"
        folder.mkdir(exist_ok=True)
        rows = rows if rows is not None else [curated_row(at, conversation(at)) for at in range(22)]
        (folder / "train.parquet").write_bytes(to_parquet(rows))
        validation = [curated_row(at, conversation(at)) for at in range(100, 106)]
        (folder / "validation.parquet").write_bytes(to_parquet(validation))
        data = DataRecord(
            gate="passed",
            gate_reason="",
            findings=(),
            sources=(),
            held_out=(),
            stats=DataStats(rows=28, kept=28, dropped=0, effective_unique=28),
            task=TaskProfile(shape="labels"),
            curated=evidence.store.put_tree(folder),
            splits={},
            template_digest=None,
        )
        settings = TrainConfig.model_validate(
            {"batch_size": 2, "gradient_accumulation": 2, "learning_rate": 1e-3, "checkpoints_per_run": 3, **train}
        )
        config = Config(task="sort", base=BaseConfig(model="fake:tiny"), data=DataConfig(sources=("x",)), train=settings)
        return stage.Request(config, tmp_path / "model", data, "fp32", "r1")

    return make


@pytest.fixture
def run(request_for: Callable[..., stage.Request], evidence: RunFolder, heard: Heard) -> Run:
    def call(trainer: FakeTrainer | None = None, rows: list[CuratedRow] | None = None, **train: object) -> TrainRecord:
        ports = stage.Ports(trainer or FakeTrainer(), FakeTokenizer(), heard)
        return stage.run(request_for(rows, **train), ports, evidence)

    return call


def lines(evidence: RunFolder) -> list[StepMetrics]:
    text = (evidence.path / "metrics.jsonl").read_text(encoding="utf-8")
    return [StepMetrics.model_validate_json(line) for line in text.splitlines()]


def test_adapter_is_in_the_store_and_laid_out(run: Run, evidence: RunFolder) -> None:
    record = run()
    assert tree_of(evidence.path / "adapter") == record.adapter
    assert evidence.store.holds(record.adapter)


def test_metrics_are_in_the_run_and_in_the_store(run: Run, evidence: RunFolder) -> None:
    record = run()
    stored = evidence.store.get_bytes(record.metrics.digest)
    assert stored == (evidence.path / "metrics.jsonl").read_bytes()
    assert [m.step for m in lines(evidence) if m.kind == "train"] == list(range(1, record.steps + 1))


def test_record_counts_what_was_trained(run: Run) -> None:
    record = run()
    assert record.examples == 22
    assert record.steps == 11
    assert record.epochs == 2
    assert record.tokens_per_s == pytest.approx(record.tokens_seen / record.wall_s)
    assert record.hyperparameters["learning_rate"] == 1e-3
    assert record.hyperparameters["precision"] == "fp32"
    assert {row.row_id for row in record.hardest} <= {f"row-{at:03d}" for at in range(22)}


def test_the_trainer_is_told_which_rows_are_in_doubt_the_surest_first(
    request_for: Callable[..., stage.Request], evidence: RunFolder, heard: Heard
) -> None:
    def doubt(severity: Severity, *lines: int) -> Finding:
        rows = tuple(RowRef(file="data.jsonl", line=line) for line in lines)
        return Finding(code="data.label.noise", severity=severity, message="in doubt", rows=rows)

    asked: list[TrainRequest] = []

    class Asked(FakeTrainer):
        def train(self, request: TrainRequest) -> TrainOutcome:
            asked.append(request)
            return super().train(request)

    request = request_for()
    doubts = (doubt("note", 5, 9, 3, 105), doubt("warn", 9))
    data = request.data.model_copy(update={"findings": doubts})
    stage.run(replace(request, data=data), stage.Ports(Asked(), FakeTokenizer(), heard), evidence)
    assert asked[0].doubted == ("row-008", "row-004", "row-002"), "line 105 is no training row"


def test_checkpoints_are_gone_when_it_is_done(run: Run, evidence: RunFolder) -> None:
    run()
    assert not (evidence.path / "checkpoints").exists()


def test_progress_ends_at_the_total(run: Run, heard: Heard) -> None:
    run()
    dones = [done for done, _, _ in heard.updates]
    assert dones == sorted(dones)
    assert heard.updates[-1][0] == pytest.approx(heard.updates[-1][1])
    assert "loss" in heard.updates[-1][2]


@pytest.mark.parametrize("at", [1, 4, 6, 7, 8, 11])
def test_after_a_kill_no_step_is_missing_or_double(run: Run, evidence: RunFolder, at: int) -> None:
    with pytest.raises(Killed):
        run(DyingTrainer(at))
    assert (evidence.path / "checkpoints").exists() == (at > 4)
    # A write that the kill cut in the middle.
    with (evidence.path / "metrics.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"kind": "train", "st')
    record = run()
    assert [m.step for m in lines(evidence) if m.kind == "train"] == list(range(1, 12))
    validations = [m.step for m in lines(evidence) if m.kind == "validation"]
    assert validations == sorted(set(validations))
    assert record.resumed_from_step == (None if at <= 4 else 4 if at <= 8 else 8)


def test_same_result_with_and_without_a_kill(run: Run, evidence: RunFolder) -> None:
    with pytest.raises(Killed):
        run(DyingTrainer(7))
    resumed = run()
    (evidence.path / "metrics.jsonl").unlink()
    whole = run()
    assert resumed.adapter == whole.adapter
    assert resumed.data_order_digest == whole.data_order_digest


def test_a_loss_that_is_no_number_is_kept_readable(run: Run, evidence: RunFolder) -> None:
    run(learning_rate=2.0)
    text = (evidence.path / "metrics.jsonl").read_text(encoding="utf-8")
    assert all(json.loads(line, parse_constant=pytest.fail) for line in text.splitlines())
    assert any(m.loss != m.loss for m in lines(evidence))


def test_a_row_without_trained_tokens_is_named(run: Run) -> None:
    rows = [curated_row(at, conversation(at)) for at in range(8)]
    prompt_only = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    rows[5] = curated_row(5, prompt_only)
    with pytest.raises(DataError) as caught:
        run(rows=rows)
    assert caught.value.code == "train.mask.all_masked"
    assert caught.value.where == "data.jsonl:6"


def test_a_row_over_the_limit_is_refused_not_cut(run: Run) -> None:
    rows = [curated_row(at, conversation(at)) for at in range(8)]
    rows[3] = curated_row(3, [*conversation(3)[:-2], {"role": "user", "content": "x" * 500}, conversation(3)[-1]])
    with pytest.raises(DataError) as caught:
        run(rows=rows, max_length=256)
    assert caught.value.code == "train.length.context"
    assert caught.value.where == "data.jsonl:4"


def test_measure_asks_the_trainer_and_leaves_nothing(
    request_for: Callable[..., stage.Request], evidence: RunFolder, heard: Heard
) -> None:
    ports = stage.Ports(FakeTrainer(), FakeTokenizer(), heard)
    assert stage.measure(request_for(), ports, evidence, 2) > 0
    assert not evidence.path.exists()


@pytest.mark.parametrize(
    "entry", [{"id": "row-007"}, {"source": "data.jsonl"}, {"regex": "."}, {"id": "their-7"}, {"id": "row-103"}]
)
def test_a_shard_with_a_listed_row_is_refused(
    entry: dict[str, str], request_for: Callable[..., stage.Request], evidence: RunFolder, heard: Heard, tmp_path: Path
) -> None:
    rows = [replace(curated_row(at, conversation(at)), id=f"their-{at}") for at in range(22)]
    listed = read_do_not_train([DoNotTrainEntry.model_validate(entry)], tmp_path)
    request = replace(request_for(rows), do_not_train=listed)
    with pytest.raises(DataError) as caught:
        stage.run(request, stage.Ports(FakeTrainer(), FakeTokenizer(), heard), evidence)
    assert caught.value.code == "train.do_not_train" and caught.value.where.startswith("data.jsonl:")
    assert not (evidence.path / "adapter").exists()


def test_a_list_that_forbids_nothing_here_is_on_record(
    request_for: Callable[..., stage.Request], evidence: RunFolder, heard: Heard, tmp_path: Path
) -> None:
    listed = read_do_not_train([DoNotTrainEntry(id="row-999")], tmp_path)
    assert listed is not None
    ports = stage.Ports(FakeTrainer(), FakeTokenizer(), heard)
    assert stage.run(replace(request_for(), do_not_train=listed), ports, evidence).do_not_train == listed.digest
