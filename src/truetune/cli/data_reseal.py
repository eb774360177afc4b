"""`truetune data reseal`."""

from __future__ import annotations

from pathlib import Path

import typer

from truetune.cli.run import finish, run_loop
from truetune.cli.session import JSON, PROJECT, session
from truetune.core.units import plural


def reseal(
    why: str = typer.Option(..., "--why", help="Why the frozen test is given up; it stands in the ledger of looks."),
    project: Path = PROJECT,
    as_json: bool = JSON,
) -> None:
    """Give up the frozen test on purpose, cut it anew from the rows as they are now, and seal that.

    Example:  truetune data reseal --why "40 test rows had wrong labels"
    """
    if not why.strip():
        raise typer.BadParameter("say why: the reason stays in the ledger of looks", param_hint="--why")
    with session(as_json) as current:
        from truetune import loop, wiring
        from truetune.cli.project import load_project

        broken = loop.frozen_test(load_project(project), wiring.clock()).break_seal(why)
        if broken is not None:
            current.console.print(f"seal      {plural(len(broken.rows), 'row')} of {broken.sealed_at[:10]} given up: {why}")
        result = run_loop(current, project, "data")
        raise typer.Exit(finish(current, result, "data"))
