"""The frozen test: which rows the seal names, and a new seal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from truetune.core.ports import Message
from truetune.core.records import SealedRow, SealRecord
from truetune.evidence.curated import CuratedRow
from truetune.stages.data.rows.row import content_id
from truetune.stages.data.splits.cut import rows_digest

ChosenBy = Literal["cut", "column", "file"]


def base_id(row_id: str) -> str:
    """The id of the row that a piece was made from: pieces of a row that was too long are numbered after a dot."""
    return row_id.partition(".")[0]


def frozen_ids(seal: SealRecord | None) -> frozenset[str]:
    """The ids of the sealed rows; none where nothing is sealed."""
    return frozenset(base_id(row.row_id) for row in seal.rows) if seal else frozenset()


def holds_any(seal: SealRecord, conversations: Iterable[Sequence[Message]]) -> bool:
    """Is one of these conversations, wherever it was read, a row of the frozen test?"""
    contents = {row_id.partition("-")[0] for row_id in frozen_ids(seal)}
    return any(content_id(messages) in contents for messages in conversations)


def new_seal(test: Iterable[CuratedRow], chosen_by: ChosenBy, sealed_at: str, inputs: str) -> SealRecord:
    """A seal over a test split."""
    rows = sorted(test, key=lambda row: row.row_id)
    sealed = tuple(SealedRow(row_id=row.row_id, id=row.id, file=row.file, line=row.line) for row in rows)
    return SealRecord(sealed_at=sealed_at, digest=rows_digest(rows), inputs=inputs, chosen_by=chosen_by, rows=sealed)
