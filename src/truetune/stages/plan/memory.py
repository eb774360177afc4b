"""Memory of a training step, part by part."""

from __future__ import annotations

from dataclasses import dataclass

from truetune.core.config import TrainConfig
from truetune.core.records import Finding, ModelShape, Severity, TokenStats
from truetune.core.units import readable_bytes

_RUNTIME_BYTES = 512 << 20
"""Source: measured, resident memory after importing torch, transformers, peft and trl: 490 MB."""
_ADAPTER_BYTES_PER_PARAMETER = 16
"""fp32 weight, gradient and AdamW's two moments, 4 bytes each. Source: Rajbhandari et al. 1910.02054, section 3.1."""
_OVERHEAD = 2.0
"""Peak over what is saved for the backward pass: temporaries, gradients of activations, allocator.
Source: measured, SmolLM2-135M with LoRA on CPU, 1,024 tokens: 2.35 MB a token at the peak, 1.21 MB a token saved."""
_LOGIT_COPIES = 3
"""Logits, their log-softmax, their gradient, in fp32. Source: measured on the same model: 2.65."""
_TIGHT_FRAC = 0.9
"""Source: ours; less than a tenth to spare is what another program takes."""
_WEIGHT_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
_FIXES = {
    "weights": "use a smaller base model",
    "activations": "lower train.batch_size or train.max_length in truetune.yaml, or set"
    " train.trainer_overrides: {activation_checkpointing: true}",
}
"""By the part that takes most."""
_RECOMPUTE_OPTIONS = ("gradient_checkpointing", "activation_checkpointing")


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes by part for the largest pass that the config allows, and the least that a pass can do with."""

    parts_bytes: dict[str, int]
    least_bytes: int

    @property
    def total_bytes(self) -> int:
        """All parts together."""
        return sum(self.parts_bytes.values())


@dataclass(frozen=True)
class Model:
    """What of the model decides on memory."""

    parameters: int
    adapter_parameters: int
    vocabulary_size: int
    shape: ModelShape
    precision: str


def recomputes(config: TrainConfig) -> bool:
    """Whether activations are recomputed instead of kept."""
    return any(bool(config.trainer_overrides.get(option)) for option in _RECOMPUTE_OPTIONS)


def plan_memory(model: Model, config: TrainConfig, tokens: TokenStats) -> MemoryPlan:
    """Memory for the largest pass allowed, `batch_size` rows of `max_length` (or a whole step, where that is shorter)."""
    longest = min(tokens.max_tokens, config.max_length)
    step_tokens = config.batch_size * config.gradient_accumulation * longest
    allowed = max(config.batch_size * longest, min(config.batch_size * config.max_length, step_tokens))
    fixed = {
        "runtime": _RUNTIME_BYTES,
        "weights": model.parameters * _WEIGHT_BYTES[model.precision],
        "adapter and optimizer": model.adapter_parameters * _ADAPTER_BYTES_PER_PARAMETER,
    }
    logit_bytes = _LOGIT_COPIES * 4 * model.vocabulary_size
    parts = {
        **fixed,
        "activations": int(_OVERHEAD * saved_bytes_per_token(model, config) * allowed),
        "logits": logit_bytes * allowed,
    }
    trained_frac = tokens.trained_tokens / max(1, tokens.total_tokens)
    least_tokens = config.batch_size * longest
    least = int((saved_bytes_per_token(model, config) + logit_bytes * trained_frac) * least_tokens)
    return MemoryPlan(parts, sum(fixed.values()) + least)


def saved_bytes_per_token(model: Model, config: TrainConfig) -> float:
    """What is kept of a token for the backward pass, over all layers.

    A gated-MLP block with LoRA keeps (6 + 2·kv)·h + 4·i + 7·r numbers, where kv is the share of key-value heads, h the hidden and
    i the intermediate size; dropout keeps each LoRA layer's input again, and its mask. With recomputation only the block's
    input is kept, and one block's inside at a time.

    Source: measured by hooks on every saved tensor of a Llama block, exact to 10 of 10,107 numbers a token.
    """
    h, i = model.shape.hidden_size, model.shape.intermediate_size
    block = (6 + 2 * model.shape.key_value_frac) * h + 4 * i + 7 * config.lora_r
    if config.lora_dropout > 0:
        block += 1.5 * (6 * h + i)
    kept = h * model.shape.layers + block if recomputes(config) else block * model.shape.layers
    return kept * _WEIGHT_BYTES[model.precision]


def check_memory(plan: MemoryPlan, available_bytes: int) -> list[Finding]:
    """Blocking where even the smallest pass does not fit; a warning where the largest that the config allows may not."""
    if plan.least_bytes > available_bytes:
        return [_finding(plan, available_bytes, plan.least_bytes, "block", "training needs at least")]
    if plan.total_bytes > available_bytes * _TIGHT_FRAC:
        return [_finding(plan, available_bytes, plan.total_bytes, "warn", "training may take up to")]
    return []


def _finding(plan: MemoryPlan, available_bytes: int, needed_bytes: int, severity: Severity, subject: str) -> Finding:
    largest = max(plan.parts_bytes, key=lambda part: plan.parts_bytes[part])
    needed, available = readable_bytes(needed_bytes), readable_bytes(available_bytes)
    return Finding(
        code="plan.memory",
        severity=severity,
        message=f"{subject} {needed} of memory, mostly for {largest}; {available} are available",
        evidence={"needed_bytes": needed_bytes, "available_bytes": available_bytes, "parts_bytes": {**plan.parts_bytes}},
        fix=_FIXES.get(largest, "lower train.batch_size or train.max_length in truetune.yaml"),
    )
