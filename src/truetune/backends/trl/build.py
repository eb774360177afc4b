"""From a request to a trainer: the base model, the adapter on it, TRL's arguments."""

from __future__ import annotations

import logging
import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from transformers.integrations import TrackioCallback
from trl import SFTConfig

from truetune.backends.trl.loss import choose_path
from truetune.backends.trl.plan import Plan, pass_budget_tokens, sample
from truetune.backends.trl.quiet import printing_to_log
from truetune.backends.trl.sft import Course, MaskedSFTTrainer
from truetune.core.errors import ConfigError, EnvironmentFault, UpstreamError
from truetune.core.ports import TrainingExample, TrainRequest

VALIDATION_ROWS = 128
"""Validation loss is measured on at most this many rows. Source: design notes on evaluation, a fixed slice of 64 to 128."""

VALIDATIONS_PER_RUN = 4
KEPT_CHECKPOINTS = 2

log = logging.getLogger(__name__)


class QuietTrackio(TrackioCallback):
    """Upstream's own, which prints where it logs to."""

    def setup(self, *args: Any, **kwargs: Any) -> None:
        """Start the tracker's run."""
        with printing_to_log("trackio"):
            super().setup(*args, **kwargs)

    def on_train_end(self, *args: Any, **kwargs: Any) -> None:
        """Finish the tracker's run."""
        with printing_to_log("trackio"):
            super().on_train_end(*args, **kwargs)


def build(request: TrainRequest, plan: Plan, folder: Path, key: str | None) -> MaskedSFTTrainer:
    """A trainer that has not begun; without a `key` it keeps no checkpoints.

    Raises:
        ConfigError: `target_modules` or a value in `trainer_overrides` does not fit.
        UpstreamError: the base model cannot be loaded.
    """
    arguments = _arguments(request, plan, folder, keep_checkpoints=key is not None)
    set_seed(request.seed)
    base, tokenizer = _load(request)
    model = _with_adapter(base, request)
    recomputes = bool(arguments.gradient_checkpointing or getattr(arguments, "activation_checkpointing", False))
    path, reason = choose_path(model, request.train[0].input_ids, recomputes=recomputes)
    if _changes_the_loss(arguments):
        path, reason = "full_logits", "an entry of trainer_overrides changes the loss"
    log.info("loss path: %s%s", path, f" ({reason})" if reason else "")
    course = Course(
        train=request.train,
        validation=sample(request.validation, VALIDATION_ROWS, request.seed),
        plan=plan,
        budget_tokens=pass_budget_tokens(request.train, request.hyperparameters),
        validate_at=_validation_steps(plan),
        key=key or "",
        on_step=request.on_step,
    )
    pad_id = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    callbacks = _callbacks(request.trackers)
    return MaskedSFTTrainer(course, path, pad_id, model=model, args=arguments, processing_class=tokenizer, callbacks=callbacks)


def _load(request: TrainRequest) -> tuple[Any, Any]:
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[request.precision]
    try:
        model = AutoModelForCausalLM.from_pretrained(request.model_dir, dtype=dtype, local_files_only=True, use_safetensors=True)
        return model, AutoTokenizer.from_pretrained(request.model_dir, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise UpstreamError(
            "upstream.model_load",
            "transformers could not load the base model",
            why=str(error).splitlines()[0],
            fix="truetune run --until base checks the model's files and names what is wrong with them",
            where=str(request.model_dir),
        ) from error


def _with_adapter(model: Any, request: TrainRequest) -> Any:
    config = request.hyperparameters
    targets = config.target_modules if isinstance(config.target_modules, str) else list(config.target_modules)
    lora = LoraConfig(
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
    )
    try:
        return get_peft_model(model, lora)
    except ValueError as error:
        raise ConfigError(
            "config.target_modules",
            f"target_modules {config.target_modules!r} fits no layer of this model",
            why=str(error).splitlines()[0],
            fix="set train.target_modules: all-linear",
            where="truetune.yaml: train.target_modules",
        ) from error


def _arguments(request: TrainRequest, plan: Plan, folder: Path, *, keep_checkpoints: bool) -> Any:
    config = request.hyperparameters
    total = len(plan.steps)
    ours = {
        "output_dir": str(folder),
        "max_steps": total,
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 1,
        "learning_rate": config.learning_rate,
        # Rounded down, because the first step of a warm-up has learning rate 0: a short run has no step to waste.
        "warmup_steps": math.floor(config.warmup_frac * total),
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
        "seed": request.seed,
        "bf16": request.precision == "bf16",
        "fp16": request.precision == "fp16",
        "use_cpu": not torch.accelerator.is_available(),
        "gradient_checkpointing": False,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps" if keep_checkpoints else "no",
        "save_steps": math.ceil(total / config.checkpoints_per_run),
        "save_total_limit": KEPT_CHECKPOINTS,
        "report_to": [t for t in request.trackers if t != "trackio"],
        "run_name": request.run_name,
        "project": request.project,
        "trackio_static_space_id": False,
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "max_length": None,
        "dataloader_pin_memory": torch.cuda.is_available(),
    }
    try:
        return _on_one_device(SFTConfig(**{**ours, **config.trainer_overrides}))
    except (ValueError, TypeError) as error:
        raise ConfigError(
            "config.trainer_override",
            "TRL refuses the values in trainer_overrides",
            why=str(error).splitlines()[0],
            fix="correct or remove the entry",
            where="truetune.yaml: train.trainer_overrides",
        ) from error


def _on_one_device(arguments: Any) -> Any:
    """One process on one accelerator: the order of the data is planned for that.

    Raises:
        EnvironmentFault: a launcher started several processes.
    """
    if arguments.world_size > 1:
        raise EnvironmentFault(
            "environment.distributed",
            f"truetune was started as one of {arguments.world_size} processes",
            why="this version trains in one process; with more, each would train on a part of every step and write the same run",
            fix="start truetune itself, without torchrun or accelerate launch",
        )
    if arguments.n_gpu > 1:
        # With several GPUs visible transformers would wrap the model in DataParallel, which TRL refuses.
        arguments._n_gpu = 1
    return arguments


def _callbacks(trackers: Sequence[str]) -> list[Any]:
    return [QuietTrackio()] if "trackio" in trackers else []


def _changes_the_loss(arguments: Any) -> bool:
    return bool(
        arguments.label_smoothing_factor
        or arguments.loss_type != "nll"
        or arguments.neftune_noise_alpha
        or arguments.router_aux_loss_coef
    )


def _validation_steps(plan: Plan) -> frozenset[int]:
    """Before the first step, at the end of each epoch, and in equal parts between so that there are at least four."""
    total = len(plan.steps)
    epochs = math.ceil(total / plan.steps_per_epoch)
    parts = epochs * math.ceil(VALIDATIONS_PER_RUN / epochs)
    return frozenset({0, *(math.ceil(total * part / parts) for part in range(1, parts + 1))})


def typical(examples: Sequence[TrainingExample], plan: Plan, steps: int) -> Plan:
    """One short step to warm up, then the `steps` steps whose size is nearest to the middle one."""
    sizes = [sum(len(examples[row].input_ids) for row in step.rows) for step in plan.steps]
    middle = statistics.median(sizes)
    nearest = sorted(range(len(sizes)), key=lambda at: abs(sizes[at] - middle))
    chosen = [plan.steps[nearest[at % len(nearest)]] for at in range(steps)]
    warm_up = replace(chosen[0], passes=chosen[0].passes[:1])
    return Plan((warm_up, *chosen), plan.steps_per_epoch)
