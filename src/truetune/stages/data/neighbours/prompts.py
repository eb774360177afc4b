"""Who is similar to whom: one index over prompts that duplicates, contradictions, leaks, splits and the unique count share.

Prompts of the same words are one node. The engine in `neighbours` nominates pairs of nodes by shared words and counts these
exactly; here their order and their sentences decide which pairs are near-duplicates, and which of those are copies. What stays in
memory is a bit for each word and some 60 bytes a prompt; while pairs are sought, 128 bytes a prompt come on top, and some 100 MB
whatever their number. Words and keys of many prompts lie in files: 4 bytes a word and, while pairs are sought, twice 8 bytes for
each of up to a hundred keys a prompt. Measured: docs/log.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt

from truetune.core.text import normalise, words, words_in_order
from truetune.stages.data.neighbours import BUCKET_NEIGHBOURS, Pairs, SimilarityIndex
from truetune.stages.data.neighbours.components import connected

NEAR_WORDS_FRAC = 0.8
"""Two texts are near-duplicates where one keeps so much of the longer one's words, in order: an edit of up to 20 % of the words.
Source: the definition of a near-duplicate as a token edit of 5 to 20 %; recall and natural rates measured on three corpora stand
in docs/errors/data.duplicate.near.md."""

REORDERED_JACCARD = 0.9
"""Two texts that share so many words are near-duplicates in any order ("roll a 6 sided die", "roll a die, 6 sided"). Source:
measured: of 28,000 questions in CLINC150 and SNIPS none shares so many with one that has another label."""

LONG_WORDS = 16
"""From this many words on, a near-duplicate is a copy; below, only `near_duplicate_jaccard` makes one. Source: measured on
CLINC150 and SNIPS: short questions for different things share most words every day ("when do i change my oil", "my tires"), and
none of 745 questions of 16 words or more that share 80 % has another label."""

NOMINATE_JACCARD = 0.6
"""Pairs below are not kept. Source: an edit of 20 % of the words leaves a Jaccard similarity of at least 0.8 / 1.2 = 0.667."""

SPARE_WORDS = 8
"""So many words may differ in a pair of texts of forty words or fewer, near or not: a greeting, thanks in advance or a slip makes
no other question, and contradictions must see the pair."""

_HELD_OUT_IN_A_CROWD = 32
"""So many held-out prompts of one crowd of near copies are each held against the crowd's training rows: work stays linear."""

