"""One row, found by its place or its id, as it is trained on: every token, and which of them carry loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from truetune.core.chat import MaskedConversation, TemplateNotPrefixStable, mask_conversations
from truetune.core.errors import DataError, UsageError
from truetune.core.ports import ChatTokenizer, Message, Progress
from truetune.core.records import DataFormat, DataRecord, RowRef, ShownRow
from truetune.core.units import plural
from truetune.evidence.curated import CuratedRow, from_parquet
from truetune.evidence.store import ObjectStore
from truetune.stages.data.checks.template.rendering import PREFIX_CODE, PREFIX_FIX
from truetune.stages.data.reading.load import load

_SIDES = ("train", "validation", "test", "gold")


@dataclass(frozen=True)
class FoundRow:
    """A row's conversation, where it stands, and what a run calls it where it is from one."""

    row: RowRef
    messages: Sequence[Message]
    row_id: str | None = None
    split: str | None = None


def row_at(path: Path, shown: str, line: int, format: DataFormat | None, progress: Progress) -> FoundRow:  # noqa: A002 - its name
    """The row at a line of a file.

    Raises:
        UsageError: there is no record at that line.
        DataError: what stands there is not a row; the code is that of the check which says why.
    """
    loaded = load([(path, shown)], format, progress)
    position = loaded.rows.position(RowRef(file=shown, line=line))
    if position is not None:
        return FoundRow(RowRef(file=shown, line=line), loaded.rows[position].messages)
    for fault in loaded.faults:
        if fault.line == line:
            raise DataError(fault.code, fault.message, fix=f"truetune check {shown}", where=f"{shown}:{line}")
    raise UsageError(
        "usage.row_not_found",
        f"{shown} has no row at line {line}",
        why=f"it has {plural(len(loaded.rows) + len(loaded.faults), 'record')}" + (" and this line is empty" if line > 0 else ""),
        fix="name a line that has a record; in Parquet and JSON it is the row's number",
        where=shown,
    )


def row_called(name: str, data: DataRecord, store: ObjectStore) -> FoundRow:
    """The row of a run with that id, or the only one whose id begins so.

    Raises:
        UsageError: no row, or more than one.
        EvidenceError: a shard is not in the store.
    """
    found: dict[str, tuple[str, CuratedRow]] = {}
    digests = {artifact.path: artifact.digest for artifact in data.curated.files}
    for side in _SIDES:
        if f"{side}.parquet" in digests:
            rows = from_parquet(store.get_bytes(digests[f"{side}.parquet"]))
            found.update({row.row_id: (side, row) for row in rows if row.row_id.startswith(name)})
    if name not in found and len(found) != 1:
        raise UsageError(
            "usage.row_not_found",
            f"{len(found)} rows of the run have an id that begins with {name!r}" if found else f"the run has no row {name!r}",
            why=", ".join(sorted(found)[:5]),
            fix="give more of the id, or FILE:LINE for a row that was left out",
        )
    side, row = found[name] if name in found else next(iter(found.values()))
    return FoundRow(RowRef(file=row.file, line=row.line), row.messages, row.row_id, side)


def show(found: FoundRow, tokenizer: ChatTokenizer, model: str, max_length: int | None) -> ShownRow:
    """The row's tokens under the model's own template.

    Raises:
        DataError: the template refuses the conversation, or rewrites earlier turns.
    """
    try:
        (masked,) = mask_conversations(tokenizer, [found.messages])
    except TemplateNotPrefixStable as error:
        where = f"{found.row.file}:{found.row.line}"
        raise DataError(
            PREFIX_CODE, "the template rewrites earlier turns", why=str(error), fix=PREFIX_FIX, where=where
        ) from error
    return ShownRow(
        row=found.row,
        row_id=found.row_id,
        split=found.split,
        model=model,
        template_digest=tokenizer.template_digest,
        token_ids=masked.ids,
        tokens=_texts(masked),
        trained=masked.trained,
        max_length_tokens=max_length,
    )


def _texts(masked: MaskedConversation) -> tuple[str, ...]:
    """Each token's text; of a character that is several tokens the first has it, so that together they are the row."""
    before = [None, *masked.offsets[:-1]]
    return tuple("" if span == last else masked.text[slice(*span)] for span, last in zip(masked.offsets, before, strict=True))
