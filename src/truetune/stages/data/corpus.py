"""What every check looks at: the rows, read once, with one index of who is similar to whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, islice, product
from typing import overload

import numpy as np

from truetune.core.config import SplitConfig
from truetune.core.ports import NameFinder, SentenceEncoder
from truetune.core.records import DataSizing, Finding, MetaField, RowRef, TaskProfile
from truetune.core.text import words
from truetune.project.do_not_train.entries import DoNotTrainList
from truetune.stages.data.balance.measure import Balance, measure
from truetune.stages.data.balance.sizing import size_up
from truetune.stages.data.neighbours.components import connected
from truetune.stages.data.neighbours.meanings import Meanings
from truetune.stages.data.neighbours.prompts import Ints, PromptIndex, near_words
from truetune.stages.data.neighbours.rephrasings import Rephrased, rephrased
from truetune.stages.data.people import Named, People, named_in
from truetune.stages.data.profile import Answer
from truetune.stages.data.reading.sidecar import Sidecar
from truetune.stages.data.rows.keys import Answers, Keys, RowKeys, groups_of, row_keys
from truetune.stages.data.rows.row import Row
from truetune.stages.data.rows.store import Joined, StoredRows

_COMPARED_PER_PROMPT = 30
"""Rows of one prompt are compared pairwise, the first thirty of them: the work stays linear in rows."""


VALIDATION, TEST, GOLD = "the validation set", "the test set", "the gold set"
"""What the held-out sides of a project are called."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a record that cannot become a row. `text` is what stands there, not yet masked."""

    code: str
    file: str
    line: int
    message: str
    text: str = ""
    column: int | None = None


@dataclass(frozen=True, slots=True)
class FileEncoding:
    """How a file was decoded, and which of its lines were not UTF-8."""

    path: str
    encoding: str
    latin1_lines: Sequence[int]


@dataclass(frozen=True, slots=True)
class NearEdge:
    """Two positions in `rows`, the similarity of their prompts, and whether one is a copy of the other."""

    a: int
    b: int
    jaccard: float
    is_copy: bool


