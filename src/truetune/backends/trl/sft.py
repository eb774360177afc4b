"""TRL's `SFTTrainer` with our order of the data, our loss path, our record of every step and whole checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from datasets import Dataset
from torch.utils.data import SequentialSampler
from transformers.trainer_callback import PrinterCallback
from trl import SFTTrainer

from truetune.backends.trl import checkpoints
from truetune.backends.trl.errors import all_masked, not_finite
from truetune.backends.trl.loss import IGNORED, Batch, LossPath, batch_of, token_losses
from truetune.backends.trl.plan import Pass, Plan, passes_of
from truetune.core.ports import TrainingExample
from truetune.core.records import StepMetrics


@dataclass(frozen=True)
class Course:
    """What is trained, in which order, and where it is told.

    Attributes:
        train: the rows.
        validation: rows whose loss is measured at `validate_at` steps.
        plan: rows of every step.
        budget_tokens: how much one forward pass may hold.
        validate_at: steps after which validation loss is measured; 0 is before the first.
        key: identifies the request in its checkpoints.
        on_step: hears every step and every validation.
    """

    train: Sequence[TrainingExample]
    validation: Sequence[TrainingExample]
    plan: Plan
    budget_tokens: int
    validate_at: frozenset[int]
    key: str
    on_step: Callable[[StepMetrics], None]


class MaskedSFTTrainer(SFTTrainer):
    """One item of its data set is one optimizer step: a list of passes. So a step's rows can be cut to fit memory and speed."""

    _tag_names: list[str] = []  # noqa: RUF012 - upstream's name; empty, because nothing is pushed anywhere

    def __init__(self, course: Course, path: LossPath, pad_id: int, **kwargs: Any) -> None:
        """`kwargs` are `SFTTrainer`'s own, without data set and collator."""
        self.course = course
        self.path = path
        self._pad_id = pad_id
        self._tokens = _cumulative(course.train, course.plan, lambda e: len(e.input_ids))
        self._trained = _cumulative(course.train, course.plan, lambda e: sum(e.trained[1:]))
        self.order: list[str] = []
        self._elapsed_before_s = 0.0
        self._started_s = time.monotonic()
        data = Dataset.from_dict({"step": list(range(len(course.plan.steps)))})
        super().__init__(train_dataset=data, data_collator=self._collate, **kwargs)
        self.remove_callback(PrinterCallback)

    # --- run -----------------------------------------------------------------------------------------------------------

    def run(self, resume: checkpoints.Checkpoint | None) -> None:
        """Train to the end, from the beginning or from a checkpoint."""
        done = resume.step if resume else 0
        self._elapsed_before_s = resume.elapsed_s if resume else 0.0
        self.order = [self.course.train[row].row_id for step in self.course.plan.steps[:done] for row in step.rows]
        self._started_s = time.monotonic()
        if resume is None and 0 in self.course.validate_at:
            self._validate(0)
        self.train(resume_from_checkpoint=str(resume.path) if resume else None)

    @property
    def elapsed_s(self) -> float:
        """Seconds of training so far, before a kill and after."""
        return self._elapsed_before_s + time.monotonic() - self._started_s

    @property
    def tokens_seen(self) -> int:
        """Tokens of all trained rows, each row counted whole."""
        return self._tokens[-1]

    @property
    def trained_tokens(self) -> int:
        """Tokens that carried loss."""
        return self._trained[-1]

    def row_losses(self, examples: Sequence[TrainingExample]) -> list[tuple[float, int]]:
        """For each row: its summed loss in nats and its number of trained tokens, without dropout and without gradients."""
        sums, counts = [0.0] * len(examples), [0] * len(examples)
        was_training = self.model.training
        self.model.eval()
        with torch.no_grad(), self.accelerator.autocast():
            for one in passes_of(examples, range(len(examples)), self.course.budget_tokens):
                losses, rows = token_losses(self.model, self._prepare_inputs(self._batch(examples, one)))
                for at, row in enumerate(one.rows):
                    mine = losses[rows == at]
                    sums[row], counts[row] = float(mine.sum()), len(mine)
        self.model.train(was_training)
        return list(zip(sums, counts, strict=True))

    # --- what TRL calls ------------------------------------------------------------------------------------------------

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """Forward and backward of every pass of the step, normalised by the step's trained tokens."""
        trained = sum(((b["labels"][:, 1:] != IGNORED).sum() for b in inputs["passes"]), start=torch.tensor(0))
        losses = [super(MaskedSFTTrainer, self).training_step(model, batch, trained) for batch in inputs["passes"]]
        self.order += inputs["row_ids"]
        return torch.stack(losses).sum()

    def compute_loss(
        self, model: Any, inputs: Batch, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Summed loss of the pass's trained tokens, divided by `num_items_in_batch` (the step's trained tokens).

        Raises:
            DataError: no token of the pass is trained.
            UpstreamError: the loss is not a finite number; nothing is updated with it.
        """
        if not bool((inputs["labels"][:, 1:] != IGNORED).any()):
            raise all_masked("a batch")
        if self.path == "full_logits":
            loss = super().compute_loss(model, dict(inputs), num_items_in_batch=num_items_in_batch)
        else:
            with self.accelerator.autocast():
                losses, _ = token_losses(self.model, inputs)
            loss = losses.sum() / (len(losses) if num_items_in_batch is None else num_items_in_batch)
        if not bool(torch.isfinite(loss)):
            raise not_finite("loss", float(loss), self.state.global_step + 1, self._get_learning_rate())
        return loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Tell the trackers and `on_step` about a finished step, and measure validation where it is due."""
        super().log(logs, start_time)
        if "grad_norm" not in logs:
            return
        step = self.state.global_step
        if not math.isfinite(logs["grad_norm"]) and not self.args.fp16:
            raise not_finite("gradient norm", logs["grad_norm"], step, logs["learning_rate"])
        self.course.on_step(self._metrics_at(step, "train", logs["loss"], logs))
        if step in self.course.validate_at:
            self._validate(step)

    def floating_point_ops(self, inputs: dict[str, Any]) -> float:
        """FLOPs of the step. Source: forward 2·N and backward of activations 2·N a token; a LoRA's own gradients are small."""
        tokens = sum(b["input_ids"].numel() + b.get("prefix_ids", b["labels"][:0]).numel() for b in inputs["passes"])
        return 4.0 * tokens * self.model.num_parameters()

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """No card beside a checkpoint: the release stage writes one, from evidence."""

    def _send_telemetry(self) -> None:
        """Nothing of ours calls out."""

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        path = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        checkpoints.seal(path, self.course.key, self.state.global_step, self.elapsed_s)

    # --- inside --------------------------------------------------------------------------------------------------------

    def _collate(self, items: list[dict[str, int]]) -> dict[str, Any]:
        step = self.course.plan.steps[items[0]["step"]]
        batches = [self._batch(self.course.train, one) for one in step.passes]
        return {"passes": batches, "row_ids": [self.course.train[row].row_id for row in step.rows]}

    def _batch(self, examples: Sequence[TrainingExample], one: Pass) -> Batch:
        return batch_of(examples, one, self.path, self._pad_id)

    def _validate(self, step: int) -> None:
        if not self.course.validation:
            return
        measured = self.row_losses(self.course.validation)
        loss = sum(total for total, _ in measured) / max(1, sum(count for _, count in measured))
        if step:
            super().log({"eval_loss": loss})
        self.course.on_step(self._metrics_at(step, "validation", loss, {}))

    def _metrics_at(self, step: int, kind: Any, loss: float, logs: dict[str, float]) -> StepMetrics:
        return StepMetrics(
            kind=kind,
            step=step,
            epoch=self.course.plan.epoch_at(step),
            loss=loss,
            learning_rate=logs.get("learning_rate"),
            grad_norm=logs.get("grad_norm"),
            tokens=self._tokens[step],
            trained_tokens=self._trained[step],
            elapsed_s=self.elapsed_s,
            memory_bytes=psutil.Process().memory_info().rss,
        )


def _cumulative(examples: Sequence[TrainingExample], plan: Plan, size: Callable[[TrainingExample], int]) -> list[int]:
    """`[after]`: sizes summed over all rows of the first `after` steps."""

    def running() -> Iterator[int]:
        total = 0
        yield total
        for step in plan.steps:
            total += sum(size(examples[row]) for row in step.rows)
            yield total

    return list(running())
