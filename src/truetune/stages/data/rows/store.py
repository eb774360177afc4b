"""Rows on disk behind `Sequence[Row]`: a corpus takes as much memory as what is looked at, not as much as it holds.

Rows are written once, one JSON value after another, into a file without a name: the system removes it when the process ends,
however it ends. The file is then mapped into memory; a row is made when it is asked for and, unless they are few, forgotten.
"""

from __future__ import annotations

import mmap
import tempfile
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from truetune.core.ports import RowColumns
from truetune.core.records import RowRef
from truetune.evidence import atomic
from truetune.stages.data.reading.json_values import packed, unpacked
from truetune.stages.data.rows.lazy import Lazy
from truetune.stages.data.rows.metadata import RowMeta
from truetune.stages.data.rows.row import Row, row_of

T = TypeVar("T")

_BATCH_ROWS, _BATCH_BYTES = 1024, 8 << 20
_WRITE_BYTES = 1 << 20
_MAPPED_BYTES = 32 << 20
"""Pages that were looked at are given back after so many bytes. Source: stated; a few batches of long rows."""
_BYTES_AROUND_A_ROW = 64 << 10
"""What one look at one row maps: the kernel brings the pages around it too. Source: Linux, `fault_around_bytes`."""

_KEPT_ROWS, _KEPT_BYTES = 20_000, 32 << 20
"""The rows of a store that is within both stay once they are made, for the checks ask for each about eighteen times.
Source: measured, docs/log.md 2026-11-24, small files; at most some 70 MB."""


class RowStore:
    """Where rows are put, one after another."""

    def __init__(self, folder: Path | None = None) -> None:
        """The file lies in `folder`, or where the system keeps temporary files (`$TMPDIR`)."""
        self._folder = folder or Path(tempfile.gettempdir())
        with atomic.writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=_WRITE_BYTES)  # noqa: SIM115 - `sealed` closes it
        self._ends = array("q", [0])
        self._lines = array("q")
        self._files: list[tuple[int, str]] = []
        self._pairs, self._triplets = array("q"), array("q")

    def __len__(self) -> int:
        return len(self._lines)

    def begin_file(self, file: str) -> None:
        """Rows put from now on are of this file."""
        if self._files and self._files[-1][0] == len(self):
            self._files.pop()
        self._files.append((len(self), file))

    def forget_file(self) -> None:
        """Take back the rows of the file that was begun last."""
        first, _ = self._files.pop()
        del self._lines[first:]
        del self._ends[first + 1 :]
        for positions in (self._pairs, self._triplets):
            del positions[bisect_left(positions, first) :]
        with atomic.writing(self._folder):
            self._file.seek(self._ends[-1])
            self._file.truncate()

    def put(self, row: Row) -> None:
        """Keep a row of the file that was begun last; lines ascend.

        Raises:
            EnvironmentFault: the disk is full.
        """
        content = packed([row.messages, row.rejected, row.desirable, row.negatives, row.meta.packed()])
        try:
            self._file.write(content)
        except OSError:
            with atomic.writing(self._folder):
                raise
        if row.rejected is not None:
            self._pairs.append(len(self))
        if row.negatives:
            self._triplets.append(len(self))
        self._lines.append(row.line)
        self._ends.append(self._ends[-1] + len(content))

    def sealed(self) -> StoredRows:
        """The rows that were put; nothing can be put any more.

        Raises:
            EnvironmentFault: the disk is full.
        """
        with atomic.writing(self._folder):
            self._file.flush()
        mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if self._lines else None
        self._file.close()
        return StoredRows(mapped, self._ends, self._lines, self._files, self._pairs, self._triplets, self._folder)


