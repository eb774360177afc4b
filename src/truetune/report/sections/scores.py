"""Scores as pictures: one metric on one suite, all candidates on a common scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from truetune.core.records import EvaluationRecord, Score
from truetune.report import charts, wording
from truetune.report.charts import Axis, Dot
from truetune.report.shown import Shown

ON_TASK = ("test", "gold")
PRIMARY = ("test", "task_success")


@dataclass(frozen=True)
class ScorePlot:
    """One metric on one suite, all candidates."""

    title: str
    plot: Markup
    reasons: tuple[str, ...]


def primary_scores(evaluation: EvaluationRecord) -> list[Score]:
    """Task success on the frozen test, in the order of the candidates."""
    order = [c.name for c in evaluation.candidates]
    scores = [s for s in evaluation.scores if (s.suite, s.metric) == PRIMARY]
    return sorted(scores, key=lambda s: order.index(s.candidate) if s.candidate in order else len(order))


def dots_of(scores: list[Score]) -> list[Dot]:
    """One line a candidate, with the interval in words."""
    return [_dot(score) for score in scores]


def _dot(score: Score) -> Dot:
    interval = score.interval
    text = wording.measure(score.metric, score.value)
    if interval:
        text += f"  ({wording.span(score.metric, interval.low, interval.high)})"
    low, high = (interval.low, interval.high) if interval else (None, None)
    return Dot(wording.candidate_name(score.candidate), score.candidate, score.value, low, high, text, score.reason)


def score_plots(scores: Iterable[Score], shown: Shown) -> tuple[ScorePlot, ...]:
    """A picture for each metric on each suite, in the record's order."""
    groups: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        groups.setdefault((score.suite, score.metric), []).append(score)
    return tuple(_plot(suite, metric, group, shown) for (suite, metric), group in groups.items())


def _plot(suite: str, metric: str, scores: list[Score], shown: Shown) -> ScorePlot:
    n = max(s.n for s in scores)
    title = f"{wording.metric_name(metric)}, {wording.suite_name(suite)}"
    share = wording.is_fraction(metric) and all(s.value is None or 0.0 <= s.value <= 1.0 for s in scores)
    ends = [e for s in scores for e in (s.value, *((s.interval.low, s.interval.high) if s.interval else ())) if e is not None]
    domain = (0.0, 1.0) if share or not ends else (min(0.0, *ends), max(*ends, 1e-9))
    axis = Axis(f"n = {n:,}", (lambda v: wording.percent(v, 0)) if share else wording.number)
    plot = charts.dot_plot(f"score-{suite}-{metric}".replace(" ", "-"), title, dots_of(scores), axis, domain)
    reasons = [f"{wording.candidate_name(s.candidate)}: {s.reason}" for s in scores if s.reason]
    return ScorePlot(title, plot, tuple(shown.text(r) for r in dict.fromkeys(reasons)))
