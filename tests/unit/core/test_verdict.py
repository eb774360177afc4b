"""Release, hold, do not fine-tune: each from the records alone, in words that a person can act on."""

from __future__ import annotations

import itertools

import pytest

from truetune.core.contract import Contract
from truetune.core.records import (
    Artifact,
    CandidateInfo,
    Comparison,
    CriterionResult,
    EvaluationRecord,
    GateState,
    Interval,
    Score,
    TaskProfile,
    VerdictRecord,
)
from truetune.core.verdict import decide

DIGEST = "sha256:" + "0" * 64
GATES: dict[str, GateState] = dict.fromkeys(("doctor", "base", "data", "plan", "diagnose"), "passed")
CONTRACT = Contract.model_validate({"metrics": {"task_success_min": 0.8}})


def line(name: str, state: str, tier: str = "critical", settle: str = "", value: float | None = 0.9) -> CriterionResult:
    return CriterionResult(
        name=name,
        tier=tier,  # type: ignore[arg-type]
        state=state,  # type: ignore[arg-type]
        candidate="tuned_adapter",
        suite="test",
        value=value,
        bound=0.8,
        direction="at_least",
        interval=None,
        n=132,
        decided_by="point",
        reason=f"the reason of {name}",
        would_settle=settle,
    )


def comparison(reference: str, difference: float, half: float = 0.08) -> Comparison:
    return Comparison(
        candidate="tuned_adapter",
        reference=reference,
        suite="test",
        metric="task_success",
        n=132,
        difference=difference,
        interval=Interval(low=difference - half, high=difference + half, level=0.95, method="Tango"),
        p_value=0.01,
        test="exact McNemar",
        better=20,
        worse=5,
    )


def evaluation(
    criteria: tuple[CriterionResult, ...], base: float = 0.0, few_shot: float = 0.55, tuned: float = 0.91, shape: str = "json"
) -> EvaluationRecord:
    values = {"base_model": base, "few_shot_base": few_shot, "tuned_adapter": tuned, "merged_model": tuned}
    scores = [Score(candidate=c, suite="test", metric="task_success", value=v, n=132) for c, v in values.items()]
    candidates = [
        CandidateInfo(name=c, kind=c, digest=DIGEST, few_shot_rows=tuple("abcdefgh") if c == "few_shot_base" else ())  # type: ignore[arg-type]
        for c in values
    ]
    states = {c.state for c in criteria if c.tier == "critical"}
    return EvaluationRecord(
        gate="failed" if "broken" in states else "not_measured" if "not_measured" in states else "passed",
        task=TaskProfile(shape=shape),  # type: ignore[arg-type]
        decoding={},
        suites=(),
        candidates=tuple(candidates),
        scores=tuple(scores),
        comparisons=(comparison("base_model", tuned - base), comparison("few_shot_base", tuned - few_shot)),
        criteria=criteria,
        drift=(),
        diversity=(),
        generations=Artifact(path="generations.jsonl", digest=DIGEST, size_bytes=0),
        choices=None,
        findings=(),
        seed=1,
    )


MET = (line("task_success_min", "met"), line("beats_base_model", "met"), line("beats_few_shot_base", "met"))


def verdict(record: EvaluationRecord | None, contract: Contract = CONTRACT, **gates: GateState) -> VerdictRecord:
    states = GATES | gates | ({"evaluate": record.gate} if record else {})
    return decide(states, {"data": "12 rows contradict each other"}, record, contract)


def test_release_says_who_got_how_much_right() -> None:
    found = verdict(evaluation(MET))
    assert (found.verdict, found.exit_code, found.would_change) == ("release", 0, ())
    assert found.headline == (
        "The tuned model gets 91 % right on 132 frozen test items; the base with 8 examples in its prompt gets 55 %, "
        "the base alone gets 0 %. Every critical line of the contract is met."
    )
    assert found.numbers == {"base_model": 0.0, "few_shot_base": 0.55, "tuned_adapter": 0.91, "merged_model": 0.91}


def test_free_text_is_scored_not_right() -> None:
    assert "scores 91 % token F1 on 132" in verdict(evaluation(MET, shape="text")).headline


@pytest.mark.parametrize("gate", ["doctor", "base", "data", "plan", "diagnose"])
def test_a_failed_gate_holds_before_anything_else(gate: str) -> None:
    for record in (None, evaluation(MET), evaluation(MET, tuned=0.3)):
        found = verdict(record, **{gate: "failed"})
        assert (found.verdict, found.exit_code) == ("hold", 1)
        assert gate in found.headline


def test_a_failed_gate_says_why() -> None:
    assert "12 rows contradict each other" in verdict(None, data="failed").headline


def test_no_evaluation_holds() -> None:
    found = verdict(None)
    assert (found.verdict, found.exit_code) == ("hold", 4)


