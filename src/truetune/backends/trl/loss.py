"""The loss of masked rows, computed without the work that does not matter.

Two savings, neither of which changes the result (proved by a test, gradients to 1e-4 relative): the language-model head runs
only where the next token is trained, and the rows' common beginning runs once, with gradients on; its keys and values are
repeated for the batch and the rest of each row attends to them.

Right padding needs no attention mask here: attention is causal, so no real token ever sees a padded one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint
from transformers.cache_utils import DynamicCache, DynamicLayer

from truetune.backends.trl.plan import MIN_SHARED_TOKENS, Pass
from truetune.core.ports import TrainingExample

LossPath = Literal["shared_prefix", "trained_positions", "full_logits"]
"""How the loss is computed: both savings, the head only, or TRL's own way."""

IGNORED = -100
_HEAD_CHUNK = 1024
_STABLE_ROPE = {"default", "linear", "llama3", "yarn"}
_TOLERANCES = {torch.float32: 1e-3, torch.bfloat16: 5e-2, torch.float16: 1e-2}
"""Relative difference in loss up to which a path counts as the model's own. Source: ours, ten times what rounding gives."""

log = logging.getLogger(__name__)

Batch = dict[str, torch.Tensor]


def batch_of(examples: Sequence[TrainingExample], one: Pass, path: LossPath, pad_id: int) -> Batch:
    """Tensors of a pass.

    `prefix_ids` (1, shared), `input_ids` and `labels` (rows, rest); for `full_logits` whole rows with an `attention_mask`.
    A label is the token itself where it is trained and -100 elsewhere; the model shifts.
    """
    shared = one.shared_tokens if path == "shared_prefix" else 0
    rows = [examples[row] for row in one.rows]
    width = max(len(e.input_ids) for e in rows) - shared
    ids = torch.full((len(rows), width), pad_id)
    labels = torch.full((len(rows), width), IGNORED)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for at, example in enumerate(rows):
        rest = torch.tensor(example.input_ids[shared:])
        trained = torch.tensor(example.trained[shared:])
        ids[at, : len(rest)] = rest
        labels[at, : len(rest)] = torch.where(trained, rest, IGNORED)
        mask[at, : len(rest)] = 1
    if path == "full_logits":
        return {"input_ids": ids, "labels": labels, "attention_mask": mask}
    prefix = torch.tensor([rows[0].input_ids[:shared]], dtype=torch.long)
    return {"prefix_ids": prefix, "input_ids": ids, "labels": labels}


def token_losses(model: Any, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss in nats of each trained token, and which row of the batch it belongs to; both of shape (trained tokens,)."""
    targets = batch["labels"][:, 1:]
    mask = targets != IGNORED
    if "attention_mask" in batch:
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False).logits
        losses = cross_entropy(logits[:, :-1][mask].float(), targets[mask], reduction="none")
    else:
        causal = model.get_base_model() if hasattr(model, "get_base_model") else model
        hidden = _hidden_states(causal, batch)[:, :-1][mask]
        losses = _head_losses(causal.get_output_embeddings(), hidden, targets[mask])
    return losses, mask.nonzero()[:, 0]


def choose_path(model: Any, ids: Sequence[int], *, recomputes: bool) -> tuple[LossPath, str]:
    """The fastest path that gives this model's own loss, found by trying each on a few tokens; and why not a faster one.

    `ids` are at least two tokens of real data; `recomputes` says that activations are checkpointed, which allows no cache.
    """
    refused = "activations are recomputed, so no cache is kept" if recomputes else _unfit(model.config)
    refused = refused or _agrees(model, ids, MIN_SHARED_TOKENS)
    if refused is None:
        return "shared_prefix", ""
    head_refused = _agrees(model, ids, 0)
    return ("trained_positions", refused) if head_refused is None else ("full_logits", head_refused)


def _hidden_states(causal: Any, batch: Batch) -> torch.Tensor:
    rows = batch["input_ids"].shape[0]
    backbone = causal.base_model
    if batch["prefix_ids"].shape[1] == 0:
        return backbone(input_ids=batch["input_ids"], use_cache=False).last_hidden_state
    cache = DynamicCache(config=causal.config)
    backbone(input_ids=batch["prefix_ids"], past_key_values=cache, use_cache=True)
    if any(type(layer) is not DynamicLayer for layer in cache.layers):
        raise TypeError("the model keeps a cache that cannot be repeated for a batch")
    cache.batch_repeat_interleave(rows)
    return backbone(input_ids=batch["input_ids"], past_key_values=cache, use_cache=True).last_hidden_state


def _head_losses(head: Any, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    if len(targets) <= _HEAD_CHUNK or not torch.is_grad_enabled():
        return _chunk_losses(head, hidden, targets)
    pieces = zip(hidden.split(_HEAD_CHUNK), targets.split(_HEAD_CHUNK), strict=True)
    return torch.cat([checkpoint(_chunk_losses, head, h, t, use_reentrant=False) for h, t in pieces])


def _chunk_losses(head: Any, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return cross_entropy(head(hidden).float(), targets, reduction="none")


def _unfit(config: Any) -> str | None:
    text = config.get_text_config()
    rope = getattr(text, "rope_parameters", None) or {}
    kind = rope.get("rope_type", "default") if isinstance(rope, dict) else "default"
    if kind not in _STABLE_ROPE:
        return f"rotary positions of type {kind} depend on the length"
    return None


def _agrees(model: Any, ids: Sequence[int], shared: int) -> str | None:
    """None where the path gives the loss that the model's own logits give; else what is different."""
    tokens = [ids[i % len(ids)] for i in range(MIN_SHARED_TOKENS + 8)]
    other = [*tokens[:MIN_SHARED_TOKENS], *reversed(tokens[MIN_SHARED_TOKENS:-2])]
    trained = [False] * (MIN_SHARED_TOKENS + 3)
    rows = [TrainingExample("", tuple(r), (*trained, *[True] * (len(r) - len(trained)))) for r in (tokens, other)]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            ours = _probe_loss(model, rows, "shared_prefix", shared)
            plain = _probe_loss(model, rows, "full_logits", 0)
    except Exception as error:  # An architecture may refuse in any way; the reason is kept and said.
        return f"{type(model.config).__name__} refuses: {type(error).__name__}: {error}"
    finally:
        model.train(was_training)
    tolerance = _TOLERANCES.get(model.get_output_embeddings().weight.dtype, 5e-2)
    if not abs(ours - plain) <= tolerance * abs(plain):
        return f"the loss would be {ours:.6g} instead of {plain:.6g}"
    return None


def _probe_loss(model: Any, rows: Sequence[TrainingExample], path: LossPath, shared: int) -> float:
    batch = batch_of(rows, Pass((0, 1), shared), path, pad_id=0)
    device = next(model.parameters()).device
    losses, _ = token_losses(model, {k: v.to(device) for k, v in batch.items()})
    return float(losses.mean())
