"""Who has most of its words in common with whom: nominated by shared keys, decided by counting the shared words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from truetune.stages.data.neighbours.comparison import GATHERED_WORDS, Parities, Texts, chunks, passing
from truetune.stages.data.neighbours.components import connected
from truetune.stages.data.neighbours.meetings import Buckets
from truetune.stages.data.neighbours.nomination import Keys, Nominator, Reach
from truetune.stages.data.neighbours.order import in_order
from truetune.stages.data.neighbours.sentences import rests_agree
from truetune.stages.data.neighbours.sorting import distinct
from truetune.stages.data.neighbours.wording import NONE, without_shared_wording
from truetune.stages.data.neighbours.words import Flags, Hashes, Ints, WordTable, read_texts

Floats = npt.NDArray[np.float64]

THRESHOLD = 0.8
"""From this share of common words on, two texts are near copies. Source: arithmetic: up to 20 % of the words substituted,
deleted, inserted or swapped with each other, in any mixture, leave at least 80 % of the longer text's words in common."""


_ROW = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Pairs:
    """Verified pairs, ascending by `left`, then `right`.

    Attributes:
        left: positions of texts, (pairs,); in a query, positions among the queried texts.
        right: positions of texts, (pairs,); in a query, positions among the indexed texts.
        share: common words (repeats counted) as a share of the longer text's words, (pairs,).
        jaccard: common words as a share of all words of both, (pairs,).
    """

    left: Ints
    right: Ints
    share: Floats
    jaccard: Floats

    def __len__(self) -> int:
        return len(self.left)

    def only(self, kept: Ints | Flags) -> Pairs:
        """Some of the pairs."""
        return Pairs(self.left[kept], self.right[kept], self.share[kept], self.jaccard[kept])


