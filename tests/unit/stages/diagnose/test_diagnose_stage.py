"""Each fault of a training curve is found, and clean curves raise no alarm."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from truetune.core.errors import EvidenceError
from truetune.core.records import (
    DataRecord,
    DataStats,
    DiagnosisRecord,
    Finding,
    HardRow,
    RowRef,
    StepMetrics,
    TaskProfile,
    TrainRecord,
    Tree,
)
from truetune.evidence.curated import CuratedRow, to_parquet
from truetune.evidence.run_folder import RunFolder
from truetune.evidence.store import ObjectStore
from truetune.stages.diagnose import stage
from truetune.stages.train.metrics_log import MetricsLog

SEED_RUNS = 40
ZERO = "sha256:" + "0" * 64


class StillClock:
    def now_iso(self) -> str:
        return "2026-01-01T00:00:00Z"

    def monotonic_s(self) -> float:
        return 0.0


def train_record(evidence: RunFolder, path: Path, **changes: object) -> TrainRecord:
    values = {
        "trainer": "test",
        "versions": {},
        "hyperparameters": {"learning_rate": 1e-4},
        "adapter": Tree(digest=ZERO, files=()),
        "metrics": evidence.store.put_file(path),
        "examples": 100,
        "steps": 40,
        "epochs": 2.0,
        "tokens_seen": 20_000,
        "trained_tokens": 2_000,
        "tokens_per_s": 1.0,
        "wall_s": 1.0,
        "peak_memory_bytes": 1,
        "resumed_from_step": None,
        "data_order_digest": ZERO,
        "seed": 1,
    }
    return TrainRecord.model_validate({**values, **changes})


@pytest.fixture
def diagnose(tmp_path: Path) -> Callable[..., DiagnosisRecord]:
    evidence = RunFolder(tmp_path / "run", ObjectStore(tmp_path / "objects"), StillClock())

    def call(train: Sequence[float], validation: dict[int, float] | None = None, **changes: object) -> DiagnosisRecord:
        path = tmp_path / "metrics.jsonl"
        path.unlink(missing_ok=True)
        steps = [StepMetrics(kind="train", step=s, epoch=2 * s / len(train), loss=x) for s, x in enumerate(train, start=1)]
        steps += [StepMetrics(kind="validation", step=s, epoch=2 * s / len(train), loss=x) for s, x in (validation or {}).items()]
        with MetricsLog(path) as log:
            for step in sorted(steps, key=lambda m: m.step):
                log.append(step)
        request = stage.Request(train_record(evidence, path, **changes))
        return stage.run(request, stage.Ports(), evidence)

    return call


def codes(record: DiagnosisRecord) -> list[str]:
    return [finding.code for finding in record.findings]


def falling(steps: int, start: float, floor: float, speed: float, noise: float, seed: int) -> list[float]:
    dice = random.Random(seed)
    return [(floor + (start - floor) * math.exp(-speed * s / steps)) * math.exp(dice.gauss(0, noise)) for s in range(steps)]


@pytest.mark.parametrize("steps", [8, 22, 60, 200])
@pytest.mark.parametrize("speed", [2.0, 6.0, 40.0], ids=["slow", "usual", "at once"])
@pytest.mark.parametrize("noise", [0.02, 0.15])
def test_learning_curves_raise_no_alarm(diagnose: Callable[..., DiagnosisRecord], steps: int, speed: float, noise: float) -> None:
    for seed in range(SEED_RUNS):
        record = diagnose(falling(steps, 3.0, 0.2, speed, noise, seed))
        assert record.findings == ()
        assert record.gate == "passed"


def test_one_hard_batch_is_no_explosion(diagnose: Callable[..., DiagnosisRecord]) -> None:
    curve = falling(40, 3.0, 0.1, 8.0, 0.1, 1)
    curve[-3] = 6.0
    assert codes(diagnose(curve)) == []


def test_validation_that_falls_with_training_is_clean(diagnose: Callable[..., DiagnosisRecord]) -> None:
    record = diagnose(falling(40, 3.0, 0.2, 6.0, 0.1, 1), {0: 3.0, 10: 1.0, 20: 0.5, 30: 0.40, 40: 0.41})
    assert record.findings == ()
    assert "from 3 to 0.41" in record.summary


def test_flat_is_found_whatever_the_noise(diagnose: Callable[..., DiagnosisRecord]) -> None:
    found = 0
    for seed in range(SEED_RUNS):
        dice = random.Random(seed)
        record = diagnose([2.5 + dice.gauss(0, 0.3) for _ in range(40)], {0: 2.50, 20: 2.50, 40: 2.499})
        found += codes(record) == ["train.loss.flat"]
    # Two standard errors: one flat curve in forty looks like learning.
    assert found >= SEED_RUNS - 3


def test_flat_names_the_next_learning_rate_and_fails_the_gate(diagnose: Callable[..., DiagnosisRecord]) -> None:
    record = diagnose([2.5, 2.51] * 20, {0: 2.5, 40: 2.5})
    assert record.gate == "failed"
    assert "learning_rate: 1.0e-03" in record.findings[0].fix
    assert record.findings[0].evidence["steps"] == 40
    assert record.summary.startswith("The loss did not fall")


def test_a_falling_validation_loss_overrules_noisy_batches(diagnose: Callable[..., DiagnosisRecord]) -> None:
    dice = random.Random(3)
    noisy = [2.5 + dice.gauss(0, 0.8) for _ in range(40)]
    assert codes(diagnose(noisy, {0: 2.5, 40: 2.5})) == ["train.loss.flat"]
    assert codes(diagnose(noisy, {0: 2.5, 40: 2.3})) == []


def test_a_base_that_knows_the_task_is_a_warning(diagnose: Callable[..., DiagnosisRecord]) -> None:
    record = diagnose([0.011, 0.01] * 20)
    assert [(f.code, f.severity) for f in record.findings] == [("train.loss.flat", "warn")]
    assert record.gate == "passed"


@pytest.mark.parametrize(
    "curve",
    [
        [*falling(20, 3.0, 0.5, 4.0, 0.05, 1), *[9.0 + 0.1 * (n % 3) for n in range(20)]],
        [3.0 * 1.1**n for n in range(40)],
        [*falling(30, 3.0, 0.2, 8.0, 0.05, 2), *[2.2 + 0.1 * (n % 3) for n in range(10)]],
    ],
    ids=["jumps", "climbs", "gives back"],
)
def test_exploded(diagnose: Callable[..., DiagnosisRecord], curve: list[float]) -> None:
    record = diagnose(curve)
    assert codes(record) == ["train.loss.exploded"]
    assert record.gate == "failed"
    assert "learning_rate: 1.0e-05" in record.findings[0].fix


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nan_is_found_with_its_step(diagnose: Callable[..., DiagnosisRecord], bad: float) -> None:
    record = diagnose([3.0, 2.0, 1.5, bad, bad])
    assert codes(record) == ["train.loss.nan"]
    assert record.findings[0].evidence["first_step"] == 4
    assert record.findings[0].evidence["last_loss"] == 1.5
    assert record.gate == "failed"
    json.loads(record.model_dump_json())


def test_overfit_warns_and_says_when_it_was_best(diagnose: Callable[..., DiagnosisRecord]) -> None:
    record = diagnose(falling(40, 3.0, 0.02, 8.0, 0.1, 1), {0: 3.0, 10: 0.5, 20: 0.4, 30: 0.6, 40: 0.9})
    assert [(f.code, f.severity) for f in record.findings] == [("train.overfit", "warn")]
    assert record.findings[0].evidence["best_step"] == 20
    assert "train.epochs: 1.0" in record.findings[0].fix
    assert record.gate == "passed"


def test_validation_that_trembles_near_zero_is_no_overfit(diagnose: Callable[..., DiagnosisRecord]) -> None:
    record = diagnose(falling(40, 3.0, 0.001, 12.0, 0.1, 1), {0: 3.0, 10: 0.02, 20: 0.004, 30: 0.009, 40: 0.006})
    assert record.findings == ()


def test_no_trained_token_fails_although_the_curve_looks_well(diagnose: Callable[..., DiagnosisRecord]) -> None:
    record = diagnose(falling(40, 3.0, 0.2, 6.0, 0.1, 1), trained_tokens=0)
    assert codes(record) == ["train.mask.all_masked"]
    assert record.gate == "failed"


def test_only_end_tokens_trained_is_a_warning(diagnose: Callable[..., DiagnosisRecord]) -> None:
    record = diagnose(falling(40, 3.0, 0.2, 6.0, 0.1, 1), trained_tokens=200)
    assert [(f.code, f.severity) for f in record.findings] == [("train.mask.all_masked", "warn")]


def test_too_few_steps_are_not_judged(diagnose: Callable[..., DiagnosisRecord]) -> None:
    record = diagnose([3.0, 3.0, 3.0])
    assert record.gate == "not_measured"
    assert "3 steps are too few" in record.summary


def test_unreadable_metrics_are_an_error_that_names_the_line(tmp_path: Path) -> None:
    evidence = RunFolder(tmp_path / "run", ObjectStore(tmp_path / "objects"), StillClock())
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"kind": "train", "step": 1, "epoch": 0.1, "loss": 1.0}\nnot a step\n', encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        stage.run(stage.Request(train_record(evidence, path)), stage.Ports(), evidence)
    assert caught.value.code == "evidence.metrics"
    assert caught.value.where == "metrics.jsonl:2"


# --- hard rows --------------------------------------------------------------------------------------------------------


def curated(line: int) -> CuratedRow:
    messages = ({"role": "user", "content": f"question {line}"}, {"role": "assistant", "content": "joy"})
    return CuratedRow(f"id-{line}", "t.jsonl", line, f"id-{line}", messages, f"question {line}", "joy")


def data_record(evidence: RunFolder, findings: Sequence[Finding], lines: Sequence[int] = range(1, 11)) -> DataRecord:
    shard = evidence.store.put_bytes("train.parquet", to_parquet([curated(line) for line in lines]))
    return DataRecord(
        gate="passed",
        gate_reason="",
        findings=tuple(findings),
        sources=(),
        held_out=(),
        stats=DataStats(rows=10, kept=10, dropped=0, effective_unique=10),
        task=TaskProfile(shape="labels"),
        curated=Tree(digest=ZERO, files=(shard,)),
        splits={},
        template_digest=None,
    )


def doubt(code: str, severity: str, *lines: int) -> Finding:
    rows = tuple(RowRef(file="t.jsonl", line=line) for line in lines)
    return Finding.model_validate({"code": code, "severity": severity, "message": f"{code} of {lines}", "rows": rows})


@pytest.fixture
def diagnose_rows(tmp_path: Path) -> Callable[..., DiagnosisRecord]:
    evidence = RunFolder(tmp_path / "run", ObjectStore(tmp_path / "objects"), StillClock())

    def call(findings: Sequence[Finding], hardest: dict[int, float]) -> DiagnosisRecord:
        path = tmp_path / "metrics.jsonl"
        path.unlink(missing_ok=True)
        with MetricsLog(path) as log:
            for step, loss in enumerate(falling(40, 3.0, 0.2, 6.0, 0.05, 1), start=1):
                log.append(StepMetrics(kind="train", step=step, epoch=step / 20, loss=loss))
        rows = tuple(HardRow(row_id=f"id-{line}", loss=loss) for line, loss in hardest.items())
        request = stage.Request(train_record(evidence, path, hardest=rows), data_record(evidence, findings))
        return stage.run(request, stage.Ports(), evidence)

    return call


def test_hard_rows_whose_label_was_in_doubt_are_named_hardest_first(diagnose_rows: Callable[..., DiagnosisRecord]) -> None:
    noted, contradicted = doubt("data.label.noise", "note", 3, 5, 8), doubt("data.contradiction", "warn", 9)
    doubts = [doubt("data.label.noise", "warn", 3), noted, contradicted]
    record = diagnose_rows(doubts, {3: 2.0, 5: 4.0, 7: 3.0})
    (finding,) = record.findings
    assert finding.code == "train.hard_rows" and finding.severity == "warn" and record.gate == "passed"
    assert [row.line for row in finding.rows] == [5, 3]
    assert finding.message.startswith("2 of the 3 hardest training rows are in doubt")
    assert "data.label.noise of (3,)" in str(finding.evidence["rows"])
    assert "2 of the 3 hardest" in record.summary


def test_rows_that_were_only_noted_are_a_note(diagnose_rows: Callable[..., DiagnosisRecord]) -> None:
    (finding,) = diagnose_rows([doubt("data.label.noise", "note", 5)], {5: 4.0}).findings
    assert finding.severity == "note" and "1 of the 1 hardest training rows is in doubt" in finding.message


def test_hard_rows_that_nobody_doubted_and_doubted_rows_that_were_learned_are_left_alone(
    diagnose_rows: Callable[..., DiagnosisRecord],
) -> None:
    assert diagnose_rows([doubt("data.label.noise", "warn", 3)], {5: 4.0}).findings == ()
    assert diagnose_rows([doubt("data.label.noise", "warn", 3)], {3: 0.01}).findings == ()
    assert diagnose_rows([doubt("data.duplicate.near", "warn", 5)], {5: 4.0}).findings == ()
