"""What training cost elsewhere: forgetting, lost variety, answers in the task's form where none was asked for.

Damage is judged by its interval: the lower end above what is tolerated is broken, the upper end within it is met, anything
between is not measured. Both ends are one-sided bounds at the contract's alpha, so "met" is a claim of non-inferiority.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from truetune.core.contract import Criterion
from truetune.core.records import CriterionResult, CriterionState, Interval
from truetune.core.units import percent
from truetune.stages.evaluate import items_needed
from truetune.stages.evaluate.diversity import distinct_loss
from truetune.stages.evaluate.facts import TUNED, Facts, Line, Measured
from truetune.stages.evaluate.minimums import no_items
from truetune.stages.evaluate.scoring import ACCURACY, TASK_FORMAT, Sample, paired_values
from truetune.stages.evaluate.statistics import compare_paired, mean

CHANCE_ERRORS = 2.0
"""A base within this many standard errors of guessing knows nothing that it could forget (docs/explanation/evaluation.md)."""


@dataclass(frozen=True)
class Damage:
    """A measured damage, positive is worse, with its gate interval; `needed` gives the items that would settle a bound."""

    what: str
    value: float
    interval: Interval
    n: int
    needed: Callable[[float], int | None]


def decide_forgetting(facts: Facts, name: str, criterion: Criterion) -> CriterionResult:
    """The paired drop of general-knowledge accuracy from base to adapter."""
    line = Line(name, criterion, "general_knowledge")
    base, tuned = (facts.sample(candidate, line.suite, ACCURACY) for candidate in ("base_model", TUNED))
    if base is None or tuned is None:
        return line.unmeasured(no_items(line.suite))
    accuracy, n = mean(list(base.values.values())), len(base.values)
    if not beats_chance(accuracy, n, facts.chance):
        knows = f"the base model gets {percent(accuracy)} of {n} questions right, guessing gets {percent(facts.chance)}"
        return line.unmeasured(f"{knows}: what it does not know it cannot forget")
    return _decide(facts, line, _paired(facts, base, tuned, "accuracy on general knowledge fell by"))


def decide_confusion(facts: Facts, name: str, criterion: Criterion) -> CriterionResult:
    """The paired rise of answers in the task's form on off-task prompts from base to adapter."""
    line = Line(name, criterion, "off_task")
    base, tuned = (facts.sample(candidate, line.suite, TASK_FORMAT) for candidate in ("base_model", TUNED))
    if base is None or tuned is None:
        return line.unmeasured("free text has no form that could be told from an ordinary answer")
    # More of the task's form is the damage here, so the sides change places.
    return _decide(facts, line, _paired(facts, tuned, base, "answers in the task's form on off-task prompts rose by"))


def decide_diversity(facts: Facts, name: str, criterion: Criterion) -> CriterionResult:
    """The relative drop of distinct word pairs on off-task prompts from base to adapter."""
    line = Line(name, criterion, "off_task")
    tuned, base = facts.off_task
    if len(base) < 2:
        return line.unmeasured(no_items(line.suite))
    value, interval = distinct_loss(tuned, base, facts.gate_level)

    def needed(bound: float) -> int | None:
        end = interval.high if value <= bound else interval.low
        return items_needed.for_spread(abs(bound - value), abs(end - value), len(base))

    what = "distinct word pairs on off-task prompts fell, as a share of the base's, by"
    return _decide(facts, line, Damage(what, value, interval, len(base), needed))


def beats_chance(accuracy: float, n: int, chance: float) -> bool:
    """Is the accuracy more than two standard errors above guessing?"""
    return accuracy > chance + CHANCE_ERRORS * math.sqrt(chance * (1 - chance) / n)


def _paired(facts: Facts, more: Sample, less: Sample, what: str) -> Damage:
    """The damage `more - less`, item by item."""
    ours, theirs, clusters = paired_values(more, less)
    paired = compare_paired(ours, theirs, clusters, facts.seed, facts.gate_level)

    def needed(bound: float) -> int | None:
        # Here an item counts as better where the damage is: `more` is right and `less` is not.
        return items_needed.for_damage(paired.worse, paired.better, paired.n, bound, facts.gate_level)

    return Damage(what, paired.difference, paired.interval, paired.n, needed)


def _decide(facts: Facts, line: Line, damage: Damage) -> CriterionResult:
    bound, interval = line.criterion.bound, damage.interval
    # `decide` defaults to `point`; damage is judged by its interval unless the contract says `decide: point` in so many words.
    by_point = "decide" in line.criterion.model_fields_set and line.criterion.decide == "point"
    state: CriterionState
    if by_point:
        state = "met" if damage.value <= bound else "broken"
    else:
        state = "broken" if interval.low > bound else "met" if interval.high <= bound else "not_measured"
    decided_by = "point estimate" if by_point else f"one-sided {facts.sure} bounds, {interval.method}"
    measured = Measured(damage.value, interval, damage.n)
    return line.decided(state, measured, decided_by, _reason(state, damage, bound), _settled(damage, bound))


def _reason(state: CriterionState, damage: Damage, bound: float) -> str:
    low, high = percent(damage.interval.low), percent(damage.interval.high)
    measured = f"{damage.what} {percent(damage.value)} on {damage.n} items ({low} to {high}); tolerated: {percent(bound)}"
    return f"{measured}; the truth may lie on either side" if state == "not_measured" else measured


def _settled(damage: Damage, bound: float) -> str:
    items = damage.needed(bound)
    certified = math.ceil(max(0.0, damage.interval.high) * 1000) / 1000
    need = (
        f"about {items} items instead of {damage.n} would settle it" if items else "no realistic number of items would settle it"
    )
    return f"{need} at {percent(bound)}; these {damage.n} certify a tolerance of {percent(certified)}"
