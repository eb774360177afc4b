"""Texts that share a key, as pairs: sorted, counted and bounded, whatever the data looks like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from truetune.stages.data.neighbours.nomination import Keys
from truetune.stages.data.neighbours.sorting import distinct
from truetune.stages.data.neighbours.words import Hashes, Ints, mix, spans

BUCKET_NEIGHBOURS = 8
"""Texts that share a key are all paired up to this many plus one: a crowd is anything larger."""

CROWD_NEIGHBOURS = 1
"""In a crowd each text meets this many before and after it per key, in an order that puts likely copies together: pairs stay
linear in texts, and a crowd stays linked. Source: recall, precision and time in benchmarks/speed/near_duplicates.py."""

_ORDERS = 8
"""Chances to stand next to a copy. Source: benchmarks/speed/near_duplicates.py, 100,000 rows: 4 find 0.996 of copies, 8 0.998."""

_MULTIPLIER = 0x9E3779B97F4A7C15
_SLICE_ENTRIES = 1 << 22


class Buckets:
    """Keys and texts in one sorted array: the high bits the key, the low bits the text."""

    def __init__(self, keys: Iterable[Keys], size: int) -> None:
        """Sort the keys of texts numbered below `size`."""
        self._row_bits = np.uint64(max(size - 1, 1).bit_length())
        self._row_mask = (np.uint64(1) << self._row_bits) - np.uint64(1)
        parts = [(keyed.key & ~self._row_mask) | keyed.row.astype(np.uint64) for keyed in keys]
        packed = np.concatenate([np.empty(0, dtype=np.uint64), *parts])
        del parts  # or it would be there beside the copy and what sorting takes
        self._packed = distinct(packed)

    def pairs(self) -> Ints:
        """Texts that met, once each, as `smaller * 2^32 + larger`, ascending."""
        return _merged([self._pairs_of(packed) for packed in self._slices()])

    def meetings(self, keys: Iterable[Keys]) -> Ints:
        """Other texts and the texts here that they share a key with, once each, as `other * 2^32 + here`, ascending."""
        return _merged([self._meetings_of(some) for some in keys])

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
        keys, rows = packed >> self._row_bits, (packed & self._row_mask).astype(np.int64)
        edges = (
            np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1], [True]])) if len(keys) else np.zeros(1, dtype=np.int64)
        )
        sizes = np.repeat(np.diff(edges), np.diff(edges))
        crowded = sizes > BUCKET_NEIGHBOURS + 1
        where = np.flatnonzero(crowded)
        rows[where] = _alike_together(keys[where], rows[where], sizes[where])
        met = [np.empty(0, dtype=np.int64)]
        for step in range(1, BUCKET_NEIGHBOURS + 1):
            together = keys[step:] == keys[:-step]
            same = np.flatnonzero(together if step <= CROWD_NEIGHBOURS else together & ~crowded[step:])
            if not len(same):
                break
            left, right = rows[same], rows[same + step]
            met.append((np.minimum(left, right) << 32) | np.maximum(left, right))
        return distinct(np.concatenate(met))

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


def _alike_together(keys: Hashes, rows: Ints, sizes: Ints) -> Ints:
    """The rows of crowds, key by key, those next to each other that also share one of their least crowded other keys.

    Each text is sorted by the least of its keys' hashes, small crowds first; texts with many keys in common often have that one
    in common too, and each of `_ORDERS` orders is another chance. Crowds within a factor of eight count as equally small: if the
    very smallest always won, one key would decide in every order, and an edit that destroys it would destroy all chances.
    """
    if not len(rows):
        return rows
    least = np.full((_ORDERS, int(rows.max()) + 1), np.iinfo(np.uint64).max, dtype=np.uint64)
    rank = (np.log2(sizes) // 3).astype(np.uint64) << np.uint64(58)
    mixed = mix(keys)
    for order, values in enumerate(least):
        multiplier = np.uint64(_MULTIPLIER * (2 * order + 1) % (1 << 64))  # odd, so each order is another permutation of the keys
        np.minimum.at(values, rows, rank | ((mixed * multiplier) >> np.uint64(6)))
    chosen = least[(mixed >> np.uint64(61)).astype(np.int64) % _ORDERS, rows]
    crowd = np.cumsum(np.append(False, keys[1:] != keys[:-1])).astype(np.uint64)
    bits = np.uint64(int(crowd[-1]).bit_length())
    return rows[np.argsort((crowd << (np.uint64(64) - bits)) | (chosen >> bits) if bits else chosen, kind="stable")]


def _merged(parts: Sequence[Ints]) -> Ints:
    return parts[0] if len(parts) == 1 else distinct(np.concatenate([np.empty(0, dtype=np.int64), *parts]))
