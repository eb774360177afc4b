"""The curated rows, their lineage and the dropped rows, as Parquet in the store, under one tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from truetune.core.records import Tree
from truetune.evidence.curated import CuratedRow, to_parquet
from truetune.evidence.digests import tree_digest
from truetune.evidence.store import ObjectStore
from truetune.stages.data.policy import Fate
from truetune.stages.data.sensitive import excerpt

_TEXT_CHARACTERS = 400
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
    store: ObjectStore, rows: Mapping[str, Sequence[CuratedRow]], dropped: Sequence[DroppedRow], changes: Mapping[str, str]
) -> Tree:
    """Put a shard for each side (the splits, and the gold set where there is one); the same rows give the same digests.

    `changes` says by row id what is not as the user gave it.

    Raises:
        EnvironmentFault: the store cannot be written.
    """
    lineage = [
        (
            *(row.row_id, row.file, row.line, side, row.cluster, changes.get(row.row_id, "")),
            *(row.id, row.source, row.licence, row.origin),
        )
        for side, shard in rows.items()
        for row in shard
    ]
    shown = [(*astuple(row)[:4], excerpt(row.text, _TEXT_CHARACTERS), row.fate) for row in dropped]
    contents = {f"{side}.parquet": to_parquet(list(shard)) for side, shard in rows.items()}
    contents["lineage.parquet"] = _table(_LINEAGE, lineage)
    contents["dropped.parquet"] = _table(_DROPPED, shown)
    files = tuple(store.put_bytes(name, content) for name, content in sorted(contents.items()))
    return Tree(digest=tree_digest(files), files=files)


def _table(columns: Sequence[tuple[str, pa.DataType]], rows: Sequence[tuple[str | int | None, ...]]) -> bytes:
    values = {name: [row[place] for row in rows] for place, (name, _) in enumerate(columns)}
    buffer = BytesIO()
    pq.write_table(pa.table(values, schema=pa.schema(list(columns))), buffer, compression="zstd")
    return buffer.getvalue()
