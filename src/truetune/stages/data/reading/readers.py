"""JSON lines, JSON, CSV and Parquet, read once: each record with its place, or with what is wrong at that place.

A bad record is an `Entry` with a fault and the reading goes on; a file that holds no records at all is a `DataError`.
"""

from __future__ import annotations

import csv
import json
from array import array
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from truetune.core.errors import DataError
from truetune.core.units import plural
from truetune.stages.data.reading import files
from truetune.stages.data.reading.files import OpenFile, RawLine
from truetune.stages.data.reading.formats import KNOWN_COLUMNS
from truetune.stages.data.reading.json_arrays import array_entries
from truetune.stages.data.reading.json_documents import document_entries
from truetune.stages.data.reading.json_values import Entry, Malformed, parse

__all__ = ["Entry", "FileReading", "Malformed", "ReadFile", "parse", "reading"]

_LINE_SUFFIXES = (".jsonl", ".ndjson")
_TABLE_SUFFIXES = {".csv": ",", ".tsv": "\t"}
_PARQUET_BATCH_ROWS = 1024


@dataclass(frozen=True)
class ReadFile:
    """What is known of a file that was read to its end.

    Attributes:
        path: as it is named in findings.
        digest: of the bytes that were read.
        size_bytes: of the file.
        encoding: what the text is encoded in.
        entries: how many records it has.
        latin1_lines: lines that are not UTF-8 and were read as Windows-1252 or latin-1.
    """

    path: str
    digest: str
    size_bytes: int
    encoding: str
    entries: int
    latin1_lines: Sequence[int] = ()


class FileReading:
    """A file while it is read: its records one by one, and what is known of the whole once they are through."""

    def __init__(self, opened: OpenFile) -> None:
        """`reading` makes them."""
        self._opened = opened
        self._latin1 = array("q")
        self._entries = 0
        self._is_done = False

    def __iter__(self) -> Iterator[Entry]:
        """Every record, in order, once.

        Raises:
            DataError: of a kind that holds no rows, or written to while it was read.
        """
        opened = self._opened
        with closing(self), files.readable(opened.shown):
            for entry in _parquet(opened) if opened.kind == "parquet" else _text_entries(opened, self._latin1):
                self._entries += 1
                yield entry
            opened.finish()
        self._is_done = True

    def close(self) -> None:
        """Let go of the file, read to its end or not."""
        self._opened.close()

    def result(self) -> ReadFile:
        """What is known of the file after its last record."""
        assert self._is_done, "the records have not been read to the end"
        kind = self._opened.kind
        return ReadFile(
            path=self._opened.shown,
            digest=self._opened.digest,
            size_bytes=self._opened.size_bytes,
            encoding="latin-1" if self._latin1 and kind == "utf-8" else kind,
            entries=self._entries,
            latin1_lines=self._latin1,
        )


def reading(path: Path, shown: str) -> FileReading:
    """Begin to read a file; `shown` is how findings name it.

    Raises:
        DataError: the file is missing, not a regular file, not readable, empty or binary.
    """
    return FileReading(files.open_file(path, shown))


def _text_entries(opened: OpenFile, latin1: array[int]) -> Iterator[Entry]:
    shown = opened.shown
    head = _first_lines(opened)
    layout = _layout(opened.path.suffix.lower(), head)
    if layout == "unknown":
        raise DataError(
            "data.file.format",
            f"{shown} is not JSON lines, JSON, CSV or Parquet",
            why=f"it starts with {head[0][:40]!r}" if head else "it has no line with text",
            fix="write one JSON object a line, with `messages`, `prompt` and `completion`, or `instruction` and `output`",
            where=shown,
        )
    if layout == "array":
        yield from array_entries(files.pieces(opened), latin1)
        return
    if layout == "document":
        yield from document_entries(lambda: _from_the_start(opened), latin1, shown)
        return
    lines = _noting_latin1(files.lines(opened), latin1)
    if layout == "lines":
        yield from _json_lines(lines)
    else:
        yield from _table(lines, layout)


def _from_the_start(opened: OpenFile) -> Iterator[bytes]:
    opened.rewind()
    return files.pieces(opened)


def _noting_latin1(lines: Iterator[RawLine], latin1: array[int]) -> Iterator[RawLine]:
    for line in lines:
        if line.is_latin1:
            latin1.append(line.number)
        yield line


def _first_lines(opened: OpenFile) -> list[str]:
    """The first two lines that have text, of one that is too long its beginning; the file is then read from its start."""
    found: list[str] = []
    for line in files.lines(opened):
        if line.text is None or line.text.strip():
            found.append((line.text or line.beginning).strip())
        if len(found) == 2:
            break
    opened.rewind()
    return found


def _layout(suffix: str, head: list[str]) -> str:
    """`lines`, `array`, `document`, the delimiter of a table, or `unknown`: by what the text starts with, then by the suffix."""
    if suffix in _TABLE_SUFFIXES:
        return _TABLE_SUFFIXES[suffix]
    first = head[0] if head else ""
    if first.startswith("["):
        return "lines" if suffix in _LINE_SUFFIXES and _parses(first) and len(head) > 1 else "array"
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


def _json_lines(lines: Iterator[RawLine]) -> Iterator[Entry]:
    for line in lines:
        if line.text is None:
            yield _too_long(line.number)
        elif text := line.text.strip(" \t\r\n\ufeff"):
            yield parse(text, line.number)


def _too_long(line: int) -> Entry:
    return Entry(line, fault=Malformed(f"the line is longer than {files.MAX_LINE_BYTES >> 20} MiB", 1))


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
        return Entry(
            line, fault=Malformed(f"{plural(len(cells), 'cell')} under a header of {len(header)}", None, ", ".join(cells)[:120])
        )
    return Entry(line, {name: _cell(cell) for name, cell in zip(header, cells, strict=True)})


def _cell(text: str) -> object:
    """A cell that holds a JSON list of messages is that list; every other cell is its text."""
    if text.startswith("[{") and text.rstrip().endswith("]"):
        entry = parse(text, 1)
        return text if entry.fault else entry.value
    return text


def _parquet(opened: OpenFile) -> Iterator[Entry]:
    import pyarrow as pa  # noqa: PLC0415 - only Parquet files pay for it
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        number = 0
        for batch in pq.ParquetFile(opened.path).iter_batches(batch_size=_PARQUET_BATCH_ROWS):
            for value in batch.to_pylist():
                number += 1
                yield Entry(number, value)
    except (pa.ArrowException, ValueError) as error:
        raise DataError(
            "data.file.format",
            f"{opened.shown} is not a whole Parquet file",
            why=str(error).splitlines()[0][:200],
            fix="copy or write it again",
            where=opened.shown,
        ) from error
