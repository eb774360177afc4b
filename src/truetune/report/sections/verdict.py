"""1. The verdict in one screen: what was decided, why, how the candidates did, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from truetune.core.records import EvaluationRecord
from truetune.core.units import plural
from truetune.report import charts, wording
from truetune.report.bundle import ReportBundle
from truetune.report.charts import Axis
from truetune.report.sections.scores import dots_of, primary_scores
from truetune.report.shown import Shown

STAGES = ("doctor", "base", "data", "plan", "train", "diagnose", "evaluate")
_STATES = {"release": "release", "hold": "hold", "do not fine-tune": "stop"}
_GATE_WORDS = {"passed": "passed", "failed": "failed", "not_measured": "not measured", "done": "done", "not_run": "not run"}


@dataclass(frozen=True)
class Gate:
    """A stage's gate in one word."""

    stage: str
    state: str
    word: str


@dataclass(frozen=True)
class VerdictView:
    """The first screen. `state` is `release`, `hold`, `stop` or `none` (no verdict yet)."""

    state: str
    title: str
    headline: str
    task: str
    reasons: tuple[str, ...]
    would_change: tuple[str, ...]
    gates: tuple[Gate, ...]
    numbers: tuple[tuple[str, str], ...]
    plot: Markup | None
    plot_caption: str


def view(bundle: ReportBundle, shown: Shown) -> VerdictView:
    """The first screen; before a verdict it says how far the run came and how to go on."""
    verdict = bundle.verdict
    plot, caption = _candidates(bundle.evaluation)
    numbers = verdict.numbers if verdict else {}
    return VerdictView(
        state=_STATES[verdict.verdict] if verdict else "none",
        title=wording.sentence(verdict.verdict) if verdict else "No verdict yet",
        headline=shown.text(verdict.headline) if verdict else _how_far(bundle),
        task=shown.text(bundle.config.task) if bundle.config else "",
        reasons=tuple(shown.text(r) for r in verdict.reasons) if verdict else (),
        would_change=tuple(shown.text(r) for r in verdict.would_change) if verdict else (),
        gates=_gates(bundle),
        numbers=tuple((wording.key_name(k), wording.keyed(k, v)) for k, v in numbers.items() if k not in wording.CANDIDATES),
        plot=plot,
        plot_caption=caption,
    )


def _candidates(evaluation: EvaluationRecord | None) -> tuple[Markup | None, str]:
    scores = primary_scores(evaluation) if evaluation else []
    if not scores:
        return None, ""
    n = max(s.n for s in scores)
    plot = charts.dot_plot(
        "verdict-plot",
        "Task success of each candidate on the frozen test",
        dots_of(scores),
        Axis("Task success, share of items", _whole),
    )
    level = next((s.interval for s in scores if s.interval), None)
    words = f", with {level.level:.0%} intervals ({level.method})" if level else ""
    return plot, f"Task success on the frozen test, {plural(n, 'item')}{words}."


def _whole(value: float) -> str:
    return wording.percent(value, 0)


def _how_far(bundle: ReportBundle) -> str:
    done = [g.stage for g in _gates(bundle) if g.state != "not_run"]
    if not done:
        return "Nothing has run yet. Start it with `truetune run`."
    return f"The run has come as far as {done[-1]}. Go on with `truetune run`."


def _gates(bundle: ReportBundle) -> tuple[Gate, ...]:
    records = {
        "doctor": bundle.doctor,
        "base": bundle.base,
        "data": bundle.data,
        "plan": bundle.plan,
        "train": bundle.train,
        "diagnose": bundle.diagnosis,
        "evaluate": bundle.evaluation,
    }
    states = {name: "not_run" if r is None else str(getattr(r, "gate", "done")) for name, r in records.items()}
    states |= {name: state for name, state in (bundle.verdict.gates if bundle.verdict else {}).items() if name not in states}
    return tuple(Gate(name, state, _GATE_WORDS[state]) for name, state in states.items())
