"""How much two texts have in common, exactly: shared words counted with their repeats, for many pairs at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from truetune.stages.data.neighbours.nomination import Reach
from truetune.stages.data.neighbours.sorting import sort_in_place
from truetune.stages.data.neighbours.words import Block, Flags, Hashes, Ints, WordTable, spans

_SIGNATURE_BITS = 512
_SIGNATURE_PAIRS = 1 << 13
_PAIR_WORDS = 1 << 18

GATHERED_WORDS = 1 << 22
"""Pairs whose texts have so many words together are looked at at once; that takes some fifty bytes a word."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Some texts of a table, by position, one for each pair."""

    table: WordTable
    rows: Ints

    @property
    def lengths(self) -> Ints:
        """Words of each text, (pairs,)."""
        return self.table.lengths[self.rows]

    def only(self, kept: Ints) -> Texts:
        """The texts of some of the pairs."""
        return Texts(self.table, self.rows[kept])


class Parities:
    """Which pairs of texts of a table can share enough words, by the parity of hashed word counts.

    Never wrong about a pair that can. Each word that one text has and the other has not flips one bit, so the bits that differ
    are at most the words that differ.
    """

    def __init__(self, table: WordTable) -> None:
        """64 bytes a text."""
        self._lengths = table.lengths
        self._bits = np.concatenate([np.empty((0, _SIGNATURE_BITS // 64), dtype=np.uint64), *map(_parities, table.blocks)])

    def may_pass(self, left: Ints, right: Ints, reach: Reach) -> Ints:
        """The places of those pairs, (passed,), ascending."""
        a, b = self._lengths[left], self._lengths[right]
        needed = reach.needed(np.maximum(a, b))
        fitting = np.flatnonzero(np.minimum(a, b) >= needed)
        spare = (a + b - 2 * needed)[fitting]
        possible = _few_flips(self._bits, left[fitting], right[fitting], spare)
        return fitting[possible]


def passing(left: Texts, right: Texts, reach: Reach) -> tuple[Ints, Ints]:
    """Which pairs share enough words (as multisets), and how many words each of these shares.

    Returns:
        positions of the pairs that pass, (passed,), ascending, and their shared words, (passed,).
    """
    kept = np.flatnonzero(np.minimum(left.lengths, right.lengths) >= reach.needed(np.maximum(left.lengths, right.lengths)))
    passed = [(kept[:0], kept[:0])]
    for some in chunks(left.lengths[kept] + right.lengths[kept], GATHERED_WORDS):
        places = kept[some]
        enough, shared = _passing(left.only(places), right.only(places), reach)
        passed.append((places[enough], shared))
    return np.concatenate([places for places, _ in passed]), np.concatenate([shared for _, shared in passed])


def _passing(left: Texts, right: Texts, reach: Reach) -> tuple[Ints, Ints]:
    """The same of pairs whose words are looked at together."""
    needed = reach.needed(np.maximum(left.lengths, right.lengths))
    block, a, b = _gathered(left, right)
    possible = np.flatnonzero(_few_flips(_parities(block), a, b, block.lengths[a] + block.lengths[b] - 2 * needed))
    shared = _shared_words(block, a[possible], b[possible])
    enough = shared >= needed[possible]
    return possible[enough], shared[enough]


def gathered_rows(left: Texts, right: Texts) -> tuple[Ints, Ints]:
    """The different texts of both sides, from one table, ascending; and for each row of the table its number among them."""
    return _numbered(len(left.table), left.rows, right.rows)


def _gathered(left: Texts, right: Texts) -> tuple[Block, Ints, Ints]:
    """The words of all texts of both sides as one block, and where in it each pair's texts are."""
    if left.table is right.table:
        rows, place = gathered_rows(left, right)
        return left.table.take(rows), place[left.rows], place[right.rows]
    left_rows, a = _numbered(len(left.table), left.rows)
    right_rows, b = _numbered(len(right.table), right.rows)
    first, second = left.table.take(left_rows), right.table.take(right_rows)
    starts = np.concatenate([first.starts, first.starts[-1] + second.starts[1:]])
    return Block(np.concatenate([first.hashes, second.hashes]), starts), a[left.rows], b[right.rows] + len(left_rows)


def _numbered(size: int, *chosen: Ints) -> tuple[Ints, Ints]:
    """The different rows that were chosen, ascending, and for each row of the table its number among them."""
    wanted = np.zeros(size, dtype=bool)
    for rows in chosen:
        wanted[rows] = True
    return np.flatnonzero(wanted), np.cumsum(wanted) - 1


def _few_flips(parities: Hashes, a: Ints, b: Ints, most: Ints) -> Flags:
    """In which pairs at most so many bits differ, (pairs,)."""
    few = np.empty(len(a), dtype=bool)
    for start in range(0, len(a), _SIGNATURE_PAIRS):
        some = slice(start, start + _SIGNATURE_PAIRS)
        flips = np.bitwise_count(parities[a[some]] ^ parities[b[some]]).sum(axis=1, dtype=np.int64)
        few[some] = flips <= most[some]
    return few


def _parities(block: Block) -> Hashes:
    signatures = np.empty((len(block.starts) - 1, _SIGNATURE_BITS // 64), dtype=np.uint64)
    step = 1 << 11
    for start in range(0, len(signatures), step):
        stop = min(start + step, len(signatures))
        words = block.hashes[block.starts[start] : block.starts[stop]]
        row = np.repeat(np.arange(stop - start), block.lengths[start:stop])
        bins = row * _SIGNATURE_BITS + (words >> np.uint32(16)).astype(np.int64) % _SIGNATURE_BITS
        odd = (np.bincount(bins, minlength=(stop - start) * _SIGNATURE_BITS) & 1).astype(np.uint8)
        signatures[start:stop] = np.packbits(odd).view(np.uint64).reshape(stop - start, -1)
    return signatures


def _shared_words(block: Block, a: Ints, b: Ints) -> Ints:
    """Words that both texts of each pair have, repeats counted as often as both have them."""
    shared = np.zeros(len(a), dtype=np.int64)
    for some in chunks(block.lengths[a] + block.lengths[b], _PAIR_WORDS):
        shared[some] = _meeting(block, a[some], b[some])
    return shared


def chunks(sizes: Ints, most: int) -> Iterator[slice]:
    """Runs of pairs of at most so many words together, at least one pair each."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        done = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + most, side="right")))
        yield slice(start, stop)
        start = stop


def _meeting(block: Block, a: Ints, b: Ints) -> Ints:
    """Shared words of some pairs: all their words sorted together, the side as the lowest bit, runs of equal words counted."""
    lengths = block.lengths
    words = np.concatenate([block.hashes[spans(block.starts[side], lengths[side])] for side in (a, b)]).astype(np.uint64)
    words |= np.concatenate([np.repeat(np.arange(len(a)), lengths[side]) for side in (a, b)]).astype(np.uint64) << np.uint64(32)
    words <<= np.uint64(1)
    words[int(lengths[a].sum()) :] |= np.uint64(1)
    sort_in_place(words)
    edges = np.flatnonzero(np.append(True, words[1:] != words[:-1])) if len(words) else np.empty(0, dtype=np.int64)
    counts = np.diff(np.append(edges, len(words)))
    runs = words[edges]
    both = np.flatnonzero(runs[1:] == (runs[:-1] | np.uint64(1)))  # the run of one side, then that of the other
    in_both = np.minimum(counts[both], counts[both + 1])
    return np.bincount((runs[both] >> np.uint64(33)).astype(np.int64), weights=in_both, minlength=len(a)).astype(np.int64)
