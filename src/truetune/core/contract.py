"""The product contract: what must hold, on which suite, by how much, decided how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, field_validator
from pydantic_core import PydanticCustomError

from truetune.core.config import ConfigModel
from truetune.core.records import Tier

CandidateName = Literal["base_model", "few_shot_base", "tuned_adapter", "merged_model"]

METRIC_DIRECTIONS: dict[str, Literal["at_least", "at_most"]] = {
    "task_success_min": "at_least",
    "schema_validity_min": "at_least",
    "forgetting_max": "at_most",
    "refusal_regression_max": "at_most",
    "toxicity_regression_max": "at_most",
    "diversity_loss_max": "at_most",
    "task_confusion_max": "at_most",
    "merge_drift_max": "at_most",
}
"""Every metric that a contract may name. One that this version cannot measure is reported as `not_measured`."""


def _known_metric(name: str) -> str:
    if name not in METRIC_DIRECTIONS:
        known = ", ".join(METRIC_DIRECTIONS)
        raise PydanticCustomError(
            "unknown_key", "unknown metric; a contract may name {known}", {"known": known, "kind": "metric"}
        )
    return name


MetricName = Annotated[str, AfterValidator(_known_metric)]


class Criterion(ConfigModel):
    """A bound. `decide: point` compares the estimate; `lower_bound` asks the interval to clear the bound."""

    bound: float
    decide: Literal["point", "lower_bound"] = "point"
    tier: Tier = "critical"
    suite: Literal["test", "gold"] = "test"


class HumanReview(ConfigModel):
    """How many items people look at before a release; 0 asks for none."""

    sample_size: int = Field(default=0, ge=0)
    blind_compare: bool = False


class ReleaseRule(ConfigModel):
    """Which candidates the tuned model must beat on task success, and at what error rate the difference counts as real."""

    must_beat: tuple[Literal["base_model", "few_shot_base"], ...] = ("base_model", "few_shot_base")
    alpha: float = Field(default=0.05, gt=0.0, lt=0.5)


class Contract(ConfigModel):
    """evals/contract.yaml. A metric may be given as a bare number or as a table with `bound`, `decide`, `tier`, `suite`."""

    gold_set: str | None = None
    frozen_test_set: str | None = None
    compare: tuple[CandidateName, ...] = ("base_model", "few_shot_base", "tuned_adapter", "merged_model")
    metrics: dict[MetricName, Criterion]
    human_review: HumanReview = HumanReview()
    release_rule: ReleaseRule = ReleaseRule()

    @field_validator("metrics", mode="before", json_schema_input_type=dict[str, Criterion | float])
    @classmethod
    def _bare_bounds(cls, value: JsonValue) -> JsonValue:
        if not isinstance(value, dict):
            return value
        return {k: {"bound": v} if isinstance(v, int | float | str) and not isinstance(v, bool) else v for k, v in value.items()}

    @field_validator("compare")
    @classmethod
    def _needs_both_sides(cls, value: tuple[CandidateName, ...]) -> tuple[CandidateName, ...]:
        missing = {"base_model", "tuned_adapter"} - set(value)
        if missing:
            raise ValueError(f"compare must name {', '.join(sorted(missing))}: without it there is nothing to decide")
        return value
