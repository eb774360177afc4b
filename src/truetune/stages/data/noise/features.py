"""Texts as sparse vectors: words, word pairs near and far, and short runs of letters, hashed; no vocabulary is kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from truetune.core.text import ends, words

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

DIMENSIONS_BITS = 18
"""Of the places that features are hashed to. Source: stated; two features of a sample of rows seldom meet in 262,144 places."""

LETTERS = 3
"""Length of the runs of letters. Source: measured: 0.891 of 6,000 rows of CLINC150 right, without them 0.871; runs of four beside
them find no more (docs/log.md)."""

WORDS_APART = 5
"""Two words of a text that are so near each other are a feature, in whichever order. Source: measured: docs/log.md."""

_MOST_CHARACTERS = 1024
"""Of a longer text the first and the last half of so many characters count."""

_BASE = 0x9E3779B97F4A7C15 | 1
_BASE_INVERSE = pow(_BASE, -1, 1 << 64)
_SALT = 0xD6E8FEB86659FD93


def hashed(texts: Sequence[str]) -> sparse.csr_array:
    """How often each feature stands in each text, (texts, 2^DIMENSIONS_BITS), float32."""
    encoded = [f" {' '.join(words(ends(text, _MOST_CHARACTERS)))} ".encode("utf-8", "surrogatepass") for text in texts]
    data = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    lengths = np.array([len(e) for e in encoded], dtype=np.int64)
    row = np.repeat(np.arange(len(texts)), lengths)
    hashes = _Substrings(data)
    words_at, pairs_at, letters_at = _word_runs(data, row, 1), _word_runs(data, row, 2), _letter_runs(row, LETTERS)
    found = [hashes.of(start, end, kind) for kind, (start, end) in enumerate((words_at, pairs_at, letters_at))]
    left, right = _near_words(row[words_at[0]])
    found.append(_mixed(found[0][left] + found[0][right]))  # a sum knows no order
    columns = _column(np.concatenate(found))
    rows = np.concatenate([row[words_at[0]], row[pairs_at[0]], row[letters_at[0]], row[words_at[0]][left]])
    shape = (len(texts), 1 << DIMENSIONS_BITS)
    return sparse.csr_array(sparse.coo_array((np.ones(len(columns), dtype=np.float32), (rows, columns)), shape=shape))


def _letter_runs(row: Ints, size: int) -> tuple[Ints, Ints]:
    start = np.flatnonzero(row[: len(row) - size + 1] == row[size - 1 :]) if len(row) >= size else np.empty(0, dtype=np.int64)
    return start, start + size


def _word_runs(data: npt.NDArray[np.uint8], row: Ints, size: int) -> tuple[Ints, Ints]:
    """So many words beside each other, with the space in front of them."""
    spaces = np.flatnonzero(data == ord(" "))
    start, end = spaces[:-size], spaces[size:]
    start, end = start[end > start + 1], end[end > start + 1]
    same = row[start] == row[end] if len(start) else np.empty(0, dtype=bool)
    return start[same], end[same]


def _near_words(row: Ints) -> tuple[Ints, Ints]:
    """The places, in the list of all words, of two words of a row that are at most `WORDS_APART` apart."""
    left = [np.flatnonzero(row[:-apart] == row[apart:]) for apart in range(1, WORDS_APART + 1)]
    return np.concatenate(left), np.concatenate([places + apart for apart, places in enumerate(left, 1)])


class _Substrings:
    """Hashes of any stretch of the bytes, from the hashes of all beginnings."""

    def __init__(self, data: npt.NDArray[np.uint8]) -> None:
        powers = np.full(len(data) + 1, _BASE, dtype=np.uint64)
        inverse = np.full(len(data) + 1, _BASE_INVERSE, dtype=np.uint64)
        powers[0] = inverse[0] = 1
        np.multiply.accumulate(powers, out=powers)
        self._inverse = np.multiply.accumulate(inverse)
        self._beginnings = np.concatenate([[np.uint64(0)], np.cumsum((data.astype(np.uint64) + np.uint64(1)) * powers[:-1])])

    def of(self, start: Ints, end: Ints, kind: int) -> Hashes:
        """A hash of each stretch; the same letters as another kind of feature have another one."""
        found: Hashes = (self._beginnings[end] - self._beginnings[start]) * self._inverse[start]
        return _mixed(found ^ np.uint64((kind + 1) * _SALT & (1 << 64) - 1))


def _mixed(hashes: Hashes) -> Hashes:
    hashes = hashes * np.uint64(_SALT)
    hashes ^= hashes >> np.uint64(32)
    return hashes * np.uint64(_BASE)


def _column(hashes: Hashes) -> Ints:
    return (hashes >> np.uint64(64 - DIMENSIONS_BITS)).astype(np.int64)


class Weights:
    """Rare features count more, frequent ones in a text less than their number; every text has length 1.

    Source: Salton & Buckley 1988, "Term-weighting approaches in automatic text retrieval" (sublinear tf, idf, cosine).
    """

    def __init__(self, sample: sparse.csr_array) -> None:
        """Learn how rare features are from the counts of a sample of texts."""
        frequency = np.bincount(sample.indices, minlength=sample.shape[1])
        self._idf = (np.log((1 + sample.shape[0]) / (1 + frequency)) + 1).astype(np.float32)

    def of(self, counts: sparse.csr_array) -> sparse.csr_array:
        """The weighted vectors, (texts, dimensions)."""
        data = (1 + np.log(counts.data)) * self._idf[counts.indices]
        norms = np.sqrt(np.add.reduceat(np.append(data**2, 0), np.minimum(counts.indptr[:-1], len(data))))
        norms[np.diff(counts.indptr) == 0] = 1
        scaled = data / np.repeat(norms, np.diff(counts.indptr))
        return sparse.csr_array((scaled.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)
