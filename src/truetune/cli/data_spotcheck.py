"""`truetune data spotcheck`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from truetune.cli.looks import count_look
from truetune.cli.session import JSON, PROJECT, Session, session
from truetune.core.units import plural

if TYPE_CHECKING:
    from truetune.core.records import SpotCheckRecord, SpotVerdictName
    from truetune.evidence.run_folder import RunFolder
    from truetune.stages.data.inspection.spotcheck import Candidate, SpotCheck

Action = Literal["good", "bad", "unsure", "undo", "note", "quit"]
_KEYS: dict[str, Action] = {"g": "good", "b": "bad", "u": "unsure", "z": "undo", "n": "note", "q": "quit"}
_HELP = "g good   b bad   u unsure   z undo   n note   q quit"


def spotcheck(
    files: list[Path] = typer.Argument(None, help="Files to look into (default: what the newest run trains on)."),
    rows: int = typer.Option(100, "-n", "--rows", min=1, help="How many rows to look at; more later go on from there."),
    seed: int = typer.Option(17, "--seed", help="Decides which rows; the same seed asks for the same ones."),
    save: Path | None = typer.Option(None, "--save", help="Where verdicts are kept (default: by the contract, or here)."),
    answers: Path | None = typer.Option(
        None, "--answers", exists=True, dir_okay=False, help="Read answers from FILE, one a line, in place of the keyboard."
    ),
    project: Path = PROJECT,
    as_json: bool = JSON,
) -> None:
    """Look at a random sample and say of each row whether it is good: the error rate follows, with its interval. Resumes.

    Example:  truetune data spotcheck -n 100
    """
    with session(as_json) as current:
        from truetune import wiring
        from truetune.stages.data.inspection.spotcheck import SpotCheck, sample

        source, candidates, path, run = _of_files(files) if files else _of_run(project)
        chosen = sample(candidates, rows, seed)
        if files:
            count_look(project, "data spotcheck", (row.messages for row in chosen))
        check = SpotCheck(chosen, save or path, wiring.clock())
        with closing(_answers(answers)) as said:
            _ask(current, check, said)
        record = check.record(source, len(candidates), seed)
        if run is not None:
            _keep(record, run)
        current.document(record)
        for line in lines(record):
            current.console.print(line)
        raise typer.Exit(0 if record.interval else 4)


# --- what is looked at ----------------------------------------------------------------------------------------------


def _of_files(files: list[Path]) -> tuple[str, list[Candidate], Path, RunFolder | None]:
    from truetune.cli.progress import SilentProgress
    from truetune.core.text import file_name
    from truetune.stages.data.inspection.spotcheck import Candidate
    from truetune.stages.data.reading.load import load
    from truetune.stages.data.rows.row import row_ids

    found = load([(path, file_name(path)) for path in dict.fromkeys(files)], None, SilentProgress()).rows
    candidates = [Candidate(i, row.ref, row.messages) for i, row in zip(row_ids(found), found, strict=True)]
    return ", ".join(map(file_name, files)), candidates, Path("spotcheck.jsonl"), None


def _of_run(folder: Path) -> tuple[str, list[Candidate], Path, RunFolder | None]:
    """The training rows of the newest run that has data: the frozen test is not looked at."""
    from truetune.cli.data_show import newest_data
    from truetune.cli.project import load_project
    from truetune.core.records import RowRef
    from truetune.evidence.curated import read_split
    from truetune.stages.data.inspection.spotcheck import Candidate

    project = load_project(folder)
    run, data = newest_data(project)
    rows = read_split(run.store, data.curated, "train")
    candidates = [Candidate(r.row_id, RowRef(file=r.file, line=r.line), r.messages) for r in rows]
    return f"run {run.run_id}, train", candidates, project.contract_path.parent / "spotcheck.jsonl", run


def _keep(record: SpotCheckRecord, run: RunFolder) -> None:
    """Put the result beside the run's records, where the report finds it."""
    from truetune.evidence import atomic
    from truetune.evidence.digests import bytes_digest

    content = record.model_dump_json(indent=1).encode("utf-8", "surrogatepass")
    atomic.write_bytes(run.record_path("spotcheck"), content)
    run.ledger.append("spotcheck.done", record=bytes_digest(content))


# --- asking ---------------------------------------------------------------------------------------------------------


