"""What every trainer promises, asked of TRL with a tiny random model and of the fake."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from safetensors.numpy import load_file
from tests import training_case

from truetune.core.ports import TrainOutcome, TrainRequest
from truetune.core.records import StepMetrics
from truetune.evidence.digests import tree_of

REPOSITORY = Path(__file__).parent.parent.parent
EPOCHS = 3
STEPS = 18


class Killed(Exception):
    """Stands for a kill in the same process; the real one is further down."""


@dataclass(frozen=True)
class Trained:
    """A finished, uninterrupted training."""

    kind: str
    folder: Path
    request: TrainRequest
    outcome: TrainOutcome
    told: tuple[StepMetrics, ...]


@pytest.fixture(scope="module", params=training_case.KINDS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp(request.param)
    told: list[StepMetrics] = []
    asked = training_case.request(request.param, folder, told.append)
    outcome = training_case.trainer(request.param).train(asked)
    return Trained(request.param, folder, asked, outcome, tuple(told))


def train_again(trained: Trained, work: Path, **changes: object) -> tuple[TrainOutcome, list[StepMetrics]]:
    told: list[StepMetrics] = []
    asked = replace(trained.request, work_dir=work, on_step=told.append, **changes)  # type: ignore[arg-type]
    return training_case.trainer(trained.kind).train(asked), told


def kill_at(trained: Trained, work: Path, step: int) -> None:
    def tell(metrics: StepMetrics) -> None:
        if metrics.kind == "train" and metrics.step == step:
            raise Killed

    with pytest.raises(Killed):
        training_case.trainer(trained.kind).train(replace(trained.request, work_dir=work, on_step=tell))


def assert_same_adapter(one: Path, other: Path) -> None:
    a, b = load_file(one / "adapter_model.safetensors"), load_file(other / "adapter_model.safetensors")
    assert a.keys() == b.keys()
    assert all(abs(a[name] - b[name]).max() <= 1e-6 for name in a)


def train_steps(told: list[StepMetrics] | tuple[StepMetrics, ...]) -> list[int]:
    return [m.step for m in told if m.kind == "train"]


def test_adapter_is_in_peft_layout_without_a_path_of_this_machine(trained: Trained) -> None:
    adapter = trained.outcome.adapter_dir
    assert (adapter / "adapter_model.safetensors").stat().st_size > 0
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["peft_type"] == "LORA"
    assert config["r"] == training_case.CONFIG.lora_r
    assert str(trained.folder) not in (adapter / "adapter_config.json").read_text(encoding="utf-8")


def test_every_row_is_trained_once_an_epoch(trained: Trained) -> None:
    order, rows = trained.outcome.data_order, len(trained.request.train)
    assert len(order) == EPOCHS * rows
    for epoch in range(EPOCHS):
        assert Counter(order[epoch * rows : (epoch + 1) * rows]) == Counter(e.row_id for e in trained.request.train)
    assert order[:rows] != tuple(e.row_id for e in trained.request.train)


def test_every_step_is_told_once_in_order(trained: Trained) -> None:
    steps = train_steps(trained.told)
    assert steps == list(range(1, trained.outcome.steps + 1))
    assert all(
        math.isfinite(m.loss) and m.memory_bytes and m.learning_rate is not None for m in trained.told if m.kind == "train"
    )
    tokens = [m.tokens for m in trained.told if m.kind == "train"]
    assert tokens == sorted(tokens)
    assert tokens[-1] == trained.outcome.tokens_seen
    assert trained.told[-1].epoch == pytest.approx(EPOCHS)


def test_counts_are_those_of_the_rows(trained: Trained) -> None:
    assert trained.outcome.tokens_seen == EPOCHS * sum(len(e.input_ids) for e in trained.request.train)
    assert trained.outcome.trained_tokens == EPOCHS * sum(sum(e.trained) for e in trained.request.train)
    assert trained.outcome.peak_memory_bytes > 0
    assert trained.outcome.wall_s > 0


def test_validation_is_measured_at_least_four_times_and_at_the_end(trained: Trained) -> None:
    steps = [m.step for m in trained.told if m.kind == "validation"]
    assert len(steps) >= 4
    assert steps[-1] == trained.outcome.steps
    assert trained.told[-1].kind == "validation"


def test_it_learns(trained: Trained) -> None:
    losses = [m.loss for m in trained.told if m.kind == "train"]
    assert losses[-1] < losses[0]


def test_hardest_rows_come_worst_first(trained: Trained) -> None:
    losses = [row.loss for row in trained.outcome.hardest]
    assert losses == sorted(losses, reverse=True)
    assert 0 < len(losses) <= 50
    assert {row.row_id for row in trained.outcome.hardest} <= {e.row_id for e in trained.request.train}


def test_same_request_gives_the_same_adapter(trained: Trained, tmp_path: Path) -> None:
    outcome, _ = train_again(trained, tmp_path / "again")
    assert outcome.data_order == trained.outcome.data_order
    assert outcome.resumed_from_step is None
    assert tree_of(outcome.adapter_dir).digest == tree_of(trained.outcome.adapter_dir).digest


def test_another_seed_gives_another_order_and_adapter(trained: Trained, tmp_path: Path) -> None:
    outcome, _ = train_again(trained, tmp_path / "seed", seed=18)
    assert outcome.data_order != trained.outcome.data_order
    assert tree_of(outcome.adapter_dir).digest != tree_of(trained.outcome.adapter_dir).digest


def test_after_an_interruption_it_goes_on_and_ends_the_same(trained: Trained, tmp_path: Path) -> None:
    kill_at(trained, tmp_path / "work", 12)
    outcome, told = train_again(trained, tmp_path / "work")
    assert outcome.resumed_from_step is not None
    assert 0 < outcome.resumed_from_step < 12
    assert train_steps(told) == list(range(outcome.resumed_from_step + 1, outcome.steps + 1))
    assert outcome.data_order == trained.outcome.data_order
    assert outcome.tokens_seen == trained.outcome.tokens_seen
    assert_same_adapter(outcome.adapter_dir, trained.outcome.adapter_dir)
    losses = {m.step: m.loss for m in trained.told if m.kind == "train"}
    assert all(m.loss == pytest.approx(losses[m.step], rel=1e-5) for m in told if m.kind == "train")


def test_checkpoints_of_another_request_are_not_gone_on_from(trained: Trained, tmp_path: Path) -> None:
    kill_at(trained, tmp_path / "work", 12)
    outcome, told = train_again(trained, tmp_path / "work", seed=18)
    assert outcome.resumed_from_step is None
    assert train_steps(told)[0] == 1


def test_finished_but_not_collected_is_not_trained_again(trained: Trained) -> None:
    outcome, told = train_again(trained, trained.request.work_dir)
    assert train_steps(told) == []
    assert outcome.resumed_from_step == outcome.steps
    assert_same_adapter(outcome.adapter_dir, trained.outcome.adapter_dir)


def test_probe_measures_and_leaves_nothing(trained: Trained, tmp_path: Path) -> None:
    told: list[StepMetrics] = []
    asked = replace(trained.request, work_dir=tmp_path / "probe", on_step=told.append)
    seconds = training_case.trainer(trained.kind).probe(asked, 2)
    assert 0 < seconds < 1
    assert told == []
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def one_thread() -> Iterator[dict[str, str]]:
    yield {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}


def test_a_killed_process_goes_on_and_ends_the_same(trained: Trained, one_thread: dict[str, str]) -> None:
    command = [sys.executable, "-m", "tests.training_case", trained.kind, str(trained.folder), "11"]
    dead = subprocess.run(command, env=one_thread, capture_output=True, text=True, timeout=300, check=False)
    assert dead.returncode == -signal.SIGKILL, dead.stderr
    assert dead.stderr.splitlines()[-1] == "told train 11"
    assert dead.stdout == ""
    assert all(line.startswith("told ") for line in dead.stderr.splitlines()), "a library printed something"
    outcome, told = train_again(trained, trained.folder / "killed")
    assert outcome.resumed_from_step == 10
    assert train_steps(told)[0] == 11
    assert outcome.data_order == trained.outcome.data_order
    assert_same_adapter(outcome.adapter_dir, trained.outcome.adapter_dir)
