"""The decision: release, hold, or do not fine-tune. A pure function of gates, evaluation and contract, so anyone can ask again.

1. A gate that failed before the evaluation holds the release: what was trained is not what was meant.
2. A tuned model that is not ahead of a reference it must beat, or ahead of one that is already good enough without being really
   better, is not worth its keep: do not fine-tune.
3. Release needs every critical line of the contract met and every gate passed. Anything else holds.

Supporting and advisory lines never block: they are named among the reasons, broken ones first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from truetune.core.contract import Contract
from truetune.core.records import Comparison, CriterionResult, EvaluationRecord, GateState, Score, Verdict, VerdictRecord
from truetune.core.units import percent, points, points_between

PASSED, FAILED, NOT_MEASURED = 0, 1, 4
"""Exit codes by how the decision fell."""

TUNED = "tuned_adapter"
_TASK = ("test", "task_success")
_NAMES = {
    "base_model": "the base model",
    "few_shot_base": "the base with examples in its prompt",
    TUNED: "the tuned model",
    "merged_model": "the merged model",
}
_STATES = {"met": "met", "broken": "broken", "not_measured": "not measured"}


def decide(
    gates: dict[str, GateState], gate_reasons: Mapping[str, str], evaluation: EvaluationRecord | None, contract: Contract
) -> VerdictRecord:
    """The verdict, its reasons in plain words, and what would change it.

    Args:
        gates: each stage's gate, by stage.
        gate_reasons: why a gate is not passed, by stage.
        evaluation: the evaluation's record; None where the loop did not come so far.
        contract: what must hold.
    """
    before = {name: state for name, state in gates.items() if name != "evaluate"}
    failed = [name for name, state in before.items() if state == "failed"]
    if failed:
        return _held_by_gate(failed[0], gates, gate_reasons, evaluation)
    if evaluation is None:
        return _not_evaluated(gates)
    useless = _no_better(evaluation, contract)
    if useless:
        return _do_not_tune(useless, gates, evaluation)
    unmeasured = [name for name, state in before.items() if state == "not_measured"]
    return _by_contract(unmeasured, gates, gate_reasons, evaluation)


# --- the ways it can fall -------------------------------------------------------------------------------------------


def _held_by_gate(
    name: str, gates: dict[str, GateState], reasons: Mapping[str, str], evaluation: EvaluationRecord | None
) -> VerdictRecord:
    why = reasons.get(name) or "its record says why"
    return VerdictRecord(
        verdict="hold",
        headline=f"The {name} gate failed, so there is nothing to release: {why.rstrip('.')}.",
        reasons=tuple(f"{stage}: {reasons.get(stage) or 'failed'}" for stage, state in gates.items() if state == "failed"),
        would_change=(f"fix what the {name} gate found, then `truetune run`",),
        gates=gates,
        exit_code=FAILED,
        numbers=_numbers(evaluation),
    )


def _not_evaluated(gates: dict[str, GateState]) -> VerdictRecord:
    return VerdictRecord(
        verdict="hold",
        headline="The model has not been evaluated, and nothing is released unmeasured.",
        reasons=("there is no evaluation record",),
        would_change=("`truetune run` takes the loop to the end",),
        gates=gates,
        exit_code=NOT_MEASURED,
        numbers={},
    )


def _do_not_tune(useless: list[str], gates: dict[str, GateState], evaluation: EvaluationRecord) -> VerdictRecord:
    return VerdictRecord(
        verdict="do not fine-tune",
        headline=f"{_standing(evaluation)} A prompt is cheaper than a model that is no better.",
        reasons=(*useless, *_open_lines(evaluation.criteria)),
        would_change=(
            "a tuned model that is really better on the test: more or cleaner training rows, another learning rate",
            *_settling(evaluation.criteria, prefix="beats_"),
        ),
        gates=gates,
        exit_code=FAILED,
        numbers=_numbers(evaluation),
    )


def _by_contract(
    unmeasured: list[str], gates: dict[str, GateState], gate_reasons: Mapping[str, str], evaluation: EvaluationRecord
) -> VerdictRecord:
    critical = [c for c in evaluation.criteria if c.tier == "critical"]
    broken = [c for c in critical if c.state == "broken"]
    unclear = [c for c in critical if c.state == "not_measured"]
    asks_nothing = () if critical else ("the contract has no critical line, so nothing was asked that could be met",)
    gate_lines = [f"{name}: not measured; {gate_reasons.get(name) or 'its record says why'}" for name in unmeasured]
    released = not (broken or unclear or asks_nothing or gate_lines)
    verdict: Verdict = "release" if released else "hold"
    return VerdictRecord(
        verdict=verdict,
        headline=f"{_standing(evaluation)} {_why(broken, unclear, unmeasured, bool(asks_nothing))}",
        reasons=(*asks_nothing, *gate_lines, *_open_lines(evaluation.criteria), *_met_lines(evaluation.criteria)),
        would_change=() if released else _changes(broken, unclear, unmeasured, bool(asks_nothing)),
        gates=gates,
        exit_code=PASSED if released else FAILED if broken else NOT_MEASURED,
        numbers=_numbers(evaluation),
    )


# --- is it any better? ----------------------------------------------------------------------------------------------


def _no_better(evaluation: EvaluationRecord, contract: Contract) -> list[str]:
    """Why tuning is not worth it, one sentence a reference; empty where it is, or where nothing was compared."""
    bound = contract.metrics.get("task_success_min")
    sentences = []
    for reference in contract.release_rule.must_beat:
        comparison = _comparison(evaluation, reference)
        score = _score(evaluation, reference)
        if comparison is None or score is None or score.value is None:
            continue
        really = any(c.name == f"beats_{reference}" and c.state == "met" for c in evaluation.criteria)
        good_enough = bound is not None and score.value >= bound.bound
        if comparison.difference <= 0:
            sentences.append(f"the tuned model is not ahead of {_NAMES[reference]}: {_difference(comparison)}")
        elif good_enough and not really:
            asked = percent(bound.bound) if bound else ""
            sentences.append(
                f"{_NAMES[reference]} reaches the {asked} asked already ({percent(score.value)}), and tuning is not shown to be "
                f"better: {_difference(comparison)}"
            )
    return sentences


def _difference(c: Comparison) -> str:
    between = points_between(c.interval.low, c.interval.high)
    return f"{points(c.difference)} on {c.n} items ({between}; {c.better} better, {c.worse} worse)"


# --- words ----------------------------------------------------------------------------------------------------------


def _standing(evaluation: EvaluationRecord) -> str:
    """Who gets how much right on the frozen test, in one sentence."""
    tuned = _score(evaluation, TUNED)
    if tuned is None or tuned.value is None:
        return "The tuned model was not measured on the frozen test."
    shown = next((len(c.few_shot_rows) for c in evaluation.candidates if c.kind == "few_shot_base"), 0)
    others = []
    for name, words in (("few_shot_base", f"the base with {shown} examples in its prompt"), ("base_model", "the base alone")):
        score = _score(evaluation, name)
        if score is not None and score.value is not None:
            others.append(f"{words} gets {percent(score.value)}")
    right = "scores" if evaluation.task.shape == "text" else "gets"
    unit = "token F1" if evaluation.task.shape == "text" else "right"
    against = f"; {', '.join(others)}" if others else ""
    return f"The tuned model {right} {percent(tuned.value)} {unit} on {tuned.n} frozen test items{against}."


def _why(broken: list[CriterionResult], unclear: list[CriterionResult], gates: list[str], asks_nothing: bool) -> str:
    if broken:
        more = f" and {len(broken) - 1} more critical line{'s' if len(broken) > 2 else ''}" if len(broken) > 1 else ""
        return f"It breaks {broken[0].name}{more}."
    if unclear:
        more = f" and {len(unclear) - 1} more" if len(unclear) > 1 else ""
        return f"But {unclear[0].name}{more} could not be measured, and too little evidence never passes."
    if gates:
        return f"But the {gates[0]} gate could not be measured, and too little evidence never passes."
    return "But the contract asks for nothing critical." if asks_nothing else "Every critical line of the contract is met."


def _open_lines(criteria: Iterable[CriterionResult]) -> tuple[str, ...]:
    """Broken lines first, then those not measured; within each, critical before supporting before advisory."""
    tiers, states = ("critical", "supporting", "advisory"), ("broken", "not_measured")
    lines = sorted((c for c in criteria if c.state in states), key=lambda c: (states.index(c.state), tiers.index(c.tier)))
    return tuple(_line(c) for c in lines)


def _met_lines(criteria: Iterable[CriterionResult]) -> tuple[str, ...]:
    return tuple(_line(c) for c in criteria if c.state == "met")


def _line(c: CriterionResult) -> str:
    tier = "" if c.tier == "critical" else f" ({c.tier}, does not block)" if c.state != "met" else f" ({c.tier})"
    return f"{c.name} {_STATES[c.state]}{tier}: {c.reason}"


def _changes(
    broken: list[CriterionResult], unclear: list[CriterionResult], gates: list[str], asks_nothing: bool
) -> tuple[str, ...]:
    changes = [f"{c.name}: {_toward(c)}" for c in broken]
    changes += _settling(unclear)
    changes += [f"{c.name}: measure it: {c.reason}" for c in unclear if not c.would_settle]
    changes += [f"{name}: let the gate be measured" for name in gates]
    changes += ["a contract with a critical line, such as task_success_min"] if asks_nothing else []
    return tuple(changes)


def _toward(c: CriterionResult) -> str:
    """How far a broken line is from its bound."""
    if c.value is None or c.bound is None:
        return c.reason
    if c.name in {"merge_drift_max", "adapter_equals_merged"}:
        return "a merge that gives the adapter's logits: same precision, same template, same tokenizer"
    way = "up" if c.direction == "at_least" else "down"
    return f"{way} from {percent(c.value)} to {percent(c.bound)}"


def _settling(criteria: Iterable[CriterionResult], prefix: str = "") -> list[str]:
    return [f"{c.name}: {c.would_settle}" for c in criteria if c.would_settle and c.name.startswith(prefix)]


# --- look-ups -------------------------------------------------------------------------------------------------------


def _score(evaluation: EvaluationRecord, candidate: str) -> Score | None:
    return next((s for s in evaluation.scores if (s.candidate, s.suite, s.metric) == (candidate, *_TASK)), None)


def _comparison(evaluation: EvaluationRecord, reference: str) -> Comparison | None:
    wanted = (TUNED, reference, *_TASK)
    return next((c for c in evaluation.comparisons if (c.candidate, c.reference, c.suite, c.metric) == wanted), None)


def _numbers(evaluation: EvaluationRecord | None) -> dict[str, float | None]:
    """Task success on the frozen test by candidate; None where it was not measured."""
    if evaluation is None:
        return {}
    found = {name: _score(evaluation, name) for name in _NAMES}
    return {name: score.value if score else None for name, score in found.items() if score or _asked(evaluation, name)}


def _asked(evaluation: EvaluationRecord, name: str) -> bool:
    return any(candidate.name == name for candidate in evaluation.candidates)
