"""The plan stage: what the run will take, before it takes it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from truetune.core.config import Config, TrainConfig
from truetune.core.errors import EvidenceError
from truetune.core.records import BaseRecord, DataRecord, Environment, ModelShape, PlanRecord, TokenStats
from truetune.evidence.run_folder import RunFolder
from truetune.stages.plan.adapter import adapter_parameters
from truetune.stages.plan.disk import check_disk, plan_disk
from truetune.stages.plan.flops import Speed, achieved_speed, training_flops
from truetune.stages.plan.memory import Model, check_memory, plan_memory, recomputes
from truetune.stages.plan.method import check_examples, choose_method


@dataclass(frozen=True)
class Request:
    """What will be trained on what; `seconds_per_token` is the trainer's own short measurement, None where there is none."""

    config: Config
    base: BaseRecord
    data: DataRecord
    environment: Environment
    precision: str
    seconds_per_token: float | None


@dataclass(frozen=True)
class Ports:
    """A plan is arithmetic: it needs nothing from outside."""


def run(request: Request, ports: Ports, evidence: RunFolder) -> PlanRecord:
    """Memory, time and disk, each with how it was derived.

    Raises:
        EvidenceError: the base or data record was written without what planning needs.
    """
    train, base = request.config.train, request.base
    shape, stats = _needed(request)
    adapter = adapter_parameters(train, shape)
    memory = plan_memory(Model(base.parameters, adapter, base.vocabulary_size, shape, request.precision), train, stats)
    disk = plan_disk(base.parameters, adapter, train)
    tokens = training_tokens(request.data, stats, train)
    flops = training_flops(base.parameters, tokens, train.method, recompute=recomputes(train))
    speed = _speed(request, flops, tokens)
    method, reasons = choose_method(train, request.data, base.parameters, adapter)
    findings = (
        *check_memory(memory, request.environment.training_memory_bytes),
        *check_disk(disk, request.environment.disk_free_bytes),
        *check_examples(request.data),
    )
    return PlanRecord(
        gate="failed" if any(f.severity == "block" for f in findings) else "passed",
        findings=findings,
        method=method,
        method_reasons=reasons,
        steps=training_steps(request.data.splits["train"].rows, train),
        tokens=tokens,
        flops=flops,
        achieved_flops_per_s=speed.flops_per_s,
        achieved_source=speed.source,
        train_s=flops / speed.flops_per_s,
        memory_bytes=memory.total_bytes,
        memory_parts_bytes=memory.parts_bytes,
        disk_bytes=sum(disk.values()),
        cost_usd=None,
        cost_source="not priced: no machine price in the config",
    )


def training_steps(rows: int, config: TrainConfig) -> int:
    """Optimizer steps: whole steps in an epoch, the last one short, times the epochs."""
    per_epoch = math.ceil(rows / (config.batch_size * config.gradient_accumulation))
    return math.ceil(per_epoch * config.epochs)


def training_tokens(data: DataRecord, stats: TokenStats, config: TrainConfig) -> int:
    """Tokens that training reads: mean length of the kept rows times those in training, and the replay rows, times epochs."""
    mean = stats.total_tokens / max(1, data.stats.kept)
    replay_rows, replay_tokens = (data.replay.rows, data.replay.tokens) if data.replay else (0, 0)
    return max(1, round((mean * (data.splits["train"].rows - replay_rows) + replay_tokens) * config.epochs))


def _needed(request: Request) -> tuple[ModelShape, TokenStats]:
    shape, stats = request.base.shape, request.data.stats.tokens
    if shape is None or stats is None or "train" not in request.data.splits:
        missing = "the base record has no model shape" if shape is None else "the data record has no token lengths or train split"
        raise EvidenceError(
            "evidence.record", "the run's records do not hold what a plan is made from", why=missing, fix="truetune run --new"
        )
    return shape, stats


def _speed(request: Request, flops: float, tokens: int) -> Speed:
    """Measured where the trainer measured; else from the table of peaks, and said so."""
    per_token = request.seconds_per_token
    if per_token is None or per_token <= 0:
        return achieved_speed(request.environment, request.precision)
    return Speed(
        flops / (per_token * tokens), f"measured: {per_token * 1000:.3g} ms a token in a short training step on this machine"
    )
