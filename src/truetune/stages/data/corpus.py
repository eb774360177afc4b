"""What every check looks at: the rows, read once, with one index of who is similar to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

from truetune.core.records import RowRef, TaskProfile
from truetune.stages.data.profile import Answer, read_answer
from truetune.stages.data.rows import Row
from truetune.stages.data.similarity import PromptIndex, by_node, near_words
from truetune.stages.data.text import normalise, words

_COMPARED_PER_PROMPT = 30
"""Rows of one prompt are compared pairwise, the first thirty of them: the work stays linear in rows."""


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
    latin1_lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NearEdge:
    """Two positions in `rows`, the similarity of their prompts, and whether one is a copy of the other."""

    a: int
    b: int
    jaccard: float
    is_copy: bool


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
    """

    rows: Sequence[Row]
    held_out: Sequence[Row]
    faults: Sequence[Fault]
    held_out_faults: Sequence[Fault]
    encodings: Sequence[FileEncoding]
    profile: TaskProfile
    near_duplicate_jaccard: float

    @cached_property
    def everyone(self) -> tuple[Row, ...]:
        """`rows`, then `held_out`: positions in the index are positions here."""
        return (*self.rows, *self.held_out)

    @cached_property
    def index(self) -> PromptIndex:
        """Which prompts are similar; built once, used by duplicates, contradictions, leaks, splits and the unique count."""
        return PromptIndex([row.context for row in self.everyone], self.near_duplicate_jaccard)

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """Each row's answer in comparable form, by position in `everyone`."""
        return tuple(read_answer(row.answer, self.profile.shape) for row in self.everyone)

    @cached_property
    def systems(self) -> tuple[str, ...]:
        """Each row's system prompt in comparable form: another system prompt is another task."""
        known: dict[str, str] = {}
        return tuple(known.setdefault(row.system, normalise(row.system)) for row in self.everyone)

    @cached_property
    def exact_groups(self) -> Mapping[tuple[str, ...], list[int]]:
        """Positions in `rows` by normalised conversation: more than one in a group are exact duplicates."""
        groups: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for position, row in enumerate(self.rows):
            groups[self.exact_key(position, row)].append(position)
        return groups

    def exact_key(self, position: int, row: Row) -> tuple[str, ...]:
        """What makes two rows the same: system prompt, earlier turns, answer (and what it was preferred to), normalised."""
        turns = [normalise(m["content"]) for m in row.messages[:-1] if m["role"] != "system"]
        return (self.systems[position], *turns, self.answers[position].key, normalise(row.rejected or ""))

    def answers_agree(self, a: int, b: int) -> bool:
        """Do two rows give the same answer: the same label, the same JSON, or nearly the same text?"""
        if self.answers[a].key == self.answers[b].key:
            return True
        if self.profile.shape != "text":
            return False
        return near_words(words(self.everyone[a].answer), words(self.everyone[b].answer))

    @cached_property
    def near_edges(self) -> tuple[NearEdge, ...]:
        """Pairs of rows with similar prompts and answers that agree, which are not exact duplicates of each other."""
        firsts = [positions[0] for positions in self.exact_groups.values()]
        members = {node: positions[:_COMPARED_PER_PROMPT] for node, positions in by_node(firsts, self.index.node_of).items()}
        edges = [e for positions in members.values() for e in self._agreeing(combinations(positions, 2), 1.0, True)]
        for pair in (pair for pair in self.index.pairs if pair.is_near):
            sides = product(members.get(pair.a, ()), members.get(pair.b, ()))
            edges.extend(self._agreeing(sides, pair.jaccard, pair.is_copy))
        return tuple(edges)

    def _agreeing(self, pairs: Iterable[tuple[int, int]], similarity: float, is_copy: bool) -> Iterator[NearEdge]:
        for a, b in pairs:
            if self.systems[a] == self.systems[b] and self.answers_agree(a, b):
                yield NearEdge(a, b, similarity, is_copy)

    def refs(self, positions: Sequence[int]) -> tuple[RowRef, ...]:
        """The places of rows, for a finding."""
        return tuple(self.everyone[position].ref for position in positions)
