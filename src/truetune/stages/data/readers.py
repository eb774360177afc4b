"""JSON lines, JSON, CSV and Parquet, read once: each record with its place, or with what is wrong at that place.

A bad record is an `Entry` with a fault and the reading goes on; a file that holds no records at all is a `DataError`.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from truetune.core.errors import DataError
from truetune.evidence.digests import file_digest
from truetune.stages.data import files
from truetune.stages.data.files import RawLine
from truetune.stages.data.formats import KNOWN_COLUMNS

_CONSTANT = re.compile(r"-?\b(?:NaN|Infinity)\b")
_LINE_SUFFIXES = (".jsonl", ".ndjson")
_TABLE_SUFFIXES = {".csv": ",", ".tsv": "\t"}
_PARQUET_BATCH_ROWS = 4096
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


@dataclass(frozen=True)
class ReadFile:
    """A file as it was read.

    Attributes:
        path: as it is named in findings.
        digest: of the bytes on disk.
        size_bytes: of the file.
        encoding: what the text is encoded in.
        entries: every record, in order.
        latin1_lines: lines that are not UTF-8 and were read as Windows-1252 or latin-1.
    """

    path: str
    digest: str
    size_bytes: int
    encoding: str
    entries: tuple[Entry, ...]
    latin1_lines: tuple[int, ...] = ()


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


def read_file(path: Path, shown: str) -> ReadFile:
    """Every record of a file; `shown` is how findings name it.

    Raises:
        DataError: the file is missing, not a regular file, not readable, empty, binary, or of a kind that holds no rows.
    """
    size_bytes = files.require_regular(path, shown)
    try:
        kind = files.sniff(path, shown)
        digest = file_digest(path)
        if kind == "parquet":
            return ReadFile(shown, digest, size_bytes, "parquet", tuple(_parquet(path, shown)))
        seen: list[int] = []
        entries = tuple(_text_entries(path, shown, kind, size_bytes, seen))
    except OSError as error:
        raise DataError(
            "data.file.unreadable", f"{shown} cannot be read", why=str(error.strerror), fix=f"ls -l {shown}", where=shown
        ) from error
    encoding = "latin-1" if seen and kind == "utf-8" else kind
    return ReadFile(shown, digest, size_bytes, encoding, entries, tuple(sorted(set(seen))))


def _text_entries(path: Path, shown: str, encoding: str, size_bytes: int, latin1: list[int]) -> Iterator[Entry]:
    head = _first_lines(path, encoding)
    layout = _layout(path.suffix.lower(), head)
    if layout == "unknown":
        raise DataError(
            "data.file.format",
            f"{shown} is not JSON lines, JSON, CSV or Parquet",
            why=f"it starts with {head[0][:40]!r}" if head else "it has no line with text",
            fix="write one JSON object a line, with `messages`, `prompt` and `completion`, or `instruction` and `output`",
            where=shown,
        )
    lines = _noting_latin1(files.lines(path, encoding), latin1)
    if layout == "lines":
        yield from _json_lines(lines)
    elif layout == "document":
        files.refuse_large_document(size_bytes, shown)
        yield from _json_document(lines, shown)
    else:
        yield from _table(lines, layout)


def _noting_latin1(lines: Iterator[RawLine], latin1: list[int]) -> Iterator[RawLine]:
    for line in lines:
        if line.is_latin1:
            latin1.append(line.number)
        yield line


def _first_lines(path: Path, encoding: str) -> list[str]:
    """The first two lines that have text."""
    found = []
    for line in files.lines(path, encoding):
        if line.text is None or line.text.strip():
            found.append((line.text or "").strip())
        if len(found) == 2:
            break
    return found


def _layout(suffix: str, head: list[str]) -> str:
    """`lines`, `document`, the delimiter of a table, or `unknown`: by what the text starts with, then by the file's suffix."""
    if suffix in _TABLE_SUFFIXES:
        return _TABLE_SUFFIXES[suffix]
    first = head[0] if head else ""
    if first.startswith("["):
        return "lines" if suffix in _LINE_SUFFIXES and _parses(first) and len(head) > 1 else "document"
    if suffix in _LINE_SUFFIXES:
        return "lines"
    if first.startswith("{"):
        one_object_a_line = len(head) > 1 and (_parses(first) or (head[1].startswith("{") and _parses(head[1])))
        return "lines" if one_object_a_line else "document"
    for delimiter in (",", "\t"):
        if KNOWN_COLUMNS & {cell.strip().strip('"').lower() for cell in first.split(delimiter)} and delimiter in first:
            return delimiter
    return "document" if suffix == ".json" and head else "unknown"


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def parse(text: str, line: int) -> Entry:
    """One JSON value from one line of text; never raises."""
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        start_of_line = text.rfind("\n", 0, error.pos) + 1
        seen = text[max(start_of_line, error.pos - TEXT_BEFORE_FAULT) :][:120]
        return Entry(line + error.lineno - 1, fault=Malformed(f"not JSON: {error.msg}", error.pos - start_of_line + 1, seen))
    except RecursionError:
        return Entry(line, fault=Malformed("nested too deeply to be a row", 1, text[:120]))
    except ValueError as error:
        constant = _CONSTANT.search(text)
        place = constant.start() + 1 if constant and "not JSON" in str(error) else None
        reason = str(error) if place else "a number too long to be read"
        return Entry(line, fault=Malformed(reason, place, text[max(0, (place or 1) - 1 - TEXT_BEFORE_FAULT) :][:120]))
    return _sound(value, line, may_have_surrogates="\\ud" in text or "\\uD" in text, text=text)


