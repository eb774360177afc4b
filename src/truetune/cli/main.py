"""The command line: each command is one file, and none of them imports anything heavy until it runs."""

from __future__ import annotations

import typer

from truetune.cli import (
    check,
    compare,
    data,
    demo,
    doctor,
    init,
    report,
    run,
    stage,
    verify,
)

app = typer.Typer(
    name="truetune",
    help="From raw data to a defensible release decision for a fine-tuned language model.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("init")(init.init)
app.command("run")(run.run)
app.command("check")(check.check)
app.command("doctor")(doctor.doctor)
app.add_typer(data.app, name="data")
app.command("plan")(stage.plan)
app.command("train")(stage.train)
app.command("diagnose")(stage.diagnose)
app.command("evaluate")(stage.evaluate)
app.command("compare")(compare.compare)
app.command("verify")(verify.verify)
app.command("report")(report.report)
app.command("demo")(demo.demo)


def _version(wanted: bool) -> None:
    if wanted:
        from truetune import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version and exit."),
) -> None:
    """From raw data to a defensible release decision for a fine-tuned language model.

    A first run:  truetune init my-project --data tickets.jsonl && cd my-project && truetune run

    Exit codes: 0 passed, 1 a gate failed, 2 usage or config, 3 environment, 4 not measured, 70 a bug of ours, 130 interrupted.
    """
