"""Arrays of numbers that may be larger than memory: at hand while they are small, else in files without a name.

The system removes such a file when it is no longer used or the process ends, however it ends. What is read of it is mapped, so
the system may take the pages back at any time.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from truetune.evidence import atomic
from truetune.stages.data.neighbours.sorting import distinct

Hashes = npt.NDArray[np.uint64]
Number = TypeVar("Number", np.uint32, np.uint64)

HELD_BYTES = 16 << 20
"""So much of an array is held before it goes to a file. Source: stated; the keys of some twenty thousand long prompts."""

_RANGES = 256


class Numbers(Generic[Number]):
    """One array, in memory or mapped from a file.

    Attributes:
        values: the numbers, read only.
    """

    def __init__(self, values: npt.NDArray[Number], mapped: mmap.mmap | None = None) -> None:
        """`mapped` is what the values are read from."""
        self.values: npt.NDArray[Number] = values
        self._mapped = mapped

    def __len__(self) -> int:
        return len(self.values)

    def release(self) -> None:
        """Give back the pages that were read: they stay in the system's cache, not in this process."""
        if self._mapped is not None and hasattr(self._mapped, "madvise"):  # not on Windows, which takes pages back by itself
            self._mapped.madvise(mmap.MADV_DONTNEED)


class Spool(Generic[Number]):
    """Numbers that are put one array after another, and then are one array."""

    def __init__(self, dtype: type[Number], folder: Path | None) -> None:
        """The file, if it comes to one, lies in `folder`, or where the system keeps temporary files."""
        self._dtype: type[Number] = dtype
        self._folder = folder
        self._held: list[npt.NDArray[Number]] = []
        self._held_bytes = 0
        self._file: BinaryIO | None = None

    def put(self, values: npt.NDArray[Number]) -> None:
        """More numbers.

        Raises:
            EnvironmentFault: the disk is full.
        """
        self._held.append(values)
        self._held_bytes += values.nbytes
        if self._file is not None or self._held_bytes > HELD_BYTES:
            self._write()

    def sealed(self) -> Numbers[Number]:
        """All that was put; nothing can be put any more.

        Raises:
            EnvironmentFault: the disk is full.
        """
        if self._file is None:
            return Numbers(np.concatenate([np.empty(0, dtype=self._dtype), *self._held]))
        with self._file as file, atomic.writing(_place(self._folder)):
            file.flush()
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return Numbers(np.frombuffer(mapped, dtype=self._dtype), mapped)

    def _write(self) -> None:
        if self._file is None:
            self._file = _unnamed(self._folder)
        _written(self._file, self._held, self._folder)
        self._held, self._held_bytes = [], 0


def distinct_of(parts: Iterable[Hashes], folder: Path | None) -> Numbers[np.uint64]:
    """The different numbers of all parts, ascending.

    Of more than can be held each goes to the file of its range, told by its first bits; then one range after another is sorted.

    Raises:
        EnvironmentFault: the disk is full.
    """
    held: list[Hashes] = []
    ranges: _Ranges | None = None
    for part in parts:
        held.append(part)
        if sum(part.nbytes for part in held) > HELD_BYTES:
            ranges = ranges or _Ranges(folder)
            ranges.put(_joined(held))
    if ranges is None:
        return Numbers(distinct(_joined(held)))
    ranges.put(_joined(held))
    spool = Spool(np.uint64, folder)
    for some in ranges:
        spool.put(distinct(some))
    return spool.sealed()


def _joined(held: list[Hashes]) -> Hashes:
    """What is held as one array; nothing is held any more, or it would be there twice while it is sorted."""
    whole = np.concatenate([np.empty(0, dtype=np.uint64), *held])
    held.clear()
    return whole


class _Ranges:
    """Numbers of 64 bits in a file, apart by their first eight."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file = _unnamed(folder)
        self._starts: list[npt.NDArray[np.int64]] = []
        self._written = 0

    def put(self, values: Hashes) -> None:
        """More numbers."""
        first = (values >> np.uint64(56)).astype(np.uint8)
        _written(self._file, [values[np.argsort(first, kind="stable")]], self._folder)
        self._starts.append(self._written + np.append(0, np.cumsum(np.bincount(first, minlength=_RANGES))))
        self._written += len(values)

    def __iter__(self) -> Iterator[Hashes]:
        """The numbers of each range, the ranges ascending, for once."""
        with self._file:
            for number in range(_RANGES):
                yield np.concatenate([self._read(int(s[number]), int(s[number + 1])) for s in self._starts])

    def _read(self, start: int, stop: int) -> Hashes:
        self._file.seek(start * 8)
        return np.frombuffer(self._file.read((stop - start) * 8), dtype=np.uint64)


def _unnamed(folder: Path | None) -> BinaryIO:
    with atomic.writing(_place(folder)):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=folder)


def _written(file: BinaryIO, arrays: Iterable[npt.NDArray[Number]], folder: Path | None) -> None:
    with atomic.writing(_place(folder)):
        for array in arrays:
            file.write(np.ascontiguousarray(array).data)


def _place(folder: Path | None) -> Path:
    return folder or Path(tempfile.gettempdir())
