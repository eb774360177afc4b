"""`truetune data curate`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from truetune.cli.looks import count_look
from truetune.cli.session import JSON, PROJECT, session
from truetune.core.units import plural

if TYPE_CHECKING:
    from truetune.core.config import Config
    from truetune.core.records import CurationRecord
    from truetune.stages.data.curation.curate import Request


def curate(
    files: list[Path] = typer.Argument(None, help="JSONL, JSON, CSV or Parquet files (default: those of the project)."),
    against: list[Path] = typer.Option([], "--against", help="Held-out files that must not leak into FILE."),
    config: Path | None = typer.Option(
        None, "--config", "-C", help="A truetune.yaml, or a project's folder, whose `data:` says what to do."
    ),
    out: Path | None = typer.Option(None, "--out", help="The folder of versions (default: curated, in the project or here)."),
    project: Path = PROJECT,
    as_json: bool = JSON,
) -> None:
    """Apply the policies: write what stays, what goes and why, and the difference, as a new version. Your files are only read.

    Example:  truetune data curate tickets.jsonl --against test.jsonl --out curated
    """
    with session(as_json) as current:
        from truetune.cli.progress import SilentProgress
        from truetune.cli.session import GATE_EXIT
        from truetune.stages.data.curation.curate import curate as curate_files
        from truetune.wiring import readers, row_engine

        request = _request(files or [], against, config or project, out, is_named=config is not None)
        curated = curate_files(request, SilentProgress(), row_engine(request.config.engine), readers(request.config))
        # What is left out stands in changes.md with its words.
        count_look(config if config and config.is_dir() else project, "data curate", curated.read)
        current.document(curated.record)
        for line in _lines(curated.record, is_new=curated.is_new):
            current.console.print(line)
        raise typer.Exit(GATE_EXIT[curated.record.gate])


def _request(files: list[Path], against: list[Path], config: Path, out: Path | None, *, is_named: bool) -> Request:
    """Named files by the config's rules where one `is_named`; without files, all that the project's config and contract name.

    Raises:
        UsageError: neither files nor a project.
        ConfigError: the config does not say something that can be done.
    """
    from truetune.cli.check import settings
    from truetune.cli.project import load_config, load_project, with_full_path
    from truetune.core.text import file_name
    from truetune.stages.data.curation.curate import Request

    if files:
        named = [(path, file_name(path)) for path in dict.fromkeys(files)]
        rules = settings(config if is_named else None)
        request = Request(named, [(path, file_name(path)) for path in against], rules, out or Path("curated"))
        return _with_window(request, load_config(config)) if is_named else request
    project = load_project(config)
    held_out = [name for name in (project.contract.frozen_test_set, project.contract.gold_set) if name]
    request = Request(
        [(project.resolve_data_path(name), name) for name in dict.fromkeys(project.config.data.sources)],
        [*((project.resolve_data_path(name), name) for name in held_out), *((path, file_name(path)) for path in against)],
        with_full_path(project.config.data, project.root),
        out or project.root / "curated",
    )
    return _with_window(request, project.config)


def _with_window(request: Request, config: Config) -> Request:
    """The same, with the tokenizer of the config's model where it is on this machine; nothing is downloaded for it."""
    from truetune import wiring
    from truetune.cli.progress import SilentProgress
    from truetune.core.errors import TruetuneError
    from truetune.stages.data.training_rows.over_length import Window

    model = config.base.model
    try:
        tokenizer = wiring.local_tokenizer(model, config.base.revision, SilentProgress())
        why = f"{model} is not on this machine (truetune run fetches it)"
    except TruetuneError as error:
        tokenizer, why = None, f"{model} has no tokenizer that can be used: {error.what}"
    window = Window(tokenizer, config.train.max_length) if tokenizer else None
    return replace(request, model=model, window=window, unmeasured=why)


def _lines(record: CurationRecord, *, is_new: bool) -> list[str]:
    stats = record.stats
    left = ", ".join(f"{count} {code}" for code, count in stats.dropped_by_code.items()) or "none"
    lines = [
        f"curate    {record.gate.replace('_', ' ')}: {record.gate_reason}",
        f"left out  {stats.dropped - stats.quarantined}, put aside {stats.quarantined}: {left}",
        f"too long  {record.over_length}" + (f": {plural(stats.tokens.rows_over_length, 'row')}" if stats.tokens else ""),
    ]
    if is_new:
        return [*lines, *(f"wrote     {record.version}/{artifact.path}" for artifact in record.files.files)]
    return [*lines, f"unchanged {record.version} holds this already"]
