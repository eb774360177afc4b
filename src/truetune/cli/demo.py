"""`truetune demo`."""

from __future__ import annotations

from pathlib import Path

import typer

from truetune.cli.run import finish, run_loop
from truetune.cli.session import JSON, session


def demo(
    folder: Path = typer.Argument(Path("truetune-demo"), help="Where the example project goes; run it again to go on there."),
    as_json: bool = JSON,
) -> None:
    """Run the whole loop on the built-in example and the embedded model, to a verdict and a report.

    Example:  truetune demo my-demo
    """
    with session(as_json) as current:
        from truetune.scaffold import copy_example

        copy_example("support-triage", folder)
        result = run_loop(current, folder, "verdict")
        raise typer.Exit(finish(current, result, "verdict"))
