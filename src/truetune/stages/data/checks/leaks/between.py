"""Rows of one side whose prompt also stands on another side: exactly, nearly, or in other words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from truetune.core.records import Severity
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.neighbours.prompts import LONG_WORDS

How = Literal["exactly", "nearly", "reworded"]

_SAID = {
    "exactly": ("stands exactly in", "stand exactly in"),
    "nearly": ("stands nearly in", "stand nearly in"),
    "exactly or nearly": ("stands exactly or nearly in", "stand exactly or nearly in"),
    "reworded": ("asks in other words what is asked in", "ask in other words what is asked in"),
}


@dataclass(frozen=True, slots=True)
class Leak:
    """A row of the first side, the row of the other side that it repeats, and how sure that is; positions in `everyone`."""

    row: int
    other: int
    jaccard: float
    severity: Severity
    how: How


def leaks_between(corpus: Corpus, one: range, other: range) -> list[list[Leak]]:
    """The rows of the side `one` that repeat the side `other`, each with the row it is nearest to; grouped by that row."""
    best: dict[int, Leak] = {}
    for leak in _leaks(corpus, one, other) if len(one) and len(other) else ():
        known = best.get(leak.row)
        if known is None or (leak.how == "exactly", leak.jaccard) > (known.how == "exactly", known.jaccard):
            best[leak.row] = leak
    groups: defaultdict[tuple[int, Severity, bool], list[Leak]] = defaultdict(list)
    for leak in best.values():
        groups[leak.other, leak.severity, leak.how == "reworded"].append(leak)
    return [sorted(leaks, key=lambda leak: leak.row) for leaks in groups.values()]


def said(leaks: Sequence[Leak]) -> str:
    """How the rows of a group repeat the other one, as the verb of a sentence."""
    return _SAID[" or ".join(sorted({leak.how for leak in leaks}))][len(leaks) > 1]


def _leaks(corpus: Corpus, one: range, other: range) -> Iterator[Leak]:
    index = corpus.index
    for node in np.unique(index.node_of[other.start : other.stop]).tolist():
        positions = index.members[node]
        repeated = next(p for p in positions if p in other)
        yield from (Leak(p, repeated, 1.0, "block", "exactly") for p in positions if p in one)
    for pair in index.near_between(one, other):
        a, b = index.members[pair.a], index.members[pair.b]
        for left, right in ((a, b), (b, a)):
            near = next((p for p in right if p in other), -1)
            for row in left if near >= 0 else ():
                if row in one and (severity := _near_severity(corpus, row, near, pair.is_copy)):
                    yield Leak(row, near, pair.jaccard, severity, "nearly")
    for cluster in corpus.rephrased:
        same = next((p for p in cluster.positions if p in other), -1)
        if same >= 0 and cluster.is_certain:
            yield from (Leak(p, same, 0.0, "warn", "reworded") for p in cluster.positions if p in one)


def _near_severity(corpus: Corpus, row: int, near: int, is_copy: bool) -> Severity | None:
    """A copy blocks. A short prompt that is only similar is worth a look where the answer is the same, else not."""
    if corpus.answers_agree(row, near):
        return "block" if is_copy else "warn"
    long = min(len(corpus.index.words_of(corpus.index.node_of[p])) for p in (row, near)) >= LONG_WORDS
    return "block" if is_copy and long else None
