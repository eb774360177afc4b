"""`trainer_overrides`: passed through to the installed TRL, after a look at whether they can do what they say."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields

import trl
from pydantic import JsonValue
from trl import SFTConfig

from truetune.core.errors import ConfigError

_TRAIN_FIELDS = {
    "learning_rate": "learning_rate",
    "num_train_epochs": "epochs",
    "max_steps": "epochs",
    "per_device_train_batch_size": "batch_size",
    "auto_find_batch_size": "batch_size",
    "gradient_accumulation_steps": "gradient_accumulation",
    "max_length": "max_length",
    "truncation_mode": "max_length",
    "warmup_steps": "warmup_frac",
    "warmup_ratio": "warmup_frac",
    "max_grad_norm": "max_grad_norm",
    "weight_decay": "weight_decay",
    "save_strategy": "checkpoints_per_run",
    "save_steps": "checkpoints_per_run",
    "save_total_limit": "checkpoints_per_run",
    "save_only_model": "checkpoints_per_run",
}
_OWNED = {
    **{key: f"train.{field}" for key, field in _TRAIN_FIELDS.items()},
    "seed": "seed",
    "data_seed": "seed",
    "report_to": "tracking",
    "model_init_kwargs": "base",
}
"""Keys that a field of truetune.yaml decides, so that the record of a run cannot say one thing and do another."""

_OUTPUT = "truetune decides where a run lies and that nothing leaves this machine"
_ORDER = "truetune decides the order of the data, which is part of the evidence"
_TEXT = "truetune tokenises and masks the rows itself, with the model's own template"
_METRICS = "truetune measures and records every step itself"
_PRECISION = "the precision follows from this machine; see `truetune doctor`"
_REFUSED = {
    **dict.fromkeys(
        (
            "output_dir",
            "run_name",
            "project",
            "trackio_space_id",
            "trackio_bucket_id",
            "trackio_static_space_id",
            "push_to_hub",
            "hub_token",
            "hub_private_repo",
            "hub_model_id",
            "hub_strategy",
            "hub_always_push",
            "hub_revision",
            "resume_from_checkpoint",
            "restore_callback_states_from_checkpoint",
            "ignore_data_skip",
            "trust_remote_code",
            "save_on_each_node",
            "enable_jit_checkpoint",
            "do_train",
            "do_eval",
            "do_predict",
        ),
        _OUTPUT,
    ),
    **dict.fromkeys(
        (
            "train_sampling_strategy",
            "group_by_length",
            "length_column_name",
            "shuffle_dataset",
            "dataloader_drop_last",
            "dataloader_in_order",
            "accelerator_config",
        ),
        _ORDER,
    ),
    **dict.fromkeys(
        (
            "chat_template_path",
            "dataset_text_field",
            "dataset_kwargs",
            "dataset_num_proc",
            "eos_token",
            "pad_token",
            "packing",
            "packing_strategy",
            "eval_packing",
            "padding_free",
            "pad_to_multiple_of",
            "completion_only_loss",
            "assistant_only_loss",
            "remove_unused_columns",
            "label_names",
        ),
        _TEXT,
    ),
    **dict.fromkeys(
        (
            "logging_strategy",
            "logging_steps",
            "logging_first_step",
            "logging_nan_inf_filter",
            "log_level",
            "log_level_replica",
            "log_on_each_node",
            "disable_tqdm",
            "include_num_input_tokens_seen",
            "include_for_metrics",
            "eval_strategy",
            "eval_steps",
            "eval_delay",
            "eval_on_start",
            "eval_accumulation_steps",
            "eval_do_concat_batches",
            "eval_use_gather_object",
            "per_device_eval_batch_size",
            "prediction_loss_only",
            "batch_eval_metrics",
            "load_best_model_at_end",
            "metric_for_best_model",
            "greater_is_better",
            "skip_memory_metrics",
        ),
        _METRICS,
    ),
    **dict.fromkeys(("bf16", "fp16", "bf16_full_eval", "fp16_full_eval"), _PRECISION),
}
"""Keys that would break a promise of ours or, with rows that are tokenised already, would do nothing."""


def check_overrides(overrides: Mapping[str, JsonValue]) -> None:
    """Let through only what the installed TRL knows and what does something here.

    Raises:
        ConfigError: for the first key that is unknown (the nearest known one is named), that a field of truetune.yaml
            decides, or that would break a promise.
    """
    known = _known_fields()
    for key in overrides:
        where = f"truetune.yaml: train.trainer_overrides.{key}"
        if key in _OWNED:
            raise _refusal(key, "the config has a field for it", f"set `{_OWNED[key]}` instead", where)
        if key in _REFUSED:
            raise _refusal(key, _REFUSED[key], "remove it", where)
        if key not in known:
            near = difflib.get_close_matches(key, sorted(known - set(_REFUSED)), n=1)
            fix = f"did you mean `{near[0]}`?" if near else "remove it"
            if near and near[0] in _OWNED:
                fix = f"set `{_OWNED[near[0]]}` instead"
            raise _refusal(key, f"{_installed()} has no such setting", fix, where)


def _refusal(key: str, why: str, fix: str, where: str) -> ConfigError:
    return ConfigError("config.trainer_override", f"trainer_overrides cannot set {key!r}", why=why, fix=fix, where=where)


def _known_fields() -> set[str]:
    return {field.name for field in fields(SFTConfig)}


def _installed() -> str:
    return f"TRL {trl.__version__}"
