"""Diagnose: what the curves of a training say, with the evidence and the next thing to try. A pure function of the records."""

from __future__ import annotations

from dataclasses import dataclass

from truetune.core.records import DataRecord, DiagnosisRecord, Finding, GateState, TrainRecord
from truetune.evidence.run_folder import RunFolder
from truetune.stages.diagnose import hard_rows, loss_exploded, loss_flat, loss_nan, mask_all_masked, overfit
from truetune.stages.diagnose.curves import MIN_STEPS, Curves, read_curves


@dataclass(frozen=True)
class Request:
    """The training to look at, and what is known of the rows that it saw; without that no row can be named."""

    train: TrainRecord
    data: DataRecord | None = None


@dataclass(frozen=True)
class Ports:
    """Nothing of the outside world is needed."""


def run(request: Request, ports: Ports, evidence: RunFolder) -> DiagnosisRecord:
    """Look for each known fault; the gate fails on any that makes the adapter useless.

    Raises:
        EvidenceError: the recorded metrics or the training rows are gone or cannot be read.
    """
    del ports
    curves = read_curves(evidence.store, request.train)
    findings = _findings(request.train, curves)
    if request.data is not None:
        hard = hard_rows.check(request.train, request.data, curves, evidence.store)
        findings = (*findings, hard) if hard is not None else findings
    gate = _gate(findings, curves)
    return DiagnosisRecord(gate=gate, findings=findings, summary=_summary(findings, curves))


def _findings(train: TrainRecord, curves: Curves) -> tuple[Finding, ...]:
    """One cause, one finding: a loss that is no number is not also flat, and an exploded one is not also overfit."""
    mask = mask_all_masked.check(train)
    loss = loss_nan.check(curves) or loss_exploded.check(curves) or loss_flat.check(curves) or overfit.check(curves)
    return tuple(finding for finding in (mask, loss) if finding is not None)


def _gate(findings: tuple[Finding, ...], curves: Curves) -> GateState:
    if any(finding.severity == "block" for finding in findings):
        return "failed"
    return "passed" if curves.judged else "not_measured"


def _summary(findings: tuple[Finding, ...], curves: Curves) -> str:
    if findings:
        first = min(findings, key=lambda f: f.severity != "block")
        return f"{first.message[0].upper()}{first.message[1:]}; next: {first.fix}."
    if not curves.judged:
        return f"{len(curves.train)} steps are too few to tell learning from noise (at least {MIN_STEPS})."
    start, end = curves.start().loss, curves.end().loss
    validation = [m.loss for m in curves.validation]
    beside = f", validation from {validation[0]:.3g} to {validation[-1]:.3g}" if len(validation) > 1 else ""
    return (
        f"The loss fell from {start:.3g} to {end:.3g} nats per trained token in {len(curves.train)} steps{beside}: as it should."
    )
