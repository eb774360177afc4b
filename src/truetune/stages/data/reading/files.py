"""Opening the user's files: only regular files, only text or Parquet, decoded without losing a character.

Nothing here writes. What cannot be data at all is a `DataError` that says why; what is odd but readable is read, and told.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from truetune.core.errors import DataError

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAX_LINE_BYTES = 16 << 20
"""A longer line is a finding, not a row: 16 MiB of text is about 4 million tokens, more than any context window."""

_SNIFF_BYTES, _READ_BYTES, _BEGINNING_BYTES = 1 << 16, 1 << 20, 64
_CONTROL = bytes(set(range(32)) - {8, 9, 10, 12, 13, 27})
_MAGIC = (
    (b"\x1f\x8b", "gzip", "gunzip -k {name}"),
    (b"PK\x03\x04", "zip", "unzip {name}"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -dk {name}"),
    (b"BZh", "bzip2", "bunzip2 -k {name}"),
    (b"\xfd7zXZ", "xz", "unxz -k {name}"),
    (b"ARROW1", "an Arrow file", "convert it to Parquet or JSON lines"),
    (b"%PDF", "PDF", "export the rows as JSON lines"),
    (b"SQLite format 3", "a SQLite database", "export the rows as JSON lines"),
)
_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_UTF8_BOM = b"\xef\xbb\xbf"


class _Hashed(io.RawIOBase):
    """A file whose bytes go into a digest as they are read."""

    def __init__(self, raw: io.FileIO) -> None:
        self._raw = raw
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        """It is only read."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """The next bytes."""
        count = self._raw.readinto(buffer)
        self.digest.update(memoryview(buffer)[:count])
        return count or 0

    def rewind(self) -> None:
        """Start again, with a digest of nothing."""
        self._raw.seek(0)
        self.digest = hashlib.sha256()


class OpenFile:
    """A file of the user's that is being read, held open so that its name cannot come to mean another one.

    Attributes:
        path: where it lies.
        shown: how findings name it.
        kind: `parquet`, or the text encoding.
        size_bytes: of the file.
        digest: of its bytes, once it is read.
        stream: its bytes; Parquet, which is not read from start to end, is read by its path.
    """

    def __init__(self, path: Path, shown: str, kind: str, size_bytes: int) -> None:
        """`open_file` makes them."""
        self.path, self.shown, self.kind, self.size_bytes = path, shown, kind, size_bytes
        self.digest = ""
        self._raw = io.FileIO(path)
        self._before = _state(self._raw)
        self._hashed = _Hashed(self._raw)
        self.stream = io.BufferedReader(self._hashed, _READ_BYTES)

    def rewind(self) -> None:
        """Read from the start again."""
        self.stream.detach()
        self._hashed.rewind()
        self.stream = io.BufferedReader(self._hashed, _READ_BYTES)

    def close(self) -> None:
        """Let go of the file."""
        self._raw.close()

    def finish(self) -> None:
        """Read what is left, and take the digest of all its bytes.

        Raises:
            DataError: it was written to while it was read, so that nobody knows which rows these were.
        """
        while self.stream.read(_READ_BYTES):
            pass
        after = _state(self._raw)
        if after != self._before:
            _refuse(
                "data.file.changed",
                f"{self.shown} was written to while it was read",
                why=f"it had {self._before[0]} bytes, then {after[0]}",
                fix=f"wait until it is written, or check a copy: cp {self.shown} copy{self.path.suffix}",
                where=self.shown,
            )
        self.digest = "sha256:" + self._hashed.digest.hexdigest()


def _state(raw: io.FileIO) -> tuple[int, int]:
    status = os.fstat(raw.fileno())
    return status.st_size, status.st_mtime_ns


@contextmanager
def readable(shown: str) -> Iterator[None]:
    """Turn the system's refusals to read a file into an error about it.

    Raises:
        DataError: it could be opened and cannot be read.
    """
    try:
        yield
    except OSError as error:
        _refuse(
            "data.file.unreadable",
            f"{shown} cannot be read",
            why=str(error.strerror or error),
            fix=f"ls -l {shown}",
            where=shown,
        )


def open_file(path: Path, shown: str) -> OpenFile:
    """A file of text or Parquet, opened.

    Raises:
        DataError: missing, not a regular file, not permitted, empty, compressed or binary.
    """
    size_bytes = require_regular(path, shown)
    with readable(shown):
        return OpenFile(path, shown, sniff(path, shown), size_bytes)


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line of text as it was decoded. `text` is None where the line is longer than `MAX_LINE_BYTES`, with its `beginning`."""

    number: int
    text: str | None
    is_latin1: bool = False
    beginning: str = ""


