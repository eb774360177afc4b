"""`truetune run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from truetune.cli.session import JSON, PROJECT, Session, session

if TYPE_CHECKING:
    from truetune.loop import LoopResult, StageName


def run(
    until: str = typer.Option("verdict", "--until", help="Stop after doctor, base, data, plan, train, diagnose or evaluate."),
    new: bool = typer.Option(False, "--new", help="Start a new run and repeat every stage."),
    project: Path = PROJECT,
    as_json: bool = JSON,
) -> None:
    """Take the project to a verdict. Killed? Run it again: it goes on where it was.

    Example:  truetune run --until data
    """
    with session(as_json) as current:
        result = run_loop(current, project, until, new=new)
        raise typer.Exit(finish(current, result, until))


def run_loop(current: Session, folder: Path, until: str, *, new: bool = False) -> LoopResult:
    """Load the project, choose the tools, run the loop with a line a stage, and write the report.

    Raises:
        UsageError: no such stage, or no project there.
        TruetuneError: whatever a stage raises.
    """
    from truetune import loop, wiring
    from truetune.cli.progress import TerminalReporter
    from truetune.cli.project import load_project
    from truetune.cli.report import write_report
    from truetune.cli.session import quiet_libraries

    stage = _stage_name(until)
    loaded = load_project(folder)
    tools = wiring.tools(loaded.config.base.model)
    reporter = TerminalReporter(current.console, tools.clock)
    try:
        with quiet_libraries(loaded.state_dir / "log"):
            result = loop.run(loaded, tools, reporter, until=stage, new=new)
    finally:
        reporter.close()
    if stage == "verdict":
        write_report(loaded, result.run)
    return result


def finish(current: Session, result: LoopResult, until: str) -> int:
    """Say how it ended; the exit code follows from the last record."""
    from truetune.cli import render
    from truetune.cli.findings import print_findings
    from truetune.cli.session import GATE_EXIT
    from truetune.core.records import VerdictRecord

    last = list(result.records.values())[-1]
    current.document(last)
    if isinstance(last, VerdictRecord):
        if result.seconds:
            parts = ", ".join(f"{name} {render.duration(seconds)}" for name, seconds in result.seconds.items())
            current.console.print(f"time      {render.duration(sum(result.seconds.values()))}: {parts}")
        render.verdict(current.console, last, str(result.run.path / "report.html"), result.run.run_id)
        return last.exit_code
    found = getattr(last, "findings", ())
    print_findings(current.console, found)
    current.console.print(f"record    {result.run.record_path(last_stage(result, until))}")
    return GATE_EXIT[getattr(last, "gate", "passed")]


def last_stage(result: LoopResult, until: str) -> str:
    """The last stage that has a record; an earlier one than asked for where a gate failed."""
    return until if until in result.records else list(result.records)[-1]


def _stage_name(until: str) -> StageName:
    from truetune.core.errors import UsageError
    from truetune.loop import STAGES

    for name in STAGES:
        if name == until:
            return name
    raise UsageError("usage.unknown_stage", f"there is no stage {until!r}", fix=f"use one of: {', '.join(STAGES)}")
