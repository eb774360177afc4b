"""`truetune compare`."""

from __future__ import annotations

from pathlib import Path

import typer

from truetune.cli.session import JSON, PROJECT, session


def compare(
    first: str = typer.Argument(help="A run's id, the beginning of one, or `latest`."),
    second: str = typer.Argument(help="The run to compare it with."),
    project: Path = PROJECT,
    as_json: bool = JSON,
) -> None:
    """Say what changed between two runs, what moved, and whether the difference is real.

    Example:  truetune compare 0001 0002
    """
    with session(as_json) as current:
        from truetune import loop, wiring
        from truetune.cli import render
        from truetune.cli.project import load_project
        from truetune.compare import compare as compare_runs

        loaded = load_project(project)
        clock = wiring.clock()
        runs = [loop.run_folder(loaded, loaded.find_run(name), clock) for name in (first, second)]
        record = compare_runs(*runs)
        current.document(record)
        render.comparison(current.console, record)
