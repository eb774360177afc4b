"""Reading a YAML file into a model, or saying everything that is wrong with it at once, each with file:line:column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from truetune.core.errors import ConfigError
from truetune.project.problems import Complaint, Loc, complaints, dotted
from truetune.project.text_file import NotUtf8Error, TooLongError, read_text, shown_path

M = TypeVar("M", bound=BaseModel)
Place = tuple[int, int]

_DEPTH_MAX = 50
"""Deeper than any config; Python's own stack ends at about a thousand."""
_VALUES_MAX = 10_000
"""Aliases of aliases multiply: a few lines can stand for more values than memory holds."""
_BYTES_MAX = 1 << 20
"""A config is a page; a data file given by mistake should not be parsed as one for minutes."""


@dataclass(frozen=True)
class Problem:
    """One thing to correct; line and column count from 1."""

    line: int
    column: int
    message: str
    unknown_key: bool = False


@dataclass
class _Document:
    """Plain values, and where each key and each value stands in the file."""

    value: object = None
    keys: dict[Loc, Place] = field(default_factory=dict)
    values: dict[Loc, Place] = field(default_factory=dict)


def read_yaml(path: Path, model: type[M], context: Mapping[str, object] | None = None) -> M:
    """The file as a `model`; `context` is for validators that must know more than the file says.

    Raises:
        ConfigError: `config.unknown_key` where unknown keys are all that is wrong, else `config.invalid`; every problem is
            in the text, each with file:line:column. `config.missing_file` where there is no such file.
        EnvironmentFault: the file may not be read.
    """
    text = _read_text(path)
    try:
        document = _parse(text)
    except _Malformed as error:
        raise _config_error(path, [error.problem]) from error
    if document.value is None:
        names = ", ".join(f"`{name}`" for name, f in model.model_fields.items() if f.is_required())
        raise _config_error(path, [Problem(1, 1, f"the file is empty; it must have {names}")])
    try:
        made = model.model_validate(document.value, context=None if context is None else dict(context))
    except ValidationError as error:
        found = complaints(model, error.errors(include_url=False), document.values)
        raise _config_error(path, [_placed(c, document) for c in found]) from error
    if switches := _switches(document, made):
        raise _config_error(path, switches)
    return made


# --- the file -------------------------------------------------------------------------------------------------------


def _read_text(path: Path) -> str:
    try:
        return read_text(path, fix="correct the name, or make the file", most_bytes=_BYTES_MAX)
    except TooLongError as error:
        raise _config_error(path, [Problem(1, 1, "the file is over 1 MiB: that is not a config")]) from error
    except NotUtf8Error as error:
        raise _config_error(path, [Problem(error.line, 1, "the file is not UTF-8 text; save it as UTF-8")]) from error


# --- YAML to plain values and places --------------------------------------------------------------------------------