def _sound(value: object, line: int, *, may_have_surrogates: bool, text: str) -> Entry:
    """The entry, unless a key stands twice in it or a character is half a character."""
    repeated = _repeated_key(value)
    if repeated is not None:
        column = [m.start() for m in re.finditer(re.escape(json.dumps(repeated, ensure_ascii=False)), text)][1:2]
        return Entry(
            line,
            fault=Malformed(f"the key {repeated!r} stands twice in one object", column[0] + 1 if column else None, text[:120]),
        )
    if may_have_surrogates and not _encodes(value):
        place = re.search(r"\\u[dD][89a-fA-F]", text)
        column_number = place.start() + 1 if place else None
        return Entry(line, fault=Malformed("half of a surrogate pair, which is not a character", column_number, text[:120]))
    return Entry(line, value)


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


def _json_lines(lines: Iterator[RawLine]) -> Iterator[Entry]:
    for line in lines:
        if line.text is None:
            yield _too_long(line.number)
        elif text := line.text.strip(" \t\r\n\ufeff"):
            yield parse(text, line.number)


def _too_long(line: int) -> Entry:
    return Entry(line, fault=Malformed(f"the line is longer than {files.MAX_LINE_BYTES >> 20} MiB", 1))


def _json_document(lines: Iterator[RawLine], shown: str) -> Iterator[Entry]:
    """The rows of an array, or of an object's one array; the whole document where it is one row."""
    pieces = []
    for line in lines:
        if line.text is None:
            yield _too_long(line.number)
            return
        pieces.append(line.text)
    text = "".join(pieces)
    whole = parse(text, 1)
    if whole.fault is not None and "twice" not in whole.fault.message and "surrogate" not in whole.fault.message:
        yield whole
        return
    for number, value in enumerate(_rows_of_document(_DECODER.decode(text), shown), start=1):
        if whole.fault is None:
            yield Entry(number, value)
        else:
            yield _sound(value, number, may_have_surrogates=True, text="")


def _rows_of_document(value: object, shown: str) -> list[object]:
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or KNOWN_COLUMNS & value.keys():
        return [value]
    arrays = {name: rows for name, rows in value.items() if isinstance(rows, list)}
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    raise DataError(
        "data.file.format",
        f"{shown} is a JSON object with {len(arrays)} arrays, so it is not clear which holds the rows",
        why=f"its keys are {', '.join(map(repr, list(value)[:8]))}",
        fix=f"jq '.{next(iter(arrays), 'rows')}' {shown} > rows.json",
        where=shown,
    )


def _table(lines: Iterator[RawLine], delimiter: str) -> Iterator[Entry]:
    """CSV rows under their header; `line` is the line on which a row starts."""
    overlong: list[int] = []
    csv.field_size_limit(files.MAX_LINE_BYTES)
    reader = csv.reader(_table_text(lines, overlong), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            yield Entry(start, fault=Malformed(f"not CSV: {error}", None))
            continue
        if header is None:
            header = [cell.strip() for cell in cells]
        elif cells:
            yield _table_row(header, cells, start)
    yield from map(_too_long, overlong)


def _table_text(lines: Iterator[RawLine], overlong: list[int]) -> Iterator[str]:
    for line in lines:
        if line.text is None:
            overlong.append(line.number)
        yield (line.text or "\n").removeprefix("\ufeff") if line.number == 1 else line.text or "\n"


def _table_row(header: list[str], cells: list[str], line: int) -> Entry:
    if len(cells) != len(header):
        return Entry(line, fault=Malformed(f"{len(cells)} cells under a header of {len(header)}", None, ", ".join(cells)[:120]))
    return Entry(line, {name: _cell(cell) for name, cell in zip(header, cells, strict=True)})


def _cell(text: str) -> object:
    """A cell that holds a JSON list of messages is that list; every other cell is its text."""
    if text.startswith("[{") and text.rstrip().endswith("]"):
        entry = parse(text, 1)
        return text if entry.fault else entry.value
    return text


def _parquet(path: Path, shown: str) -> Iterator[Entry]:
    import pyarrow as pa  # noqa: PLC0415 - only Parquet files pay for it
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        number = 0
        for batch in pq.ParquetFile(path).iter_batches(batch_size=_PARQUET_BATCH_ROWS):
            for value in batch.to_pylist():
                number += 1
                yield Entry(number, value)
    except (pa.ArrowException, ValueError) as error:
        raise DataError(
            "data.file.format",
            f"{shown} is not a whole Parquet file",
            why=str(error).splitlines()[0][:200],
            fix="copy or write it again",
            where=shown,
        ) from error
