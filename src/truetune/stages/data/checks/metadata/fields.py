"""Metadata that cannot be joined, cannot be read, or says two things."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from truetune.core.records import Finding, MetaField, RowRef, TaskProfile
from truetune.core.sensitive.masking import excerpt
from truetune.core.units import plural
from truetune.stages.data.checks.base import Check, RowCheck, Sightings
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.reading.sidecar import Sidecar
from truetune.stages.data.rows.metadata import RowMeta
from truetune.stages.data.rows.row import Row

MALFORMED_CODE = "data.metadata.malformed"
UNKNOWN_CODE = "data.metadata.unknown_id"
REPEATED_CODE = "data.metadata.duplicate_id"
CONFLICT_CODE = "data.metadata.conflict"
VALUE_CODE = "data.metadata.value"

_MALFORMED_FIX = "correct the line: one JSON object a line, with the `id` of a row"
_UNKNOWN_FIX = "correct the ids, or delete the lines whose rows are gone"
_REPEATED_FIX = "give each row an id of its own, and each id one line of metadata"
_CONFLICT_FIX = "decide which is right and correct the other; until then the sidecar counts"
_VALUE_FIX = "write times as ISO 8601 (2026-11-24T09:30:00Z), contains_pii as true or false, split as train, validation or test"
_SHOWN = 5


def _malformed(corpus: Corpus) -> Iterable[Finding]:
    for sidecar in _sidecars(corpus):
        for fault in sidecar.faults:
            yield Finding(
                code=MALFORMED_CODE,
                severity="warn",
                message=f"nothing of this line is joined to a row: {fault.message}",
                rows=(RowRef(file=fault.file, line=fault.line),),
                column=fault.column,
                fix=_MALFORMED_FIX,
            )


def _unknown(corpus: Corpus) -> Iterable[Finding]:
    """One finding a sidecar. One that was found beside the rows and fits none of them is there for something else: a note."""
    for sidecar in _sidecars(corpus):
        missing = {name: line for name, (line, _) in sidecar.entries.items()}
        for row in corpus.everyone:
            if row.meta.id in missing and corpus.sidecars.get(row.file) is sidecar:
                del missing[row.meta.id]
        if not missing:
            continue
        joined = len(sidecar.entries) - len(missing)
        used = f"{joined:,} {'was' if joined == 1 else 'were'} joined" if joined else "it was not used"
        are = "is" if len(missing) == 1 else "are"
        yield Finding(
            code=UNKNOWN_CODE,
            severity="warn" if sidecar.was_named or joined else "note",
            message=f"{len(missing):,} of {plural(len(sidecar.entries), 'id')} of {sidecar.file} {are} no row's; {used}",
            rows=tuple(RowRef(file=sidecar.file, line=line) for line in missing.values()),
            evidence={"ids": [excerpt(name) for name in list(missing)[:_SHOWN]], "joined": joined},
            fix=_UNKNOWN_FIX,
        )


def _repeated(corpus: Corpus) -> Iterable[Finding]:
    for sidecar in _sidecars(corpus):
        for line, earlier in sidecar.repeated:
            yield Finding(
                code=REPEATED_CODE,
                severity="warn",
                message=f"the id of this line stands on line {earlier} already, which counts",
                rows=(RowRef(file=sidecar.file, line=line), RowRef(file=sidecar.file, line=earlier)),
                fix=_REPEATED_FIX,
            )
    joined = {name for sidecar in _sidecars(corpus) for name in sidecar.entries}
    for name, rows in _rows_of_one_id(corpus.rows):
        yield Finding(
            code=REPEATED_CODE,
            severity="warn" if name in joined else "note",
            message=f"{len(rows)} rows have the id {excerpt(name)}",
            rows=tuple(row.ref for row in rows),
            groups=(tuple(row.ref for row in rows),),
            fix=_REPEATED_FIX,
        )


def _rows_of_one_id(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """The ids that several rows of one file have; ids may start anew with each file."""
    keys = np.fromiter((0 if row.meta.id is None else _key(row) for row in rows), dtype=np.int64, count=len(rows))
    different, counts = np.unique(keys, return_counts=True)
    again = set(different[(counts > 1) & (different != 0)].tolist())
    found: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for position in np.flatnonzero(np.isin(keys, list(again))).tolist() if again else ():
        row = rows[position]
        found[row.file, row.meta.id or ""].append(row)
    yield from ((name, same) for (_, name), same in found.items() if len(same) > 1)


def _key(row: Row) -> int:
    return hash((row.file, row.meta.id))


def _look_for_conflicts(row: Row, _task: TaskProfile) -> tuple[MetaField, ...] | None:
    return row.meta.conflicts or None


def _conflicts(corpus: Corpus, sightings: Sightings[tuple[MetaField, ...]]) -> Iterable[Finding]:
    found: defaultdict[tuple[MetaField, str], list[Row]] = defaultdict(list)
    for row, field in _told(corpus, sightings, lambda meta: meta.conflicts):
        found[field, row.file].append(row)
    for (field, file), rows in found.items():
        sidecar = corpus.sidecars[file]
        refs = tuple(row.ref for row in rows)
        lines = tuple(RowRef(file=sidecar.file, line=sidecar.line_of(row.meta)) for row in rows)
        yield Finding(
            code=CONFLICT_CODE,
            severity="warn",
            message=f"{_counted(len(rows))} and {sidecar.file} say different things in `{field}`; {sidecar.file} counts",
            rows=(*refs, *lines),
            groups=(refs, lines),
            evidence={"counts": [excerpt(str(row.meta.get(field))) for row in rows[:_SHOWN]]},
            fix=_CONFLICT_FIX,
        )


def _look_for_unread(row: Row, _task: TaskProfile) -> tuple[MetaField, ...] | None:
    return row.meta.unread or None


def _values(corpus: Corpus, sightings: Sightings[tuple[MetaField, ...]]) -> Iterable[Finding]:
    found: defaultdict[MetaField, list[RowRef]] = defaultdict(list)
    for row, field in _told(corpus, sightings, lambda meta: meta.unread):
        found[field].append(row.ref)
    for field, refs in found.items():
        yield Finding(
            code=VALUE_CODE,
            severity="warn" if field in corpus.declared else "note",
            message=f"`{field}` of {_counted(len(refs))} cannot be read, so it counts as not known",
            rows=tuple(refs),
            evidence={"field": field, "rows": len(refs)},
            fix=_VALUE_FIX,
        )


def _told(
    corpus: Corpus, sightings: Sightings[tuple[MetaField, ...]], fields: Callable[[RowMeta], tuple[MetaField, ...]]
) -> Iterator[tuple[Row, MetaField]]:
    """Each row of which something was seen, and each held-out row, with each field that it is said of."""
    for row in chain((corpus.rows[position] for position, _ in sightings), corpus.held_out):
        for field in fields(row.meta):
            yield row, field


def _sidecars(corpus: Corpus) -> Iterable[Sidecar]:
    """Each once, in the order of the files that they belong to."""
    return {sidecar.file: sidecar for sidecar in corpus.sidecars.values()}.values()


def _counted(rows: int) -> str:
    return f"{rows} rows" if rows > 1 else "a row"


MALFORMED = Check(
    code=MALFORMED_CODE,
    severity="warn",
    claim="Every line of the metadata is an object with the id of a row.",
    fix=_MALFORMED_FIX,
    find=_malformed,
)
UNKNOWN = Check(
    code=UNKNOWN_CODE,
    severity="warn",
    claim="Every id in the metadata is a row's.",
    fix=_UNKNOWN_FIX,
    find=_unknown,
)
REPEATED = Check(
    code=REPEATED_CODE,
    severity="warn",
    claim="No two rows of a file have one id, and no id has two lines of metadata.",
    fix=_REPEATED_FIX,
    find=_repeated,
)
CONFLICT = RowCheck(
    code=CONFLICT_CODE,
    severity="warn",
    claim="A row's own columns and its metadata say the same.",
    fix=_CONFLICT_FIX,
    look=_look_for_conflicts,
    conclude=_conflicts,
)
VALUE = RowCheck(
    code=VALUE_CODE,
    severity="warn",
    claim="Times, yes-or-no fields and splits can be read.",
    fix=_VALUE_FIX,
    look=_look_for_unread,
    conclude=_values,
)
