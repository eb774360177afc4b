"""A JSON document that is no array: an object whose one array holds the rows, read record by record; or one row.

The document is walked twice. The first time its arrays are left out, so that what is left of it, its *shell*, is small enough to
be parsed whole: that tells which array holds the rows. The second time that array is read, one record at a time.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NoReturn

from truetune.core.errors import DataError
from truetune.stages.data.reading import files
from truetune.stages.data.reading.bracketed import OPENING, BracketedText
from truetune.stages.data.reading.formats import KNOWN_COLUMNS
from truetune.stages.data.reading.json_arrays import array_entries, too_long
from truetune.stages.data.reading.json_values import Entry, Malformed, parse

Pieces = Callable[[], Iterator[bytes]]


@dataclass(frozen=True)
class _Array:
    """An array that is a value of the document's object: where it begins in the file, where it ends in the shell, in bytes."""

    start: int
    end_in_shell: int
    lines: int


@dataclass(frozen=True)
class _Shell:
    """A document with `[]` in place of its arrays.

    Attributes:
        raw: its bytes.
        arrays: what was left out, in order.
        head: how much of `raw` stands before the first of them.
        is_open: the last array has no end.
        is_too_long: it was not kept to its end.
    """

    raw: bytes
    arrays: tuple[_Array, ...]
    head: int
    is_open: bool
    is_too_long: bool

    def parsed(self) -> Entry:
        """The object with its arrays empty, or what is wrong with it, at its place in the file."""
        if self.is_too_long:
            return Entry(1, fault=Malformed(too_long("what the file holds beside its rows"), None))
        entry = parse(files.decoded(self.raw)[0], 1)
        return entry if entry.fault is None else self._placed(entry, entry.fault)

    def begun(self) -> object:
        """The object as far as its first array; None where that cannot be told."""
        return parse(files.decoded(self.raw[: self.head])[0] + "[]}", 1).value if self.arrays else None

    def _placed(self, entry: Entry, fault: Malformed) -> Entry:
        """The fault with the lines that were left out before it; its column is not known behind an array on the same line."""
        line, column, moved, done = 1, 0, 0, 0
        for left_out in self.arrays:
            text = files.decoded(self.raw[done : left_out.end_in_shell])[0]
            line += text.count("\n")
            column = len(text) - text.rfind("\n") - 1 + (0 if "\n" in text else column)
            done = left_out.end_in_shell
            if (line, column) >= (entry.line, fault.column or 0):
                break
            moved += left_out.lines
            if line == entry.line:
                fault = replace(fault, column=None)
        return Entry(entry.line + moved, fault=fault)


def document_entries(pieces: Pieces, latin1: array[int], shown: str) -> Iterator[Entry]:
    """The records of a document, of whichever array holds them; `line` is a record's number.

    A document that breaks behind the beginning of its first array gives the records of that array, then what is wrong.

    Args:
        pieces: the document from its beginning, each time that it is called.
        latin1: gets the numbers of the records that were not UTF-8.
        shown: how findings name the file.

    Raises:
        DataError: an object in which no array, or several, could hold the rows.
    """
    shell = _shell(pieces)
    outline = shell.parsed()
    known = outline.value if outline.fault is None else shell.begun()
    if not isinstance(known, dict) or KNOWN_COLUMNS & known.keys():
        yield outline if outline.fault is not None and known is None else _one_row(pieces, latin1)
    elif outline.fault is None and len(shell.arrays) != 1:
        _refuse(known, shown)
    else:
        yield from _rows(pieces, shell, outline, latin1)


def _rows(pieces: Pieces, shell: _Shell, outline: Entry, latin1: array[int]) -> Iterator[Entry]:
    """The records of the first array, then what is wrong with the rest, unless that is the array itself."""
    number = 0
    for entry in array_entries(pieces(), latin1, shell.arrays[0].start):
        number = entry.line
        yield entry
    if outline.fault is not None and not shell.is_open:
        said = f"{outline.fault.message} (line {outline.line} of the file, beside the rows)"
        yield Entry(number + 1, fault=replace(outline.fault, message=said))


def _one_row(pieces: Pieces, latin1: array[int]) -> Entry:
    """The document as one record."""
    whole = b""
    for piece in pieces():
        whole += piece
        if len(whole) > files.MAX_LINE_BYTES:
            return Entry(1, fault=Malformed(too_long("the record"), 1))
    text, is_latin1 = files.decoded(whole)
    if is_latin1:
        latin1.append(1)
    return parse(text, 1)


def _shell(pieces: Pieces) -> _Shell:
    """What is left of a document without its arrays: those that are values of the object, not of something in it."""
    text = BracketedText(pieces())
    raw = bytearray()
    arrays: list[_Array] = []
    start, first_line, head, depth = 0, 0, 0, 0
    is_open = False
    while len(raw) <= files.MAX_LINE_BYTES and (place := text.next_bracket()) > 0:
        bracket = text.part(place - 1, place)
        if not is_open:
            raw += text.part(0, place)
            is_open = bracket == b"[" and depth == 1
        depth += 1 if bracket in OPENING else -1
        text.use(place)
        if is_open and bracket == b"[" and depth == 2 and not start:
            start, first_line = text.bytes_before - 1, text.lines_before
            head = head or len(raw) - 1
        if is_open and depth == 1:
            raw += b"]"
            arrays.append(_Array(start, len(raw), text.lines_before - first_line))
            is_open, start = False, 0
        if not depth:
            break
    while not text.rest().strip() and text.more():
        pass
    is_too_long = len(raw) > files.MAX_LINE_BYTES or text.is_too_long
    if is_open:
        arrays.append(_Array(start, len(raw), text.lines_before - first_line))
    else:
        raw += text.rest()[: files.MAX_LINE_BYTES]
    return _Shell(bytes(raw), tuple(arrays), head, is_open, is_too_long and not is_open)


def _refuse(document: dict[str, object], shown: str) -> NoReturn:
    names = [name for name, value in document.items() if isinstance(value, list)]
    raise DataError(
        "data.file.format",
        f"{shown} is a JSON object with {len(names)} arrays, so it is not clear which holds the rows",
        why=f"its keys are {', '.join(map(repr, list(document)[:8]))}",
        fix=f"jq '.{names[0] if names else 'rows'}' {shown} > rows.json",
        where=shown,
    )