class StoredRows(Lazy[Row]):
    """The rows of a store, in the order in which they were put.

    Attributes:
        pairs: positions of the rows with a rejected answer, so that their checks need not look at others.
        triplets: positions of the rows with negatives.
        folder: where the file of rows lies; what else is too large for memory belongs there too.
    """

    def __init__(
        self,
        mapped: mmap.mmap | None,
        ends: array[int],
        lines: array[int],
        files: Sequence[tuple[int, str]],
        pairs: Sequence[int],
        triplets: Sequence[int],
        folder: Path,
    ) -> None:
        """`ends` are the borders of the rows in bytes; `files` says where each file's rows begin."""
        self._mapped = mapped
        self._view = memoryview(mapped if mapped is not None else b"")
        self._ends, self._lines, self._files = ends, lines, files
        self.pairs, self.triplets, self.folder = pairs, triplets, folder
        self._mapped_bytes = 0
        few = len(lines) <= _KEPT_ROWS and ends[-1] <= _KEPT_BYTES
        self._kept: list[Row | None] | None = [None] * len(lines) if few else None

    def __len__(self) -> int:
        return len(self._lines)

    def _item(self, place: int) -> Row:
        if self._kept is None:
            return self._made(place)
        row = self._kept[place]
        if row is None:
            row = self._kept[place] = self._made(place)
        return row

    def _items(self, places: range) -> list[Row]:
        return list(self._between(places.start, places.stop)) if places.step == 1 else super()._items(places)

    def __iter__(self) -> Iterator[Row]:
        return self._between(0, len(self))

    def batches(self) -> Iterator[RowColumns]:
        """All rows as columns, some thousand rows at a time: their positions, files and lines, and what they are made from."""
        start = 0
        while start < len(self):
            full = bisect_right(self._ends, self._ends[start] + _BATCH_BYTES) - 1
            stop = min(max(full, start + 1), start + _BATCH_ROWS, self._end_of_file(start))
            self._touch(self._ends[stop] - self._ends[start])
            yield RowColumns(
                position=range(start, stop),
                file=[self._file(start)] * (stop - start),
                line=self._lines[start:stop].tolist(),
                row=[bytes(self._view[a:b]) for a, b in pairwise(self._ends[start : stop + 1])],
            )
            start = stop

    def position(self, ref: RowRef) -> int | None:
        """Where the row of that file and line is; None where no such row was kept."""
        for first, file in reversed(self._files):
            if file == ref.file:
                end = self._end_of_file(first)
                place = bisect_left(self._lines, ref.line, first, end)
                return place if place < end and self._lines[place] == ref.line else None
        return None

    def _made(self, place: int) -> Row:
        self._touch(_BYTES_AROUND_A_ROW)
        return _row(self._file(place), self._lines[place], self._view[self._ends[place] : self._ends[place + 1]])

    def _file(self, place: int) -> str:
        return self._files[bisect_right(self._files, place, key=lambda begun: begun[0]) - 1][1]

    def _end_of_file(self, place: int) -> int:
        following = bisect_right(self._files, place, key=lambda begun: begun[0])
        return self._files[following][0] if following < len(self._files) else len(self)

    def _between(self, start: int, stop: int) -> Iterator[Row]:
        if self._kept is not None:
            for place in range(start, stop):
                yield self._kept[place] or self[place]
            return
        while start < stop:
            end, file = min(stop, self._end_of_file(start), start + _BATCH_ROWS), self._file(start)
            self._touch(self._ends[end] - self._ends[start])
            borders = self._ends[start : end + 1]
            for line, a, b in zip(self._lines[start:end], borders, borders[1:], strict=False):
                yield _row(file, line, self._view[a:b])
            start = end

    def _touch(self, size_bytes: int) -> None:
        """Count what is about to be mapped, and give back what was: the pages stay in the system's cache, not in this process."""
        self._mapped_bytes += size_bytes
        if self._mapped_bytes > _MAPPED_BYTES and self._mapped is not None:
            self._mapped.madvise(mmap.MADV_DONTNEED)
            self._mapped_bytes = size_bytes


class Joined(Lazy[T]):
    """Several sequences as one, without a copy."""

    def __init__(self, *parts: Sequence[T]) -> None:
        """`parts` in their order."""
        self._parts = parts
        self._starts = [0]
        for part in parts:
            self._starts.append(self._starts[-1] + len(part))

    def __len__(self) -> int:
        return self._starts[-1]

    def _item(self, place: int) -> T:
        number = bisect_right(self._starts, place) - 1
        return self._parts[number][place - self._starts[number]]

    def _items(self, places: range) -> list[T]:
        if places.step != 1:
            return super()._items(places)
        pairs = zip(self._parts, self._starts, strict=False)
        return [item for part, first in pairs for item in part[max(0, places.start - first) : max(0, places.stop - first)]]

    def __iter__(self) -> Iterator[T]:
        for part in self._parts:
            yield from part


def stored(rows: Iterable[Row], folder: Path | None = None) -> StoredRows:
    """Rows that are at hand already, in a store of their own; those of a file stand together."""
    store, file = RowStore(folder), None
    for row in rows:
        if row.file != file:
            store.begin_file(row.file)
            file = row.file
        store.put(row)
    return store.sealed()


def rows_with_positions(columns: RowColumns) -> Iterator[tuple[int, Row]]:
    """The rows of a batch, each with its position in the store."""
    for position, file, line, content in zip(columns.position, columns.file, columns.line, columns.row, strict=True):
        yield position, _row(file, line, content)


def _row(file: str, line: int, content: bytes | memoryview) -> Row:
    messages, rejected, desirable, negatives, meta = unpacked(content)
    return row_of(file, line, messages, rejected, desirable, tuple(negatives), RowMeta.unpacked(meta))
