"""The one pass over the rows that all row checks share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from truetune.core.ports import Progress, RowColumns, RowEngine
from truetune.core.records import TaskProfile
from truetune.stages.data.checks.base import Sightings
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row
from truetune.stages.data.rows.store import rows_with_positions

R = TypeVar("R")
Look = Callable[[Row, TaskProfile], object]


class InProcess:
    """The row engine of one machine: one batch after another, in this process."""

    def map(self, work: Callable[[RowColumns], R], batches: Iterable[RowColumns]) -> Iterator[R]:
        """The result of each batch."""
        return map(work, batches)


IN_PROCESS = InProcess()


def look_at_rows(
    corpus: Corpus, looks: Sequence[Look], progress: Progress, engine: RowEngine
) -> Mapping[Look, Sightings[object]]:
    """What each look has seen in `corpus.rows`; a look that is given twice is asked once."""
    different = tuple(dict.fromkeys(looks))
    seen: list[list[Sightings[object]]] = [[] for _ in different]
    for parts_of_batch in engine.map(partial(look_at, looks=different, task=corpus.profile), _reported(corpus, progress)):
        for parts, part in zip(seen, parts_of_batch, strict=True):
            parts.append(part)
    return {look: Sightings.joined(parts) for look, parts in zip(different, seen, strict=True)}


def _reported(corpus: Corpus, progress: Progress) -> Iterator[RowColumns]:
    done = 0
    for batch in corpus.rows.batches():
        progress.update(done, len(corpus.rows), "looking at the rows")
        yield batch
        done += len(batch.row)


def look_at(batch: RowColumns, looks: Sequence[Look], task: TaskProfile) -> list[Sightings[object]]:
    """What each look sees in a batch of a row store."""
    seen: list[Sightings[object]] = [Sightings() for _ in looks]
    for position, row in rows_with_positions(batch):
        for look, sightings in zip(looks, seen, strict=True):
            sighting = look(row, task)
            if sighting is not None:
                sightings.add(position, sighting)
    return seen
