"""`truetune verify`."""

from __future__ import annotations

from pathlib import Path

import typer

from truetune.cli.session import JSON, PROJECT, session


def verify(
    run: str = typer.Argument("latest", help="A run's id, the beginning of one, or `latest`."),
    project: Path = PROJECT,
    as_json: bool = JSON,
) -> None:
    """Derive every digest of a run again and name the first that does not match.

    Example:  truetune verify latest
    """
    with session(as_json) as current:
        from truetune import loop, wiring
        from truetune.cli.progress import SilentProgress
        from truetune.cli.project import load_project
        from truetune.cli.session import GATE_EXIT
        from truetune.verify import verify as verify_run

        loaded = load_project(project)
        tools = wiring.tools(loaded.config.base.model)
        folder = loop.run_folder(loaded, loaded.find_run(run), tools.clock)
        base = loaded.config.base
        record = verify_run(loaded, folder, lambda: tools.sources.fetch(base.model, base.revision, SilentProgress()))
        current.document(record)
        for item in record.checks:
            if item.state != "passed":
                current.console.print(f"{item.name}: {item.state.replace('_', ' ')}: {item.detail}", style="bold red")
        for item in record.checks:
            if item.name == "frozen test" and item.state == "passed":
                current.console.print(f"test      {item.detail}")
        passed = sum(item.state == "passed" for item in record.checks)
        current.console.print(f"verify    {record.gate}: {passed} of {len(record.checks)} links of run {record.run_id} hold")
        if record.first_mismatch:
            current.console.print(f"          first mismatch: {record.first_mismatch}")
        raise typer.Exit(GATE_EXIT[record.gate])