class SimilarityIndex:
    """Texts whose near copies are known, and that others can be held against.

    Attributes:
        first_of: for each text the first text with the same words in the same order, (texts,).
        reach: how many words a pair must share.
    """

    def __init__(
        self,
        texts: Iterable[str],
        threshold: float = THRESHOLD,
        seed: int = 0,
        *,
        spare_words: int = 0,
        leave_out_shared_wording: bool = False,
        scratch_dir: Path | None = None,
    ) -> None:
        """Cut the texts into words, merge those that say the same, and make the others findable.

        Args:
            texts: any text, any length; empty ones equal each other and nothing else. Read once.
            threshold: the share of common words of near copies, 0.6 to 1.
            seed: of the sample that nominates long texts; short texts do not depend on it.
            spare_words: so many words may differ in short texts whatever the threshold; see `Reach`.
            leave_out_shared_wording: compare what is left of a text without the wording that many texts share, and only with
                texts that had the same wording.
            scratch_dir: where words and keys go if they are many; None is where the system keeps temporary files.

        Raises:
            ValueError: the threshold is outside 0.6 to 1, where the nominations were measured.
            EnvironmentFault: the disk is full.
        """
        if not 0.6 <= threshold <= 1.0:
            raise ValueError(f"threshold must be from 0.6 to 1, not {threshold}")
        self.reach = Reach(threshold, spare_words)
        self._scratch_dir = scratch_dir
        self._table, self._keys = read_texts(texts, scratch_dir)
        _, first, group = np.unique(self._keys, return_index=True, return_inverse=True)
        self.first_of: Ints = first[group]
        self._rows: Ints = np.sort(first)
        self._wording = np.full(len(self), NONE, dtype=np.int8)
        if leave_out_shared_wording:
            self._table, self._wording = without_shared_wording(self._table, self._rows, scratch_dir)
        self._nominator = Nominator(self._table, self._rows, self.reach, seed)
        self._pairs: Pairs | None = None
        self._found: tuple[Buckets, Buckets] | None = None

    def __len__(self) -> int:
        return len(self._table)

    @property
    def lengths(self) -> Ints:
        """The words of each text, as many as are compared, (texts,)."""
        return self._table.lengths

    def verified_pairs(self) -> Pairs:
        """All near copies among the different texts (the first of each group of equal ones), each pair once, `left < right`."""
        if self._pairs is None:
            parities = Parities(self._table)
            met = [np.empty(0, dtype=np.int64)]
            for codes in self._nominated():
                comparable = self._comparable(codes)
                met.append(comparable[parities.may_pass(comparable >> 32, comparable & _ROW, self.reach)])
            self._pairs = self._verified(self._table, met)
        return self._pairs

    def clusters(self) -> Ints:
        """For each text the first text it is linked to by equal words or a chain of near copies, (texts,)."""
        pairs = self.verified_pairs()
        size = len(self)
        ends = np.concatenate([pairs.left, np.arange(size)]), np.concatenate([pairs.right, self.first_of])
        labels = connected(size, *ends)
        first = np.unique(labels, return_index=True)[1]
        found: Ints = first[labels]
        return found

    def compare(self, left: Ints, right: Ints) -> Pairs:
        """Those of some pairs of indexed texts that share enough words, whether they were nominated or not."""
        smaller, larger = np.minimum(left, right), np.maximum(left, right)
        different = np.flatnonzero(smaller < larger)
        return self._verified(self._table, [self._comparable((smaller[different] << 32) | larger[different])])

    def words_in_order(self, pairs: Pairs) -> Ints:
        """How many words each pair of indexed texts has in common in the same order, (pairs,)."""
        counts = np.empty(len(pairs), dtype=np.int64)
        for some in self._chunks(pairs):
            left, right = pairs.left[some], pairs.right[some]
            rows = np.union1d(left, right)
            block = self._table.take(rows)
            counts[some] = in_order(block, block, np.searchsorted(rows, left), np.searchsorted(rows, right))
        return counts

    def rests_agree(self, pairs: Pairs) -> Flags:
        """Whether each pair of indexed texts agrees also in the sentences that it does not share, (pairs,)."""
        agree = np.empty(len(pairs), dtype=bool)
        for some in self._chunks(pairs):
            agree[some] = rests_agree(Texts(self._table, pairs.left[some]), Texts(self._table, pairs.right[some]))
        return agree

    def _chunks(self, pairs: Pairs) -> Iterator[slice]:
        """Runs of pairs that do not have too many words to be looked at together."""
        return chunks(self.lengths[pairs.left] + self.lengths[pairs.right], GATHERED_WORDS)

    def query(self, texts: Iterable[str]) -> Pairs:
        """Which of other texts are equal to, or near copies of, which indexed ones (of equal ones, the first)."""
        table, keys = read_texts(texts)
        subsets, shingles = self._buckets()
        rows = np.arange(len(table))
        by_subset = subsets.meetings(self._nominator.subset_keys(table, rows))
        by_shingle = shingles.meetings(self._nominator.shingle_keys(table, rows))
        return self._verified(table, [by_subset, by_shingle, self._equal_codes(keys)])

    def _equal_codes(self, keys: Hashes) -> Ints:
        """Queried texts and the first indexed text that says the same in the same order."""
        own = self._keys[self._rows]
        order = np.argsort(own)
        place = np.minimum(np.searchsorted(own[order], keys), len(own) - 1) if len(own) else np.empty(0, dtype=np.int64)
        rows = np.flatnonzero(own[order][place] == keys) if len(own) else place
        codes: Ints = (rows << 32) | self._rows[order][place[rows]]
        return codes

    def _buckets(self) -> tuple[Buckets, Buckets]:
        """The meeting places of short texts and of long ones, kept for the queries to come."""
        if self._found is None:
            self._found = self._met_by(self._nominator.subset_keys), self._met_by(self._nominator.shingle_keys)
        return self._found

    def _nominated(self) -> Iterator[Ints]:
        """Pairs that share a key, in runs; of short texts, then of long ones."""
        for keys in (self._nominator.subset_keys, self._nominator.shingle_keys):
            yield from self._met_by(keys).pairs()

    def _met_by(self, keys: Callable[[WordTable, Ints], Iterator[Keys]]) -> Buckets:
        return Buckets(keys(self._table, self._rows), len(self), self._scratch_dir)

    def _comparable(self, codes: Ints) -> Ints:
        """The nominated pairs that had no two different wordings: "translate X" and "summarise X" are no copies."""
        left, right = self._wording[codes >> 32], self._wording[codes & _ROW]
        comparable: Ints = codes[(left == right) | (left == NONE) | (right == NONE)]
        return comparable

    def _verified(self, table: WordTable, nominations: list[Ints]) -> Pairs:
        """The nominated pairs of texts of a table and indexed texts that reach the threshold, each once."""
        codes = distinct(np.concatenate(nominations))
        kept, shared = passing(Texts(table, codes >> 32), Texts(self._table, codes & _ROW), self.reach)
        left, right = codes[kept] >> 32, codes[kept] & _ROW
        a, b = table.lengths[left], self._table.lengths[right]
        longer, union = np.maximum(a, b), a + b - shared
        empty = longer == 0  # nothing in common, and nothing that differs
        return Pairs(left, right, (shared + empty) / (longer + empty), (shared + empty) / (union + empty))
