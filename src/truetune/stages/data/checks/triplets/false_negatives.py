"""Triplets that would be each other's false negatives in a batch: what is right for one row stands in another as its positive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from truetune.core.records import Finding
from truetune.core.sensitive.masking import excerpt
from truetune.core.text import words
from truetune.stages.data.checks.base import Check, Threshold
from truetune.stages.data.checks.triplets.triplets import says_the_same
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.neighbours import SimilarityIndex
from truetune.stages.data.neighbours.components import components
from truetune.stages.data.rows.row import Row

CODE = "data.triplet.false_negative"
_FIX = (
    "keep one row of each group (its other negatives can be joined in a list), or train with a sampler that keeps "
    "such rows out of one batch (sentence-transformers: BatchSamplers.NO_DUPLICATES, for those that are word for word the same)"
)

BATCH_ROWS = 64
"""The batch size that the rate is stated for. Source: stated; the rate grows almost in proportion while it is small."""
_SHOWN_GROUPS = 5


Ints = npt.NDArray[np.int64]


def _find(corpus: Corpus) -> Iterable[Finding]:
    if not corpus.rows.triplets:
        return
    # Of rows that are the same, which is another finding, the first counts.
    again = {position for members in corpus.exact_groups for position in members[1:]}
    triplets = [position for position in corpus.rows.triplets if position not in again]
    if len(triplets) < 2:
        return
    said = _sayings(_Sides(corpus.rows, triplets))
    others = _others(said)
    concerned = np.flatnonzero(others)
    if not len(concerned):
        return
    rate = batch_rate(others, BATCH_ROWS)
    groups = [[triplets[n] for n in group] for group in _groups(said)]
    yield Finding(
        code=CODE,
        severity="warn",
        message=f"{len(concerned)} triplets in {len(groups)} groups are right for each other: in a random batch of {BATCH_ROWS}, "
        f"{rate:.1%} of the rows would meet a text that is right for them as a negative",
        rows=corpus.refs([triplets[n] for n in concerned]),
        groups=tuple(corpus.refs(group) for group in groups),
        evidence={
            "batch_rows": BATCH_ROWS,
            "rows_meeting_one_frac": round(rate, 4),
            "groups": [[excerpt(corpus.rows[position].answer) for position in group[:3]] for group in groups[:_SHOWN_GROUPS]],
        },
        fix=_FIX,
    )


def batch_rate(others: Ints, batch_rows: int) -> float:
    """The mean chance of a row to meet at least one of its `others` (rows,) in a batch drawn without replacement.

    Source: hypergeometric: of the n - 1 other rows, those beside it in the batch all do no harm with probability
    C(n - 1 - k, b - 1) / C(n - 1, b - 1).
    """
    from scipy.special import gammaln  # noqa: PLC0415 - a tenth of a second to import, that only triplets have to pay

    size = len(others) - 1
    beside = min(batch_rows, len(others)) - 1
    harmless = size - others
    possible = harmless[harmless >= beside]
    log_none = gammaln(possible + 1) - gammaln(possible - beside + 1) - gammaln(size + 1) + gammaln(size - beside + 1)
    return 1.0 - float(np.exp(log_none).sum()) / len(others)


@dataclass(frozen=True)
class _Sides(Sequence[str]):
    """The triplets' queries, then their positives, read when they are asked for."""

    rows: Sequence[Row]
    triplets: Sequence[int]

    def __len__(self) -> int:
        return 2 * len(self.triplets)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[n] for n in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(place)
        side, number = divmod(place, len(self.triplets))
        row = self.rows[self.triplets[number]]
        return row.answer if side else row.prompt


def _sayings(sides: _Sides) -> Ints:
    """For each triplet what its query and its positive say, as numbers, (triplets, 2): equal where two texts say the same."""
    index = SimilarityIndex(sides)
    pairs = index.verified_pairs()
    edges = [(place, first) for place, first in enumerate(index.first_of.tolist()) if place != first]
    for left, right in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True):
        if says_the_same(words(sides[left]), words(sides[right])):
            edges.append((left, right))
    return np.array(components(len(sides), edges), dtype=np.int64).reshape(2, -1).T


def _others(said: Ints) -> Ints:
    """How many other triplets each shares a text with, (triplets,): by its query, plus by its positive, less those by both."""
    sayings = [np.unique(row) for row in said]
    counts = np.bincount(np.concatenate(sayings))
    both = np.sort(said, axis=1)
    _, pair, pair_counts = np.unique(both, axis=0, return_inverse=True, return_counts=True)
    by_either = counts[both[:, 0]] + counts[both[:, 1]] - pair_counts[pair.ravel()]
    found: Ints = np.where(both[:, 0] == both[:, 1], counts[both[:, 0]], by_either) - 1
    return found


def _groups(said: Ints) -> list[list[int]]:
    """Triplets that are linked by a text that they share, in order; those that share none left out."""
    size = len(said)
    edges = [(number, size + int(text)) for number, texts in enumerate(said) for text in texts]
    groups: dict[int, list[int]] = {}
    for number, component in enumerate(components(size + int(said.max()) + 1, edges)[:size]):
        groups.setdefault(component, []).append(number)
    return [group for group in groups.values() if len(group) > 1]


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="No two triplets share a text that is right for both, so that in one batch each is the other's false negative.",
    fix=_FIX,
    find=_find,
    thresholds=(Threshold("rows of a batch, for the rate that is stated", BATCH_ROWS, "stated; see the page of this code"),),
)