class _Contexts(Sequence[str]):
    """What is compared of each row, read when it is asked for."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [row.context for row in self._rows[place]]
        return self._rows[place].context

    def __iter__(self) -> Iterator[str]:
        return (row.context for row in self._rows)


@dataclass(frozen=True)
class Corpus:
    """The rows under check.

    Attributes:
        rows: readable rows of the sources, in file and line order.
        held_out: readable rows of the files that training must not see.
        faults: records of the sources that could not become rows.
        held_out_faults: records of the held-out files that could not.
        encodings: one a file.
        profile: the kind of answer that the rows ask for.
        near_duplicate_jaccard: from this similarity on, two prompts count as copies of each other.
        sidecars: the metadata that was joined to rows by id, by the file of those rows.
        declared: the fields of metadata that somebody named on purpose: in the config, or in a sidecar.
        splits: what may not stand on two sides.
        commercial: will the tuned model be used commercially; None where nobody said.
        has_replay: general rows will be mixed into training beside these.
        do_not_train: what must never be trained on; None where the project has no list.
        names: finds names of people; None where nobody asked for it.
        encoder: says what texts mean; None where nobody asked for it.
        sides: what each stretch of the held-out rows is (`validation`, `test`, a file), with its positions in `everyone`.
    """

    rows: StoredRows
    held_out: Sequence[Row]
    faults: Sequence[Fault]
    held_out_faults: Sequence[Fault]
    encodings: Sequence[FileEncoding]
    profile: TaskProfile
    near_duplicate_jaccard: float
    sidecars: Mapping[str, Sidecar] = field(default_factory=dict)
    declared: frozenset[MetaField] = frozenset()
    splits: SplitConfig = field(default_factory=SplitConfig)
    commercial: bool | None = None
    has_replay: bool = False
    do_not_train: DoNotTrainList | None = None
    names: NameFinder | None = None
    encoder: SentenceEncoder | None = None
    sides: Sequence[tuple[str, range]] = ()

    @cached_property
    def balance(self) -> Balance:
        """What the rows teach as a whole; measured once."""
        return measure(self.rows, self.profile)

    @cached_property
    def sizing(self) -> DataSizing | None:
        """What there is against what the job needs; None where there are no rows."""
        own = len(self.rows)
        is_preference = own > 0 and self.rows[0].rejected is not None
        clusters = self.questions[:own], self.index.copy_clusters()[:own]
        return size_up(self.profile.shape, is_preference, clusters, self.balance.values)

    @cached_property
    def everyone(self) -> Sequence[Row]:
        """`rows`, then `held_out`: positions in the index are positions here."""
        return Joined(self.rows, self.held_out)

    @cached_property
    def named(self) -> Mapping[int, tuple[Named, ...]]:
        """Where names of people stand, by position in `rows`; none where nobody asked for it."""
        return named_in(self.rows, self.names) if self.names is not None else {}

    @cached_property
    def people(self) -> People | None:
        """Hides names in what people read; None where nobody asked for it."""
        return People(self.rows, self.named, self.names) if self.names is not None else None

    def side(self, name: str) -> range:
        """The positions in `everyone` of a held-out side; none where there is no such side."""
        return next((positions for side, positions in self.sides if side == name), range(0))

    @property
    def both_sides(self) -> tuple[range, range]:
        """The positions in `everyone` of the rows that are trained on, and of those that are held out."""
        own = len(self.rows)
        return range(own), range(own, len(self.everyone))

    @cached_property
    def index(self) -> PromptIndex:
        """Which prompts are similar; built once, used by duplicates, contradictions, leaks, splits and the unique count."""
        return PromptIndex(_Contexts(self.everyone), self.near_duplicate_jaccard, self.rows.folder)

    @cached_property
    def meanings(self) -> Meanings | None:
        """What the rows' prompts mean, by position in `everyone`; None where nobody asked for it."""
        return Meanings(self.encoder, _Contexts(self.everyone)) if self.encoder is not None else None

    @cached_property
    def rephrased(self) -> Sequence[Rephrased]:
        """Rows that ask the same in other words, by position in `everyone`."""
        keys = self.keys
        classes = self.profile.shape in ("labels", "json")
        alike = (keys.systems, keys.answers, self.index.node_of)
        return rephrased(self.everyone, *alike, answers_are_classes=classes, meanings=self.meanings)

    @cached_property
    def questions(self) -> Ints:
        """A number for each question, by position in `everyone`: copies of a row and rephrasings of it have the same."""
        copies = self.index.copy_clusters()
        firsts = [cluster.positions[0] for cluster in self.rephrased for _ in cluster.positions]
        others = [position for cluster in self.rephrased for position in cluster.positions]
        return connected(
            len(copies),
            np.append(np.arange(len(copies)), np.array(firsts, dtype=np.int64)),
            np.append(copies, np.array(others, dtype=np.int64)),
        )

    @cached_property
    def answers(self) -> Sequence[Answer]:
        """Each row's answer in comparable form, by position in `everyone`; read when it is asked for."""
        return Answers(self.everyone, self.profile.shape)

    @cached_property
    def keys(self) -> RowKeys:
        """What tells rows apart and together, as numbers, by position in `everyone`."""
        return row_keys(self.everyone, self.profile)

    @property
    def systems(self) -> Keys:
        """A number for each row's system prompt in comparable form: another system prompt is another task."""
        return self.keys.systems

    def rows_by_system(self) -> Iterator[tuple[str, Sequence[int]]]:
        """Each system prompt, as the first row has it, with the positions in `rows` of those that have it."""
        for positions in groups_of(self.systems[: len(self.rows)]):
            if system := self.rows[int(positions[0])].system:
                yield system, positions.tolist()

    @cached_property
    def exact_groups(self) -> Sequence[Sequence[int]]:
        """Positions in `rows` of exact duplicates: the same conversation, normalised; each group and the groups in order."""
        return [positions.tolist() for positions in groups_of(self.keys.conversations[: len(self.rows)], smallest=2)]

    def same_answer(self, a: int, b: int) -> bool:
        """Do two rows give the same answer: the same JSON value, or the same text, normalised?"""
        return bool(self.keys.answers[a] == self.keys.answers[b])

    def answers_agree(self, a: int, b: int) -> bool:
        """Do two rows give the same answer (the same label, the same JSON, or nearly the same text) and say the same of it?"""
        first, second = self.everyone[a], self.everyone[b]
        if (first.desirable, first.negatives, first.judge) != (second.desirable, second.negatives, second.judge):
            return False
        if self.same_answer(a, b):
            return True
        if self.profile.shape != "text":
            return False
        return near_words(words(self.everyone[a].answer), words(self.everyone[b].answer))

    @cached_property
    def near_edges(self) -> tuple[NearEdge, ...]:
        """Pairs of rows with similar prompts and answers that agree, which are not exact duplicates of each other."""
        near = self.index.pairs.near()
        repeated = {position for positions in self.exact_groups for position in positions[1:]}
        nodes = np.union1d(np.union1d(near.a, near.b), self.index.repeated_nodes()).tolist()
        members = {node: self._compared_rows(node, repeated) for node in nodes}
        edges = [e for positions in members.values() for e in self._agreeing(combinations(positions, 2), 1.0, True)]
        for pair in near:
            edges.extend(self._agreeing(product(members[pair.a], members[pair.b]), pair.jaccard, pair.is_copy))
        return tuple(edges)

    def _compared_rows(self, node: int, repeated: AbstractSet[int]) -> list[int]:
        """The node's rows that are not held out and repeat no earlier one, the first of them."""
        own = (position for position in self.index.members[node] if position < len(self.rows) and position not in repeated)
        return list(islice(own, _COMPARED_PER_PROMPT))

    def _agreeing(self, pairs: Iterable[tuple[int, int]], similarity: float, is_copy: bool) -> Iterator[NearEdge]:
        for a, b in pairs:
            if self.systems[a] == self.systems[b] and self.answers_agree(a, b):
                yield NearEdge(a, b, similarity, is_copy)

    def readable(self, findings: Sequence[Finding]) -> list[Finding]:
        """Findings as people may read them: without names, where the project asked for names to be found."""
        if self.people is None:
            return list(findings)
        positions = [[p for ref in f.rows if (p := self.rows.position(ref)) is not None] for f in findings]
        return self.people.hide_in(findings, positions)

    def shown(self, text: str, position: int | None) -> str:
        """The words of a row, or of a record that is none, without names, where the project asked for names to be found."""
        return text if self.people is None else self.people.hide(text, [] if position is None else [position])

    def refs(self, positions: Sequence[int]) -> tuple[RowRef, ...]:
        """The places of rows, for a finding."""
        return tuple(self.everyone[position].ref for position in positions)
