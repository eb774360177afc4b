"""`truetune data show`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from truetune.cli.looks import count_look
from truetune.cli.session import JSON, PROJECT, session

if TYPE_CHECKING:
    from truetune.core.records import DataRecord, ShownRow
    from truetune.evidence.run_folder import RunFolder
    from truetune.project.project import Project
    from truetune.stages.data.inspection.show import FoundRow

_GUTTER = {True: "trained │ ", False: "        │ "}
_BETWEEN = "¦"
_NEWLINE = "↵"
_REST_OF_CHARACTER = "⋯"


def show(
    row: str = typer.Argument(help="FILE:LINE, or the id of a row in the newest run (the beginning is enough)."),
    model: str | None = typer.Option(None, "--model", help="Whose tokenizer and template (default: the project's base model)."),
    project: Path = PROJECT,
    as_json: bool = JSON,
) -> None:
    """Show a row token by token as it is trained on: what is learned, what is only read.

    Example:  truetune data show data/tickets.jsonl:3
    """
    with session(as_json) as current:
        from truetune import wiring
        from truetune.cli.progress import SilentProgress
        from truetune.cli.project import load_project
        from truetune.stages.data.inspection.show import show as shown_row

        place = _place(row)
        loaded = None if place and model else load_project(project)
        found = _from_file(*place, loaded) if place else _from_run(row, loaded or load_project(project))
        if place:
            count_look(project, "data show", [found.messages])
        name, revision, max_length = model or "", None, None
        if loaded is not None:
            max_length = loaded.config.train.max_length
            if model is None:
                name, revision = loaded.config.base.model, loaded.config.base.revision
        record = shown_row(found, wiring.chat_tokenizer(name, revision, SilentProgress()), name, max_length)
        current.document(record)
        for line in lines(record, current.console.width):
            current.console.print(line)


def _place(row: str) -> tuple[str, int] | None:
    """The file and line that are meant; None where it is an id."""
    name, _, line = row.rpartition(":")
    return (name, int(line)) if name and line.isascii() and line.isdigit() else None


def _from_file(name: str, line: int, project: Project | None) -> FoundRow:
    from truetune.cli.progress import SilentProgress
    from truetune.stages.data.inspection.show import row_at

    if project is None:
        return row_at(Path(name), name, line, None, SilentProgress())
    # A finding names a file as the project does, from wherever in it the command is called.
    path = Path(name) if Path(name).exists() else project.resolve_data_path(name)
    return row_at(path, name, line, project.config.data.format, SilentProgress())


def _from_run(name: str, project: Project) -> FoundRow:
    """The row in the newest run that has data.

    Raises:
        UsageError: no run has, or no such row.
    """
    from truetune import loop, wiring
    from truetune.stages.data.inspection.show import row_called

    run, data = newest_data(project)
    found = row_called(name, data, run.store)
    if found.split == "test":
        loop.frozen_test(project, wiring.clock()).look("data show", run.run_id, data.splits["test"].digest)
    return found


def newest_data(project: Project) -> tuple[RunFolder, DataRecord]:
    """The newest run that has data, and its record.

    Raises:
        UsageError: no run has.
    """
    from truetune import loop, wiring
    from truetune.core.errors import UsageError
    from truetune.core.records import DataRecord

    for run_id in reversed(project.run_ids()):
        folder = loop.run_folder(project, run_id, wiring.clock())
        data = folder.read_record("data", DataRecord)
        if data is not None:
            return folder, data
    raise UsageError("usage.no_runs", "this project has no run with data yet", fix="truetune data, or name a row as FILE:LINE")


def lines(record: ShownRow, width: int) -> Iterator[str]:
    """The row as text: how much of it is trained, then its tokens, those that are trained marked at the side of the line."""
    trained, tokens = sum(record.trained), len(record.tokens)
    called = f" ({record.row_id}, {record.split})" if record.row_id else ""
    yield f"row       {record.row.file}:{record.row.line}{called}"
    yield f"tokens    {tokens}, of which {trained} are trained; the others are only read"
    if record.max_length_tokens is not None and tokens > record.max_length_tokens:
        yield f"too long  {tokens - record.max_length_tokens} tokens more than train.max_length ({record.max_length_tokens})"
    yield f"model     {record.model}"
    for is_trained, line in _wrapped(record, max(20, width - len(_GUTTER[True]))):
        yield f"{_GUTTER[is_trained]}{line}"


def _wrapped(record: ShownRow, room: int) -> Iterator[tuple[bool, str]]:
    """Lines of tokens: a new one where training begins or ends, after a line break of the row, and where the room ends."""
    from rich.cells import cell_len

    from truetune.cli.findings import printable

    line: list[str] = []
    used, state = 0, False
    for token, is_trained in zip(record.tokens, record.trained, strict=True):
        shown = printable(token.replace("\n", _NEWLINE)) or _REST_OF_CHARACTER
        size = cell_len(shown) + len(_BETWEEN)
        if line and (is_trained != state or used + size > room or line[-1].endswith(_NEWLINE)):
            yield state, _BETWEEN.join(line)
            line, used = [], 0
        line.append(shown)
        used, state = used + size, is_trained
    if line:
        yield state, _BETWEEN.join(line)
