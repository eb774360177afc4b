"""A JSON array, record by record: cut at its brackets without being parsed whole, so that only one record is in memory at a time.

A record that is no JSON is a finding about that record, and those after it are read. Where the array itself breaks (a bracket
or a quotation mark that nothing closes, text between two records) nobody knows where the next record begins: reading ends there.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import replace

from truetune.stages.data.reading import files
from truetune.stages.data.reading.bracketed import OPENING, BracketedText
from truetune.stages.data.reading.json_values import TEXT_BEFORE_FAULT, Entry, Malformed, parse

_WHITE = " \t\r\n"


def too_long(what: str) -> str:
    """What is said of something that is too long to be read."""
    return f"{what} is longer than {files.MAX_LINE_BYTES >> 20} MiB"


def array_entries(pieces: Iterator[bytes], latin1: array[int], start: int = 0) -> Iterator[Entry]:
    """The records of the array that begins with the first bracket of `pieces` after `start`; `line` is a record's number.

    Args:
        pieces: UTF-8, or a single-byte encoding that is found out record by record.
        latin1: gets the numbers of the records that were not UTF-8.
        start: bytes before the array, where it is a part of something else: then what follows it is not looked at.
    """
    text = BracketedText(pieces)
    text.skip(start)
    return _Array(text, latin1, is_all=not start).entries()


class _Array:
    """An array, and how many of its records have been read."""

    def __init__(self, text: BracketedText, latin1: array[int], *, is_all: bool) -> None:
        self._text = text
        self._latin1 = latin1
        self._is_all = is_all
        self._number = 0

    def entries(self) -> Iterator[Entry]:
        """Every record, then what is wrong with the array itself, if anything is."""
        text = self._text
        text.use(text.next_bracket())
        while (opened := text.next_bracket()) > 0:
            is_record = text.part(opened - 1, opened) in OPENING
            others = self._scalars(text.part(0, opened - 1), is_record=is_record)
            yield from others
            if others and others[-1].fault is not None:
                return
            text.use(opened - 1)
            if not is_record:
                yield from self._after_the_end()
                return
            closed = text.end_of_record()
            if closed < 0:
                break
            yield self._record(text.part(0, closed)) if closed <= files.MAX_LINE_BYTES else self._too_long()
            text.use(closed)
        yield self._broken(too_long("the record") if text.is_too_long else "the array has no end")

    def _too_long(self) -> Entry:
        self._number += 1
        return Entry(self._number, fault=Malformed(too_long("the record"), 1))

    def _record(self, raw: bytes) -> Entry:
        self._number += 1
        text, is_latin1 = files.decoded(raw)
        if is_latin1:
            self._latin1.append(self._number)
        entry = parse(text, 1)
        if entry.fault is None:
            return Entry(self._number, entry.value)
        said = f"{entry.fault.message} (line {self._text.lines_before + entry.line} of the file)"
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
        text = self._text
        is_array = text.part(0, 1) == b"]"
        text.use(1)
        while self._is_all and not text.rest().strip() and text.more():
            pass
        if not is_array or (self._is_all and text.rest().strip()):
            yield self._broken("not JSON: there is something after the array")

    def _broken(self, why: str) -> Entry:
        self._number += 1
        seen = files.decoded(self._text.part(0, 2 * TEXT_BEFORE_FAULT))[0]
        said = f"{why}; from line {self._text.lines_before + 1} of the file on nothing can be read"
        return Entry(self._number, fault=Malformed(said, None, seen))
