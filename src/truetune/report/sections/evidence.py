"""8. The evidence: every digest, version and seed, and the commands that check them."""

from __future__ import annotations

from dataclasses import dataclass

from truetune.core.records import BaseRecord, DataRecord, Environment, EvaluationRecord, Licence, TrainRecord
from truetune.core.units import plural
from truetune.report import wording
from truetune.report.bundle import ReportBundle
from truetune.report.sections.findings import FindingGroup, group_findings
from truetune.report.shown import Shown

Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class EvidenceView:
    """What the verdict rests on."""

    commands: tuple[tuple[str, str], ...]
    digests: Rows
    model: Rows
    environment: Rows
    packages: Rows
    settings: Rows
    risks: tuple[str, ...]
    findings: tuple[FindingGroup, ...]


def view(bundle: ReportBundle, shown: Shown) -> EvidenceView:
    """The evidence of the stages that have run."""
    doctor, base = bundle.doctor, bundle.base
    findings = (*(doctor.findings if doctor else ()), *(base.findings if base else ()))
    run = shown.text(bundle.run_id)
    return EvidenceView(
        commands=(
            (f"truetune verify {run}", "re-derives every digest below and names the first that does not match"),
            (f"truetune compare OTHER {run}", "what changed between two runs, and whether the difference is real"),
        ),
        digests=tuple((shown.text(name), digest) for name, digest in _digests(bundle) if digest),
        model=_model(base, shown) if base else (),
        environment=_environment(doctor.environment, doctor.precision, doctor.precision_reason) if doctor else (),
        packages=tuple((k, v or "not installed") for k, v in sorted(_packages(bundle).items())),
        settings=tuple((name, shown.text(value)) for name, value in _settings(bundle)),
        risks=tuple(shown.text(r) for r in base.known_risks) if base else (),
        findings=group_findings(bundle, findings, shown),
    )


def _digests(bundle: ReportBundle) -> list[tuple[str, str | None]]:
    rows: list[tuple[str, str | None]] = []
    rows += _base_digests(bundle.base) if bundle.base else []
    rows += _data_digests(bundle.data) if bundle.data else []
    rows += _train_digests(bundle.train) if bundle.train else []
    rows += _evaluation_digests(bundle.evaluation) if bundle.evaluation else []
    return [*rows, (f"Ledger head, {plural(bundle.ledger_entries, 'entry', 'entries')}", bundle.ledger_head)]


def _base_digests(base: BaseRecord) -> list[tuple[str, str | None]]:
    return [("Base weights", base.weights.digest), ("Tokenizer", base.tokenizer_digest), ("Chat template", base.template_digest)]


def _data_digests(data: DataRecord) -> list[tuple[str, str | None]]:
    files = [(f"Source {f.path}", f.digest) for f in (*data.sources, *data.held_out)]
    splits = [(f"Split {name}, {plural(s.rows, 'row')}", s.digest) for name, s in data.splits.items()]
    return [*files, ("Curated data", data.curated.digest), *splits]


def _train_digests(train: TrainRecord) -> list[tuple[str, str | None]]:
    return [
        ("Adapter", train.adapter.digest),
        ("Training metrics", train.metrics.digest),
        ("Order of the data", train.data_order_digest),
    ]


def _evaluation_digests(evaluation: EvaluationRecord) -> list[tuple[str, str | None]]:
    suites = [(f"Suite {wording.suite_name(s.name)}, {plural(s.n, 'item')}", s.items.digest) for s in evaluation.suites]
    candidates = [(f"Candidate {wording.candidate_name(c.name).lower()}", c.digest) for c in evaluation.candidates]
    choices = evaluation.choices.digest if evaluation.choices else None
    return [*suites, *candidates, ("Outputs", evaluation.generations.digest), ("Choices", choices)]


def _model(base: BaseRecord, shown: Shown) -> Rows:
    return (
        ("Base model", shown.text(base.model)),
        ("Revision", shown.text(base.revision)),
        ("Architecture", shown.text(base.architecture)),
        ("Parameters", f"{base.parameters:,}"),
        ("Context length", plural(base.context_length_tokens, "token")),
        ("Intended use", shown.text(base.intended_use)),
        ("Licence", shown.text(_licence(base.licence))),
        ("Commercial use", _allowed(base.licence.commercial_use)),
        ("Redistribution", _allowed(base.licence.redistribution)),
    )


def _licence(licence: Licence) -> str:
    name = licence.spdx or (f"not an SPDX licence: {licence.raw}" if licence.raw else "none found")
    return f"{name} (read from {licence.source})"


def _allowed(answer: bool | None) -> str:
    return {True: "allowed", False: "not allowed", None: "not known"}[answer]


def _environment(machine: Environment, precision: str, reason: str) -> Rows:
    gpus = ", ".join(f"{g.name} ({wording.size(g.memory_bytes)}, driver {g.driver})" for g in machine.gpus)
    return (
        ("Python", machine.python),
        ("Platform", machine.platform),
        ("Processor", f"{machine.cpu}, {plural(machine.cores, 'core')}"),
        ("Memory", f"{wording.size(machine.memory_bytes)}, {wording.size(machine.memory_available_bytes)} free at the start"),
        ("Disk free", wording.size(machine.disk_free_bytes)),
        ("Accelerators", gpus or "none"),
        ("Precision", f"{precision}: {reason}"),
        ("Hub", "offline" if machine.hub_offline else "online"),
    )


def _packages(bundle: ReportBundle) -> dict[str, str | None]:
    """The machine's packages, with the trainer's own word where it has one."""
    packages: dict[str, str | None] = dict(bundle.doctor.environment.packages) if bundle.doctor else {}
    return packages | (dict(bundle.train.versions) if bundle.train else {})


def _settings(bundle: ReportBundle) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    if bundle.train:
        rows.append(("Seed of training", str(bundle.train.seed)))
    if bundle.evaluation:
        rows.append(("Seed of evaluation", str(bundle.evaluation.seed)))
        rows += [(f"Decoding: {k.replace('_', ' ')}", str(v)) for k, v in bundle.evaluation.decoding.items()]
        shots = next((c.few_shot_rows for c in bundle.evaluation.candidates if c.few_shot_rows), ())
        if shots:
            rows.append(("Few-shot examples", ", ".join(shots)))
    return rows
