"""The curated rows as they lie in the store: the one format in which data goes from the data gate to training and evaluation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Literal

from truetune.core.errors import EvidenceError
from truetune.core.ports import Message
from truetune.core.records import Artifact, SplitName, Tree
from truetune.evidence.store import ObjectStore

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP_ROWS = 1 << 12
Origin = Literal["task", "replay"]


@dataclass(frozen=True)
class CuratedRow:
    """A row that passed the gate.

    `messages` is the whole conversation; `prompt` the text of its last user turn; `answer` the last assistant turn;
    `cluster` names the near-duplicate cluster, which never lies on two sides of a split; `file` and `line` are the place it was
    read from. `id`, `source` and `licence` are what the user's own metadata say of it, None where they say nothing.
    `origin` is `replay` for a general row that is mixed into training and is no example of the task.
    """

    row_id: str
    file: str
    line: int
    cluster: str
    messages: tuple[Message, ...]
    prompt: str
    answer: str
    id: str | None = None
    source: str | None = None
    licence: str | None = None
    origin: Origin = "task"


def to_parquet(rows: Iterable[CuratedRow]) -> bytes:
    """A Parquet shard; the same rows give the same bytes."""
    buffer = BytesIO()
    write_parquet(rows, buffer)
    return buffer.getvalue()


def write_parquet(rows: Iterable[CuratedRow], sink: BinaryIO) -> None:
    """Write a Parquet shard, some thousand rows at a time; the same rows give the same bytes."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    remaining = iter(rows)
    with pq.ParquetWriter(sink, _schema(), compression="zstd") as writer:
        while group := list(islice(remaining, _GROUP_ROWS)):
            writer.write_table(_table(group))


def _schema() -> pa.Schema:
    """The columns of a shard. pyarrow is loaded where a shard is written or read, so that a check of a file starts without it."""
    import pyarrow as pa  # noqa: PLC0415

    texts = ["cluster", "messages", "prompt", "answer", "id", "source", "licence", "origin"]
    first = [("row_id", pa.string()), ("file", pa.string()), ("line", pa.int64())]
    return pa.schema([*first, *((name, pa.string()) for name in texts)])


def _table(rows: Sequence[CuratedRow]) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415

    columns = {
        "row_id": [r.row_id for r in rows],
        "file": [r.file for r in rows],
        "line": [r.line for r in rows],
        "cluster": [r.cluster for r in rows],
        "messages": [json.dumps(r.messages, ensure_ascii=False) for r in rows],
        "prompt": [r.prompt for r in rows],
        "answer": [r.answer for r in rows],
        "id": [r.id for r in rows],
        "source": [r.source for r in rows],
        "licence": [r.licence for r in rows],
        "origin": [r.origin for r in rows],
    }
    return pa.table(columns, schema=_schema())


def from_parquet(content: bytes) -> list[CuratedRow]:
    """The rows of a shard, in its order."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    table = pq.read_table(BytesIO(content))
    rows = table.to_pylist()
    return [CuratedRow(**{**row, "messages": tuple(json.loads(row["messages"]))}) for row in rows]


def read_split(store: ObjectStore, curated: Tree, split: SplitName) -> list[CuratedRow]:
    """One side of the split.

    Raises:
        EvidenceError: the shard is not in the record or not in the store.
    """
    return from_parquet(store.get_bytes(_artifact(curated, f"{split}.parquet").digest))


def _artifact(tree: Tree, name: str) -> Artifact:
    for artifact in tree.files:
        if artifact.path == name:
            return artifact
    raise EvidenceError("evidence.missing", f"the data record has no {name}", fix="truetune run --new")
