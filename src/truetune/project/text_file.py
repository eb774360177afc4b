"""Reading a text file of the user's, or saying why it cannot be read."""

from __future__ import annotations

from pathlib import Path

from truetune.core.errors import ConfigError, EnvironmentFault


class NotUtf8Error(Exception):
    """The file is no UTF-8 text; `line` is the first that is not, from 1."""

    def __init__(self, line: int) -> None:
        """`line` counts from 1."""
        super().__init__(f"line {line} is not UTF-8 text")
        self.line = line


class TooLongError(Exception):
    """The file is longer than it may be."""


def read_text(path: Path, *, fix: str, most_bytes: int | None = None) -> str:
    """The text of a file, a byte-order mark left out.

    Args:
        path: the file.
        fix: what to do where there is none.
        most_bytes: how long it may be; None for any length.

    Raises:
        ConfigError: `config.missing_file`.
        EnvironmentFault: the file may not be read.
        NotUtf8Error: it is no text.
        TooLongError: it has more than `most_bytes`.
    """
    try:
        if most_bytes is not None and path.stat().st_size > most_bytes:
            raise TooLongError
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        where = shown_path(path)
        raise ConfigError("config.missing_file", f"there is no {where}", fix=fix, where=where) from error
    except UnicodeDecodeError as error:
        raise NotUtf8Error(error.object[: error.start].count(b"\n") + 1) from error
    except OSError as error:
        raise EnvironmentFault(
            "environment.unreadable",
            f"could not read {shown_path(path)}",
            why=error.strerror or str(error),
            fix=f"ls -ld {shown_path(path)}",
            where=shown_path(path),
        ) from error


def shown_path(path: Path) -> str:
    """The path as a person would write it: relative where it lies below the folder they are in."""
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(path)
