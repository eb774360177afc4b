"""What every command shares: where its words go, how an error looks, which exit code follows.

With `--json` the one document goes to stdout and everything for people to stderr, so that a pipe gets JSON and nothing else.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from truetune.core.errors import TruetuneError

if TYPE_CHECKING:
    from rich.console import Console

    from truetune.core.records import GateState, Record

PROJECT = typer.Option(Path(), "--project", "-p", help="The project folder (default: here, or the nearest one above).")
JSON = typer.Option(False, "--json", help="Print the record as one JSON document on stdout; all else goes to stderr.")
GATE_EXIT: dict[GateState, int] = {"passed": 0, "failed": 1, "not_measured": 4}


class Session:
    """One command's output: `console` for people, `document` for machines."""

    def __init__(self, *, as_json: bool) -> None:
        """People read stdout, unless stdout is for the JSON document."""
        from rich.console import Console

        _any_character(as_json=as_json)
        self.as_json = as_json
        self.console: Console = Console(stderr=as_json, highlight=False, soft_wrap=True, emoji=False, markup=False)

    def document(self, record: Record) -> None:
        """Print the record where `--json` asked for it."""
        if self.as_json:
            sys.stdout.write(record.model_dump_json() + "\n")

    def error(self, error: TruetuneError) -> None:
        """What, why, what to do, in that order."""
        console = self.console if self.as_json else _stderr()
        console.print(f"error[{error.code}]: {error.what}", style="bold red")
        for label, text in (("at", error.where), ("why", error.why), ("fix", error.fix)):
            if text:
                console.print(f"  {label + ':':<5}{text}")
        if self.as_json:
            sys.stdout.write(json.dumps(error.as_json(), ensure_ascii=False) + "\n")


def _any_character(*, as_json: bool) -> None:
    """Let the streams take the words of any row: a locale without them gets escapes, a JSON document is UTF-8 everywhere."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if as_json and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


@contextmanager
def session(as_json: bool) -> Iterator[Session]:
    """Run a command's body; errors become words and an exit code, never a traceback.

    Raises:
        typer.Exit: always where the body did not end well.
    """
    current = Session(as_json=as_json)
    try:
        yield current
    except TruetuneError as error:
        current.error(error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        _stderr().print("interrupted; all finished work is kept: the same command goes on from there")
        raise typer.Exit(130) from None
    except BrokenPipeError:
        # The reader of the pipe has gone (`| head`): what it wanted, it has. Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except (typer.Exit, typer.Abort):
        raise
    except OSError as error:
        current.error(_system_error(error))
        raise typer.Exit(3) from None
    except Exception as error:
        current.error(_bug(error))
        raise typer.Exit(70) from None


@contextmanager
def quiet_libraries(log_dir: Path) -> Iterator[None]:
    """Send what libraries log and warn to `<log_dir>/truetune.log` while a stage runs."""
    from truetune.evidence import atomic

    with atomic.writing(log_dir):
        log_dir.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(log_dir / "truetune.log", encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    kept = root.handlers[:]
    root.handlers = [handler]
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers = kept
        handler.close()


def _stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False, markup=False)


def _system_error(error: OSError) -> TruetuneError:
    from truetune.core.errors import EnvironmentFault

    return EnvironmentFault(
        "environment.system",
        f"the system refused: {error.strerror or error}",
        fix="look at the path and its permissions (`ls -ld`), and at free space (`df -h`)",
        where=str(error.filename or ""),
    )


def _bug(error: Exception) -> TruetuneError:
    """Keep the traceback in a file, so that a bug report needs one path and the terminal stays readable."""
    import tempfile

    with tempfile.NamedTemporaryFile("w", prefix="truetune-bug-", suffix=".txt", delete=False, encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    return TruetuneError(
        "internal.bug",
        f"truetune failed in a way it should not: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
        why="this is a bug of ours, not a fault of your data or config",
        fix="report it with the file below; the same command goes on from the last finished stage",
        where=file.name,
    )
