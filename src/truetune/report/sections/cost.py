"""7. What it cost: time by stage, and the plan held against what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from truetune.report import charts, wording
from truetune.report.bundle import ReportBundle
from truetune.report.charts import Bar
from truetune.report.sections.findings import FindingGroup, group_findings
from truetune.report.shown import Shown

_CLOSE = 1.25
"""Within a quarter the plan counts as right: a reader should look at what lies further off."""


@dataclass(frozen=True)
class Planned:
    """One quantity of the plan, and what it came to. `ratio` is in words; `off` where plan and fact lie far apart."""

    name: str
    planned: str
    actual: str
    ratio: str
    off: bool


@dataclass(frozen=True)
class CostView:
    """Time and memory, planned and actual."""

    total: str
    times: Markup | None
    reused: tuple[tuple[str, str], ...]
    planned: tuple[Planned, ...]
    derivations: tuple[tuple[str, str], ...]
    candidates: tuple[tuple[str, str], ...]
    findings: tuple[FindingGroup, ...]


def view(bundle: ReportBundle, shown: Shown) -> CostView:
    """The cost so far."""
    timed = [(t.stage, t.seconds) for t in bundle.times if t.seconds is not None]
    total = sum(seconds for _, seconds in timed)
    rows = [Bar(wording.sentence(stage), s, f"{wording.duration(s)}  ({_share(s, total)})") for stage, s in timed]
    candidates = bundle.evaluation.candidates if bundle.evaluation else ()
    return CostView(
        total=wording.duration(total) if timed else "",
        times=charts.bars("stage-times", "Time by stage", rows, "Seconds by stage") if rows else None,
        reused=tuple((wording.sentence(t.stage), shown.text(t.reused_from)) for t in bundle.times if t.reused_from),
        planned=_planned(bundle),
        derivations=_derivations(bundle, shown),
        candidates=tuple((wording.candidate_name(c.name), wording.duration(c.seconds)) for c in candidates if c.seconds),
        findings=group_findings(bundle, bundle.plan.findings, shown) if bundle.plan else (),
    )


def _share(seconds: float, total: float) -> str:
    share = seconds / total if total else 0.0
    return f"under 1{wording.THIN}%" if 0 < share < 0.01 else wording.percent(share, 0)


def _planned(bundle: ReportBundle) -> tuple[Planned, ...]:
    plan, train = bundle.plan, bundle.train
    if plan is None:
        return ()
    return (
        _pair("Training time", plan.train_s, train.wall_s if train else None, wording.duration),
        _pair("Peak memory", plan.memory_bytes, train.peak_memory_bytes if train else None, wording.size),
        _pair("Steps", plan.steps, train.steps if train else None, wording.number),
        _pair("Tokens", plan.tokens, train.tokens_seen if train else None, wording.number),
    )


def _pair(name: str, planned: float, actual: float | None, write: Callable[[float], str]) -> Planned:
    if actual is None:
        return Planned(name, write(planned), "not run", "–", off=False)
    if planned <= 0 or actual <= 0:
        return Planned(name, write(planned), write(actual), "–", off=False)
    ratio = actual / planned
    off = max(ratio, 1 / ratio) > _CLOSE
    return Planned(name, write(planned), write(actual), f"{ratio:.2f} × the plan", off)


def _derivations(bundle: ReportBundle, shown: Shown) -> tuple[tuple[str, str], ...]:
    plan = bundle.plan
    if plan is None:
        return ()
    parts = ", ".join(f"{wording.sentence(k).lower()} {wording.size(v)}" for k, v in plan.memory_parts_bytes.items())
    money = f"${plan.cost_usd:,.2f}" if plan.cost_usd is not None else "not measured"
    rate = f"{wording.number(plan.achieved_flops_per_s)} a second ({shown.text(plan.achieved_source)})"
    return (
        ("Method", shown.text(f"{plan.method}: {' '.join(plan.method_reasons)}")),
        ("Compute", f"{wording.number(plan.flops)} FLOPs at {rate}"),
        ("Memory", parts or "no parts given"),
        ("Disk", wording.size(plan.disk_bytes)),
        ("Money", shown.text(f"{money} ({plan.cost_source})")),
    )
