"""Met, broken, not measured: each state of each line, with the numbers that decide it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.core.contract import METRIC_DIRECTIONS, Contract
from truetune.core.records import CriterionResult, DriftResult
from truetune.stages.evaluate import criteria, scoring
from truetune.stages.evaluate.facts import Facts
from truetune.stages.evaluate.scoring import Samples
from truetune.stages.evaluate.statistics import tango

CHANCE = 0.25


def sample(values: Sequence[float]) -> scoring.Sample:
    made = scoring.Sample()
    for n, value in enumerate(values):
        made.add(f"i{n:04d}", f"i{n:04d}", value)
    return made


def right(count: int, n: int) -> list[float]:
    return [1.0] * count + [0.0] * (n - count)


def decide(metrics: dict[str, object], samples: Samples, **contract: object) -> dict[str, CriterionResult]:
    made = Contract.model_validate({"metrics": metrics, "release_rule": {"must_beat": []}} | contract)
    drift = contract.pop("drift", ())
    facts = Facts(made, samples, scoring.comparisons(samples, 1), drift, ((), ()), CHANCE, 1)  # type: ignore[arg-type]
    return {c.name: c for c in criteria.decide_all(facts)}


def success(values: Sequence[float], decision: str = "point", bound: float = 0.8) -> CriterionResult:
    samples = {("tuned_adapter", "test", "task_success"): sample(values)}
    return decide({"task_success_min": {"bound": bound, "decide": decision}}, samples)["task_success_min"]


def forgetting(lost: int, won: int, n: int = 260, bound: object = 0.05, base: int = 200) -> CriterionResult:
    """`base` right before; `lost` of them wrong after, `won` others right."""
    before = right(base, n)
    after = [0.0] * lost + before[lost:]
    after[base : base + won] = [1.0] * won
    samples = {
        ("base_model", "general_knowledge", "accuracy"): sample(before),
        ("tuned_adapter", "general_knowledge", "accuracy"): sample(after),
    }
    return decide({"forgetting_max": bound}, samples)["forgetting_max"]


# --- minimums -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "n", "decision", "bound", "state"),
    [
        (120, 150, "point", 0.80, "met"),
        (119, 150, "point", 0.80, "broken"),
        (131, 150, "lower_bound", 0.82, "met"),
        (130, 150, "lower_bound", 0.82, "not_measured"),
        (100, 150, "lower_bound", 0.82, "broken"),
        (150, 150, "lower_bound", 0.98, "met"),
        (149, 150, "lower_bound", 0.98, "not_measured"),
        (19, 19, "point", 0.80, "not_measured"),
        (20, 20, "point", 0.80, "met"),
    ],
)
def test_minimum(count: int, n: int, decision: str, bound: float, state: str) -> None:
    found = success(right(count, n), decision, bound)
    assert found.state == state, found.reason
    assert (found.value, found.n, found.bound) == (pytest.approx(count / n), n, bound)
    assert bool(found.would_settle) == (state == "not_measured")


def test_the_interval_shown_is_the_one_that_decided() -> None:
    found = success(right(131, 150), "lower_bound", 0.82)
    assert found.interval is not None
    assert found.interval.level == pytest.approx(0.9)
    assert found.interval.low >= 0.82
    assert "one-sided 95 %" in found.decided_by


def test_how_many_more_items_would_settle_it() -> None:
    assert success(right(130, 150), "lower_bound", 0.82).would_settle == "about 34 more test items"
    hopeless = success(right(121, 150), "lower_bound", 0.82)
    assert "the model must get better" in hopeless.would_settle


def test_graded_success_is_judged_by_its_own_interval() -> None:
    values = [0.3, 0.5, 0.7, 0.9] * 25
    assert success(values, "point", 0.59).state == "met"
    found = success(values, "lower_bound", 0.59)
    assert found.state == "not_measured"
    assert found.interval is not None
    assert "bootstrap" in found.interval.method
    assert success(values, "lower_bound", 0.5).state == "met"


def test_no_gold_set_is_not_measured() -> None:
    samples = {("tuned_adapter", "test", "task_success"): sample(right(100, 100))}
    found = decide({"task_success_min": {"bound": 0.5, "suite": "gold"}}, samples)["task_success_min"]
    assert (found.state, found.value, found.n) == ("not_measured", None, 0)
    assert "gold_set" in found.reason


# --- damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost", "won", "bound", "state"),
    [
        (4, 4, 0.05, "met"),
        (10, 2, 0.05, "not_measured"),
        (16, 3, 0.05, "not_measured"),
        (40, 0, 0.05, "broken"),
        (40, 0, 0.30, "met"),
        (0, 0, 0.02, "met"),
        (0, 0, 0.0, "not_measured"),
    ],
)
def test_forgetting(lost: int, won: int, bound: float, state: str) -> None:
    found = forgetting(lost, won, bound=bound)
    assert found.state == state, found.reason
    assert found.value == pytest.approx((lost - won) / 260)
    assert found.interval is not None
    assert found.interval.low <= (lost - won) / 260 <= found.interval.high


def test_what_these_items_certify_is_said_and_true() -> None:
    found = forgetting(10, 2)
    assert "these 260 certify a tolerance of 5.7 %" in found.would_settle
    assert forgetting(10, 2, bound=0.057).state == "met"
    items = int(re.search(r"about (\d+) items", found.would_settle)[1])  # type: ignore[index]
    assert tango(10 * items / 260, 2 * items / 260, items, 0.9).high <= 0.05 < tango(10 * 1.2, 2 * 1.2, 260 * 1.2, 0.9).high


def test_damage_by_point_only_where_the_contract_says_so() -> None:
    assert forgetting(10, 2, bound={"bound": 0.05}).state == "not_measured"
    assert forgetting(10, 2, bound={"bound": 0.05, "decide": "point"}).state == "met"
    assert forgetting(10, 2, bound={"bound": 0.03, "decide": "point"}).state == "broken"
    assert forgetting(10, 2, bound={"bound": 0.05, "decide": "lower_bound"}).state == "not_measured"


def test_a_base_that_guesses_has_nothing_to_forget() -> None:
    found = forgetting(0, 0, base=70)
    assert found.state == "not_measured"
    assert "cannot forget" in found.reason
    assert forgetting(0, 0, base=90).state == "met"


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0, 0.5))
def test_damage_is_never_met_and_broken_by_the_same_numbers(lost: int, won: int, bound: float) -> None:
    found = forgetting(lost, won, bound=bound)
    assert found.interval is not None
    if found.state == "met":
        assert (lost - won) / 260 <= bound
    if found.state == "broken":
        assert (lost - won) / 260 > bound


# --- what must be beaten --------------------------------------------------------------------------------------------


def beats(better: int, worse: int, n: int = 130, references: Sequence[str] = ("base_model",)) -> dict[str, CriterionResult]:
    tuned = [1.0] * better + [0.0] * worse + [1.0] * (n - better - worse)
    other = [0.0] * better + [1.0] * worse + [1.0] * (n - better - worse)
    samples = {("tuned_adapter", "test", "task_success"): sample(tuned)}
    samples |= {(name, "test", "task_success"): sample(other) for name in references}
    return decide({}, samples, release_rule={"must_beat": list(references)})


@pytest.mark.parametrize(
    ("better", "worse", "state"),
    [(30, 5, "met"), (10, 6, "not_measured"), (0, 0, "not_measured"), (5, 6, "not_measured"), (5, 30, "broken")],
)
def test_must_beat(better: int, worse: int, state: str) -> None:
    found = beats(better, worse)["beats_base_model"]
    assert found.state == state, found.reason
    assert found.tier == "critical"
    assert found.direction == "at_least"


def test_two_claims_are_held_to_more_than_one() -> None:
    alone = beats(14, 4)["beats_base_model"]
    both = beats(14, 4, references=("base_model", "few_shot_base"))
    assert alone.state == "met"
    assert {c.state for name, c in both.items() if name.startswith("beats_")} == {"not_measured"}
    assert "Holm over 2 claims" in both["beats_base_model"].decided_by


def test_a_reference_that_was_not_compared_is_not_measured() -> None:
    samples = {("tuned_adapter", "test", "task_success"): sample(right(90, 100))}
    found = decide({}, samples, release_rule={"must_beat": ["few_shot_base"]}, compare=["base_model", "tuned_adapter"])
    assert found["beats_few_shot_base"].state == "not_measured"
    assert "`compare`" in found["beats_few_shot_base"].reason


# --- the merged model -----------------------------------------------------------------------------------------------


def merged(largest: float, top1: float, tolerated: bool) -> DriftResult:
    return DriftResult(
        candidate="merged_model",
        reference="tuned_adapter",
        prompts=64,
        tokens=900,
        max_abs_logit=largest,
        mean_kl_nats=0.0,
        top1_agreement=top1,
        greedy_flips=2,
        within_tolerance=tolerated,
        note="",
    )


def test_merge_drift_has_the_contracts_bound_and_a_line_of_its_own() -> None:
    made = Contract.model_validate({"metrics": {"merge_drift_max": 0.01}, "release_rule": {"must_beat": []}})
    for drift, asked, equal in ((merged(2e-4, 1.0, True), "met", "met"), (merged(0.005, 1.0, False), "met", "broken")):
        found = {c.name: c for c in criteria.decide_all(Facts(made, {}, (), (drift,), ((), ()), CHANCE, 1))}
        assert found["merge_drift_max"].state == asked
        assert found["adapter_equals_merged"].state == equal
        assert "2 of their greedy answers differ" in found["adapter_equals_merged"].reason


# --- the whole contract ---------------------------------------------------------------------------------------------


def test_every_metric_that_a_contract_may_name_is_decided() -> None:
    found = decide(dict.fromkeys(METRIC_DIRECTIONS, 0.1), {})
    assert set(METRIC_DIRECTIONS) <= set(found)
    assert {c.state for c in found.values()} == {"not_measured"}
    assert all(c.reason for c in found.values())


def test_gate_needs_every_critical_line() -> None:
    met = success(right(100, 100))
    broken, open_line = met.model_copy(update={"state": "broken"}), met.model_copy(update={"state": "not_measured"})
    minor = broken.model_copy(update={"tier": "supporting"})
    assert criteria.gate([met]) == "passed"
    assert criteria.gate([met, minor]) == "passed"
    assert criteria.gate([met, open_line]) == "not_measured"
    assert criteria.gate([met, open_line, broken]) == "failed"
    assert criteria.gate([minor]) == criteria.gate([]) == "not_measured"


def test_human_review_that_nobody_did() -> None:
    found = decide({}, {}, human_review={"sample_size": 50, "blind_compare": True})["human_review"]
    assert (found.state, found.bound) == ("not_measured", 50)
    assert "no review has been recorded" in found.reason
    assert "human_review" not in decide({}, {})
