"""Real trainings of the tiny model, too timid, right and too bold, are told apart."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from peft import PeftModel
from tests.tiny_llama import examples, write_model
from transformers import AutoModelForCausalLM

from truetune.backends.trl import TrlTrainer
from truetune.core.config import TrainConfig
from truetune.core.ports import TrainOutcome, TrainRequest
from truetune.core.records import StepMetrics
from truetune.stages.diagnose import loss_exploded, loss_flat, overfit
from truetune.stages.diagnose.curves import Curves


def train(model_dir: Path, work_dir: Path, learning_rate: float) -> tuple[Curves, TrainOutcome]:
    told: list[StepMetrics] = []
    config = TrainConfig(learning_rate=learning_rate, epochs=3, batch_size=4, gradient_accumulation=1, max_length=128)
    outcome = TrlTrainer().train(
        TrainRequest(model_dir, examples(48), examples(12, seed=1), config, 17, "fp32", work_dir, (), "case", "r1", told.append)
    )
    split = {kind: tuple(m for m in told if m.kind == kind) for kind in ("train", "validation")}
    return Curves(split["train"], split["validation"], learning_rate), outcome


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base that knows a part of the task already, as real ones do: a random one has nothing to lose."""
    folder = tmp_path_factory.mktemp("tiny")
    random = write_model(folder / "random")
    _, outcome = train(random, folder / "work", 3e-3)
    knowing = folder / "knowing"
    shutil.copytree(random, knowing)
    tuned = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(random), str(outcome.adapter_dir))
    tuned.merge_and_unload().save_pretrained(knowing)
    return knowing


def codes(curves: Curves) -> list[str]:
    found = [check(curves) for check in (loss_exploded.check, loss_flat.check, overfit.check)]
    return [finding.code for finding in found if finding is not None]


@pytest.mark.parametrize(
    ("learning_rate", "expected"),
    [(1e-8, ["train.loss.flat"]), (3e-3, []), (1.0, ["train.loss.exploded"])],
    ids=["too low", "right", "too high"],
)
def test_learning_rates_are_told_apart(base: Path, tmp_path: Path, learning_rate: float, expected: list[str]) -> None:
    curves, _ = train(base, tmp_path / "work", learning_rate)
    assert codes(curves) == expected, [round(m.loss, 2) for m in curves.train]
