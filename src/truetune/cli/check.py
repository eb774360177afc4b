"""`truetune check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import typer

from truetune.cli.session import JSON, session

if TYPE_CHECKING:
    from truetune.core.records import DataFormat


def check(
    files: list[Path] = typer.Argument(help="JSONL, JSON, CSV or Parquet files of training data."),
    against: list[Path] = typer.Option([], "--against", help="Held-out files that must not leak into FILE."),
    format_: str | None = typer.Option(
        None, "--format", help="messages, alpaca, prompt_completion or preference (default: detected)."
    ),
    as_json: bool = JSON,
) -> None:
    """Run the data gate on any file. Needs no project, no model, no torch.

    Example:  truetune check train.jsonl --against test.jsonl
    """
    with session(as_json) as current:
        from truetune.cli import render
        from truetune.cli.progress import SilentProgress
        from truetune.cli.session import GATE_EXIT
        from truetune.stages.data.check import run_check

        report = run_check(files, against, data_format(format_), progress=SilentProgress())
        current.document(report)
        render.findings(current.console, report.findings)
        counts = ", ".join(f"{n} {code}" for code, n in sorted(report.stats.findings_by_code.items())) or "nothing found"
        rows = f"{report.stats.rows} rows, about {report.stats.effective_unique} really different"
        current.console.print(f"check     {report.gate}: {rows}; {counts}")
        raise typer.Exit(GATE_EXIT[report.gate])


def data_format(name: str | None) -> DataFormat | None:
    """The format that the user named, or None for "find out".

    Raises:
        UsageError: no such format.
    """
    from truetune.core.errors import UsageError
    from truetune.core.records import DataFormat

    if name is None:
        return None
    for known in get_args(DataFormat):
        if name == known:
            return cast("DataFormat", known)
    raise UsageError("usage.unknown_format", f"there is no format {name!r}", fix=f"use one of: {', '.join(get_args(DataFormat))}")
