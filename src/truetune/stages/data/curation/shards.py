"""The curated rows, their lineage and the dropped rows, as Parquet in the store, under one tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from truetune.core.records import Tree
from truetune.core.sensitive.masking import excerpt
from truetune.evidence import atomic
from truetune.evidence.curated import CuratedRow, write_parquet
from truetune.evidence.digests import tree_digest
from truetune.evidence.scratch import scratch_folder
from truetune.evidence.store import ObjectStore
from truetune.stages.data.curation.policy import Fate

_TEXT_CHARACTERS = 400
_GROUP_ROWS = 1 << 15
_LINEAGE = (
    ("row_id", pa.string()),
    ("file", pa.string()),
    ("line", pa.int64()),
    ("split", pa.string()),
    ("cluster", pa.string()),
    ("change", pa.string()),
    ("id", pa.string()),
    ("source", pa.string()),
    ("licence", pa.string()),
    ("origin", pa.string()),
)
_DROPPED = (
    ("file", pa.string()),
    ("line", pa.int64()),
    ("code", pa.string()),
    ("reason", pa.string()),
    ("text", pa.string()),
    ("fate", pa.string()),
)


@dataclass(frozen=True, slots=True)
class DroppedRow:
    """A record that is not in the curated data, and why. `text` is masked and shortened when it is stored."""

    file: str
    line: int
    code: str
    reason: str
    text: str
    fate: Fate = "drop"


def store_shards(
    store: ObjectStore, rows: Mapping[str, Sequence[CuratedRow]], dropped: Iterable[DroppedRow], changes: Mapping[str, str]
) -> Tree:
    """Put a shard for each side (the splits, and the gold set where there is one); the same rows give the same digests.

    `changes` says by row id what is not as the user gave it.

    Raises:
        EnvironmentFault: the store cannot be written.
    """
    lineage = (
        (
            *(row.row_id, row.file, row.line, side, row.cluster, changes.get(row.row_id, "")),
            *(row.id, row.source, row.licence, row.origin),
        )
        for side, shard in rows.items()
        for row in shard
    )
    shown = ((*astuple(row)[:4], excerpt(row.text, _TEXT_CHARACTERS), row.fate) for row in dropped)
    with scratch_folder(store.root.parent, "shards") as folder:
        for side, shard in rows.items():
            with atomic.writing(folder), (folder / f"{side}.parquet").open("wb") as file:
                write_parquet(shard, file)
        _write_table(folder / "lineage.parquet", _LINEAGE, lineage)
        _write_table(folder / "dropped.parquet", _DROPPED, shown)
        files = tuple(store.put_file(path) for path in sorted(folder.iterdir()))
    return Tree(digest=tree_digest(files), files=files)


def _write_table(path: Path, columns: Sequence[tuple[str, pa.DataType]], rows: Iterable[tuple[str | int | None, ...]]) -> None:
    schema, remaining = pa.schema(list(columns)), iter(rows)
    with atomic.writing(path), pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while group := list(islice(remaining, _GROUP_ROWS)):
            values = {name: [row[place] for row in group] for place, (name, _) in enumerate(columns)}
            writer.write_table(pa.table(values, schema=schema))
