"""Train: an adapter from the curated rows, loss on the answers only, with every step on record."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from truetune.core.config import Config
from truetune.core.ports import ChatTokenizer, Progress, Trainer, TrainingExample, TrainOutcome, TrainRequest
from truetune.core.records import DataRecord, RowRef, SplitName, StepMetrics, TrainRecord
from truetune.evidence.curated import read_split
from truetune.evidence.digests import json_digest
from truetune.evidence.run_folder import RunFolder
from truetune.evidence.store import ObjectStore
from truetune.project.do_not_train.entries import DoNotTrainList
from truetune.stages.train.examples import training_examples
from truetune.stages.train.metrics_log import MetricsLog


@dataclass(frozen=True)
class Request:
    """What is tuned, with what, and how."""

    config: Config
    model_dir: Path
    data: DataRecord
    precision: str
    run_name: str
    do_not_train: DoNotTrainList | None = None


@dataclass(frozen=True)
class Ports:
    """Who trains, whose template is used, and who is told."""

    trainer: Trainer
    tokenizer: ChatTokenizer
    progress: Progress


def run(request: Request, ports: Ports, evidence: RunFolder) -> TrainRecord:
    """Train, or go on where a kill ended it; the adapter lies in `adapter/`, the steps in `metrics.jsonl`.

    Raises:
        DataError: a row has no trained token, is longer than `max_length`, or is on the do-not-train list; nothing is trained.
        TruetuneError: the trainer could not go on; its checkpoints are kept for the next start.
    """
    work_dir = evidence.path / "checkpoints"
    with MetricsLog(evidence.path / "metrics.jsonl") as metrics:
        on_step = _telling(ports.progress, metrics, request)
        trainer_request = _trainer_request(request, ports, evidence, work_dir, on_step)
        outcome = ports.trainer.train(trainer_request)
    record = _record(request, evidence, outcome, trainer_request)
    evidence.store.lay_out(record.adapter, evidence.path / "adapter")
    shutil.rmtree(work_dir, ignore_errors=True)
    return record


def measure(request: Request, ports: Ports, evidence: RunFolder, steps: int) -> float:
    """Seconds per token of a few real training steps on this machine, for the plan; leaves nothing in the run.

    Raises:
        as `run`.
    """
    asked = _trainer_request(request, ports, evidence, evidence.path / "checkpoints", lambda _: None)
    return ports.trainer.probe(asked, steps)


def _trainer_request(
    request: Request, ports: Ports, evidence: RunFolder, work_dir: Path, on_step: Callable[[StepMetrics], None]
) -> TrainRequest:
    config = request.config

    def tokenised(split: SplitName) -> list[TrainingExample]:
        return training_examples(
            evidence.store, request.data.curated, split, ports.tokenizer, config.train.max_length, request.do_not_train
        )

    return TrainRequest(
        model_dir=request.model_dir,
        train=tokenised("train"),
        validation=tokenised("validation"),
        hyperparameters=config.train,
        seed=config.seed,
        precision=request.precision,
        work_dir=work_dir,
        trackers=config.tracking,
        project=evidence.path.resolve().parent.parent.name,
        run_name=request.run_name,
        on_step=on_step,
        tracking_dir=evidence.store.root.parent / "tracking",
        doubted=_doubted(request.data, evidence.store),
    )


def _doubted(data: DataRecord, store: ObjectStore) -> tuple[str, ...]:
    """The ids of the training rows whose answer the data gate doubts, the surest first."""
    doubts = data.doubts()
    if not doubts:
        return ()
    ids = {RowRef(file=row.file, line=row.line): row.row_id for row in read_split(store, data.curated, "train")}
    return tuple(ids[place] for place in doubts if place in ids)


def _telling(progress: Progress, metrics: MetricsLog, request: Request) -> Callable[[StepMetrics], None]:
    """Keep each step, then say how far it is; done and total in epochs."""

    def tell(step: StepMetrics) -> None:
        metrics.append(step)
        note = f"{'validation ' if step.kind == 'validation' else ''}loss {step.loss:.3f}"
        progress.update(min(step.epoch, request.config.train.epochs), request.config.train.epochs, note)

    return tell


def _record(request: Request, evidence: RunFolder, outcome: TrainOutcome, asked: TrainRequest) -> TrainRecord:
    return TrainRecord(
        trainer=outcome.trainer,
        versions=outcome.versions,
        hyperparameters={**request.config.train.model_dump(mode="json"), "precision": request.precision},
        adapter=evidence.store.put_tree(outcome.adapter_dir),
        metrics=evidence.store.put_file(evidence.path / "metrics.jsonl"),
        examples=len(asked.train),
        steps=outcome.steps,
        epochs=outcome.epochs,
        tokens_seen=outcome.tokens_seen,
        trained_tokens=outcome.trained_tokens,
        tokens_per_s=outcome.tokens_seen / outcome.wall_s if outcome.wall_s > 0 else 0.0,
        wall_s=outcome.wall_s,
        peak_memory_bytes=outcome.peak_memory_bytes,
        resumed_from_step=outcome.resumed_from_step,
        data_order_digest=json_digest(list(outcome.data_order)),
        seed=request.config.seed,
        hardest=outcome.hardest,
        do_not_train=request.do_not_train.digest if request.do_not_train else None,
    )
