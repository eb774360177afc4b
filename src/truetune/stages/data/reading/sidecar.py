"""`metadata.jsonl`: what is known of rows, kept in a file of its own and joined to them by id.

The config names one (`data.metadata`), or it is found by itself: `metadata.jsonl` or `NAME.metadata.jsonl` beside `NAME.jsonl`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from truetune.core.errors import DataError
from truetune.core.records import Artifact, MetaField
from truetune.stages.data.reading.readers import Entry, FileReading, reading
from truetune.stages.data.rows.metadata import META_FIELDS, NO_META, Columns, RowMeta, merged

FILE_NAME = "metadata.jsonl"
_OWN_NAMES = Columns()
"""The config's column names are those of the records; a sidecar has the fields' own."""


@dataclass(frozen=True, slots=True)
class SidecarFault:
    """A line of a sidecar that cannot be joined to anything, and why."""

    file: str
    line: int
    message: str
    column: int | None = None


@dataclass(frozen=True)
class Sidecar:
    """A sidecar as it was read.

    Attributes:
        artifact: the file, as it is named in findings, with its digest.
        was_named: the config or the command names it; otherwise it was found beside the rows.
        entries: for each id its line and what that line says beside it; the first line of an id counts.
        repeated: lines whose id stands on an earlier line too, with that earlier line.
        faults: lines that cannot be read.
    """

    artifact: Artifact
    was_named: bool
    entries: Mapping[str, tuple[int, RowMeta]]
    repeated: tuple[tuple[int, int], ...]
    faults: tuple[SidecarFault, ...]

    @property
    def file(self) -> str:
        """How findings name it."""
        return self.artifact.path

    def line_of(self, meta: RowMeta) -> int:
        """Where the id of a joined row stands."""
        return self.entries[meta.id or ""][0]

    @property
    def fields(self) -> frozenset[MetaField]:
        """The fields that some line has."""
        metas = {id(meta): meta for _, meta in self.entries.values()}.values()
        said = {f for f in META_FIELDS if any(meta.get(f) is not None or f in meta.unread for meta in metas)}
        return frozenset({*said, "id"} if self.entries else said)

    def joined(self, meta: RowMeta) -> RowMeta:
        """What record and sidecar say of a row together."""
        known = self.entries.get(meta.id) if meta.id is not None else None
        return meta if known is None else merged(meta, known[1])


def found_beside(path: Path) -> Path | None:
    """The sidecar that lies beside a file of rows; the one that carries the file's name counts first."""
    candidates = (path.with_name(f"{path.stem}.{FILE_NAME}"), path.with_name(FILE_NAME))
    return next((found for found in candidates if found != path and found.is_file()), None)


@dataclass(frozen=True)
class MetaReader:
    """The metadata of one file's records: from their own columns, and from the sidecar where there is one."""

    columns: Columns
    sidecar: Sidecar | None = None

    def __call__(self, record: Mapping[str, object]) -> RowMeta:
        """All that is known of a record."""
        meta = self.columns.of(record)
        return meta if self.sidecar is None else self.sidecar.joined(meta)


class Provenance:
    """Where the metadata of rows is looked for: the columns, and the sidecars, each read once.

    Attributes:
        columns: of the records.
        sidecars: what was joined, by the file of rows that it was joined to.
    """

    def __init__(self, columns: Mapping[MetaField, str] | None = None, named: tuple[Path, str] | None = None) -> None:
        """`named` is the sidecar's path and how findings name it; None looks beside each file."""
        self.columns = Columns(columns)
        self._named = named
        self.sidecars: dict[str, Sidecar] = {}
        self._read: dict[Path, Sidecar | None] = {}

    def reader_of(self, path: Path, shown: str) -> MetaReader:
        """How the metadata of a file's records is read; `sidecars` then has its sidecar, where it has one.

        Raises:
            DataError: the named sidecar cannot be read at all.
        """
        sidecar = self._sidecar_of(path, shown)
        if sidecar is not None:
            self.sidecars[shown] = sidecar
        return MetaReader(self.columns, sidecar)

    @property
    def files(self) -> tuple[Artifact, ...]:
        """The sidecars that were joined to rows."""
        return tuple(sidecar.artifact for sidecar in self._read.values() if sidecar is not None)

    @property
    def declared(self) -> frozenset[MetaField]:
        """The fields that somebody named on purpose: in the config, or in a sidecar."""
        said = {field for sidecar in self.sidecars.values() for field in sidecar.fields}
        return frozenset(self.columns.named) | said

    def _sidecar_of(self, path: Path, shown: str) -> Sidecar | None:
        if self._named is not None:
            return self._once(*self._named, was_named=True)
        beside = found_beside(path)
        return self._once(beside, (Path(shown).parent / beside.name).as_posix(), was_named=False) if beside else None

    def _once(self, path: Path, shown: str, *, was_named: bool) -> Sidecar | None:
        if path not in self._read:
            self._read[path] = _read_sidecar(path, shown, self.columns, was_named=was_named)
        return self._read[path]


def _read_sidecar(path: Path, shown: str, columns: Columns, *, was_named: bool) -> Sidecar | None:
    try:
        return _sidecar(reading(path, shown), shown, columns, was_named=was_named)
    except DataError:
        if was_named:
            raise
        return None  # something else that happens to have this name


def _sidecar(entries: FileReading, shown: str, columns: Columns, *, was_named: bool) -> Sidecar:
    known: dict[str, tuple[int, RowMeta]] = {}
    # Most lines say what others say, but for the id: that is kept once.
    shared: dict[RowMeta, RowMeta] = {}
    repeated: list[tuple[int, int]] = []
    faults: list[SidecarFault] = []
    for entry in entries:
        meta, fault = _line(shown, entry, columns)
        if fault is not None:
            faults.append(fault)
        elif meta.id in known:
            repeated.append((entry.line, known[meta.id][0]))
        elif meta.id is not None:
            rest = replace(meta, id=None)
            known[meta.id] = (entry.line, shared.setdefault(rest, rest))
    read = entries.result()
    artifact = Artifact(path=shown, digest=read.digest, size_bytes=read.size_bytes)
    return Sidecar(artifact, was_named, known, tuple(repeated), tuple(faults))


def _line(shown: str, entry: Entry, columns: Columns) -> tuple[RowMeta, SidecarFault | None]:
    """What a line says, or why it says nothing."""
    if entry.fault is not None:
        return NO_META, SidecarFault(shown, entry.line, entry.fault.message, entry.fault.column)
    if not isinstance(entry.value, dict):
        return NO_META, SidecarFault(shown, entry.line, "the line is not an object")
    meta = _OWN_NAMES.of(entry.value)
    if meta.id is None:
        # The id may have the name that the config gives to the records' own.
        meta = replace(meta, id=columns.of(entry.value).id)
    return meta, SidecarFault(shown, entry.line, "the line has no `id`") if meta.id is None else None
