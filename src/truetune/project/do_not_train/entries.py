"""The do-not-train list, from a JSONL or YAML file or from truetune.yaml itself, with the line of whatever is wrong in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import re2
from pydantic import ValidationError

from truetune.core.config import ConfigModel, DoNotTrainEntry
from truetune.core.errors import ConfigError
from truetune.evidence.digests import json_digest
from truetune.project.problems import Loc, complaints
from truetune.project.text_file import NotUtf8Error, read_text, shown_path
from truetune.project.yaml_file import read_yaml

_YAML_ENDINGS = (".yaml", ".yml")
_PROBLEMS_SHOWN = 20
_FIX = 'give each line one of id, source, regex, sha256, text, e.g. {"id": "ticket-0042", "reason": "consent withdrawn"}'
_REGEX_BYTES = 8 << 20
"""Memory that one expression may take when it is compiled. Source: RE2's own default, `RE2::Options::kDefaultMaxMem`."""


class Expression(Protocol):
    """A compiled expression."""

    def search(self, text: str) -> object | None:
        """A match, None where there is none."""
        ...


class DoNotTrainFile(ConfigModel):
    """A YAML list: `entries:`, one thing each."""

    entries: tuple[DoNotTrainEntry, ...]


@dataclass(frozen=True)
class DoNotTrainList:
    """The entries in their order. `digest` is over what they say, not over how the file is written."""

    entries: tuple[DoNotTrainEntry, ...]
    digest: str


def read_do_not_train(given: str | Sequence[DoNotTrainEntry] | None, root: Path) -> DoNotTrainList | None:
    """The list that the config names or holds; None where it has none.

    Args:
        given: a file (relative to `root`), or the entries themselves.
        root: the project's folder.

    Raises:
        ConfigError: `config.do_not_train` with the file and line of what is wrong; `config.missing_file`.
        EnvironmentFault: the file may not be read.
    """
    if given is None:
        return None
    if not isinstance(given, str):
        return _checked(tuple(given), [f"truetune.yaml, data.do_not_train[{number}]" for number in range(len(given))])
    path = root / Path(given).expanduser()
    if path.suffix.lower() in _YAML_ENDINGS:
        entries = read_yaml(path, DoNotTrainFile).entries
        return _checked(entries, [f"{shown_path(path)}, entry {number}" for number in range(1, len(entries) + 1)])
    lines = list(_json_lines(path))
    return _checked(tuple(entry for _, entry in lines), [f"{shown_path(path)}:{line}" for line, _ in lines])


def _checked(entries: tuple[DoNotTrainEntry, ...], places: Sequence[str]) -> DoNotTrainList:
    problems = []
    for entry, place in zip(entries, places, strict=True):
        if entry.regex is not None:
            try:
                compiled(entry.regex)
            except re2.error as error:
                said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error.args[0])
                problems.append(f"{place}: the expression {entry.regex!r} cannot be used: {said}")
    if problems:
        raise _error(
            problems, "RE2 syntax: no look-around, no back-references; so that no expression takes more than linear time"
        )
    return DoNotTrainList(entries, json_digest([entry.model_dump(mode="json", exclude_none=True) for entry in entries]))


def compiled(expression: str) -> Expression:
    """The expression in an engine whose time is linear in the text, whatever the expression.

    Raises:
        re2.error: it is no expression, or needs what only backtracking can do.
    """
    options = re2.Options()
    options.max_mem = _REGEX_BYTES
    options.log_errors = False
    found: Expression = re2.compile(expression, options)
    return found


def _json_lines(path: Path) -> Iterator[tuple[int, DoNotTrainEntry]]:
    problems = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        keys: list[Loc] = []
        try:
            value = json.loads(line)
            keys = [(key,) for key in value] if isinstance(value, dict) else []
            entry = DoNotTrainEntry.model_validate(value)
        except (ValueError, RecursionError) as error:
            problems.append(f"{shown_path(path)}:{number}: {_said(error, keys)}")
            continue
        if not problems:
            yield number, entry
    if problems:
        raise _error(problems, "")


def _said(error: Exception, keys: Sequence[Loc]) -> str:
    if isinstance(error, ValidationError):
        found = complaints(DoNotTrainEntry, error.errors(include_url=False), keys)
        return "; ".join(complaint.message for complaint in found)
    if isinstance(error, json.JSONDecodeError):
        return f"not valid JSON: {error.msg} at column {error.colno}"
    return "not valid JSON: nested too deep" if isinstance(error, RecursionError) else str(error)


def _text(path: Path) -> str:
    try:
        return read_text(path, fix="correct `data.do_not_train`")
    except NotUtf8Error as error:
        raise _error([f"{shown_path(path)}:{error.line}: the file is not UTF-8 text"], "") from error


def _error(problems: Sequence[str], why: str) -> ConfigError:
    more = f"\n… and {len(problems) - _PROBLEMS_SHOWN} more" if len(problems) > _PROBLEMS_SHOWN else ""
    listed = "\n".join(problems[:_PROBLEMS_SHOWN]) + more
    return ConfigError("config.do_not_train", f"the do-not-train list cannot be used:\n{listed}", why=why, fix=_FIX)
