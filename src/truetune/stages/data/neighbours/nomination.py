"""Which pairs of texts are worth comparing: keys such that texts with enough words in common share at least one.

Two schemes, by length, each shared by both texts of any pair that can reach the threshold:

*Rare-word subsets* (short texts; complete). If two texts share at least `t` words, then of the first `n - t + k` words in any
common order of words they share at least `k`. So every text emits one key for each `k`-subset of its `n - t + k` rarest words;
no pair above the threshold can fail to meet, and rarest-first keeps the chance meetings few. Source: the prefix-filtering
principle (Chaudhuri, Ganti, Kaushik 2006; Xiao et al. 2008, PPJoin), here with subsets of `k` words as the signature.

*Sampled shingles* (long texts; probabilistic, measured). Of a text's word trigrams (and bigrams, where it is not very long) those
with the smallest hashes are keys; two texts draw from the same order of hashes, so what they share they tend to sample both.
Source: min-wise sampling (Broder 1997); sample size chosen for an expected `_EXPECTED_SHARED` shared keys at the threshold.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from truetune.stages.data.neighbours.words import Block, Hashes, Ints, Words, WordTable, mix, spans

_SUBSET_WORDS = 3
"""`k`: chance meetings in three rare words are few even inside one family of templates."""

_MOST_SUBSETS = 40
"""Subsets a text may emit; with the threshold this decides how long "short" is (24 words at 0.8)."""

_EXPECTED_SHARED = 26.0
"""Sampled shingles that two long texts at the threshold are expected to share. Source: half of a text may be boilerplate whose
shingles are too common to count; of the other thirteen, none is shared once in 400,000 times (Poisson), but a few more may be in
sentences that a crowd of texts has too. benchmarks/speed/near_duplicates.py, 100,000 rows: 20 find 0.997 of copies, 26 0.999."""

_BIGRAMS_UP_TO_WORDS = 64
_BASE = np.uint64(0xD6E8FEB86659FD93)
_COUNT_BUCKETS = 1 << 18
_KEY_BLOCK_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class Keys:
    """What texts nominate each other by: the text `row[i]` has the key `key[i]`."""

    key: Hashes
    row: Ints


@dataclass(frozen=True, slots=True)
class Reach:
    """How many words two texts must have in common, repeats counted, to be a pair.

    Attributes:
        share: of the longer text's words.
        spare_words: up to so many words may differ whatever the share: a quarter of the longer text's, or two of six.
    """

    share: float
    spare_words: int = 0

    def needed(self, longer_words: Ints | int) -> Ints:
        """How many words a pair must share when the longer text has so many; exact at whole numbers, never falling."""
        words = np.asarray(longer_words, dtype=np.int64)
        by_share = np.ceil(words * self.share - 1e-9).astype(np.int64)
        spare = np.maximum(words // 4, np.clip(words // 2 - 1, 0, 2))
        needed: Ints = np.minimum(by_share, words - np.minimum(self.spare_words, spare))
        return needed


class Nominator:
    """Turns words into keys, the same way for indexed texts and for later queries."""

    def __init__(self, table: WordTable, rows: Ints, reach: Reach, seed: int) -> None:
        """Fix the order of words (rarest first) from the short texts among `rows`."""
        self._reach = reach
        self._salt = mix(np.array([seed], dtype=np.uint64))[0]
        self._short_to = _longest_short_text(reach)
        self._long_from = int(reach.needed(self._short_to + 1))
        short = rows[table.lengths[rows] <= self._short_to]
        self._counts = np.zeros(_COUNT_BUCKETS, dtype=np.int64)
        for start in range(0, len(short), _KEY_BLOCK_ROWS):
            hashes = table.take(short[start : start + _KEY_BLOCK_ROWS]).hashes
            self._counts += np.bincount((hashes & np.uint32(_COUNT_BUCKETS - 1)).astype(np.int64), minlength=_COUNT_BUCKETS)

    def subset_keys(self, table: WordTable, rows: Ints) -> Iterator[Keys]:
        """The keys of the short ones of some texts (`rows` ascending), in blocks."""
        lengths = table.lengths[rows]
        short = rows[(lengths <= self._short_to) & (lengths > 0)]
        for start in range(0, len(short), _KEY_BLOCK_ROWS):
            yield from self._subsets(table, short[start : start + _KEY_BLOCK_ROWS])

    def shingle_keys(self, table: WordTable, rows: Ints) -> Iterator[Keys]:
        """The keys of the long ones of some texts (`rows` ascending), in blocks."""
        rows = rows[table.lengths[rows] >= self._long_from]
        bounds = np.searchsorted(rows, table.first_rows)
        for block, low, high, first in zip(table.blocks, bounds, bounds[1:], table.first_rows, strict=False):
            if low < high:
                yield from self._sampled(block, rows[low:high] - first, rows[low:high])

    def _subsets(self, table: WordTable, rows: Ints) -> Iterator[Keys]:
        block = table.take(rows)
        lengths = block.lengths
        for words in np.unique(lengths).tolist():
            chosen = np.flatnonzero(lengths == words)
            matrix = block.hashes[block.starts[chosen][:, None] + np.arange(words)]
            ordered = self._rarest_first(matrix)
            loose = words - int(self._reach.needed(words))
            for size in _subset_sizes(words, self._reach):
                for columns in itertools.combinations(range(loose + size), size):
                    key = ordered[:, columns[0]].copy()
                    for column in columns[1:]:
                        key += ordered[:, column]
                    yield Keys(key, rows[chosen])

    def _rarest_first(self, matrix: Words) -> Hashes:
        """Each row's words, rarest first, as hashes in which the second `the` is another word than the first."""
        count = np.minimum(self._counts[(matrix & np.uint32(_COUNT_BUCKETS - 1)).astype(np.int64)], (1 << 24) - 1)
        ordered = (count.astype(np.uint64) << np.uint64(40)) | matrix
        ordered.sort(axis=1)
        occurrence = np.zeros(ordered.shape, dtype=np.uint64)
        for column in range(1, ordered.shape[1]):
            same = ordered[:, column] == ordered[:, column - 1]
            occurrence[:, column] = np.where(same, occurrence[:, column - 1] + np.uint64(1), np.uint64(0))
        return mix(ordered * np.uint64(0x9E3779B97F4A7C15) + occurrence + self._salt)

    def _sampled(self, block: Block, inside: Ints, rows: Ints) -> Iterator[Keys]:
        yield self._shingles(block, inside, rows, 3)
        middling = block.lengths[inside] <= _BIGRAMS_UP_TO_WORDS
        if middling.any():
            yield self._shingles(block, inside[middling], rows[middling], 2)

    def _shingles(self, block: Block, inside: Ints, rows: Ints, size: int) -> Keys:
        """The runs of `size` words whose hash is small: so many of each text that enough are shared at the threshold."""
        lengths = block.lengths[inside]
        whole = len(inside) == len(block.starts) - 1
        words = block.hashes if whole else block.hashes[spans(block.starts[inside], lengths)]
        count = len(words) - size + 1
        shingles = words[:count].astype(np.uint64)
        shingles *= _BASE
        for offset in range(1, size):
            shingles += words[offset : offset + count]
            shingles *= _BASE
        shingles = mix(shingles ^ self._salt)
        wanted = _EXPECTED_SHARED / self._reach.share**size
        share = np.minimum(wanted / (lengths - size + 1), 1.0)
        limit = np.repeat((share * 0xFFFFFFFF).astype(np.uint32), lengths)[:count]
        picked = np.flatnonzero((shingles >> np.uint64(32)).astype(np.uint32) <= limit)
        ends = np.cumsum(lengths)
        text = np.searchsorted(ends, picked, side="right")
        complete = picked + size <= ends[text]
        return Keys(mix(shingles[picked[complete]] + np.uint64(size)), rows[text[complete]])


def _subset_sizes(words: int, reach: Reach) -> list[int]:
    """The subset sizes a text of so many words emits: its own, and that of each shorter text it can pair with."""
    shortest = int(reach.needed(words))
    return sorted({min(_SUBSET_WORDS, int(reach.needed(other))) for other in range(max(shortest, 1), words + 1)})


def _longest_short_text(reach: Reach) -> int:
    def subsets(words: int) -> int:
        return math.comb(words - int(reach.needed(words)) + _SUBSET_WORDS, _SUBSET_WORDS)

    return next(words for words in itertools.count(1) if subsets(words + 1) > _MOST_SUBSETS or words == 32)
