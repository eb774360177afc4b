"""From answers to scores and paired differences: pure, so that `verify` can do it again from the stored files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from truetune.core.records import Comparison, Score, TaskProfile
from truetune.stages.evaluate.marking import chosen_option, off_task_score
from truetune.stages.evaluate.metrics import form_is_telling, has_form, judge
from truetune.stages.evaluate.outputs import Choice, Output
from truetune.stages.evaluate.statistics import compare_paired, graded_interval, mean, rate_interval
from truetune.stages.evaluate.suites import TASK_SUITES

TASK_SUCCESS = "task_success"
SCHEMA_VALIDITY = "schema_validity"
RECOVERABLE = "recoverable"
FIELD = "field."
ACCURACY = "accuracy"
TASK_FORMAT = "task_format"
INSTRUCTION_SUCCESS = "instruction_success"

CANDIDATE_ORDER = ("base_model", "few_shot_base", "tuned_adapter", "merged_model")
SUITE_ORDER = ("test", "gold", "general_knowledge", "off_task")
PAIRS = (("tuned_adapter", "base_model"), ("tuned_adapter", "few_shot_base"), ("merged_model", "tuned_adapter"))
COMPARED = (TASK_SUCCESS, SCHEMA_VALIDITY, ACCURACY, TASK_FORMAT, INSTRUCTION_SUCCESS)

Key = tuple[str, str, str]
"""Candidate, suite, metric."""


@dataclass
class Sample:
    """One metric of one candidate on one suite, item by item; `unmeasured` counts items that could not be told."""

    values: dict[str, float] = field(default_factory=dict)
    clusters: dict[str, str] = field(default_factory=dict)
    unmeasured: int = 0

    def add(self, item_id: str, cluster: str, value: float | None) -> None:
        """Take in an item; None is counted, not scored."""
        if value is None:
            self.unmeasured += 1
        else:
            self.values[item_id] = value
            self.clusters[item_id] = cluster


Samples = dict[Key, Sample]


def collect(task: TaskProfile, outputs: Iterable[Output], choices: Iterable[Choice]) -> Samples:
    """Every metric's values, worked out from the outputs themselves, not from the scores beside them."""
    samples: Samples = {}
    for output in outputs:
        values = _task_values(task, output) if output.suite in TASK_SUITES else _off_task_values(task, output)
        for metric, value in values.items():
            samples.setdefault((output.candidate, output.suite, metric), Sample()).add(output.item_id, output.cluster, value)
    for choice in choices:
        right = float(chosen_option(choice.options, choice.log_likelihoods) == choice.answer)
        key = (choice.candidate, choice.suite, ACCURACY)
        samples.setdefault(key, Sample()).add(choice.item_id, choice.item_id, right)
    return dict(sorted(samples.items(), key=lambda pair: _order(pair[0])))


def scores(samples: Mapping[Key, Sample], seed: int) -> tuple[Score, ...]:
    """Each sample's mean with its 95 % interval; `value` is None, with the reason, where nothing could be told."""
    return tuple(_score(key, sample, seed) for key, sample in samples.items())


def comparisons(samples: Mapping[Key, Sample], seed: int) -> tuple[Comparison, ...]:
    """Every paired difference that both sides have items for."""
    found = []
    for suite in SUITE_ORDER:
        for metric in COMPARED:
            for candidate, reference in PAIRS:
                sides = samples.get((candidate, suite, metric)), samples.get((reference, suite, metric))
                comparison = _comparison(candidate, reference, suite, metric, sides, seed)
                found.extend([comparison] if comparison else [])
    return tuple(found)


def paired_values(a: Sample, b: Sample) -> tuple[list[float], list[float], list[str]]:
    """Values of the items that both samples have, in order of item id, with the items' clusters."""
    shared = sorted(a.values.keys() & b.values.keys())
    return [a.values[i] for i in shared], [b.values[i] for i in shared], [a.clusters[i] for i in shared]


def _task_values(task: TaskProfile, output: Output) -> dict[str, float | None]:
    judgement = judge(task, output.output, output.finished, output.expected)
    values: dict[str, float | None] = {TASK_SUCCESS: judgement.success, SCHEMA_VALIDITY: float(judgement.valid)}
    if judgement.recoverable is not None:
        values[RECOVERABLE] = judgement.recoverable
    return values | {f"{FIELD}{name}": value for name, value in judgement.fields.items()}


def _off_task_values(task: TaskProfile, output: Output) -> dict[str, float | None]:
    telling = form_is_telling(task)
    values: dict[str, float | None] = {TASK_FORMAT: float(has_form(task, output.output, output.finished)) if telling else None}
    if output.expected:
        values[INSTRUCTION_SUCCESS] = off_task_score(output.expected, output.output, output.finished)
    return values


def _score(key: Key, sample: Sample, seed: int) -> Score:
    candidate, suite, metric = key
    values = list(sample.values.values())
    if not values:
        reason = (
            "free text has no form that could be told from an ordinary answer"
            if metric == TASK_FORMAT
            else f"all {sample.unmeasured} outputs were cut off before the rule could be checked"
        )
        return Score(candidate=candidate, suite=suite, metric=metric, value=None, n=0, reason=reason)
    clusters = list(sample.clusters.values())
    binary = all(value in (0.0, 1.0) for value in values)
    interval = rate_interval(values, clusters) if binary else graded_interval(values, clusters, seed)
    cut = f"{sample.unmeasured} outputs were cut off before the rule could be checked" if sample.unmeasured else ""
    return Score(
        candidate=candidate,
        suite=suite,
        metric=metric,
        value=round(mean(values), 9),
        n=len(values),
        interval=interval,
        reason=cut,
    )


def _comparison(
    candidate: str, reference: str, suite: str, metric: str, sides: tuple[Sample | None, Sample | None], seed: int
) -> Comparison | None:
    if sides[0] is None or sides[1] is None:
        return None
    ours, theirs, clusters = paired_values(sides[0], sides[1])
    if not ours:
        return None
    paired = compare_paired(ours, theirs, clusters, seed)
    return Comparison(
        candidate=candidate,
        reference=reference,
        suite=suite,
        metric=metric,
        n=paired.n,
        difference=round(paired.difference, 9),
        interval=paired.interval,
        p_value=paired.p_value,
        test=paired.test,
        better=paired.better,
        worse=paired.worse,
    )


def _order(key: Key) -> tuple[int, int, str]:
    candidate, suite, metric = key
    return SUITE_ORDER.index(suite), CANDIDATE_ORDER.index(candidate), metric
