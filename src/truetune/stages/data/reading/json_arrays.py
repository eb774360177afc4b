"""A JSON array, record by record: cut at its brackets without being parsed whole, so that only one record is in memory at a time.

A record that is no JSON is a finding about that record, and those after it are read. Where the array itself breaks (a bracket
or a quotation mark that nothing closes, text between two records) nobody knows where the next record begins: reading ends there.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import replace

from truetune.stages.data.reading import files
from truetune.stages.data.reading.json_values import TEXT_BEFORE_FAULT, Entry, Malformed, parse

_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+([\[\]{}])', re.DOTALL)
"""Up to the next bracket that stands in no string; brackets inside strings mean nothing."""
_WHITE = " \t\r\n"
_TOO_LONG = "the record is longer than {} MiB"
_OPENING = (b"[", b"{")


def array_entries(pieces: Iterator[bytes], latin1: array[int]) -> Iterator[Entry]:
    """The records of an array that begins with the first bracket of `pieces`; `line` is a record's number.

    Args:
        pieces: UTF-8, or a single-byte encoding that is found out record by record.
        latin1: gets the numbers of the records that were not UTF-8.
    """
    return _Array(pieces, latin1).entries()


class _Array:
    """The text that has been read, and where in it the part begins that is not used yet. Places are counted from there."""

    def __init__(self, pieces: Iterator[bytes], latin1: array[int]) -> None:
        self._pieces = pieces
        self._latin1 = latin1
        self._text = b""
        self._at = 0
        self._lines_before = 0
        self._number = 0

    def entries(self) -> Iterator[Entry]:
        """Every record, then what is wrong with the array itself, if anything is."""
        self._use(self._next_bracket(0))
        while (opened := self._next_bracket(0)) > 0:
            is_record = self._part(opened - 1, opened) in _OPENING
            others = self._scalars(self._part(0, opened - 1), is_record=is_record)
            yield from others
            if others and others[-1].fault is not None:
                return
            self._use(opened - 1)
            if not is_record:
                yield from self._after_the_end()
                return
            closed = self._end_of_record()
            if closed < 0:
                break
            yield self._record(self._part(0, closed)) if closed <= files.MAX_LINE_BYTES else self._too_long()
            self._use(closed)
        too_long = len(self._text) - self._at > files.MAX_LINE_BYTES
        yield self._broken(_TOO_LONG.format(files.MAX_LINE_BYTES >> 20) if too_long else "the array has no end")

    def _too_long(self) -> Entry:
        self._number += 1
        return Entry(self._number, fault=Malformed(_TOO_LONG.format(files.MAX_LINE_BYTES >> 20), 1))

    def _record(self, raw: bytes) -> Entry:
        self._number += 1
        text, is_latin1 = files.decoded(raw)
        if is_latin1:
            self._latin1.append(self._number)
        entry = parse(text, 1)
        if entry.fault is None:
            return Entry(self._number, entry.value)
        said = f"{entry.fault.message} (line {self._lines_before + entry.line} of the file)"
        return Entry(self._number, fault=replace(entry.fault, message=said))

    def _scalars(self, between: bytes, *, is_record: bool) -> list[Entry]:
        """Values without brackets, which are no rows and will be said to be none. Between two records there is only a comma."""
        text = files.decoded(between)[0].strip(_WHITE)
        if text == ("," if self._number and is_record else ""):
            return []
        # A record before and a record behind make of what is between them a list of their own.
        listed = parse(f"[{'0' if self._number else ''}{text}{'0' if is_record else ''}]", 1)
        if not isinstance(listed.value, list):
            return [self._broken("not JSON: there is something else than a comma between two records")]
        listed.value[:] = listed.value[bool(self._number) : len(listed.value) - is_record]
        first, self._number = self._number + 1, self._number + len(listed.value)
        return [Entry(number, value) for number, value in enumerate(listed.value, start=first)]

    def _after_the_end(self) -> Iterator[Entry]:
        is_array = self._part(0, 1) == b"]"
        self._use(1)
        while not self._text[self._at :].strip() and self._more():
            pass
        if not is_array or self._text[self._at :].strip():
            yield self._broken("not JSON: there is something after the array")

    def _broken(self, why: str) -> Entry:
        self._number += 1
        seen = files.decoded(self._part(0, 2 * TEXT_BEFORE_FAULT))[0]
        said = f"{why}; from line {self._lines_before + 1} of the file on nothing can be read"
        return Entry(self._number, fault=Malformed(said, None, seen))

    # --- places in the text -----------------------------------------------------------------------------------------

    def _end_of_record(self) -> int:
        """Where the record ends that begins with the text; below zero where it does not, or is too long."""
        place, depth = 1, 1
        while depth:
            place = self._next_bracket(place)
            if place < 0:
                return -1
            depth += 1 if self._part(place - 1, place) in _OPENING else -1
        return place

    def _next_bracket(self, place: int) -> int:
        """The place after the next bracket; below zero where there is none, or the record would become too long."""
        while (found := _TO_BRACKET.match(self._text, self._at + place)) is None:
            if len(self._text) - self._at > files.MAX_LINE_BYTES or not self._more():
                return -1
        return found.end() - self._at

    def _part(self, start: int, end: int) -> bytes:
        return self._text[self._at + start : self._at + end]

    def _more(self) -> bool:
        piece = next(self._pieces, b"")
        self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)

    def _use(self, count: int) -> None:
        self._lines_before += self._text.count(b"\n", self._at, self._at + count)
        self._at += count
