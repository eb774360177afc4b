"""The stage over transformers with a tiny random llama: real tokens, a real adapter, a real merge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tiny_llama import write_model
from tests.unit.stages.evaluate import world

from truetune.core.records import EvaluationRecord
from truetune.stages.evaluate.rescore import rescore

pytest.importorskip("torch", reason="needs the extra `train`: pip install 'truetune[train]'")


def write_adapter(model_dir: Path, folder: Path) -> Path:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(5)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(model_dir), LoraConfig(r=4, target_modules="all-linear"))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(0.0, 0.3)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[world.World, EvaluationRecord]:
    from truetune.backends.tokenizer import HfTokenizer
    from truetune.backends.transformers_host import TransformersHost

    folder = tmp_path_factory.mktemp("transformers")
    model = write_model(folder / "model")
    adapter = write_adapter(model, folder / "lora")
    tokenizer = HfTokenizer(model)
    made = world.make(folder, test=world.rows("test", 20))
    made = replace(
        made,
        request=replace(
            made.request,
            model_dir=model,
            adapter_dir=adapter,
            base=world.base_record(model, tokenizer).model_copy(update={"context_length_tokens": 512}),  # type: ignore[arg-type]
            train=world.train_record(adapter),
        ),
        ports=replace(made.ports, host=TransformersHost(HfTokenizer), tokenizer=tokenizer),
    )
    return made, made.evaluate()


def test_merged_and_adapter_are_the_same_model(evaluated: tuple[world.World, EvaluationRecord]) -> None:
    _, record = evaluated
    drift = next(d for d in record.drift if d.candidate == "merged_model")
    assert drift.within_tolerance
    assert drift.greedy_flips == 0
    assert drift.tokens >= 2 * 20  # each answer and the token that ends it


def test_the_adapter_moves_the_model_and_the_record_says_so(evaluated: tuple[world.World, EvaluationRecord]) -> None:
    _, record = evaluated
    moved = [d for d in record.drift if d.reference == "base_model"]
    assert len(moved) == 2
    assert all(d.mean_kl_nats > 1e-3 for d in moved)
    assert "eval.outputs_identical" not in {f.code for f in record.findings}


def test_scores_are_derived_again(evaluated: tuple[world.World, EvaluationRecord]) -> None:
    made, record = evaluated
    assert record.choices is not None
    store = made.run.store
    assert rescore(record, store.get_bytes(record.generations.digest), store.get_bytes(record.choices.digest)) == record.scores


def test_a_random_model_knows_nothing_and_nothing_is_claimed(evaluated: tuple[world.World, EvaluationRecord]) -> None:
    _, record = evaluated
    knowledge = next(s for s in record.scores if (s.candidate, s.metric) == ("base_model", "accuracy"))
    assert knowledge.interval is not None
    assert 0.1 < (knowledge.value or 0) < 0.45
    assert record.gate == "failed"
