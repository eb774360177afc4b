"""`truetune data`: the stage by itself, and what people do with what it found."""

from __future__ import annotations

from pathlib import Path

import typer

from truetune.cli import data_curate, data_diff, data_reseal, data_show, data_spotcheck
from truetune.cli.session import JSON, PROJECT

app = typer.Typer(no_args_is_help=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def data(context: typer.Context, project: Path = PROJECT, as_json: bool = JSON) -> None:
    """Check, curate, split and freeze the project's data; or, with a command, work on what was found.

    Example:  truetune data --json | jq .stats
    """
    if context.invoked_subcommand is None:
        from truetune.cli.stage import until

        until("data", project, as_json)
    else:
        # What is said before the command counts for the command.
        context.default_map = {context.invoked_subcommand: {"project": project, "as_json": as_json}}


app.command("curate")(data_curate.curate)
app.command("diff")(data_diff.diff)
app.command("show")(data_show.show)
app.command("reseal")(data_reseal.reseal)
app.command("spotcheck")(data_spotcheck.spotcheck)
