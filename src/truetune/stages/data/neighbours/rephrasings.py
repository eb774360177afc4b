"""The same question in other words, told by two things together: the answer is the same, and so is what the prompts are about.

Similar words alone prove nothing: "the weather in Boston" and "the weather in Denver" are as alike as "reset my password" and
"change my password". Rows of one answer, one system prompt and the same numbers are a *group*. An answer of several words belongs
to one question, so in its group every row that is about the same as another one is a rephrasing of it. A short answer may be a
class with many questions: its rows are rephrasings only where the whole group is dense, most rows about the same as most others.
See docs/adr/0008-rephrasings.md for what was measured and what was not chosen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from truetune.stages.data.neighbours.components import connected
from truetune.stages.data.neighbours.content import Weights, content_of
from truetune.stages.data.neighbours.meanings import Floats, Meanings
from truetune.stages.data.rows.keys import Keys, groups_of
from truetune.stages.data.rows.row import Row

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ABOUT_THE_SAME = 0.3
"""Two prompts of one answer are about the same from this cosine of weighted content words on. Source: measured: it joins all
rephrasings by rules of a question, and 0.1 % of the pairs of different questions reach it (docs/log.md)."""

SPECIFIC_ANSWER_WORDS = 5
"""An answer of so many words belongs to one question. Source: the longest of the 157 labels of CLINC150 and SNIPS has 4 words."""

GIVEN_TO_ONE_QUESTION_FRAC, LOOSELY_LINKED, SEVERAL_ROWS = 0.5, 0.4, 7
"""An answer that so many rows give says something only where half of them hang together: "I cannot help with that" does not.
Source: measured: of one answer given to 20 to 3,000 questions of CLINC150 or SNIPS, 0.02 to 0.11 hang together; of a question's
rephrasings by rules all do. From seven rows on: a reply that eight support messages get is no sign; six ways of asking that were
written by hand often hang together in pairs only (docs/log.md)."""

MANY_ROWS = 10
"""A class of fewer rows is not judged. Source: stated."""

DENSE_PAIRS_FRAC, CLOSE, CLOSE_FRAC = 0.45, 0.5, 0.95
"""A class is one question where so many of its pairs are about the same, so many of its rows hang together by closer pairs …"""

MEANS_THE_SAME = 0.55
"""Where a sentence model says what prompts mean, two prompts of one specific answer are about the same from this cosine on too.
Source: measured: it joins most rephrasings that people wrote, which share few words (docs/log.md)."""

RARE_FRAC, OWN_WORDS_FRAC = 0.02, 0.22
"""… and so few of its rows say a word that hardly another one says. Source: measured, together: each of a hundred questions
rephrased a hundred times by rules is found to be one (0.05 to 0.20 of the rows have a word of their own), of the 157 classes of
CLINC150 and SNIPS one is (of those that are as dense, 0.18 to 0.57 have)."""

_SAMPLED_PROMPTS = 20_000
_BATCH_ROWS = 4096
_COMPARED_ROWS, _LEADERS = 512, 32
"""Of more rows in one group the first so many are compared with one another, and each of the others with so many of these."""


@dataclass(frozen=True, slots=True)
class Rephrased:
    """Prompts that ask the same in other words, by position, ascending; and whether a specific answer says so."""

    positions: tuple[int, ...]
    is_certain: bool


@dataclass(frozen=True, slots=True)
class _Group:
    """Positions of different prompts with the same answer, and whether such an answer belongs to one question."""

    positions: Ints
    is_specific: bool


def rephrased(
    rows: Sequence[Row],
    systems: Keys,
    answers: Keys,
    nodes: Ints,
    *,
    answers_are_classes: bool,
    meanings: Meanings | None = None,
) -> list[Rephrased]:
    """The clusters of rows that ask the same in other words; of prompts of the same words the first stands for all.

    Args:
        rows: all rows.
        systems: equal numbers for equal system prompts, (rows,).
        answers: equal numbers for equal answers, (rows,).
        nodes: equal numbers for prompts of the same words, (rows,).
        answers_are_classes: the task is to name a class, so that no answer belongs to one question, however long it is.
        meanings: what the prompts mean, by position; None where only their words are compared.
    """
    groups = _groups(rows, systems, answers, nodes, sys.maxsize if answers_are_classes else SPECIFIC_ANSWER_WORDS)
    if not groups:
        return []
    step = max(1, len(rows) // _SAMPLED_PROMPTS)
    weights = Weights(content_of(rows[p].context for p in range(0, len(rows), step)))
    return [cluster for batch in _batches(groups) for cluster in _clusters(rows, batch, weights, meanings)]


def _groups(rows: Sequence[Row], systems: Keys, answers: Keys, nodes: Ints, specific_words: int) -> list[_Group]:
    """One row of each different prompt of each answer under each system prompt, where there are several."""
    columns = np.stack([systems, answers, nodes.astype(np.uint64)], axis=1)
    different = np.array([group[0] for group in groups_of(columns)], dtype=np.int64)
    found = []
    for places in groups_of(columns[different, :2], smallest=2):
        positions = np.sort(different[places])
        found.append(_Group(positions, len(rows[int(positions[0])].answer.split()) >= specific_words))
    return found


def _batches(groups: Sequence[_Group]) -> Iterator[list[_Group]]:
    """Groups together, as many as are worth one matrix."""
    batch: list[_Group] = []
    size = 0
    for group in groups:
        batch.append(group)
        size += len(group.positions)
        if size >= _BATCH_ROWS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _clusters(rows: Sequence[Row], batch: Sequence[_Group], weights: Weights, meanings: Meanings | None) -> Iterator[Rephrased]:
    kept = [group for group in batch if group.is_specific or _may_be_one_question(rows, group.positions, weights)]
    if not kept:
        return
    positions = np.concatenate([group.positions for group in kept])
    group = np.repeat(np.arange(len(kept)), [len(group.positions) for group in kept])
    content = content_of(rows[p].context for p in positions.tolist())
    could_be = np.array([g.is_specific for g in kept])
    means = _Means.of(meanings, positions, could_be[group]) if meanings else None
    specific = could_be & _compare(weights.matrix(content, group), group, means).hang_together()
    # Other numbers ask for something else ("a timer for 5 minutes", "for 10").
    unit = np.unique(np.stack([group.astype(np.uint64), content.numbers], axis=1), axis=0, return_inverse=True)[1].ravel()
    for places in _unit_batches(unit):
        matrix = weights.matrix(content.only(places), unit[places])
        some = means.only(places) if means else None
        for members in _one_question(matrix, unit[places], specific[group[places]], some):
            yield Rephrased(tuple(np.sort(positions[places[members]]).tolist()), bool(specific[group[places[members[0]]]]))


def _may_be_one_question(rows: Sequence[Row], positions: Ints, weights: Weights) -> bool:
    """Could a class be one question, by a sample of its rows? Of a class of half a million rows the others are not even read."""
    if len(positions) < MANY_ROWS:
        return False
    if len(positions) <= _COMPARED_ROWS:
        return True
    sample = positions[:: len(positions) // _COMPARED_ROWS][:_COMPARED_ROWS]
    matrix = weights.matrix(content_of(rows[p].context for p in sample.tolist()), np.zeros(len(sample), dtype=np.int64))
    mean = float((matrix @ matrix.T).toarray()[np.triu_indices(len(sample), 1)].mean())
    return mean >= ABOUT_THE_SAME / 2


def _unit_batches(unit: Ints) -> Iterator[Ints]:
    """The places of whole units that have more than one row, in runs that are worth one matrix."""
    order = np.argsort(unit, kind="stable")
    order = order[np.bincount(unit)[unit[order]] > 1]
    ends = np.append(np.flatnonzero(np.diff(unit[order])) + 1, len(order))
    start = 0
    while start < len(order):
        stop = int(ends[min(int(np.searchsorted(ends, start + _BATCH_ROWS)), len(ends) - 1)])
        yield order[start:stop]
        start = stop


def _one_question(matrix: sparse.csr_array, unit: Ints, specific: Flags, means: _Means | None) -> Iterator[Ints]:
    """The places, sorted by unit, of rows that are linked by being about the same, where their unit allows it."""
    pairs = _compare(matrix, unit, means)
    allowed = specific | (pairs.are_dense() & _few_own_words(matrix, pairs))[pairs.unit]
    place = _place(unit)
    x, y, _ = _alike(matrix, unit, np.flatnonzero(place >= _COMPARED_ROWS), np.flatnonzero(place < _LEADERS), means)
    linked = connected(len(unit), np.append(pairs.a, x), np.append(pairs.b, y))
    order = np.argsort(linked, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(linked[order])) + 1):
        if len(members) > 1 and allowed[members[0]]:
            yield members


def _place(unit: Ints) -> Ints:
    """The place of each row in its unit; units ascend."""
    place: Ints = np.arange(len(unit)) - np.searchsorted(unit, unit)
    return place


def _compare(matrix: sparse.csr_array, unit: Ints, means: _Means | None) -> _Pairs:
    """The first rows of each unit, compared with one another."""
    compared = np.flatnonzero(_place(unit) < _COMPARED_ROWS)
    a, b, alike = _alike(matrix, unit, compared, compared, means)
    upper = a < b
    return _Pairs(np.unique(unit, return_inverse=True)[1], compared, a[upper], b[upper], alike[upper])


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The pairs of compared rows that are about the same; `unit` says for every row in which unit it is."""

    unit: Ints
    compared: Ints
    a: Ints
    b: Ints
    alike: npt.NDArray[np.float64]

    @property
    def rows(self) -> Ints:
        """The compared rows of each unit, (units,)."""
        return np.bincount(self.unit[self.compared])

    def hang_together(self) -> Flags:
        """Which units, (units,), are few rows, or have half of them linked."""
        return (self.rows < SEVERAL_ROWS) | (self._largest(LOOSELY_LINKED) >= GIVEN_TO_ONE_QUESTION_FRAC * self.rows)

    def are_dense(self) -> Flags:
        """In which units most rows are about the same as most others, and nearly all are linked by close pairs."""
        pairs = np.bincount(self.unit[self.a], minlength=len(self.rows))
        enough = pairs >= DENSE_PAIRS_FRAC * self.rows * (self.rows - 1) / 2
        return (self.rows >= MANY_ROWS) & enough & (self._largest(CLOSE) >= CLOSE_FRAC * self.rows)

    def _largest(self, similarity: float) -> Ints:
        """The rows of each unit's largest component."""
        close = self.alike >= similarity
        linked = connected(len(self.unit), self.a[close], self.b[close])[self.compared]
        largest = np.zeros(len(self.rows), dtype=np.int64)
        np.maximum.at(largest, self.unit[self.compared], np.bincount(linked)[linked])
        return largest