def require_regular(path: Path, shown: str) -> int:
    """The size in bytes of a file that can be read.

    Raises:
        DataError: missing, a folder, a pipe or device, not permitted, or empty.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        _refuse("data.file.missing", f"there is no file {shown}", fix=f"ls {Path(shown).parent}", where=shown)
    except OSError as error:
        _refuse("data.file.unreadable", f"{shown} cannot be read", why=str(error.strerror), fix=f"ls -l {shown}", where=shown)
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe" if stat.S_ISFIFO(status.st_mode) else "not a regular file"
        fix = f"name the file in it: ls {shown}" if kind == "a folder" else f"write it to a file first: cat {shown} > rows.jsonl"
        _refuse(
            "data.file.not_regular", f"{shown} is {kind}", why="only a file can be hashed and read again", fix=fix, where=shown
        )
    if not os.access(path, os.R_OK):
        _refuse("data.file.unreadable", f"{shown} cannot be read", why="no permission", fix=f"chmod u+r {shown}", where=shown)
    if status.st_size == 0:
        _refuse("data.file.empty", f"{shown} is empty", fix="name a file that has rows", where=shown)
    return status.st_size


def sniff(path: Path, shown: str) -> str:
    """`parquet`, or the text encoding: `utf-8`, `utf-16`, `utf-32` (the last two by their byte order mark).

    Raises:
        DataError: compressed, binary, or nothing but white space.
    """
    with path.open("rb") as stream:
        head = stream.read(_SNIFF_BYTES)
    if head.startswith(b"PAR1"):
        return "parquet"
    for magic, kind, fix in _MAGIC:
        if head.startswith(magic):
            _refuse(
                "data.file.binary",
                f"{shown} is {kind}",
                why="rows are read from text or Parquet",
                fix=fix.format(name=shown),
                where=shown,
            )
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if _is_binary(head):
        fix = f"file {shown}; if it is UTF-16 without a mark: iconv -f UTF-16LE -t UTF-8 {shown} > utf8.jsonl"
        _refuse("data.file.binary", f"{shown} is not text", why="it is full of bytes that no text has", fix=fix, where=shown)
    return "utf-8"


def _is_binary(head: bytes) -> bool:
    """One odd byte is a bad line, which is found later; one in ten is another kind of file."""
    return len(head) - len(head.translate(None, _CONTROL)) > len(head) / 10


def lines(opened: OpenFile) -> Iterator[RawLine]:
    """The file's lines, from 1, blank ones included; a line that is not UTF-8 is read as Windows-1252 or latin-1 and says so."""
    if opened.kind in ("utf-16", "utf-32"):
        yield from _wide_lines(opened)
        return
    for number, (raw, is_whole) in enumerate(_bounded_lines(opened.stream), start=1):
        text, is_latin1 = decoded(raw.removeprefix(_UTF8_BOM) if number == 1 else raw)
        yield RawLine(number, text, is_latin1) if is_whole else RawLine(number, None, beginning=text)


def _bounded_lines(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Lines, each with whether it is whole; of one that is too long its beginning."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        if len(line) <= MAX_LINE_BYTES:
            yield line, True
            continue
        beginning = line[:_BEGINNING_BYTES]
        while not line.endswith(b"\n") and (line := stream.readline(1 << 20)):
            pass
        yield beginning, False


def decoded(raw: bytes) -> tuple[str, bool]:
    """The text, and whether it was read as Windows-1252 or latin-1 because it is not UTF-8."""
    try:
        return raw.decode("utf-8"), False
    except UnicodeDecodeError:
        return _decode_single_byte(raw), True


def pieces(opened: OpenFile) -> Iterator[bytes]:
    """The file's text as it comes, a megabyte at a time, without its byte order mark; wide encodings as UTF-8."""
    if opened.kind in ("utf-16", "utf-32"):
        text = io.TextIOWrapper(opened.stream, encoding=opened.kind, errors="replace", newline="\n")
        try:
            while wide := text.read(_READ_BYTES):
                yield wide.encode("utf-8")
        finally:
            text.detach()
        return
    first = opened.stream.read(_READ_BYTES)
    yield first.removeprefix(_UTF8_BOM)
    while piece := opened.stream.read(_READ_BYTES):
        yield piece


def _decode_single_byte(raw: bytes) -> str:
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _wide_lines(opened: OpenFile) -> Iterator[RawLine]:
    text = io.TextIOWrapper(opened.stream, encoding=opened.kind, errors="replace", newline="\n")
    number = 0
    try:
        while line := text.readline(MAX_LINE_BYTES + 1):
            number += 1
            is_whole, beginning = len(line) <= MAX_LINE_BYTES, line[:_BEGINNING_BYTES]
            while not is_whole and not line.endswith("\n") and (line := text.readline(_READ_BYTES)):
                pass
            yield RawLine(number, line) if is_whole else RawLine(number, None, beginning=beginning)
    finally:
        text.detach()


def _refuse(code: str, what: str, *, fix: str, where: str, why: str = "") -> NoReturn:
    raise DataError(code, what, why=why, fix=fix, where=where)
