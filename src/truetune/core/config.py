"""The project's config: few fields, the field's own names, every default visible here.

Reading the YAML with file:line:column is `truetune.project`; this module only says what a config is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from truetune.core.records import DataFormat, MetaField, Severity, TaskShape
from truetune.core.text import words

Policy = Literal["keep", "drop", "keep-first", "quarantine", "redact"]
"""What is done with the rows of a finding: nothing, left out, all but the first left out, put aside for a person to decide, kept
with what was found replaced by typed placeholders."""


KeptTogether = Literal["group", "conversation", "source"]
"""Fields of metadata whose values may keep rows on one side of a split."""


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
    """Shares of the rows; near-duplicate clusters, and rows that share a value of `keep_together`, stay on one side.

    `by_time` makes the newest rows the test; `auto` does so where nearly all rows have a time. `validation` is a file of your own
    in place of the validation split (the contract's `frozen_test_set` stands in place of the test).
    """

    validation_frac: float = Field(default=0.1, ge=0.0, lt=0.9)
    test_frac: float = Field(default=0.2, ge=0.0, lt=0.9)
    by_time: bool | Literal["auto"] = "auto"
    keep_together: tuple[KeptTogether, ...] = ("group", "conversation")
    validation: str | None = None

    @model_validator(mode="after")
    def _leaves_rows_to_train_on(self) -> Self:
        if self.validation_frac + self.test_frac >= 1.0:
            raise ValueError("validation_frac + test_frac must be below 1: nothing is left to train on")
        return self


@dataclass(frozen=True)
class CheckChoices:
    """What a config may say about one code; the registry of checks says it, `DataConfig` is held against it."""

    policies: tuple[Policy, ...]
    may_be_off: bool


CHECKS_CONTEXT = "checks"
"""The key of pydantic's validation context under which a `Mapping[str, CheckChoices]` is given."""


def covers(key: str, code: str) -> bool:
    """Is `code` meant by a key of `data.checks`: its own name, or a prefix such as `data.pii.*`?"""
    return code.startswith(key[:-1]) if key.endswith(".*") else code == key


def _choices(info: ValidationInfo) -> Mapping[str, CheckChoices] | None:
    """What the codes allow; None where the reader did not say, as for a config made in code."""
    return info.context.get(CHECKS_CONTEXT) if isinstance(info.context, dict) else None


def _known_check(key: str, info: ValidationInfo) -> str:
    known = _choices(info)
    if known is not None and not any(covers(key, code) for code in known):
        families = {f"{code.rpartition('.')[0]}.*" for code in known if code.count(".") > 1}
        names = ", ".join([*known, *sorted(families)])
        raise PydanticCustomError("unknown_key", "unknown check; known are {known}", {"known": names, "kind": "check"})
    return key


CheckKey = Annotated[str, AfterValidator(_known_check)]


class CheckConfig(ConfigModel):
    """What a check's findings mean here. What is not said stays as the check has it; a code's own key goes before its prefix.

    `max_frac` is a data test: the gate fails where more than that share of the rows is concerned, and up to it the code does
    not fail the gate, whatever its severity.
    """

    severity: Severity | Literal["off"] | None = None
    policy: Policy | None = None
    max_frac: float | None = Field(default=None, ge=0.0, le=1.0)


Engine = Literal["local", "ray"]
"""Where the per-row work of the data gate is done: in this process, or on a Ray cluster."""


class ReplayConfig(ConfigModel):
    """General instructions mixed into the training rows, so that the model does not forget everything but the task.

    `share` is their part of the training rows' tokens; 5 to 20 % is usual. `licence` is whatever the source is under, and is
    only noted.
    """

    source: str
    share: float = Field(default=0.1, gt=0.0, le=0.5)
    licence: str | None = None


class DoNotTrainEntry(ConfigModel):
    """One thing that must never be trained on, named by exactly one of the first five fields, and why.

    `id` is the user's own or ours, `source` a file or a source of the metadata (`*` and `?` stand for anything), `regex` in RE2's
    syntax, `sha256` of a whole turn (or of all turns joined by line breaks) once normalised, `text` counts with its near copies.
    """

    id: str | None = Field(default=None, min_length=1)
    source: str | None = Field(default=None, min_length=1)
    regex: str | None = Field(default=None, min_length=1)
    sha256: str | None = Field(default=None, pattern=r"^(sha256:)?[0-9a-f]{64}$")
    text: str | None = None
    reason: str = ""

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        named = [value for value in (self.id, self.source, self.regex, self.sha256, self.text) if value is not None]
        if len(named) != 1:
            raise ValueError("an entry has exactly one of id, source, regex, sha256, text")
        if not words(named[0]) and self.text is not None:
            raise ValueError("text is empty: it would be a copy of nothing")
        return self


class DataConfig(ConfigModel):
    """The user's files, and what is done about what the checks find.

    `columns` says under which names the rows keep their metadata (`{group: customer_id, time: created_at}`) where these are
    not the usual ones; `metadata` is a file that is joined to the rows by id (found by itself where `metadata.jsonl` lies
    beside the rows). `answer_schema` is a file with a JSON schema (Draft 2020-12) that every answer must fit.
    """

    sources: tuple[str, ...]
    format: DataFormat | None = None
    task_shape: TaskShape | None = None
    answer_schema: str | None = None
    policy: Literal["curate", "strict"] = "curate"
    max_dropped_frac: float = Field(default=0.25, ge=0.0, le=1.0)
    min_train_rows: int = Field(default=50, ge=1)
    near_duplicate_jaccard: float = Field(default=0.8, gt=0.0, le=1.0)
    columns: dict[MetaField, str] = Field(default_factory=dict)
    metadata: str | None = None
    engine: Engine = "local"
    checks: dict[CheckKey, CheckConfig] = Field(default_factory=dict)
    over_length: Literal["drop", "split", "truncate_prompt"] = "drop"
    truncate_prompt_from: Literal["start", "end"] = "start"
    do_not_train: str | tuple[DoNotTrainEntry, ...] | None = None
    pii_names: bool = False
    sentence_model: str | None = None
    splits: SplitConfig = SplitConfig()
    replay: ReplayConfig | None = None

    @field_validator("checks")
    @classmethod
    def _says_what_can_be_done(cls, value: dict[str, CheckConfig], info: ValidationInfo) -> dict[str, CheckConfig]:
        for key, said in value.items():
            for code, choices in (_choices(info) or {}).items():
                if not covers(key, code):
                    continue
                if said.policy is not None and said.policy not in choices.policies:
                    allowed = " or ".join(choices.policies)
                    raise _not_possible(key, "policy", f"`{code}` can be {allowed}, not {said.policy}")
                if said.severity == "off" and not choices.may_be_off:
                    raise _not_possible(key, "severity", f"`{code}` cannot be off: such a record can never be trained on")
        return value


def _not_possible(key: str, field: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("not_possible", "{said}", {"said": message, "below": (key, field)})


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
