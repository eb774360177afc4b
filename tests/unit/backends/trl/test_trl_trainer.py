"""What is particular to the TRL trainer: overrides, trackers, faults and quiet."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.tiny_llama import examples, write_model

from truetune.backends.trl import TrlTrainer, checkpoints, tracking
from truetune.backends.trl.overrides import check_overrides
from truetune.core.config import TrainConfig
from truetune.core.errors import ConfigError, DataError, EnvironmentFault, UpstreamError
from truetune.core.ports import TrainOutcome, TrainRequest
from truetune.core.records import StepMetrics

CONFIG = TrainConfig(learning_rate=1e-2, epochs=1, batch_size=2, gradient_accumulation=2, lora_r=4, max_length=128)


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("tiny"))


Train = Callable[..., TrainOutcome]


@pytest.fixture
def told() -> list[StepMetrics]:
    return []


@pytest.fixture
def request_for(model_dir: Path, tmp_path: Path, told: list[StepMetrics]) -> Callable[..., TrainRequest]:
    def make(config: dict[str, object] | None = None, **changes: object) -> TrainRequest:
        asked = TrainRequest(
            model_dir=model_dir,
            train=examples(16),
            validation=examples(4, seed=1),
            hyperparameters=CONFIG.model_copy(update=config or {}),
            seed=17,
            precision="fp32",
            work_dir=tmp_path / "work",
            trackers=(),
            project="case",
            run_name="r1",
            on_step=told.append,
        )
        return replace(asked, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def train(request_for: Callable[..., TrainRequest]) -> Train:
    return lambda config=None, **changes: TrlTrainer().train(request_for(config, **changes))


# --- overrides -------------------------------------------------------------------------------------------------------


def test_unknown_override_names_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        check_overrides({"lr_scheduler_typ": "cosine"})
    assert caught.value.code == "config.trainer_override"
    assert "lr_scheduler_type" in caught.value.fix


@pytest.mark.parametrize(
    ("key", "instead"),
    [
        ("learning_rate", "train.learning_rate"),
        ("num_train_epochs", "train.epochs"),
        ("per_device_train_batch_size", "train.batch_size"),
        ("seed", "`seed`"),
        ("max_length", "train.max_length"),
        ("report_to", "tracking"),
        ("lerning_rate", "train.learning_rate"),
    ],
)
def test_override_that_the_config_owns_names_the_field(key: str, instead: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_overrides({key: 1})
    assert instead in caught.value.fix


@pytest.mark.parametrize("key", ["output_dir", "push_to_hub", "packing", "completion_only_loss", "bf16", "logging_steps"])
def test_override_that_breaks_a_promise_is_refused_with_the_reason(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_overrides({key: True})
    assert "truetune" in caught.value.why


def test_override_with_a_value_that_trl_refuses(train: Train) -> None:
    with pytest.raises(ConfigError) as caught:
        train({"trainer_overrides": {"lr_scheduler_type": "sideways"}})
    assert caught.value.code == "config.trainer_override"


def test_override_reaches_the_trainer(train: Train, told: list[StepMetrics]) -> None:
    train({"trainer_overrides": {"lr_scheduler_type": "constant"}})
    assert {m.learning_rate for m in told if m.kind == "train"} == {1e-2}


@pytest.mark.parametrize(
    ("overrides", "path"),
    [
        ({}, "shared_prefix"),
        ({"gradient_checkpointing": True}, "trained_positions"),
        ({"activation_checkpointing": True}, "trained_positions"),
        ({"label_smoothing_factor": 0.1}, "full_logits"),
        ({"loss_type": "dft"}, "full_logits"),
    ],
)
def test_outcome_says_how_the_loss_was_computed(train: Train, overrides: dict[str, object], path: str) -> None:
    assert f"loss: {path}" in train({"trainer_overrides": overrides}).trainer


def test_every_path_gives_the_same_training(train: Train, tmp_path: Path, told: list[StepMetrics]) -> None:
    train(work_dir=tmp_path / "a")
    fast = [m.loss for m in told]
    told.clear()
    train({"trainer_overrides": {"gradient_checkpointing": True}}, work_dir=tmp_path / "b")
    assert [m.loss for m in told] == pytest.approx(fast, rel=1e-3)


def test_target_modules_that_fit_nothing(train: Train) -> None:
    with pytest.raises(ConfigError) as caught:
        train({"target_modules": ("attention_of_nobody",)})
    assert caught.value.code == "config.target_modules"


# --- faults ----------------------------------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_stops_at_once(train: Train, told: list[StepMetrics], monkeypatch: pytest.MonkeyPatch) -> None:
    from truetune.backends.trl import sft

    real = sft.token_losses
    calls = []

    def breaks(*arguments: object) -> object:
        losses, rows = real(*arguments)
        calls.append(torch.is_grad_enabled())
        return (losses * float("nan") if sum(calls) == 3 and calls[-1] else losses), rows

    monkeypatch.setattr(sft, "token_losses", breaks)
    with pytest.raises(UpstreamError) as caught:
        train()
    assert caught.value.code == "train.loss.nan"
    assert "step 3" in caught.value.what
    assert "learning_rate" in caught.value.fix
    assert max(m.step for m in told) == 2


def test_a_learning_rate_that_ruins_the_weights_is_not_trained_to_the_end(train: Train) -> None:
    with pytest.raises(UpstreamError) as caught:
        train({"learning_rate": 1e30, "epochs": 4.0, "max_grad_norm": 1e30})
    assert caught.value.code == "train.loss.nan"


def test_a_row_without_trained_tokens_is_refused_before_anything_is_loaded(train: Train) -> None:
    rows = examples(4)
    rows[2] = replace(rows[2], trained=(False,) * len(rows[2].trained))
    with pytest.raises(DataError) as caught:
        train(train=rows)
    assert caught.value.code == "train.mask.all_masked"
    assert "row-002" in caught.value.what


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
        torch.OutOfMemoryError("CUDA out of memory. Tried"),
    ],
)
def test_out_of_memory_says_what_to_change(train: Train, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("truetune.backends.trl.sft.token_losses", fails)
    with pytest.raises(EnvironmentFault) as caught:
        train()
    assert caught.value.code == "environment.out_of_memory"
    assert "train.batch_size" in caught.value.fix


def test_several_processes_are_refused_before_they_write_one_run(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trl.SFTConfig.world_size", 2)
    with pytest.raises(EnvironmentFault) as caught:
        train()
    assert caught.value.code == "environment.distributed"


def test_model_that_is_not_there(train: Train, tmp_path: Path) -> None:
    with pytest.raises(UpstreamError) as caught:
        train(model_dir=tmp_path / "nothing")
    assert caught.value.code == "upstream.model_load"


# --- checkpoints -----------------------------------------------------------------------------------------------------


class Killed(Exception):
    pass


def kill_at(train: Train, step: int) -> None:
    def tell(metrics: StepMetrics) -> None:
        if metrics.kind == "train" and metrics.step == step:
            raise Killed

    with pytest.raises(Killed):
        train({"checkpoints_per_run": 4}, on_step=tell)


@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "unsealed", "seal cut"])
def test_a_damaged_checkpoint_is_never_gone_on_from(train: Train, tmp_path: Path, damage: str) -> None:
    kill_at(train, 4)
    newest = tmp_path / "work" / "checkpoint-3"
    victim = newest / "optimizer.pt"
    content = bytearray(victim.read_bytes())
    if damage == "cut":
        victim.write_bytes(content[:-10])
    elif damage == "flipped":
        content[-100] ^= 1
        victim.write_bytes(content)
    elif damage == "missing":
        victim.unlink()
    elif damage == "unsealed":
        (newest / "truetune-seal.json").unlink()
    else:
        (newest / "truetune-seal.json").write_text("{", encoding="utf-8")
    assert train({"checkpoints_per_run": 4}).resumed_from_step == 2


def test_two_checkpoints_are_kept(train: Train, tmp_path: Path) -> None:
    train({"checkpoints_per_run": 4})
    kept = sorted(p.name for p in (tmp_path / "work").glob("checkpoint-*"))
    assert kept == ["checkpoint-3", "checkpoint-4"]


def test_whole_checkpoints_are_found(tmp_path: Path) -> None:
    for step in (2, 10):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "weights").write_text(str(step), encoding="utf-8")
        checkpoints.seal(tmp_path / f"checkpoint-{step}", "key", step, 1.5)
    found = checkpoints.newest(tmp_path, "key")
    assert found is not None
    assert (found.step, found.elapsed_s) == (10, 1.5)
    assert checkpoints.newest(tmp_path, "other") is None


# --- trackers and quiet ----------------------------------------------------------------------------------------------


def test_trackio_stays_in_the_project_and_prints_nothing(
    train: Train, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKIO_SPACE_ID", "somebody/space")
    for name in ("one", "two"):
        train(trackers=("trackio",), tracking_dir=tmp_path / name, work_dir=tmp_path / name / "work")
        database = tmp_path / name / "trackio" / "case.db"
        with sqlite3.connect(database) as connection:
            steps = connection.execute("select count(*) from metrics").fetchone()[0]
        assert steps >= 8
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_a_tracker_that_is_not_installed(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentFault) as caught:
        train(trackers=("trackio",))
    assert caught.value.code == "environment.missing_extra"
    assert "pip install 'truetune[train]'" in caught.value.fix


def test_without_the_extra_the_command_to_install_it_is_named(
    request_for: Callable[..., TrainRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    import truetune.backends.trl as package

    monkeypatch.delattr(package, "run", raising=False)
    monkeypatch.setitem(sys.modules, "truetune.backends.trl.run", None)
    with pytest.raises(EnvironmentFault) as caught:
        TrlTrainer().train(request_for())
    assert caught.value.code == "environment.missing_extra"


def test_bf16_trains(train: Train, told: list[StepMetrics]) -> None:
    outcome = train(precision="bf16")
    assert "shared_prefix" in outcome.trainer
    losses = [m.loss for m in told if m.kind == "validation"]
    assert losses[-1] < losses[0]


def test_how_the_loss_is_computed_is_logged(train: Train, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        train()
    assert any("loss path: shared_prefix" in record.message for record in caplog.records)
