"""4. What the gain cost elsewhere: general knowledge, variety, confusion, and how far copies of the model drifted."""

from __future__ import annotations

from dataclasses import dataclass

from truetune.core.records import DiversityResult, DriftResult
from truetune.core.units import plural
from truetune.report import wording
from truetune.report.bundle import Output, ReportBundle
from truetune.report.sections.changes import TUNED, ComparisonRow, comparison_row
from truetune.report.sections.findings import FindingGroup, group_findings
from truetune.report.sections.scores import ON_TASK, ScorePlot, score_plots
from truetune.report.shown import Shown


@dataclass(frozen=True)
class DriftRow:
    """How far one candidate is from another when both are fed the same tokens."""

    name: str
    kl: str
    max_abs_logit: str
    top1: str
    flips: str
    probed: str
    state: str
    word: str
    note: str


@dataclass(frozen=True)
class DiversityRow:
    """How varied one candidate's off-task outputs are."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class OffTask:
    """An off-task prompt, and what the base and the tuned model said."""

    prompt: str
    base: str
    tuned: str


@dataclass(frozen=True)
class ElsewhereView:
    """All that is measured away from the task."""

    plots: tuple[ScorePlot, ...]
    comparisons: tuple[ComparisonRow, ...]
    diversity: tuple[DiversityRow, ...]
    drift: tuple[DriftRow, ...]
    off_task: tuple[OffTask, ...]
    off_task_total: int
    findings: tuple[FindingGroup, ...]


def view(bundle: ReportBundle, shown: Shown) -> ElsewhereView | None:
    """The side effects, or None where nothing was evaluated."""
    evaluation = bundle.evaluation
    if evaluation is None:
        return None
    pairs = _off_task(bundle.outputs)
    return ElsewhereView(
        plots=score_plots([s for s in evaluation.scores if s.suite not in ON_TASK], shown),
        comparisons=tuple(comparison_row(c, bundle) for c in evaluation.comparisons if c.suite not in ON_TASK),
        diversity=tuple(_diversity(d) for d in evaluation.diversity),
        drift=tuple(_drift(d, shown) for d in evaluation.drift),
        off_task=tuple(
            OffTask(shown.text(p), shown.words(b, limit=500), shown.words(t, limit=500))
            for p, b, t in pairs[: shown.limits.groups]
        ),
        off_task_total=len(pairs),
        findings=group_findings(bundle, evaluation.findings, shown),
    )


def _diversity(result: DiversityResult) -> DiversityRow:
    cells = (
        f"{result.outputs:,}",
        f"{result.compression_ratio:.2f}",
        wording.percent(result.distinct_2),
        wording.percent(result.self_repetition_4),
        wording.percent(result.commonest_opening_frac),
        f"{result.duplicate_outputs:,}",
        f"{result.never_ended:,}",
    )
    return DiversityRow(wording.candidate_name(result.candidate), cells)


def _drift(result: DriftResult, shown: Shown) -> DriftRow:
    state, word = {True: ("met", "within tolerance"), False: ("broken", "beyond tolerance"), None: ("info", "no tolerance set")}[
        result.within_tolerance
    ]
    return DriftRow(
        name=f"{wording.candidate_name(result.reference)} → {wording.candidate_name(result.candidate)}",
        kl=wording.number(result.mean_kl_nats),
        max_abs_logit=wording.number(result.max_abs_logit),
        top1=wording.percent(result.top1_agreement, 2),
        flips="not measured" if result.greedy_flips is None else f"{result.greedy_flips:,}",
        probed=f"{plural(result.prompts, 'prompt')}, {plural(result.tokens, 'token')}",
        state=state,
        word=word,
        note=shown.text(result.note),
    )


def _off_task(outputs: tuple[Output, ...]) -> list[tuple[str, str, str]]:
    """Prompt, base's words and tuned's words for each off-task item; the pairs that changed most first."""
    items: dict[str, dict[str, Output]] = {}
    for output in outputs:
        if output.suite not in ON_TASK and output.candidate in ("base_model", TUNED):
            items.setdefault(f"{output.suite}/{output.item_id}", {})[output.candidate] = output
    whole = [(o["base_model"], o[TUNED]) for o in items.values() if len(o) == 2]
    whole.sort(key=lambda pair: abs(len(pair[0].output) - len(pair[1].output)), reverse=True)
    return [(base.prompt, base.output, tuned.output) for base, tuned in whole]
