"""2. The contract, line by line: met, broken or not measured, each with its distance to the bound."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from truetune.core.contract import METRIC_DIRECTIONS
from truetune.core.records import CriterionResult
from truetune.core.units import plural
from truetune.report import charts, wording
from truetune.report.bundle import ReportBundle
from truetune.report.charts import Margin
from truetune.report.shown import Shown

_WORDS = {"met": "met", "broken": "broken", "not_measured": "not measured", "not_run": "not run"}
_OWN_SCALE = 0.1
"""A criterion that is no share has no percentage points: its bound's own size is drawn as ten of them."""


@dataclass(frozen=True)
class CriterionRow:
    """One line of the contract. `settle` is what would decide a line that is open, where that is known."""

    name: str
    about: str
    tier: str
    state: str
    word: str
    value: str
    interval: str
    bound: str
    n: str
    decided_by: str
    reason: str
    settle: str
    plot: Markup | None
    own_scale: bool


@dataclass(frozen=True)
class CriteriaView:
    """The contract's lines, how many are in each state, and the scale of the forest plot."""

    rows: tuple[CriterionRow, ...]
    counts: tuple[tuple[str, str, int], ...]
    axis: Markup | None
    rule: str


def view(bundle: ReportBundle, shown: Shown) -> CriteriaView:
    """The decided criteria; before the evaluation, what the contract asks for, as not run."""
    results = bundle.evaluation.criteria if bundle.evaluation else ()
    if results:
        domain = _domain(results)
        rows = tuple(_row(i, r, domain, shown) for i, r in enumerate(results))
        axis: Markup | None = charts.forest_axis(domain)
    else:
        rows, axis = _asked(bundle), None
    counts = tuple((s, word, sum(r.state == s for r in rows)) for s, word in _WORDS.items())
    return CriteriaView(rows, tuple(c for c in counts if c[2]), axis, _rule(bundle))


def _row(index: int, result: CriterionResult, domain: tuple[float, float], shown: Shown) -> CriterionRow:
    interval = result.interval
    own = not wording.is_fraction(result.name)
    words = wording.span(result.name, interval.low, interval.high) if interval else ""
    level = f"{interval.level:.0%} interval" if interval else ""
    return CriterionRow(
        name=wording.metric_name(result.name),
        about=f"{wording.candidate_name(result.candidate)}, {wording.suite_name(result.suite)}",
        tier=result.tier,
        state=result.state,
        word=_WORDS[result.state],
        value=wording.measure(result.name, result.value) if result.value is not None else "no value",
        interval=f"{words} ({level})" if words else "",
        bound=_bound(result.name, result.direction, result.bound),
        n=f"{result.n:,}",
        decided_by=shown.text(result.decided_by),
        reason=shown.text(result.reason),
        settle=shown.text(result.would_settle),
        plot=charts.forest_row(f"criterion-{index}", _margin(result, own), domain),
        own_scale=own,
    )


def _bound(name: str, direction: str, bound: float | None) -> str:
    if bound is None:
        return "–"
    return f"{'≥' if direction == 'at_least' else '≤'}{wording.THIN}{wording.measure(name, bound)}"


def _margin(result: CriterionResult, own: bool) -> Margin:
    """The distance to the bound, positive on the good side, in the forest plot's unit (1 is 100 points)."""
    name, bound = wording.metric_name(result.name), result.bound
    if result.value is None or bound is None:
        return Margin(name, result.state, None, None, None, f"{_WORDS[result.state]}: {result.reason}")
    sign = 1 if result.direction == "at_least" else -1
    unit = _OWN_SCALE / abs(bound) if own and bound else 1.0

    def distance(value: float) -> float:
        return sign * (value - bound) * unit

    ends = sorted((distance(result.interval.low), distance(result.interval.high))) if result.interval else (None, None)
    value = wording.measure(result.name, result.value)
    words = f"{value}, bound {_bound(result.name, result.direction, bound)}: {_WORDS[result.state]}"
    return Margin(name, result.state, distance(result.value), ends[0], ends[1], words)


def _domain(results: tuple[CriterionResult, ...]) -> tuple[float, float]:
    """From the worst to the best end of all intervals, with the bound always in sight and room for a mark."""
    margins = [_margin(r, own=False) for r in results if wording.is_fraction(r.name)]
    ends = [e for m in margins for e in (m.value, m.low, m.high) if e is not None]
    low, high = min([-0.04, *ends]), max([0.06, *ends])
    room = 0.06 * (high - low)
    return max(-1.0, low - room), min(1.0, high + room)


def _asked(bundle: ReportBundle) -> tuple[CriterionRow, ...]:
    metrics = bundle.contract.metrics if bundle.contract else {}
    return tuple(
        CriterionRow(
            name=wording.metric_name(name),
            about=wording.suite_name(criterion.suite) if METRIC_DIRECTIONS[name] == "at_least" else "",
            tier=criterion.tier,
            state="not_run",
            word="not run",
            value="–",
            interval="",
            bound=_bound(name, METRIC_DIRECTIONS[name], criterion.bound),
            n="",
            decided_by=criterion.decide.replace("_", " "),
            reason="The evaluation has not run.",
            settle="",
            plot=None,
            own_scale=False,
        )
        for name, criterion in metrics.items()
    )


def _rule(bundle: ReportBundle) -> str:
    if bundle.contract is None:
        return ""
    rule = bundle.contract.release_rule
    beaten = " and ".join(wording.candidate_name(name) for name in rule.must_beat)
    text = f"A release must really beat {beaten} on task success (α = {rule.alpha:g})." if beaten else ""
    review = bundle.contract.human_review
    if review.sample_size:
        text += f" People must look at {plural(review.sample_size, 'item')}{', blind' if review.blind_compare else ''}."
    return text.strip()
