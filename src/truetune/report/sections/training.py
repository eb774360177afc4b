"""6. Training: the curves, what they say in words, and one example exactly as it was trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from truetune.core.records import StepMetrics, TokenView, TrainRecord
from truetune.core.units import plural
from truetune.report import charts, wording
from truetune.report.bundle import ReportBundle
from truetune.report.charts import Axis, Point, Series
from truetune.report.sections.findings import FindingGroup, group_findings
from truetune.report.shown import Shown

_WRITE: dict[str, Callable[[float], str]] = {"lr": wording.scientific}


@dataclass(frozen=True)
class Token:
    """One token's text with white space made visible, and whether its loss counts. `breaks` ends the line after it."""

    text: str
    trained: bool
    breaks: bool


@dataclass(frozen=True)
class TokenExample:
    """One example token by token."""

    place: str
    tokens: tuple[Token, ...]
    total: int
    trained: int
    left_out: int


@dataclass(frozen=True)
class Curve:
    """A chart and the legend of its lines."""

    title: str
    plot: Markup
    legend: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True)
class TrainingView:
    """What happened while training; `facts` is empty where training has not finished."""

    ran: bool
    facts: tuple[tuple[str, str, str], ...]
    curves: tuple[Curve, ...]
    diagnosis: str
    gate: str
    findings: tuple[FindingGroup, ...]
    hyperparameters: tuple[tuple[str, str], ...]
    examples: tuple[TokenExample, ...]


def view(bundle: ReportBundle, shown: Shown) -> TrainingView:
    """The training; an unfinished one shows the steps it came to, and the examples are there as soon as the data is."""
    train, diagnosis = bundle.train, bundle.diagnosis
    return TrainingView(
        ran=train is not None,
        facts=_facts(train) if train else (),
        curves=_curves(bundle.metrics),
        diagnosis=shown.text(diagnosis.summary) if diagnosis else "",
        gate=diagnosis.gate if diagnosis else "not_run",
        findings=group_findings(bundle, diagnosis.findings, shown) if diagnosis else (),
        hyperparameters=tuple((k, shown.text(str(v))) for k, v in train.hyperparameters.items()) if train else (),
        examples=tuple(_example(v, shown) for v in (bundle.data.token_views if bundle.data else ())[:3]),
    )


def _facts(train: TrainRecord) -> tuple[tuple[str, str, str], ...]:
    resumed = f", resumed at step {train.resumed_from_step}" if train.resumed_from_step is not None else ""
    return (
        ("steps", f"{train.steps:,}", f"{train.epochs:g} epochs of {plural(train.examples, 'example')}{resumed}"),
        ("tokens trained", f"{train.trained_tokens:,}", f"of {train.tokens_seen:,} seen"),
        ("tokens a second", wording.number(train.tokens_per_s), f"{wording.duration(train.wall_s)} in all"),
        ("peak memory", wording.size(train.peak_memory_bytes), f"by {train.trainer}"),
    )


def _curves(metrics: tuple[StepMetrics, ...]) -> tuple[Curve, ...]:
    train = [m for m in metrics if m.kind == "train"]
    validation = [m for m in metrics if m.kind == "validation"]
    loss = (
        Series("training", _points(train, lambda m: m.loss)),
        Series("validation", _points(validation, lambda m: m.loss), "dots"),
    )
    wanted: list[tuple[str, str, tuple[Series, ...], str]] = [
        ("Loss", "loss, nats per trained token", loss, "loss"),
        ("Learning rate", "learning rate", (Series("learning rate", _points(train, lambda m: m.learning_rate)),), "lr"),
        ("Gradient norm", "gradient norm", (Series("gradient norm", _points(train, lambda m: m.grad_norm)),), "grad"),
        (
            "Memory",
            "memory, GB",
            (Series("memory", _points(train, lambda m: m.memory_bytes and m.memory_bytes / 1e9)),),
            "memory",
        ),
    ]
    drawn = [(t, y, tuple(s for s in series if s.points), key) for t, y, series, key in wanted]
    return tuple(
        Curve(
            title,
            charts.line_chart(f"curve-{key}", f"{title} by step", series, Axis("step"), Axis(y, _WRITE.get(key, wording.number))),
            tuple((i, s.name, s.style) for i, s in enumerate(series)) if len(series) > 1 else (),
        )
        for title, y, series, key in drawn
        if series
    )


def _points(metrics: list[StepMetrics], value: Callable[[StepMetrics], float | None]) -> tuple[Point, ...]:
    pairs = [(float(m.step), value(m)) for m in metrics]
    return tuple((step, float(v)) for step, v in pairs if v is not None)


def _example(view_: TokenView, shown: Shown) -> TokenExample:
    """The tokens around the answer: where there are too many, the untrained ones at the start are left out first."""
    total = len(view_.tokens)
    first = max(0, total - shown.limits.tokens)
    place = (view_.row.file, view_.row.line)
    tokens = _tokens(view_.tokens[first:], view_.trained[first:], shown, place)
    return TokenExample(shown.text(f"{place[0]}:{place[1]}"), tokens, total, sum(view_.trained), first)


def _tokens(texts: tuple[str, ...], trained: tuple[bool, ...], shown: Shown, place: tuple[str, int]) -> tuple[Token, ...]:
    """Token by token; where the whole text holds personal data, the tokens that make it up are hidden with it."""
    hidden = shown.hidden_pieces(texts, place)
    return tuple(
        Token("•••" if hide else visible(text), counts, text.endswith("\n"))
        for text, counts, hide in zip(texts, trained, hidden, strict=True)
    )


def visible(token: str) -> str:
    """A token's text with its line ends shown."""
    return token.replace("\n", "↵").replace("\t", "⇥")
