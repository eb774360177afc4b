"""The project's config: few fields, the field's own names, every default visible here.

Reading the YAML with file:line:column is `truetune.project`; this module only says what a config is.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from truetune.core.records import DataFormat, TaskShape


class ConfigModel(BaseModel):
    """Unknown keys are errors: an option that is read by nothing is worse than none."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class BaseConfig(ConfigModel):
    """Which model is tuned, and what for."""

    model: str
    revision: str | None = None
    licence: str | None = None
    intended_use: str = "internal"
    commercial: bool = False


class SplitConfig(ConfigModel):
    """Shares of the rows; whole near-duplicate clusters stay on one side."""

    validation_frac: float = Field(default=0.1, ge=0.0, lt=0.9)
    test_frac: float = Field(default=0.2, ge=0.0, lt=0.9)

    @model_validator(mode="after")
    def _leaves_rows_to_train_on(self) -> Self:
        if self.validation_frac + self.test_frac >= 1.0:
            raise ValueError("validation_frac + test_frac must be below 1: nothing is left to train on")
        return self


class DataConfig(ConfigModel):
    """The user's files, and what is done about what the checks find."""

    sources: tuple[str, ...]
    format: DataFormat | None = None
    task_shape: TaskShape | None = None
    policy: Literal["curate", "strict"] = "curate"
    max_dropped_frac: float = Field(default=0.25, ge=0.0, le=1.0)
    min_train_rows: int = Field(default=50, ge=1)
    near_duplicate_jaccard: float = Field(default=0.8, gt=0.0, le=1.0)
    splits: SplitConfig = SplitConfig()


class TrainConfig(ConfigModel):
    """Conservative defaults (requirement D2); `trainer_overrides` passes through to the trainer, validated there."""

    method: Literal["lora"] = "lora"
    learning_rate: float = Field(default=1e-4, gt=0.0)
    epochs: float = Field(default=2.0, gt=0.0)
    lora_r: int = Field(default=16, ge=1)
    lora_alpha: int = Field(default=32, ge=1)
    lora_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    target_modules: str | tuple[str, ...] = "all-linear"
    batch_size: int = Field(default=1, ge=1)
    gradient_accumulation: int = Field(default=16, ge=1)
    max_length: int = Field(default=2048, ge=8)
    warmup_frac: float = Field(default=0.03, ge=0.0, lt=1.0)
    max_grad_norm: float = Field(default=1.0, gt=0.0)
    weight_decay: float = Field(default=0.0, ge=0.0)
    checkpoints_per_run: int = Field(default=8, ge=1)
    trainer_overrides: dict[str, JsonValue] = Field(default_factory=dict)


class EvaluateConfig(ConfigModel):
    """How candidates are asked; greedy by default, because a score should not depend on luck."""

    few_shot_examples: int = Field(default=8, ge=1)
    max_new_tokens: int | None = Field(default=None, ge=1)
    off_task_new_tokens: int = Field(default=48, ge=1)
    temperature: float | None = Field(default=None, ge=0.0)
    keep_merged: bool = False


class Config(ConfigModel):
    """truetune.yaml. `base`, `data` may be given as plain strings (or a list of files)."""

    task: str
    base: BaseConfig
    data: DataConfig
    contract: str = "evals/contract.yaml"
    train: TrainConfig = TrainConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    tracking: tuple[Literal["trackio", "wandb", "mlflow", "tensorboard"], ...] = ("trackio",)
    seed: int = 17

    @field_validator("base", mode="before", json_schema_input_type=BaseConfig | str)
    @classmethod
    def _base_from_text(cls, value: JsonValue) -> JsonValue:
        return {"model": value} if isinstance(value, str) else value

    @field_validator("data", mode="before", json_schema_input_type=DataConfig | str | list[str])
    @classmethod
    def _data_from_text(cls, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return {"sources": [value]}
        return {"sources": value} if isinstance(value, list) else value
