"""JSON text as it comes, walked from bracket to bracket: cut without being parsed, so that one part at a time is in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator

from truetune.stages.data.reading import files

_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+([\[\]{}])', re.DOTALL)
"""Up to the next bracket that stands in no string; brackets inside strings mean nothing."""
OPENING = (b"[", b"{")


class BracketedText:
    """The text that has been read, and where in it the part begins that is not used yet. Places are counted from there.

    Attributes:
        bytes_before: how much of the text was used.
        lines_before: how many line ends were in that.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """`pieces` are UTF-8, or a single-byte encoding."""
        self._pieces = pieces
        self._text = b""
        self._at = 0
        self.bytes_before = 0
        self.lines_before = 0

    @property
    def is_too_long(self) -> bool:
        """Has more been read than a record may have, without being used?"""
        return len(self._text) - self._at > files.MAX_LINE_BYTES

    def next_bracket(self, place: int = 0) -> int:
        """The place after the next bracket; below zero where there is none, or what stands before it is too long."""
        while (found := _TO_BRACKET.match(self._text, self._at + place)) is None:
            if self.is_too_long or not self.more():
                return -1
        return found.end() - self._at

    def end_of_record(self) -> int:
        """Where the part ends that begins with an opening bracket; below zero where it does not, or is too long."""
        place, depth = 1, 1
        while depth:
            place = self.next_bracket(place)
            if place < 0:
                return -1
            depth += 1 if self.part(place - 1, place) in OPENING else -1
        return place

    def part(self, start: int, end: int) -> bytes:
        """The text between two places."""
        return self._text[self._at + start : self._at + end]

    def rest(self) -> bytes:
        """All that has been read and is not used."""
        return self._text[self._at :]

    def more(self) -> bool:
        """Read on; False where the text is at its end."""
        piece = next(self._pieces, b"")
        self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)

    def use(self, count: int) -> None:
        """Be done with the first bytes."""
        self.lines_before += self._text.count(b"\n", self._at, self._at + count)
        self.bytes_before += count
        self._at += count

    def skip(self, count: int) -> None:
        """Be done with the first bytes, read or not."""
        while count > 0 and (self._at < len(self._text) or self.more()):
            part = min(count, len(self._text) - self._at)
            self.use(part)
            count -= part
