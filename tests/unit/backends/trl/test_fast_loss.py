"""The fast loss path gives the numbers of plain TRL, and nothing flows from what is not trained."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from tests.tiny_llama import examples, write_model
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel, MistralConfig, MistralForCausalLM
from trl import SFTConfig, SFTTrainer

from truetune.backends.trl.loss import batch_of, choose_path, token_losses
from truetune.backends.trl.plan import Pass, Plan, Step, pass_budget_tokens, passes_of
from truetune.backends.trl.quiet import quiet_libraries
from truetune.backends.trl.sft import Course, MaskedSFTTrainer
from truetune.core.config import TrainConfig
from truetune.core.errors import DataError
from truetune.core.ports import TrainingExample

RELATIVE = 1e-4
CONFIG = TrainConfig(batch_size=4, gradient_accumulation=4, max_length=128)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    """With an adapter that does something: its second factor is not zero."""
    torch.manual_seed(1)
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tuned = get_peft_model(base, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, parameter in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    return tuned


def arguments(folder: Path, **more: Any) -> SFTConfig:
    return SFTConfig(
        output_dir=str(folder / "out"),
        report_to="none",
        disable_tqdm=True,
        bf16=False,
        use_cpu=True,
        gradient_checkpointing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        max_length=None,
        max_steps=1,
        per_device_train_batch_size=1,
        save_strategy="no",
        **more,
    )


def plain(folder: Path, model: Any, rows: Sequence[TrainingExample]) -> tuple[float, torch.Tensor]:
    """Loss and gradient of TRL as it comes, all rows in one batch."""
    model = copy.deepcopy(model)
    labels = [[t if on else -100 for t, on in zip(e.input_ids, e.trained, strict=True)] for e in rows]
    data = Dataset.from_dict({"input_ids": [list(e.input_ids) for e in rows], "labels": labels})
    with quiet_libraries():
        tokenizer = AutoTokenizer.from_pretrained(folder)
        trainer = SFTTrainer(model=model, args=arguments(folder), train_dataset=data, processing_class=tokenizer)
        batch = trainer.data_collator([data[at] for at in range(len(data))])
        trained = sum(sum(e.trained[1:]) for e in rows)
        loss = trainer.compute_loss(trainer.model, batch, num_items_in_batch=torch.tensor(trained))
    loss.backward()
    return float(loss), gradient(trainer.model)


def ours(folder: Path, model: Any, rows: Sequence[TrainingExample], passes: tuple[Pass, ...]) -> tuple[float, torch.Tensor]:
    """Loss and gradient of a whole step of the trainer that we train with."""
    course = Course(rows, (), Plan((Step(passes),), 1), 4096, frozenset(), "", lambda _: None)
    with quiet_libraries():
        tokenizer = AutoTokenizer.from_pretrained(folder)
        trainer = MaskedSFTTrainer(
            course, "shared_prefix", 0, model=copy.deepcopy(model), args=arguments(folder), processing_class=tokenizer
        )
        trainer.create_optimizer()
        loss = trainer.training_step(trainer.model, trainer.data_collator([{"step": 0}]))
    return float(loss), gradient(trainer.model)


def gradient(model: Any) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def difference(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).norm() / b.norm())


@pytest.mark.parametrize("shared", [0, 40], ids=["no common beginning", "common beginning"])
def test_step_equals_plain_trl(folder: Path, model: Any, shared: int) -> None:
    rows = examples(16, shared=shared)
    passes = passes_of(rows, range(16), pass_budget_tokens(rows, CONFIG))
    assert any(one.shared_tokens >= 40 for one in passes) == (shared == 40)
    assert len({len(e.input_ids) for e in rows}) > 3  # there is padding
    loss, grad = ours(folder, model, rows, passes)
    expected_loss, expected_grad = plain(folder, model, rows)
    assert loss == pytest.approx(expected_loss, rel=RELATIVE)
    assert difference(grad, expected_grad) < RELATIVE


def test_cut_into_passes_does_not_matter(folder: Path, model: Any) -> None:
    rows = examples(12)
    whole = ours(folder, model, rows, passes_of(rows, range(12), 4096))
    small = passes_of(rows, range(12), 70)
    assert len(small) > 4
    pieces = ours(folder, model, rows, small)
    assert pieces[0] == pytest.approx(whole[0], rel=RELATIVE)
    assert difference(pieces[1], whole[1]) < RELATIVE


def test_several_turns_and_trained_tokens_amid_a_row(folder: Path, model: Any) -> None:
    dice = random.Random(2)
    rows = [
        TrainingExample(e.row_id, e.input_ids, tuple(on or (at > 45 and dice.random() < 0.3) for at, on in enumerate(e.trained)))
        for e in examples(8)
    ]
    loss, grad = ours(folder, model, rows, passes_of(rows, range(8), 4096))
    expected_loss, expected_grad = plain(folder, model, rows)
    assert loss == pytest.approx(expected_loss, rel=RELATIVE)
    assert difference(grad, expected_grad) < RELATIVE


def test_many_trained_tokens_go_through_the_head_in_chunks(folder: Path, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = examples(8)
    whole = ours(folder, model, rows, passes_of(rows, range(8), 4096))
    monkeypatch.setattr("truetune.backends.trl.loss._HEAD_CHUNK", 5)
    chunked = ours(folder, model, rows, passes_of(rows, range(8), 4096))
    assert chunked[0] == pytest.approx(whole[0], rel=RELATIVE)
    assert difference(chunked[1], whole[1]) < RELATIVE


def test_nothing_flows_from_untrained_labels(folder: Path, model: Any) -> None:
    """The token after the last trained one is fed to nobody and asked of nobody: changing it changes nothing."""
    rows = [replace(e, input_ids=(*e.input_ids, 7), trained=(*e.trained, False)) for e in examples(6)]
    other = [replace(e, input_ids=(*e.input_ids[:-1], 9)) for e in rows]
    passes = passes_of(rows, range(6), 4096)
    first, second = ours(folder, model, rows, passes), ours(folder, model, other, passes)
    assert first[0] == second[0]
    assert torch.equal(first[1], second[1])


def test_a_prompt_token_is_never_a_target(model: Any) -> None:
    rows = examples(4)
    batch = batch_of(rows, passes_of(rows, range(4), 4096)[0], "shared_prefix", 0)
    losses, row = token_losses(model, batch)
    assert len(losses) == sum(sum(e.trained) for e in rows)
    assert row.bincount().tolist() == [3, 3, 3, 3]


def test_a_batch_without_trained_tokens_is_an_error(folder: Path, model: Any) -> None:
    rows = [replace(e, trained=(False,) * len(e.trained)) for e in examples(4)]
    with pytest.raises(DataError) as caught:
        ours(folder, model, rows, (Pass((0, 1, 2, 3), 0),))
    assert caught.value.code == "train.mask.all_masked"


def test_llama_takes_the_fastest_path(model: Any) -> None:
    assert choose_path(model, examples(1)[0].input_ids, recomputes=False) == ("shared_prefix", "")


def test_recomputed_activations_allow_no_cache(model: Any) -> None:
    path, reason = choose_path(model, examples(1)[0].input_ids, recomputes=True)
    assert path == "trained_positions"
    assert "recomputed" in reason


def test_a_sliding_window_shares_no_prefix() -> None:
    config = MistralConfig(
        vocab_size=300,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        sliding_window=8,
    )
    path, reason = choose_path(MistralForCausalLM(config), examples(1)[0].input_ids, recomputes=False)
    assert path == "trained_positions"
    assert "cache" in reason


def test_a_head_that_scales_its_logits_is_left_to_trl(model: Any) -> None:
    base = copy.deepcopy(model)
    causal = base.get_base_model()
    forward = type(causal).forward

    def scaled(*args: Any, **kwargs: Any) -> Any:
        out = forward(causal, *args, **kwargs)
        out.logits = out.logits * 0.5
        return out

    causal.forward = scaled
    path, reason = choose_path(base, examples(1)[0].input_ids, recomputes=False)
    assert path == "full_logits"
    assert "instead of" in reason


def test_learned_positions_work_too() -> None:
    torch.manual_seed(0)
    gpt2 = GPT2LMHeadModel(GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=4, n_positions=256))
    assert choose_path(gpt2, examples(1)[0].input_ids, recomputes=False)[0] == "shared_prefix"