def test_a_gate_that_was_not_measured_holds() -> None:
    found = verdict(evaluation(MET), plan="not_measured")
    assert (found.verdict, found.exit_code) == ("hold", 4)
    assert "plan gate" in found.headline


def test_a_broken_critical_line_holds_and_says_how_far_off() -> None:
    found = verdict(evaluation((line("task_success_min", "broken", value=0.7), *MET[1:]), tuned=0.7))
    assert (found.verdict, found.exit_code) == ("hold", 1)
    assert "It breaks task_success_min." in found.headline
    assert found.would_change == ("task_success_min: up from 70 % to 80 %",)
    assert found.reasons[0] == "task_success_min broken: the reason of task_success_min"


def test_too_little_evidence_never_passes() -> None:
    found = verdict(evaluation((*MET, line("forgetting_max", "not_measured", settle="about 43 more test items"))))
    assert (found.verdict, found.exit_code) == ("hold", 4)
    assert found.would_change == ("forgetting_max: about 43 more test items",)


def test_broken_outweighs_not_measured() -> None:
    found = verdict(evaluation((*MET, line("a_max", "not_measured"), line("b_max", "broken"))))
    assert found.exit_code == 1
    assert [r.split()[0] for r in found.reasons[:2]] == ["b_max", "a_max"]


@pytest.mark.parametrize("tier", ["supporting", "advisory"])
@pytest.mark.parametrize("state", ["broken", "not_measured"])
def test_lines_that_are_not_critical_are_named_and_do_not_block(tier: str, state: str) -> None:
    found = verdict(evaluation((*MET, line("forgetting_max", state, tier=tier))))
    assert (found.verdict, found.exit_code) == ("release", 0)
    assert found.reasons[0].startswith("forgetting_max ")
    assert f"({tier}, does not block)" in found.reasons[0]


@pytest.mark.parametrize(("tuned", "few_shot", "base"), [(0.85, 0.85, 0.0), (0.85, 0.90, 0.0), (0.2, 0.1, 0.3)])
def test_no_better_than_a_prompt_is_do_not_fine_tune(tuned: float, few_shot: float, base: float) -> None:
    open_lines = (line("task_success_min", "met"), line("beats_base_model", "met"), line("beats_few_shot_base", "not_measured"))
    found = verdict(evaluation(open_lines, base=base, few_shot=few_shot, tuned=tuned))
    assert (found.verdict, found.exit_code) == ("do not fine-tune", 1)
    assert "not ahead of" in found.reasons[0]
    assert "A prompt is cheaper" in found.headline


def test_a_prompt_that_is_good_enough_needs_a_real_gain() -> None:
    criteria = (*MET[:2], line("beats_few_shot_base", "not_measured", settle="about 300 more test items"))
    found = verdict(evaluation(criteria, few_shot=0.86, tuned=0.88))
    assert found.verdict == "do not fine-tune"
    assert "reaches the 80 % asked already (86 %)" in found.reasons[0]
    assert "beats_few_shot_base: about 300 more test items" in found.would_change
    assert verdict(evaluation(MET, few_shot=0.86, tuned=0.95)).verdict == "release"


def test_ahead_but_not_surely_of_a_prompt_that_is_not_good_enough_holds() -> None:
    criteria = (*MET[:2], line("beats_few_shot_base", "not_measured", settle="about 43 more test items"))
    found = verdict(evaluation(criteria, few_shot=0.78, tuned=0.82))
    assert (found.verdict, found.exit_code) == ("hold", 4)
    assert found.would_change == ("beats_few_shot_base: about 43 more test items",)


def test_a_reference_that_need_not_be_beaten_decides_nothing() -> None:
    contract = Contract.model_validate({"metrics": {"task_success_min": 0.8}, "release_rule": {"must_beat": ["base_model"]}})
    assert verdict(evaluation(MET[:2], few_shot=0.95), contract).verdict == "release"


def test_a_contract_that_asks_for_nothing_critical_releases_nothing() -> None:
    contract = Contract.model_validate({"metrics": {}, "release_rule": {"must_beat": []}})
    for criteria in ((), (line("forgetting_max", "met", tier="supporting"),)):
        found = verdict(evaluation(criteria), contract)
        assert (found.verdict, found.exit_code) == ("hold", 4)
        assert "nothing critical" in found.headline


def test_release_only_if_every_critical_line_is_met_and_every_gate_passed() -> None:
    """All combinations of two critical lines and a gate."""
    states = ("met", "broken", "not_measured")
    gates: tuple[GateState, ...] = ("passed", "failed", "not_measured")
    for one, two, gate in itertools.product(states, states, gates):
        found = verdict(evaluation((line("a_min", one), line("b_min", two))), plan=gate)
        good = one == two == "met" and gate == "passed"
        assert (found.verdict == "release") == good == (found.exit_code == 0)
        assert good or found.would_change
