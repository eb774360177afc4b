"""The curated rows of one side while they are put together: on disk, because a side can be larger than memory."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import overload

from truetune.evidence import atomic
from truetune.evidence.curated import CuratedRow
from truetune.stages.data.reading.json_values import packed, unpacked

_FIELDS = tuple(field.name for field in fields(CuratedRow))
_WRITE_BYTES = 1 << 20


class CuratedSpool(Sequence[CuratedRow]):
    """Rows that are added one after another and read in any order; the file has no name and goes with this object."""

    def __init__(self, folder: Path) -> None:
        """The file lies in `folder`."""
        self._folder = folder
        with atomic.writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder, buffering=_WRITE_BYTES)  # noqa: SIM115 - open as long as its rows
        self._ends = array("q", [0])

    def append(self, row: CuratedRow) -> None:
        """One more row.

        Raises:
            EnvironmentFault: the disk is full.
        """
        content = packed([getattr(row, name) for name in _FIELDS])
        with atomic.writing(self._folder):
            self._file.write(content)
        self._ends.append(self._ends[-1] + len(content))

    def extend(self, rows: Iterable[CuratedRow]) -> None:
        """More rows."""
        for row in rows:
            self.append(row)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> CuratedRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[CuratedRow]: ...
    def __getitem__(self, index: int | slice) -> CuratedRow | list[CuratedRow]:
        """A row, or the rows of a slice as a list."""
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        self._flush()
        return self._read(self._ends[place], self._ends[place + 1])

    def __iter__(self) -> Iterator[CuratedRow]:
        self._flush()
        return (self._read(start, end) for start, end in pairwise(self._ends))

    def _flush(self) -> None:
        with atomic.writing(self._folder):
            self._file.flush()

    def _read(self, start: int, end: int) -> CuratedRow:
        values = dict(zip(_FIELDS, unpacked(os.pread(self._file.fileno(), end - start, start)), strict=True))
        return CuratedRow(**{**values, "messages": tuple(values["messages"])})