class _Malformed(Exception):
    """The file is not the YAML that a config can be written in."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _parse(text: str) -> _Document:
    try:
        loaded = YAML(typ="rt").load(text)
    except YAMLError as error:
        raise _Malformed(_syntax_problem(error, text)) from error
    except (ValueError, RecursionError) as error:
        raise _Malformed(Problem(1, 1, f"not valid YAML: {str(error).splitlines()[0]}")) from error
    document = _Document()
    document.value = _plain(loaded, (), (1, 1), document)
    return document


def _syntax_problem(error: YAMLError, text: str) -> Problem:
    if isinstance(error, ReaderError):
        before = text[: error.position]
        column = len(before) - before.rfind("\n")
        return Problem(before.count("\n") + 1, column, f"the character {chr(_code(error.character))!r} is not allowed in YAML")
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return Problem(1, 1, f"not valid YAML: {str(error).splitlines()[0]}")
    mark = error.problem_mark
    problem = (error.problem or "not valid YAML").strip()
    if isinstance(error, DuplicateKeyError):
        return Problem(mark.line + 1, mark.column + 1, f"{problem.split(' with value')[0]}: which of the two is meant?")
    if "'\\t'" in problem:
        problem = "a tab where YAML wants spaces"
    elif error.context and error.context_mark and error.context_mark.line != mark.line:
        problem += f" ({error.context.strip()} that begins at line {error.context_mark.line + 1})"
    return Problem(mark.line + 1, mark.column + 1, f"not valid YAML: {problem.removeprefix('but ')}")


def _code(character: object) -> int:
    return character if isinstance(character, int) else ord(str(character)[:1] or "?")


def _plain(node: object, loc: Loc, place: Place, document: _Document) -> object:
    """The node without ruamel's types, and its place noted; keys that a merge brought in stand where the merge does."""
    if len(loc) > _DEPTH_MAX:
        raise _Malformed(Problem(*place, f"`{dotted(loc[:3])}…` is nested more than {_DEPTH_MAX} deep"))
    document.values[loc] = place
    if len(document.values) > _VALUES_MAX:
        raise _Malformed(Problem(*place, f"the file has more than {_VALUES_MAX} values: that is not a config"))
    if isinstance(node, TaggedScalar) or getattr(getattr(node, "tag", None), "handle", None):
        raise _Malformed(Problem(*place, f"`{dotted(loc)}` has a YAML tag (`!…`); write the plain value"))
    if isinstance(node, CommentedMap):
        return {
            str(key): _plain(value, (*loc, str(key)), at, document) for key, value, at in _entries(node, loc, place, document)
        }
    if isinstance(node, CommentedSeq):
        places = [_at(node.lc.data, index, 0, place) for index in range(len(node))]
        return [_plain(value, (*loc, index), places[index], document) for index, value in enumerate(node)]
    return _scalar(node)


def _entries(node: CommentedMap, loc: Loc, place: Place, document: _Document) -> Iterator[tuple[object, object, Place]]:
    for key, value in node.items():
        document.keys[(*loc, str(key))] = _at(node.lc.data, key, 0, place)
        yield key, value, _at(node.lc.data, key, 2, place)


def _at(data: object, key: object, offset: int, otherwise: Place) -> Place:
    entry = data.get(key) if isinstance(data, dict) else None
    return (entry[offset] + 1, entry[offset + 1] + 1) if entry else otherwise


def _scalar(node: object) -> object:
    """Ruamel keeps how a number was written (`1e-3`, `0x10`) in types of its own; the config wants the number."""
    if isinstance(node, bool) or node is None:
        return node
    for kind in (float, int, str):
        if isinstance(node, kind):
            return bool(node) if type(node).__name__ == "ScalarBoolean" else kind(node)
    return node


# --- problems -------------------------------------------------------------------------------------------------------


def _placed(complaint: Complaint, document: _Document) -> Problem:
    places = document.keys if complaint.at_key else document.values
    loc = complaint.loc
    while loc and loc not in places:
        loc = loc[:-1]
        places = document.keys
    line, column = places.get(loc, (1, 1))
    return Problem(line, column, complaint.message, complaint.unknown_key)


def _switches(document: _Document, made: BaseModel) -> list[Problem]:
    """`true` where a number belongs: pydantic would read it as 1."""
    found = []
    for loc, place in document.values.items():
        written, read = _follow(document.value, loc), _follow(made, loc)
        if isinstance(written, bool) and isinstance(read, int | float) and not isinstance(read, bool):
            found.append(Problem(*place, f"`{dotted(loc)}` must be a number, not {str(written).lower()}"))
    return found


def _follow(value: object, loc: Loc) -> object:
    for part in loc:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list | tuple) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            value = getattr(value, str(part), None)
    return value


def _config_error(path: Path, problems: list[Problem]) -> ConfigError:
    ordered = sorted(problems, key=lambda p: (p.line, p.column))
    name = shown_path(path)
    where = [f"{name}:{p.line}:{p.column}" for p in ordered]
    code = "config.unknown_key" if all(p.unknown_key for p in ordered) else "config.invalid"
    what = ordered[0].message if len(ordered) == 1 else f"{path.name} has {len(ordered)} problems"
    why = "" if len(ordered) == 1 else "\n".join(f"{w}  {p.message}" for w, p in zip(where, ordered, strict=True))
    lines = "the line" if len(ordered) == 1 else "these lines"
    return ConfigError(code, what, why=why, fix=f"correct {lines}, then run the same command again", where=where[0])
