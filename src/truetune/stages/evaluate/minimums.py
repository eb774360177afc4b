"""Success and validity: a minimum that the tuned model must reach, by its point estimate or by the end of its interval."""

from __future__ import annotations

from collections.abc import Sequence

from truetune.core.contract import Criterion
from truetune.core.records import CriterionResult, CriterionState, Interval
from truetune.core.units import percent
from truetune.stages.evaluate import items_needed
from truetune.stages.evaluate.facts import TUNED, Facts, Line, Measured
from truetune.stages.evaluate.scoring import SCHEMA_VALIDITY, TASK_SUCCESS
from truetune.stages.evaluate.statistics import graded_interval, mean, rate_interval

MIN_POINT_ITEMS = 20
"""Below this a point estimate decides nothing. Ours: at 20 items the 95 % interval of a rate is up to 40 points wide."""

METRICS = {"task_success_min": TASK_SUCCESS, "schema_validity_min": SCHEMA_VALIDITY}


def decide_minimum(facts: Facts, name: str, criterion: Criterion) -> CriterionResult:
    """Met or broken by the point estimate, or by whether the interval lies on one side of the bound."""
    line = Line(name, criterion, criterion.suite)
    sample = facts.sample(TUNED, criterion.suite, METRICS[name])
    if sample is None:
        return line.unmeasured(no_items(criterion.suite))
    values, clusters = list(sample.values.values()), list(sample.clusters.values())
    if any(value not in (0.0, 1.0) for value in values):
        interval = graded_interval(values, clusters, facts.seed, facts.gate_level)
    else:
        interval = rate_interval(values, clusters, facts.gate_level)
    return (_by_interval if criterion.decide == "lower_bound" else _by_point)(facts, line, values, interval)


def no_items(suite: str) -> str:
    """Why a suite could not be measured."""
    return "no gold set was given: name one as `gold_set`" if suite == "gold" else f"there are no items in the suite {suite}"


def _by_point(facts: Facts, line: Line, values: Sequence[float], interval: Interval) -> CriterionResult:
    value, n, bound = mean(values), len(values), line.criterion.bound
    asked = f"{percent(value)} on {n} items, where at least {percent(bound)} is asked"
    if n < MIN_POINT_ITEMS:
        reason = f"{asked}; fewer than {MIN_POINT_ITEMS} items decide nothing"
        settle = f"at least {MIN_POINT_ITEMS - n} more {line.suite} items"
        return line.decided("not_measured", Measured(value, interval, n), "point estimate", reason, settle)
    certifies = "certifies" if interval.low >= bound else "does not certify"
    reason = f"{asked}; with {facts.sure} confidence it is at least {percent(interval.low)}, so this set {certifies} the bound"
    return line.decided("met" if value >= bound else "broken", Measured(value, interval, n), "point estimate", reason)


def _by_interval(facts: Facts, line: Line, values: Sequence[float], interval: Interval) -> CriterionResult:
    value, n, bound = mean(values), len(values), line.criterion.bound
    state: CriterionState = "met" if interval.low >= bound else "broken" if interval.high < bound else "not_measured"
    says = {
        "met": f"with {facts.sure} confidence it is at least {percent(interval.low)}",
        "broken": f"with {facts.sure} confidence it is at most {percent(interval.high)}",
        "not_measured": f"it may lie anywhere from {percent(interval.low)} to {percent(interval.high)}",
    }
    reason = f"{percent(value)} on {n} items, where at least {percent(bound)} is asked; {says[state]}"
    decided_by = f"one-sided {facts.sure} bound, {interval.method}"
    return line.decided(state, Measured(value, interval, n), decided_by, reason, _settled(facts, line, value, n))


def _settled(facts: Facts, line: Line, value: float, n: int) -> str:
    items = items_needed.for_rate(value, n, line.criterion.bound, facts.gate_level)
    if items is None:
        return "more items would not certify this rate: the model must get better"
    return f"about {items - n} more {line.suite} items"
