"""`truetune data curate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from truetune.cli.looks import count_look
from truetune.cli.session import JSON, session

if TYPE_CHECKING:
    from truetune.core.records import CurationRecord
    from truetune.stages.data.curation.curate import Request


def curate(
    files: list[Path] = typer.Argument(None, help="JSONL, JSON, CSV or Parquet files (default: those of the project)."),
    against: list[Path] = typer.Option([], "--against", help="Held-out files that must not leak into FILE."),
    config: Path | None = typer.Option(
        None, "--config", "-C", help="A truetune.yaml, or a project's folder, whose `data:` says what to do."
    ),
    out: Path | None = typer.Option(None, "--out", help="The folder of versions (default: curated, in the project or here)."),
    as_json: bool = JSON,
) -> None:
    """Apply the policies: write what stays, what goes and why, and the difference, as a new version. Your files are only read.

    Example:  truetune data curate tickets.jsonl --against test.jsonl --out curated
    """
    with session(as_json) as current:
        from truetune.cli.progress import SilentProgress
        from truetune.cli.session import GATE_EXIT
        from truetune.stages.data.curation.curate import curate as curate_files
        from truetune.wiring import name_finder, row_engine

        request = _request(files or [], against, config, out)
        curated = curate_files(
            request, SilentProgress(), row_engine(request.config.engine), name_finder(request.config.pii_names)
        )
        # What is left out stands in changes.md with its words.
        count_look(config if config and config.is_dir() else Path(), "data curate", curated.read)
        current.document(curated.record)
        for line in _lines(curated.record, is_new=curated.is_new):
            current.console.print(line)
        raise typer.Exit(GATE_EXIT[curated.record.gate])


def _request(files: list[Path], against: list[Path], config: Path | None, out: Path | None) -> Request:
    """Named files by the config's rules; without files, everything that the project's config and contract name.

    Raises:
        UsageError: neither files nor a project.
        ConfigError: the config does not say something that can be done.
    """
    from truetune.cli.check import settings
    from truetune.cli.project import load_project, with_full_path
    from truetune.stages.data.curation.curate import Request

    if files:
        named = [(path, str(path)) for path in dict.fromkeys(files)]
        return Request(named, [(path, str(path)) for path in against], settings(config), out or Path("curated"))
    project = load_project(config or Path())
    held_out = [name for name in (project.contract.frozen_test_set, project.contract.gold_set) if name]
    return Request(
        [(project.resolve_data_path(name), name) for name in dict.fromkeys(project.config.data.sources)],
        [*((project.resolve_data_path(name), name) for name in held_out), *((path, str(path)) for path in against)],
        with_full_path(project.config.data, project.root),
        out or project.root / "curated",
    )


def _lines(record: CurationRecord, *, is_new: bool) -> list[str]:
    stats = record.stats
    left = ", ".join(f"{count} {code}" for code, count in stats.dropped_by_code.items()) or "none"
    lines = [
        f"curate    {record.gate.replace('_', ' ')}: {record.gate_reason}",
        f"left out  {stats.dropped - stats.quarantined}, put aside {stats.quarantined}: {left}",
    ]
    if is_new:
        return [*lines, *(f"wrote     {record.version}/{artifact.path}" for artifact in record.files.files)]
    return [*lines, f"unchanged {record.version} holds this already"]