def _answers(file: Path | None) -> Generator[tuple[Action, str], None, None]:
    """What the person says, as an action and a note's text: keys at a terminal, lines of a pipe or a file."""
    if file is None and sys.stdin.isatty():
        return _keys()
    text = sys.stdin.read() if file is None else file.read_text(encoding="utf-8")
    return _written(text.splitlines())


def _keys() -> Generator[tuple[Action, str], None, None]:
    terminal = sys.stdin.fileno()
    with _single_keys(terminal) as typing:
        while typed := os.read(terminal, 64).decode("utf-8", "replace"):
            if typed.startswith("\x1b"):  # an arrow or function key, whose letters mean nothing
                continue
            for key in typed:  # on a slow machine several keys arrive at once
                action = _KEYS.get(key.lower())
                if action is not None:
                    yield action, typing("note: ") if action == "note" else ""


@contextmanager
def _single_keys(terminal: int) -> Iterator[Callable[[str], str]]:
    """A terminal that gives each key at once; the value asks for a line of text as usual. Nothing typed ahead is lost."""
    import termios
    import tty

    usual = termios.tcgetattr(terminal)

    def line(prompt: str) -> str:
        termios.tcsetattr(terminal, termios.TCSADRAIN, usual)
        try:
            return input(prompt)
        finally:
            tty.setcbreak(terminal, termios.TCSADRAIN)

    try:
        tty.setcbreak(terminal, termios.TCSADRAIN)
        yield line
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, usual)


def _written(answers: list[str]) -> Generator[tuple[Action, str], None, None]:
    """Answers one a line: a key or its word; after `note` the text of the note.

    Raises:
        UsageError: a line that is none of them.
    """
    from truetune.core.errors import UsageError

    for number, line in enumerate(answers, start=1):
        word, _, rest = line.strip().partition(" ")
        action = next((a for key, a in _KEYS.items() if word.lower() in (key, a)), None)
        if action is not None:
            yield action, rest
        elif word:
            raise UsageError("usage.unknown_answer", f"line {number} of the answers is {word!r}", fix=f"use one of: {_HELP}")


def _ask(current: Session, check: SpotCheck, answers: Iterator[tuple[Action, str]]) -> None:
    """Show row after row until the sample, the answers or the person's patience ends."""
    row = check.next_row
    if row is not None:
        _show(current, check, row)
    for action, text in answers:
        row = check.next_row
        if action == "quit" or (row is None and action != "undo"):
            return
        if action == "note" and row is not None:
            check.note(row, text)
            continue
        if action == "undo":
            check.undo()
        elif row is not None:
            check.judge(row, _verdict(action))
        following = check.next_row
        if following is None:
            return
        _show(current, check, following)


def _verdict(action: Action) -> SpotVerdictName:
    verdicts: dict[str, SpotVerdictName] = {"good": "good", "bad": "bad", "unsure": "unsure"}
    return verdicts[action]


def _show(current: Session, check: SpotCheck, row: Candidate) -> None:
    from truetune.cli.findings import printable

    current.console.print(f"\n{check.judged + 1} of {len(check.rows)}  {row.row.file}:{row.row.line}  {row.row_id}", style="bold")
    for message in row.messages:
        style = "dim" if message["role"] == "system" else None
        for number, line in enumerate(message["content"].splitlines() or [""]):
            current.console.print(f"{'' if number else message['role']:<10}{printable(line)}", style=style)
    current.console.print(_HELP, style="dim")


def lines(record: SpotCheckRecord) -> Iterator[str]:
    """The result as text."""
    looked = record.good + record.bad + record.unsure
    yield f"spotcheck {looked} of {record.sample} looked at, drawn from {plural(record.rows, 'row')} ({record.source})"
    yield f"verdicts  {record.good} good, {record.bad} bad, {record.unsure} unsure"
    if record.interval is None or record.error_rate is None:
        yield "errors    not measured: no row was called good or bad"
        return
    bounds = f"between {record.interval.low:.1%} and {record.interval.high:.1%}"
    yield f"errors    {record.error_rate:.1%} of the rows that were decided; at 95 % {bounds} ({record.interval.method})"
    if record.unsure:
        yield f"unsure    counted as neither; were they all bad, it would be {(record.bad + record.unsure) / looked:.1%}"
    for verdict in record.verdicts:
        if verdict.verdict == "bad":
            yield f"bad       {verdict.row.file}:{verdict.row.line}" + (f"  {verdict.note}" if verdict.note else "")
    if looked < record.sample:
        yield "next      the same command goes on from here"
