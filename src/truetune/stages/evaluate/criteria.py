"""The contract, line by line: met, broken, or not measured, each with the numbers and what would settle it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from truetune.core import units
from truetune.core.contract import Criterion
from truetune.core.records import Comparison, CriterionResult, CriterionState, GateState
from truetune.core.units import percent, points, points_between
from truetune.stages.evaluate import items_needed
from truetune.stages.evaluate.damage import decide_confusion, decide_diversity, decide_forgetting
from truetune.stages.evaluate.drift import MAX_ABS_LOGIT, TOP1_AGREEMENT
from truetune.stages.evaluate.facts import TUNED, Facts, Line, Measured
from truetune.stages.evaluate.minimums import decide_minimum
from truetune.stages.evaluate.scoring import TASK_SUCCESS
from truetune.stages.evaluate.statistics import holm

NO_SUITE = {
    "refusal_regression_max": "this version has no refusal suite",
    "toxicity_regression_max": "this version has no toxicity suite",
}
_NOT_COMPARED = "the merged model was not compared: add merged_model to the contract's `compare`"


def decide_all(facts: Facts) -> tuple[CriterionResult, ...]:
    """Every line of the contract, in its order, then what must be beaten, the merged model and human review."""
    contract = facts.contract
    results = [_DECIDERS[name](facts, name, criterion) for name, criterion in contract.metrics.items()]
    results.extend(_must_beat(facts))
    if "merged_model" in contract.compare:
        results.append(_adapter_equals_merged(facts))
    if contract.human_review.sample_size > 0 or contract.human_review.blind_compare:
        results.append(_human_review(facts))
    return tuple(results)


def gate(criteria: Sequence[CriterionResult]) -> GateState:
    """Failed if a critical line is broken; not measured if one is not, or if there is none; else passed."""
    states = [c.state for c in criteria if c.tier == "critical"]
    if "broken" in states:
        return "failed"
    return "not_measured" if "not_measured" in states or not states else "passed"


def _merge_drift(facts: Facts, name: str, criterion: Criterion) -> CriterionResult:
    line, drift = Line(name, criterion, "test", candidate="merged_model"), facts.merged
    if drift is None:
        return line.unmeasured(_NOT_COMPARED)
    reason = (
        f"the largest difference of a logit is {drift.max_abs_logit:.2g} over {drift.tokens} tokens, "
        f"where at most {criterion.bound:g} is tolerated"
    )
    state: CriterionState = "met" if drift.max_abs_logit <= criterion.bound else "broken"
    return line.decided(state, Measured(drift.max_abs_logit, None, drift.prompts), "largest |Δ logit|", reason)


def _adapter_equals_merged(facts: Facts) -> CriterionResult:
    line = Line("adapter_equals_merged", Criterion(bound=MAX_ABS_LOGIT), "test", candidate="merged_model", direction="at_most")
    drift = facts.merged
    if drift is None:
        return line.unmeasured("the merged model could not be compared with the adapter")
    flips = "" if drift.greedy_flips is None else f"; {drift.greedy_flips} of their greedy answers differ"
    reason = (
        f"fed the same ids, adapter and merged model differ by at most {drift.max_abs_logit:.2g} in a logit (tolerated: "
        f"{MAX_ABS_LOGIT:g}) and agree on {percent(drift.top1_agreement)} of {drift.tokens} tokens (asked: "
        f"{percent(TOP1_AGREEMENT)}){flips}"
    )
    state: CriterionState = "met" if drift.within_tolerance else "broken"
    measured = Measured(drift.max_abs_logit, None, drift.prompts)
    return line.decided(state, measured, "largest |Δ logit| and agreement on the likeliest token", reason)


def _must_beat(facts: Facts) -> list[CriterionResult]:
    references = facts.contract.release_rule.must_beat
    found = {name: facts.comparison(TUNED, name, "test", TASK_SUCCESS) for name in references}
    adjusted = holm({name: c.p_value for name, c in found.items() if c is not None})
    return [
        _missing_reference(facts, name) if c is None else _beats(facts, c, adjusted[name], len(adjusted))
        for name, c in found.items()
    ]


def _missing_reference(facts: Facts, reference: str) -> CriterionResult:
    why = "could not be measured" if reference in facts.contract.compare else "is not in the contract's `compare`"
    return Line(f"beats_{reference}", Criterion(bound=0.0), "test", direction="at_least").unmeasured(f"{reference} {why}")


def _beats(facts: Facts, c: Comparison, p_value: float, claims: int) -> CriterionResult:
    alpha = facts.contract.release_rule.alpha
    state: CriterionState = "broken" if c.interval.high <= 0 else "not_measured"
    if c.difference > 0 and p_value < alpha:
        state = "met"
    reason = (
        f"{points(c.difference)} on {c.n} items ({points_between(c.interval.low, c.interval.high)}), {c.better} better and "
        f"{c.worse} worse; {units.p_value(p_value)} where less than {alpha:g} is asked"
    )
    decided_by = f"{c.test}, Holm over {claims} claim{'s' if claims != 1 else ''}"
    line = Line(f"beats_{c.reference}", Criterion(bound=0.0), c.suite, direction="at_least")
    items = items_needed.for_gain(c.better, c.worse, c.n, c.interval.level)
    settle = f"about {items - c.n} more test items" if items else "no realistic number of items: the two are too much alike"
    return line.decided(state, Measured(c.difference, c.interval, c.n), decided_by, reason, settle)


def _human_review(facts: Facts) -> CriterionResult:
    asked = facts.contract.human_review.sample_size
    line = Line("human_review", Criterion(bound=float(asked)), "test", direction="at_least")
    wanted = f"; the contract asks for {asked} items" if asked else "; the contract asks for a blind comparison"
    return line.unmeasured(f"no review has been recorded{wanted}", "a recorded review")


def _no_suite(facts: Facts, name: str, criterion: Criterion) -> CriterionResult:
    line = Line(name, criterion, name.removesuffix("_regression_max"))
    return line.unmeasured(NO_SUITE[name], f"take `{name}` out of the contract, or measure it elsewhere")


_DECIDERS: dict[str, Callable[[Facts, str, Criterion], CriterionResult]] = {
    "task_success_min": decide_minimum,
    "schema_validity_min": decide_minimum,
    "forgetting_max": decide_forgetting,
    "task_confusion_max": decide_confusion,
    "diversity_loss_max": decide_diversity,
    "merge_drift_max": _merge_drift,
    "refusal_regression_max": _no_suite,
    "toxicity_regression_max": _no_suite,
}
