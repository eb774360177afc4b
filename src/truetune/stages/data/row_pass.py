"""The one pass over the rows that all row checks share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from truetune.core.ports import Progress, RowColumns
from truetune.core.records import TaskProfile
from truetune.stages.data.checks.base import Sightings
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.row_store import rows_with_positions
from truetune.stages.data.rows import Row

Look = Callable[[Row, TaskProfile], object]


def look_at_rows(corpus: Corpus, looks: Sequence[Look], progress: Progress) -> Mapping[Look, Sightings[object]]:
    """What each look has seen in `corpus.rows`; a look that is given twice is asked once."""
    different = tuple(dict.fromkeys(looks))
    seen: list[list[Sightings[object]]] = [[] for _ in different]
    done = 0
    for batch in corpus.rows.batches():
        progress.update(done, len(corpus.rows), "looking at the rows")
        for parts, part in zip(seen, look_at(batch, different, corpus.profile), strict=True):
            parts.append(part)
        done += len(batch.row)
    return {look: Sightings.joined(parts) for look, parts in zip(different, seen, strict=True)}


def look_at(batch: RowColumns, looks: Sequence[Look], task: TaskProfile) -> list[Sightings[object]]:
    """What each look sees in a batch of a row store."""
    seen: list[Sightings[object]] = [Sightings() for _ in looks]
    for position, row in rows_with_positions(batch):
        for look, sightings in zip(looks, seen, strict=True):
            sighting = look(row, task)
            if sighting is not None:
                sightings.add(position, sighting)
    return seen
