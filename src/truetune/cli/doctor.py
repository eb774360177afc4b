"""`truetune doctor`."""

from __future__ import annotations

from pathlib import Path

import typer

from truetune.cli.session import JSON, session


def doctor(
    folder: Path = typer.Option(Path(), "--project", "-p", help="The folder whose disk is looked at."), as_json: bool = JSON
) -> None:
    """Say whether this machine can do the run, and what to do where it cannot. Needs no project.

    Example:  truetune doctor
    """
    with session(as_json) as current:
        from truetune import wiring
        from truetune.cli import render
        from truetune.cli.findings import print_findings
        from truetune.cli.session import GATE_EXIT
        from truetune.stages.doctor import stage

        request = stage.Request(folder.resolve(), None, None, wiring.cache_dir())
        record = stage.run(request, stage.Ports(wiring.probe()), None)
        current.document(record)
        print_findings(current.console, record.findings)
        current.console.print(f"doctor    {record.gate}: {render.summary(record)}")
        current.console.print(f"          {record.precision_reason}")
        raise typer.Exit(GATE_EXIT[record.gate])