def _few_own_words(matrix: sparse.csr_array, pairs: _Pairs) -> Flags:
    """In which units few of the compared rows say a word that hardly another one says."""
    compared = matrix[pairs.compared]
    row = np.repeat(np.arange(len(pairs.compared)), np.diff(compared.indptr))
    unit = pairs.unit[pairs.compared]
    rare = np.bincount(compared.indices)[compared.indices] <= RARE_FRAC * pairs.rows[unit[row]]
    own = np.zeros(len(pairs.compared), dtype=bool)
    own[row[rare]] = True
    return np.bincount(unit[own], minlength=len(pairs.rows)) <= OWN_WORDS_FRAC * pairs.rows


def _alike(
    matrix: sparse.csr_array, unit: Ints, left: Ints, right: Ints, means: _Means | None
) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
    """The pairs of rows of one unit that are about the same, and how much."""
    product = (matrix[left] @ matrix[right].T).tocoo()
    alike = product.data >= ABOUT_THE_SAME
    a, b, how_much = left[product.row[alike]], right[product.col[alike]], product.data[alike]
    if means is None:
        return a, b, how_much
    x, y, meant = means.alike(unit, left, right)
    pair, first = np.unique(np.stack([np.append(a, x), np.append(b, y)]), axis=1, return_inverse=True)
    most = np.zeros(pair.shape[1])
    np.maximum.at(most, first.ravel(), np.append(how_much, meant))
    return pair[0], pair[1], most


