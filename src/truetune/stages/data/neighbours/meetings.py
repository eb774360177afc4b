"""Texts that share a key, as pairs: sorted, counted and bounded, whatever the data looks like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from truetune.stages.data.neighbours.nomination import Keys
from truetune.stages.data.neighbours.words import Hashes, Ints, mix, spans

BUCKET_NEIGHBOURS = 16
"""Texts that share a key are all paired up to this many plus one: a crowd is anything larger."""

CROWD_NEIGHBOURS = 4
"""In a crowd each text meets this many others per key, others for every key: pairs stay linear in texts, a crowd stays linked.
Source: recall, precision and time in benchmarks/speed/near_duplicates.py."""

SHINGLE_CROWDS = 4
"""One in so many crowded shingles of long texts is looked at: enough to link a crowd of copies, and boilerplate costs little."""

_SLICE_ENTRIES = 1 << 22


class Buckets:
    """Keys and texts in one sorted array: the high bits the key, the low bits the text."""

    def __init__(self, keys: Iterable[Keys], size: int, crowds: int = 1) -> None:
        """Sort the keys of texts numbered below `size`; only every so-manieth crowd (by its key) is looked at."""
        self._crowds = np.uint64(crowds)
        self._row_bits = np.uint64(max(size - 1, 1).bit_length())
        self._row_mask = (np.uint64(1) << self._row_bits) - np.uint64(1)
        parts = [(keyed.key & ~self._row_mask) | keyed.row.astype(np.uint64) for keyed in keys]
        self._packed = np.concatenate([np.empty(0, dtype=np.uint64), *parts])
        self._packed.sort()

    def pairs(self) -> Ints:
        """Texts that met, once each, as `smaller * 2^32 + larger`, ascending."""
        return distinct(np.concatenate([np.empty(0, dtype=np.int64), *map(self._pairs_of, self._slices())]))

    def meetings(self, keys: Iterable[Keys]) -> Ints:
        """Other texts and the texts here that they share a key with, once each, as `other * 2^32 + here`, ascending."""
        return distinct(np.concatenate([np.empty(0, dtype=np.int64), *map(self._meetings_of, keys)]))

    def _slices(self) -> Iterator[Hashes]:
        """The entries whose key is not theirs alone, in pieces that never part a key."""
        start = 0
        while start < len(self._packed):
            stop = min(start + _SLICE_ENTRIES, len(self._packed))
            if stop < len(self._packed):
                stop = int(np.searchsorted(self._packed, self._packed[stop - 1] | self._row_mask, side="right"))
            keys = self._packed[start:stop] >> self._row_bits
            same = keys[1:] == keys[:-1]
            yield self._packed[start:stop][np.append(same, False) | np.append(False, same)]
            start = stop

    def _pairs_of(self, packed: Hashes) -> Ints:
        keys = packed >> self._row_bits
        rows, crowded = self._shuffled_crowds(keys, (packed & self._row_mask).astype(np.int64))
        quiet = crowded & (mix(keys) % self._crowds != 0)
        keys, rows, crowded = keys[~quiet], rows[~quiet], crowded[~quiet]
        met = [np.empty(0, dtype=np.int64)]
        for step in range(1, BUCKET_NEIGHBOURS + 1):
            together = keys[step:] == keys[:-step]
            same = np.flatnonzero(together if step <= CROWD_NEIGHBOURS else together & ~crowded[step:])
            if not len(same):
                break
            left, right = rows[same], rows[same + step]
            met.append((np.minimum(left, right) << 32) | np.maximum(left, right))
        codes = np.concatenate(met)
        return distinct(codes[(codes >> 32) != (codes & 0xFFFFFFFF)])

    def _shuffled_crowds(self, keys: Hashes, rows: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """The rows, those of crowds in an order that differs from key to key; and who is in a crowd."""
        edges = (
            np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1], [True]])) if len(keys) else np.zeros(1, dtype=np.int64)
        )
        sizes = np.diff(edges)
        crowded = np.repeat(sizes > BUCKET_NEIGHBOURS + 1, sizes)
        where = np.flatnonzero(crowded)
        order = np.lexsort((mix(keys[where] ^ mix(rows[where].astype(np.uint64))), keys[where]))
        shuffled = rows.copy()
        shuffled[where] = rows[where][order]
        return shuffled, crowded

    def _meetings_of(self, keys: Keys) -> Ints:
        low = np.searchsorted(self._packed, keys.key & ~self._row_mask, side="left")
        high = np.searchsorted(self._packed, keys.key | self._row_mask, side="right")
        sizes = high - low
        met = np.minimum(sizes, BUCKET_NEIGHBOURS)
        other = np.repeat(keys.row, met)
        turn = np.repeat((mix(keys.key ^ keys.row.astype(np.uint64)) >> np.uint64(33)).astype(np.int64), met)
        offset = (turn + spans(np.zeros(len(met), dtype=np.int64), met)) % np.repeat(np.maximum(sizes, 1), met)
        here = (self._packed[np.repeat(low, met) + offset] & self._row_mask).astype(np.int64)
        return distinct((other << 32) | here)


def distinct(codes: Ints) -> Ints:
    """The different values, ascending (sorts in place)."""
    codes.sort()
    return codes[np.append(True, codes[1:] != codes[:-1])] if len(codes) else codes
