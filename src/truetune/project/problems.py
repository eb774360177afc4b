"""What is wrong with a config, in words: unknown keys with the nearest name, wrong values with what was expected."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

Loc = tuple[str | int, ...]

UNKNOWN_KEY_TYPES = ("extra_forbidden", "unknown_key")
_NEAR_ENOUGH = 0.6
"""difflib's own default cut-off for a close match; Source: Python library reference, `difflib.get_close_matches`."""

_KINDS = {
    "a valid string": "text",
    "a valid tuple": "a list",
    "a valid dictionary": "a table of keys",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid boolean": "true or false",
}
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong: where in the document, whether the key itself is the fault, and the words."""

    loc: Loc
    at_key: bool
    unknown_key: bool
    message: str


def complaints(model: type[BaseModel], errors: Iterable[ErrorDetails], known: Iterable[Loc]) -> list[Complaint]:
    """One complaint per place; what a union says in several voices becomes one sentence.

    Args:
        model: what the document should have been.
        errors: what pydantic says.
        known: the places that the document has.
    """
    places = set(known)
    grouped: dict[tuple[Loc, bool], list[ErrorDetails]] = {}
    for error in errors:
        loc = _in_document(error, places)
        grouped.setdefault((loc, error["type"] in UNKNOWN_KEY_TYPES), []).append(error)
    unknown = {loc for loc, is_unknown in grouped if is_unknown}
    return [_complaint(model, loc, group) for (loc, is_unknown), group in grouped.items() if is_unknown or loc not in unknown]


def _in_document(error: ErrorDetails, places: set[Loc]) -> Loc:
    """The longest part of pydantic's location that the document has; a missing key keeps its own name.

    A validator that looks at a whole table names the place inside it as `below`.
    """
    loc = (*error["loc"], *error.get("ctx", {}).get("below", ()))
    if error["type"] == "missing":
        return loc
    while loc and loc not in places:
        loc = loc[:-1]
    return loc


def _complaint(model: type[BaseModel], loc: Loc, group: list[ErrorDetails]) -> Complaint:
    first = group[0]
    if first["type"] in UNKNOWN_KEY_TYPES:
        return Complaint(loc, at_key=True, unknown_key=True, message=_unknown_key(model, loc, first))
    if first["type"] == "missing":
        return Complaint(loc, at_key=True, unknown_key=False, message=f"`{dotted(loc)}` is missing")
    wanted = " or ".join(dict.fromkeys(_wanted(error["msg"]) for error in group))
    subject = f"`{dotted(loc)}`" if loc else "the file"
    if first["type"] in ("value_error", "not_possible"):
        return Complaint(loc, at_key=False, unknown_key=False, message=f"{subject}: {wanted}")
    return Complaint(loc, at_key=False, unknown_key=False, message=f"{subject} must be {wanted}, not {_shown(first['input'])}")


def dotted(loc: Loc) -> str:
    """`train.target_modules[2]` for ("train", "target_modules", 2)."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


def _wanted(message: str) -> str:
    text = message.removeprefix("Value error, ").removeprefix("Input should be ")
    for formal, plain in _KINDS.items():
        if text.startswith(formal):
            return plain
    return text


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        cut = value if len(value) <= _SHOWN_CHARACTERS else value[: _SHOWN_CHARACTERS - 1] + "…"
        return f"the text {cut!r}"
    if isinstance(value, int | float):
        return repr(value)
    structures = {dict: "a table of keys", list: "a list", tuple: "a list", type(None): "nothing"}
    return structures.get(type(value), f"the {type(value).__name__} {value} (put it in quotes)")


# --- the nearest name -----------------------------------------------------------------------------------------------


def _unknown_key(model: type[BaseModel], loc: Loc, error: ErrorDetails) -> str:
    name = str(loc[-1])
    if error["type"] == "unknown_key":
        context = error.get("ctx", {})
        names = str(context.get("known", "")).split(", ")
        return f"unknown {context.get('kind', 'name')} `{name}`{_did_you_mean(name, names) or '; known are ' + ', '.join(names)}"
    here = sorted(fields_at(model, loc[:-1]))
    near = _did_you_mean(name, here)
    return f"unknown key `{name}`{near or _elsewhere(model, name) or '; known here are ' + ', '.join(here)}"


def _did_you_mean(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=_NEAR_ENOUGH)
    return f"; did you mean `{close[0]}`?" if close else ""


def _elsewhere(model: type[BaseModel], name: str) -> str:
    """The nearest key of any section: a key in the wrong place is as common as a misspelt one."""
    places = dict(_all_fields(model, ()))
    close = difflib.get_close_matches(name, list(places), n=1, cutoff=_NEAR_ENOUGH)
    return f"; did you mean `{close[0]}` under `{dotted(places[close[0]])}:`?" if close else ""


def fields_at(model: type[BaseModel], loc: Loc) -> set[str]:
    """The keys that may stand at a place of the document; empty where any may."""
    models = [model]
    for part in loc:
        annotations = [m.model_fields[str(part)].annotation for m in models if str(part) in m.model_fields]
        models = [found for a in annotations for found in _models_in(a)] or [m for m in models if annotations == []]
    return {name for m in models for name in m.model_fields}


def _all_fields(model: type[BaseModel], loc: Loc) -> Iterator[tuple[str, Loc]]:
    for name, field in model.model_fields.items():
        if loc:
            yield name, loc
        for inner in _models_in(field.annotation):
            if get_origin(field.annotation) is not dict:
                yield from _all_fields(inner, (*loc, name))


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in {Union, UnionType, dict, tuple, list}:
        return [found for argument in get_args(annotation) for found in _models_in(argument)]
    return []
