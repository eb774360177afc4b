"""The whole report as one value: every section's view, and what the page's head and table of contents need."""

from __future__ import annotations

from dataclasses import dataclass

from truetune import __version__
from truetune.core.ports import NameFinder
from truetune.report.bundle import ReportBundle
from truetune.report.sections import changes, cost, criteria, data, elsewhere, evidence, training, verdict
from truetune.report.shown import Limits, Shown


@dataclass(frozen=True)
class ReportView:
    """What the template shows, section by section; None is a section whose stage has not run."""

    run_id: str
    finished_at: str
    version: str
    notices: tuple[str, ...]
    verdict: verdict.VerdictView
    criteria: criteria.CriteriaView
    changes: changes.ChangesView | None
    elsewhere: elsewhere.ElsewhereView | None
    data: data.DataView | None
    training: training.TrainingView
    cost: cost.CostView
    evidence: evidence.EvidenceView


def report_view(bundle: ReportBundle, limits: Limits, names: NameFinder | None = None) -> ReportView:
    """Everything that is shown, with lists cut to the limits and personal data hidden."""
    shown = Shown(bundle, limits, names)
    return ReportView(
        run_id=shown.text(bundle.run_id),
        finished_at=bundle.finished_at.replace("T", " ").replace("Z", " UTC").replace("+00:00", " UTC"),
        version=__version__,
        notices=tuple(shown.text(n) for n in bundle.notices),
        verdict=verdict.view(bundle, shown),
        criteria=criteria.view(bundle, shown),
        changes=changes.view(bundle, shown),
        elsewhere=elsewhere.view(bundle, shown),
        data=data.view(bundle, shown),
        training=training.view(bundle, shown),
        cost=cost.view(bundle, shown),
        evidence=evidence.view(bundle, shown),
    )
