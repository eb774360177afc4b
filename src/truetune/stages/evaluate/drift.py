"""How far apart are two candidates that are fed the same token ids?

Adapter against merged is a gate: the same weights in another shape must give the same logits. Base against adapter is an early
warning only: how far training has moved the model, on the task and away from it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from truetune.core.ports import CandidateRef, ChatTokenizer, Drift, ModelHost
from truetune.core.records import DriftResult

MAX_ABS_LOGIT = 1e-3
TOP1_AGREEMENT = 0.999
"""Tolerance of an fp32 adapter against its fp32 merge, where only rounding differs: ours (docs/explanation/evaluation.md)."""

MERGE_PROBES = 64
WARNING_PROBES = 32
"""Sequences fed; a prompt's positions cost as much as a generated answer, so not every item is worth it."""

T = TypeVar("T")


@dataclass(frozen=True)
class Teaching:
    """A sequence to feed: prompt and answer as ids; positions from `probe_from` on are compared."""

    ids: tuple[int, ...]
    probe_from: int


def teach(
    tokenizer: ChatTokenizer,
    prompts: Sequence[tuple[int, ...]],
    answers: Sequence[str],
    room_tokens: int,
    end: tuple[int, ...] = (),
) -> list[Teaching]:
    """Each prompt with its answer's tokens and `end` behind it, cut to `room_tokens`; prompts without an answer are left out.

    With the end token, the position where the answer must end is compared too: that is where a template bug shows first.
    """
    encoded = tokenizer.encode(list(answers))
    return [
        Teaching((prompt + encoding.ids + end)[:room_tokens], len(prompt))
        for prompt, encoding in zip(prompts, encoded, strict=True)
        if encoding.ids and len(prompt) < room_tokens
    ]


def pick(items: Sequence[T], count: int, seed: int) -> list[T]:
    """At most `count` of the items, chosen by the seed."""
    return list(items) if len(items) <= count else random.Random(seed).sample(list(items), count)


def merge_drift(
    host: ModelHost, adapter: CandidateRef, merged: CandidateRef, sequences: Sequence[Teaching], flips: int | None
) -> DriftResult:
    """The merged model against the adapter, with the verdict on the tolerance. `flips` counts greedy outputs that differ."""
    drift = _feed(host, adapter, merged, sequences)
    same = drift.max_abs_logit <= MAX_ABS_LOGIT and drift.top1_agreement >= TOP1_AGREEMENT
    return _result(
        "merged_model", "tuned_adapter", drift, len(sequences), "the merged model on test prompts and their answers"
    ).model_copy(update={"greedy_flips": flips, "within_tolerance": same})


def warning_drift(
    host: ModelHost, base: CandidateRef, adapter: CandidateRef, sequences: Sequence[Teaching], on: str
) -> DriftResult:
    """The adapter against the base: an early warning, which no criterion reads.

    Source: forward KL on new-task data as a predictor of forgetting, Shenfeld et al. 2025, arXiv:2509.04259.
    """
    return _result("tuned_adapter", "base_model", _feed(host, base, adapter, sequences), len(sequences), on)


def _feed(host: ModelHost, reference: CandidateRef, candidate: CandidateRef, sequences: Sequence[Teaching]) -> Drift:
    return host.drift(reference, candidate, [s.ids for s in sequences], [s.probe_from for s in sequences])


def _result(candidate: str, reference: str, drift: Drift, prompts: int, note: str) -> DriftResult:
    return DriftResult(
        candidate=candidate,
        reference=reference,
        prompts=prompts,
        tokens=drift.tokens,
        max_abs_logit=drift.max_abs_logit,
        mean_kl_nats=drift.mean_kl_nats,
        top1_agreement=drift.top1_agreement,
        greedy_flips=None,
        within_tolerance=None,
        note=note,
    )
