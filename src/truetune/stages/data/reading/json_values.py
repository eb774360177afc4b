"""One JSON value from text, strictly: no key twice in an object, no NaN, no half characters; each fault with its place.

The fast parser reads nearly everything. Where it refuses, or may have read what the strict one would not, the strict one decides
and says where: so what is read, and what is said, is always what the strict one would read and say.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import orjson

_CONSTANT = re.compile(r"-?\b(?:NaN|Infinity)\b")
_FAST_DEPTH_MAX = 64
"""Deeper values go to the strict parser, whose own limit decides. Source: stated; a conversation has a depth of 4."""
_EXACT_FLOAT_MAX = float(1 << 53)
"""From here on the fast parser may have made a float of an integer. Source: orjson keeps integers of 64 bits."""


TEXT_BEFORE_FAULT = 60
"""Characters of a line that are kept before the place of its fault, where there are so many."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """Why a record cannot be parsed. `column` counts characters from 1; `text` is what was there."""

    message: str
    column: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a file: `value` as parsed, or `fault` where it could not be."""

    line: int
    value: object = None
    fault: Malformed | None = None


class _RepeatedKeys(dict[str, object]):
    """An object in which a key stood twice; `key` is the first such key."""

    key = ""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    repeated = _RepeatedKeys(value)
    names = [name for name, _ in pairs]
    repeated.key = next(name for name in names if names.count(name) > 1)
    return repeated


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)


def parse(text: str, line: int) -> Entry:
    """One JSON value from one line of text; never raises."""
    try:
        value = orjson.loads(text)
    except ValueError:
        return parse_strictly(text, line)
    if _strings(value, _FAST_DEPTH_MAX) != _written_strings(text):
        return parse_strictly(text, line)
    return Entry(line, value)


def _written_strings(text: str) -> int:
    """How many strings sound JSON has, keys included: half its quotation marks, those inside strings left out."""
    if "\\" in text:
        text = text.replace("\\\\", "")
        return (text.count('"') - text.count('\\"')) // 2
    return text.count('"') // 2


def _strings(value: object, depth: int) -> int:
    """How many strings a value has, keys included; below zero where the strict parser may have read something else.

    A key that stands twice is kept once, so that a string is missing.
    """
    kind = type(value)
    if kind is str:
        return 1
    if kind is dict or kind is list:
        return _strings_inside(value, depth - 1)  # type: ignore[arg-type]
    # The fast parser makes a float of an integer that is too long, and of minus zero.
    if kind is float and (not value or not -_EXACT_FLOAT_MAX < value < _EXACT_FLOAT_MAX):  # type: ignore[operator]
        return _NEVER
    return 0


_NEVER = -(1 << 62)


def _strings_inside(value: dict[str, object] | list[object], depth: int) -> int:
    if depth < 0:
        return _NEVER
    found = 0
    inside: object
    if type(value) is dict:
        found = len(value)
        items = value.values()
    else:
        items = value  # type: ignore[assignment]
    for inside in items:
        found += 1 if type(inside) is str else _strings(inside, depth)
    return found


def parse_strictly(text: str, line: int) -> Entry:
    """The same as `parse`, slower: what it says is what counts."""
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        return _faulty(f"not JSON: {error.msg}", text, line, error.pos)
    except RecursionError:
        return Entry(line, fault=Malformed("nested too deeply to be a row", 1, text[:120]))
    except ValueError as error:
        constant = _CONSTANT.search(text)
        if constant and "not JSON" in str(error):
            return _faulty(str(error), text, line, constant.start())
        return _faulty("a number too long to be read", text, line, None)
    return _sound(value, text, line)


def _sound(value: object, text: str, line: int) -> Entry:
    """The entry of a decoded value, unless a key stands twice in it or a character is half a character."""
    repeated = _repeated_key(value)
    if repeated is not None:
        again = [m.start() for m in re.finditer(re.escape(json.dumps(repeated, ensure_ascii=False)), text)][1:2]
        return _faulty(f"the key {repeated!r} stands twice in one object", text, line, again[0] if again else None)
    if ("\\ud" in text or "\\uD" in text) and not _encodes(value):
        half = re.search(r"\\u[dD][89a-fA-F]", text)
        return _faulty("half of a surrogate pair, which is not a character", text, line, half.start() if half else None)
    return Entry(line, value)


def _faulty(why: str, text: str, line: int, place: int | None) -> Entry:
    """A fault at a place in the text of a record, which may have several lines."""
    if place is None:
        return Entry(line, fault=Malformed(why, None, text[:120]))
    start_of_line = text.rfind("\n", 0, place) + 1
    seen = text[max(start_of_line, place - TEXT_BEFORE_FAULT) :][:120]
    return Entry(line + text.count("\n", 0, place), fault=Malformed(why, place - start_of_line + 1, seen))


def _repeated_key(value: object, depth: int = 0) -> str | None:
    if isinstance(value, _RepeatedKeys):
        return value.key
    if depth > 3:
        return None
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inside:
        if isinstance(item, dict | list) and (key := _repeated_key(item, depth + 1)) is not None:
            return key
    return None


def _encodes(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def packed(value: object) -> bytes:
    """JSON of a value of ours, to be read back by `unpacked`."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # Half of a surrogate pair, which is no character: only Python's own writer and reader let it through.
        return json.dumps(value).encode("ascii")


def unpacked(content: bytes | memoryview) -> list[Any]:
    """What `packed` made JSON of, where that was a list."""
    try:
        values: list[Any] = orjson.loads(content)
    except orjson.JSONDecodeError:
        values = json.loads(bytes(content))
    return values