_COMPARED_CHARACTERS = 1 << 18
"""Of a longer prompt its first and last half of so many characters are compared, so that one huge row cannot take all memory."""

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two nodes with many words in common.

    Attributes:
        a: the smaller node.
        b: the larger node.
        jaccard: of their words, each as often as it stands there.
        is_near: one is a near-duplicate of the other.
        is_copy: so near that only one of them counts.
    """

    a: int
    b: int
    jaccard: float
    is_near: bool
    is_copy: bool


@dataclass(frozen=True, slots=True, eq=False)
class PairTable(Sequence[Pair]):
    """Pairs of nodes as columns, (pairs,) each, sorted by `a`, then `b`."""

    a: Ints
    b: Ints
    jaccard: npt.NDArray[np.float64]
    is_near: Flags
    is_copy: Flags

    def __len__(self) -> int:
        return len(self.a)

    @overload
    def __getitem__(self, place: int) -> Pair: ...
    @overload
    def __getitem__(self, place: slice | Flags) -> PairTable: ...
    def __getitem__(self, place: int | slice | Flags) -> Pair | PairTable:
        if isinstance(place, int):
            columns = (self.a, self.b, self.jaccard, self.is_near, self.is_copy)
            return Pair(*(column[place].item() for column in columns))
        return PairTable(self.a[place], self.b[place], self.jaccard[place], self.is_near[place], self.is_copy[place])

    def __iter__(self) -> Iterator[Pair]:
        for start in range(0, len(self), 1 << 12):
            some = self[start : start + (1 << 12)]
            columns = (some.a, some.b, some.jaccard, some.is_near, some.is_copy)
            yield from map(Pair, *(column.tolist() for column in columns))

    def near(self) -> PairTable:
        """The near-duplicates among them."""
        return self[self.is_near]

    def joined(self, others: Sequence[PairTable]) -> PairTable:
        """These pairs, then those of other tables."""
        tables = [(t.a, t.b, t.jaccard, t.is_near, t.is_copy) for t in (self, *others)]
        return PairTable(*(np.concatenate(column) for column in zip(*tables, strict=True)))


class Groups(Sequence[list[int]]):
    """Numbers in groups, kept as two arrays; a group is made a list when it is asked for."""

    def __init__(self, group_of: Ints, groups: int) -> None:
        """`group_of` says for each number from 0 on in which group it is."""
        self._numbers = np.argsort(group_of, kind="stable").astype(np.int32)
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(group_of, minlength=groups))]).astype(np.int32)

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, group: int) -> list[int]: ...
    @overload
    def __getitem__(self, group: slice) -> list[list[int]]: ...
    def __getitem__(self, group: int | slice) -> list[int] | list[list[int]]:
        if isinstance(group, slice):
            return [self[number] for number in range(*group.indices(len(self)))]
        if not 0 <= group < len(self):
            raise IndexError(group)
        members: list[int] = self._numbers[self._starts[group] : self._starts[group + 1]].tolist()
        return members


class PromptIndex:
    """Prompts as nodes of equal words, and the verified pairs between them.

    Attributes:
        node_of: the node of each prompt, (prompts,).
        members: the positions of each node's prompts, ascending.
        pairs: all pairs from `NOMINATE_JACCARD` on whose own sentences agree.
    """

    def __init__(self, prompts: Sequence[str], copy_jaccard: float, scratch_dir: Path | None = None) -> None:
        """Index prompts, reading them once; `copy_jaccard` is from which similarity on short ones are copies of each other.

        Raises:
            EnvironmentFault: there is no room in `scratch_dir`, or where the system keeps temporary files.
        """
        self._prompts = prompts
        self._copy_jaccard = copy_jaccard
        self._engine = SimilarityIndex(
            map(_compared, prompts),
            NEAR_WORDS_FRAC,
            spare_words=SPARE_WORDS,
            leave_out_shared_wording=True,
            scratch_dir=scratch_dir,
        )
        first_of = self._told_apart(self._engine.first_of)
        self._firsts = np.unique(first_of)
        self.node_of: Ints = np.searchsorted(self._firsts, first_of)
        self.members = Groups(self.node_of, len(self._firsts))
        self.pairs = self._judged(self._engine.verified_pairs())

    def _told_apart(self, first_of: Ints) -> Ints:
        """Prompts without a word ("?!", "…") are the same only where their characters are."""
        first_of = first_of.copy()
        firsts: dict[str, int] = {}
        for position in np.flatnonzero(self._engine.lengths == 0).tolist():
            first_of[position] = firsts.setdefault(normalise(self._prompts[position]), position)
        return first_of

    def _judged(self, pairs: Pairs) -> PairTable:
        pairs = pairs.only(pairs.jaccard >= NOMINATE_JACCARD)
        pairs = pairs.only(self._engine.rests_agree(pairs))
        a, b = self._engine.lengths[pairs.left], self._engine.lengths[pairs.right]
        near = pairs.jaccard >= REORDERED_JACCARD
        near[~near] = self._engine.words_in_order(pairs.only(~near)) >= NEAR_WORDS_FRAC * np.maximum(a, b)[~near]
        copy = near & ((pairs.jaccard >= self._copy_jaccard) | (np.minimum(a, b) >= LONG_WORDS))
        return PairTable(self.node_of[pairs.left], self.node_of[pairs.right], pairs.jaccard, near, copy)

    def near_between(self, left: range, right: range) -> PairTable:
        """Near-duplicates of which one node has a prompt at the positions `left` and one a prompt at the positions `right`.

        In a crowd of copies not every pair was nominated; here each node of one side is held against the other side's.
        """
        before, after = np.zeros((2, len(self.members)), dtype=bool)
        before[self.node_of[left.start : left.stop]] = True
        after[self.node_of[right.start : right.stop]] = True
        near = self.pairs.near()
        component = connected(len(self.members), near.a, near.b)
        crowds = _crowds_on_both_sides(component, before, after)
        met = [self._judged(self._engine.compare(self._firsts[a], self._firsts[b])).near() for a, b in crowds]
        crossing = (before[near.a] & after[near.b]) | (after[near.a] & before[near.b])
        return near[crossing & ~np.isin(component[near.a], [component[a[0]] for a, _ in crowds])].joined(met)

    def repeated_nodes(self) -> Ints:
        """The nodes of more than one prompt, ascending."""
        return np.flatnonzero(np.bincount(self.node_of, minlength=len(self.members)) > 1)

    def words_of(self, node: int) -> list[str]:
        """The node's words, in order; of a prompt without any, its characters."""
        prompt = _compared(self._prompts[int(self._firsts[node])])
        return words(prompt) or [normalise(prompt)]

    def near_clusters(self) -> Ints:
        """For each prompt the number of its cluster: same words, or linked by near-duplicates, (prompts,)."""
        near = self.pairs.near()
        return connected(len(self.members), near.a, near.b)[self.node_of]

    def copy_clusters(self) -> Ints:
        """For each prompt the smallest position in its cluster: same words, or linked by copies, (prompts,)."""
        copies = self.pairs[self.pairs.is_copy]
        component = connected(len(self.members), copies.a, copies.b)
        first = np.unique(component, return_index=True)[1]
        return self._firsts[first[component[self.node_of]]]


def _compared(prompt: str) -> str:
    half = _COMPARED_CHARACTERS // 2
    return prompt if len(prompt) <= _COMPARED_CHARACTERS else f"{prompt[:half]}\n{prompt[-half:]}"


def _crowds_on_both_sides(component: Ints, before: Flags, after: Flags) -> list[tuple[Ints, Ints]]:
    """All pairs (node before, node after) of each component that is too large for all its pairs to have been nominated."""
    sizes = np.bincount(component)
    large = np.flatnonzero((sizes > BUCKET_NEIGHBOURS + 1)[component] & (before | after))
    large = large[np.argsort(component[large], kind="stable")]
    ends = np.cumsum(np.unique(component[large], return_counts=True)[1])
    crowds = []
    for nodes in np.split(large, ends[:-1]):
        sides = nodes[before[nodes]], nodes[after[nodes]][:_HELD_OUT_IN_A_CROWD]
        if all(map(len, sides)):
            crowds.append((np.repeat(sides[0], len(sides[1])), np.tile(sides[1], len(sides[0]))))
    return crowds


def near_words(a: Sequence[str], b: Sequence[str]) -> bool:
    """Is one text the other with at most 20 % of its words edited?"""
    return words_in_order(a, b) >= NEAR_WORDS_FRAC * max(len(a), len(b))


def by_node(positions: Sequence[int], node_of: Ints) -> dict[int, list[int]]:
    """Positions grouped by their node."""
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for position, node in zip(positions, node_of[np.asarray(positions, dtype=np.int64)].tolist(), strict=True):
        groups[node].append(position)
    return dict(groups)
