"""`truetune data diff`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from truetune.cli.looks import count_look
from truetune.cli.session import JSON, PROJECT, session
from truetune.core.units import plural

if TYPE_CHECKING:
    from rich.text import Text

    from truetune.core.config import DataConfig
    from truetune.core.records import DataDiff
    from truetune.stages.data.check import NamedFile
    from truetune.stages.data.inspection.diff import State

_SIGNS = {"removed": "-", "added": "+", "changed": "~"}


def diff(
    a: str = typer.Argument(help="A file, a curated version (or the folder of versions: its newest), or a run of the project."),
    b: str = typer.Argument(help="What to compare it with."),
    config: Path | None = typer.Option(
        None, "--config", "-C", help="A truetune.yaml, or a project's folder, whose `data:` says how to judge files."
    ),
    most: int = typer.Option(20, "--max-rows", min=0, help="Rows of a kind that are printed; 0 prints all."),
    project: Path = PROJECT,
    as_json: bool = JSON,
) -> None:
    """Say which rows came, went and changed between two states of the data, and what that did to the findings.

    Example:  truetune data diff tickets.jsonl curated
    """
    with session(as_json) as current:
        from truetune.cli.check import settings
        from truetune.stages.data.inspection.diff import diff as difference
        from truetune.wiring import name_finder

        judged_by = settings(config, None)
        names = name_finder(judged_by.pii_names)
        looked: set[str] = set()
        found = difference(_state(a, project, judged_by, looked), _state(b, project, judged_by, looked), names)
        # A run that is compared has counted its look; rows of files may be rows of the frozen test too.
        if not looked:
            count_look(project, "data diff", (row.messages for row in found.read))
        current.document(found.record)
        for line in lines(found.record, most):
            current.console.print(line)


def _state(name: str, project: Path, config: DataConfig, looked: set[str]) -> State:
    """What a name on the command line stands for: a version, a run, or a file; the tests of runs are put into `looked`.

    Raises:
        UsageError: a folder that is none of them, or no such run.
        DataError: the file cannot be read as data at all.
    """
    from truetune.core.errors import UsageError
    from truetune.core.text import file_name
    from truetune.stages.data.curation.curate import newest_version, read_version, version_files

    path = Path(name)
    if (path / "ledger.jsonl").is_file():
        # A run's folder says itself which project it is of.
        return _of_run(path.name, path.resolve().parent.parent, looked)
    if path.is_dir():
        folder = path if read_version(path) else newest_version(path)
        version = read_version(folder) if folder else None
        if folder is None or version is None:
            raise UsageError(
                "usage.no_version",
                f"{name} is a folder that holds no curated version",
                fix=f"name a file in it, a run, or a folder that `truetune data curate` has written: ls {name}",
                where=name,
            )
        return _of_files(str(folder), [(folder / f, f"{folder}/{f}") for f in version_files(version)], config)
    is_file = path.is_file() or path.suffix or len(path.parts) > 1
    return _of_files(file_name(path), [(path, file_name(path))], config) if is_file else _of_run(name, project, looked)


def _of_files(name: str, files: Sequence[NamedFile], config: DataConfig) -> State:
    from truetune.cli.progress import SilentProgress
    from truetune.stages.data.check import judge
    from truetune.stages.data.inspection.diff import State
    from truetune.stages.data.inspection.diff import of_rows as contents
    from truetune.wiring import readers, row_engine

    judged = judge(files, [], config, SilentProgress(), row_engine(config.engine), readers=readers(config))
    return State(name, contents(judged.corpus.rows), judged.stats.findings_by_code, judged.stats)


def _of_run(name: str, folder: Path, looked: set[str]) -> State:
    from truetune import loop, wiring
    from truetune.cli.project import load_project
    from truetune.core.errors import UsageError
    from truetune.core.records import DataRecord
    from truetune.stages.data.inspection.diff import State, of_curated

    project = load_project(folder)
    run = loop.run_folder(project, project.find_run(name), wiring.clock())
    data = run.read_record("data", DataRecord)
    if data is None:
        raise UsageError("usage.run_not_found", f"the run {run.run_id} has no data yet", fix="truetune data", where=str(run.path))
    # The rows of the frozen test are among those that may be printed.
    digest = data.splits["test"].digest
    if digest not in looked:
        loop.frozen_test(project, wiring.clock()).look("data diff", run.run_id, digest)
    looked.add(digest)
    return State(run.run_id, of_curated(data, run.store), data.stats.findings_by_code, data.stats)


def lines(record: DataDiff, most: int) -> Iterator[Text | str]:
    """The difference as text: the numbers, the findings, the rows."""
    from rich.text import Text

    from truetune.cli.findings import marked, printable

    counted = {kind: [c for c in record.changes if c.kind == kind] for kind in _SIGNS}
    yield f"a         {record.a}: {_numbers(record.stats_a.rows, record.stats_a.kept, record.stats_a.effective_unique)}"
    yield f"b         {record.b}: {_numbers(record.stats_b.rows, record.stats_b.kept, record.stats_b.effective_unique)}"
    yield (
        f"rows      {len(counted['added'])} added, {len(counted['removed'])} removed, {len(counted['changed'])} changed,"
        f" {record.unchanged} unchanged"
    )
    for code, (before, after) in record.findings.items():
        yield f"findings  {code}: {before} → {after} ({after - before:+d})"
    for kind, changes in counted.items():
        for change in changes[: most or len(changes)]:
            place = " → ".join(f"{ref.file}:{ref.line}" for ref in (change.a, change.b) if ref)
            yield f"{_SIGNS[kind]} {place}" + (f"  id {printable(change.id)}" if change.id else "")
            if kind == "changed":
                for text in marked(printable(change.before), printable(change.after)):
                    yield Text("    ").append_text(text)
            else:
                yield f"    {printable(change.before or change.after)}"
        if len(changes) > (most or len(changes)):
            yield f"… and {len(changes) - most} more {kind} (all of them: --max-rows 0)"


def _numbers(rows: int, kept: int, unique: int) -> str:
    return f"{plural(rows, 'row')}, {kept:,} kept, about {unique:,} really different"
