"""`truetune report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from truetune.cli.session import JSON, PROJECT, session

if TYPE_CHECKING:
    from truetune.evidence.run_folder import RunFolder
    from truetune.project.project import Project


def report(
    run: str = typer.Argument("latest", help="A run's id, the beginning of one, or `latest`."),
    project: Path = PROJECT,
    as_json: bool = JSON,
) -> None:
    """Write report.html of a run again, from its records; a run that stopped half-way has one too.

    Example:  truetune report latest
    """
    with session(as_json) as current:
        from truetune import loop, wiring
        from truetune.cli.project import load_project
        from truetune.core.records import Artifact
        from truetune.evidence.digests import file_digest

        loaded = load_project(project)
        folder = loop.run_folder(loaded, loaded.find_run(run), wiring.clock())
        path = write_report(loaded, folder)
        if as_json:
            typer.echo(Artifact(path=str(path), digest=file_digest(path), size_bytes=path.stat().st_size).model_dump_json())
        current.console.print(f"report    {path}")


def write_report(project: Project, run: RunFolder) -> Path:
    """Render the run's records, and how often its test has been looked at until now, into its `report.html`."""
    from truetune import loop, wiring
    from truetune.core.records import DataRecord
    from truetune.evidence import atomic
    from truetune.report.load import load_bundle
    from truetune.report.render import render

    path = run.path / "report.html"
    data = run.read_record("data", DataRecord)
    looked = loop.frozen_test(project, run.clock).info(data.splits["test"].digest) if data else None
    atomic.write_text(path, render(load_bundle(run, looked), wiring.name_finder(project.config.data.pii_names)))
    return path
