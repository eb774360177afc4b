"""Texts that share a key, as pairs: sorted, counted and bounded, whatever the data looks like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from truetune.stages.data.neighbours.nomination import Keys
from truetune.stages.data.neighbours.sorting import distinct
from truetune.stages.data.neighbours.spool import distinct_of
from truetune.stages.data.neighbours.words import Hashes, Ints, mix, spans

BUCKET_NEIGHBOURS = 8
"""Texts that share a key are all paired up to this many plus one: a crowd is anything larger."""

CROWD_NEIGHBOURS = 1
"""In a crowd each text meets this many before and after it per key, in an order that puts likely copies together: pairs stay
linear in texts, and a crowd stays linked. Source: recall, precision and time in benchmarks/speed/near_duplicates.py."""

_ORDERS = 8
"""Chances to stand next to a copy. Source: benchmarks/speed/near_duplicates.py, 100,000 rows: 4 find 0.996 of copies, 8 0.998."""

_MULTIPLIER = 0x9E3779B97F4A7C15
_SLICE_ENTRIES = 1 << 19
_CROWD_BITS = np.uint64(20)
"""Enough to number the crowds of a slice, each of which is of more than `BUCKET_NEIGHBOURS` entries."""


class Buckets:
    """Keys and texts in one sorted array: the high bits the key, the low bits the text; many of them lie in a file."""

    def __init__(self, keys: Iterable[Keys], size: int, scratch_dir: Path | None = None) -> None:
        """Sort the keys of texts numbered below `size`; the file lies in `scratch_dir`, or with the system's temporary files."""
        self._size = size
        self._row_bits = np.uint64(max(size - 1, 1).bit_length())
        self._row_mask = (np.uint64(1) << self._row_bits) - np.uint64(1)
        self._sorted = distinct_of(((keyed.key & ~self._row_mask) | keyed.row.astype(np.uint64) for keyed in keys), scratch_dir)
        self._packed = self._sorted.values

    def pairs(self) -> Iterator[Ints]:
        """Texts that met, as `smaller * 2^32 + larger`: in runs, each ascending and each pair once a run."""
        crowds = _Crowds(self._size)
        for met in self._slices():
            crowds.count(met)
        for met in self._slices():
            yield _pairs_of(met, crowds)

    def meetings(self, keys: Iterable[Keys]) -> Ints:
        """Other texts and the texts here that they share a key with, once each, as `other * 2^32 + here`, ascending."""
        return _merged([self._meetings_of(some) for some in keys])

    def _slices(self) -> Iterator[_Met]:
        """The entries whose key is not theirs alone, in pieces that never part a key."""
        start = 0
        while start < len(self._packed):
            stop = min(start + _SLICE_ENTRIES, len(self._packed))
            if stop < len(self._packed):
                stop = int(np.searchsorted(self._packed, self._packed[stop - 1] | self._row_mask, side="right"))
            keys = self._packed[start:stop] >> self._row_bits
            same = keys[1:] == keys[:-1]
            met = np.flatnonzero(np.append(same, False) | np.append(False, same))
            yield _Met(keys[met], (self._packed[start:stop][met] & self._row_mask).astype(np.int64))
            self._sorted.release()
            start = stop

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


class _Met:
    """Texts that share keys, by key.

    Attributes:
        keys: ascending, (entries,).
        rows: the text of each, (entries,).
        crowded: where more texts share a key than are all paired, (crowded entries,).
        sizes: how many texts share the key of each of these.
    """

    def __init__(self, keys: Hashes, rows: Ints) -> None:
        self.keys, self.rows = keys, rows
        edges = np.append(np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)]), len(keys))
        sizes = np.diff(edges)
        large = sizes > BUCKET_NEIGHBOURS + 1
        self.crowded = spans(edges[:-1][large], sizes[large])
        self.sizes = np.repeat(sizes[large], sizes[large])


class _Crowds:
    """Which texts of a crowd are put next to each other: those that also share one of their least crowded other keys.

    Each text is sorted by the least of its keys' hashes, small crowds first; texts with many keys in common often have that one
    in common too, and each of `_ORDERS` orders is another chance. Crowds within a factor of eight count as equally small: if the
    very smallest always won, one key would decide in every order, and an edit that destroys it would destroy all chances.
    """

    def __init__(self, size: int) -> None:
        self._least = np.full((_ORDERS, size), np.iinfo(np.uint64).max, dtype=np.uint64)

    def count(self, met: _Met) -> None:
        """Look at the keys of some crowds; every crowd must have been looked at before one is put in order."""
        rows, mixed = met.rows[met.crowded], mix(met.keys[met.crowded])
        rank = (np.log2(met.sizes) // 3).astype(np.uint64) << np.uint64(58)
        for order, values in enumerate(self._least):
            multiplier = np.uint64(
                _MULTIPLIER * (2 * order + 1) % (1 << 64)
            )  # odd: each order is another permutation of the keys
            np.minimum.at(values, rows, rank | ((mixed * multiplier) >> np.uint64(6)))

    def ordered(self, met: _Met) -> Ints:
        """The rows, those of crowds in their order."""
        keys, rows = met.keys[met.crowded], met.rows.copy()
        chosen = self._least[(mix(keys) >> np.uint64(61)).astype(np.int64) % _ORDERS, rows[met.crowded]]
        crowd = np.cumsum(np.append(False, keys[1:] != keys[:-1])[: len(keys)]).astype(np.uint64)
        order = np.argsort((crowd << (np.uint64(64) - _CROWD_BITS)) | (chosen >> _CROWD_BITS), kind="stable")
        rows[met.crowded] = rows[met.crowded][order]
        return rows


def _pairs_of(met: _Met, crowds: _Crowds) -> Ints:
    keys, rows = met.keys, crowds.ordered(met)
    crowded = np.zeros(len(keys), dtype=bool)
    crowded[met.crowded] = True
    pairs = [np.empty(0, dtype=np.int64)]
    for step in range(1, BUCKET_NEIGHBOURS + 1):
        together = keys[step:] == keys[:-step]
        same = np.flatnonzero(together if step <= CROWD_NEIGHBOURS else together & ~crowded[step:])
        if not len(same):
            break
        left, right = rows[same], rows[same + step]
        pairs.append((np.minimum(left, right) << 32) | np.maximum(left, right))
    return distinct(np.concatenate(pairs))


def _merged(parts: Sequence[Ints]) -> Ints:
    return parts[0] if len(parts) == 1 else distinct(np.concatenate([np.empty(0, dtype=np.int64), *parts]))