@dataclass(frozen=True, slots=True)
class _Means:
    """What the prompts of rows mean, (rows, dimensions); known of rows whose answer could belong to one question."""

    vectors: Floats
    known: Flags

    @classmethod
    def of(cls, meanings: Meanings, positions: Ints, wanted: Flags) -> _Means:
        """Ask for the wanted ones."""
        known = np.flatnonzero(wanted)
        if not len(known):
            return cls(np.zeros((len(positions), 0), dtype=np.float32), wanted)
        found = meanings.of(positions[known].tolist())
        vectors = np.zeros((len(positions), found.shape[1]), dtype=np.float32)
        vectors[known] = found
        return cls(vectors, wanted)

    def only(self, places: Ints) -> _Means:
        """Some of the rows, in the order given."""
        return _Means(self.vectors[places], self.known[places])

    def alike(self, unit: Ints, left: Ints, right: Ints) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
        """The pairs of rows of one unit that mean about the same; how much, on the scale of content words."""
        found: list[tuple[Ints, Ints, npt.NDArray[np.float64]]] = [(_NONE, _NONE, np.empty(0))]
        left, right = left[self.known[left]], right[self.known[right]]
        left, right = left[np.argsort(unit[left], kind="stable")], right[np.argsort(unit[right], kind="stable")]
        for one in np.intersect1d(unit[left], unit[right]).tolist():
            a, b = (side[slice(*np.searchsorted(unit[side], [one, one + 1]))] for side in (left, right))
            product = self.vectors[a] @ self.vectors[b].T
            row, column = np.nonzero(product >= MEANS_THE_SAME)
            found.append((a[row], b[column], product[row, column].astype(np.float64) - (MEANS_THE_SAME - ABOUT_THE_SAME)))
        a, b, how_much = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return a, b, how_much


_NONE: Ints = np.empty(0, dtype=np.int64)
