"""What has become of the frozen test: rows of it that are gone, and rows that belong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from truetune.core.records import Finding, RowRef, SealedRow, SealRecord
from truetune.core.sensitive.masking import excerpt
from truetune.core.units import plural
from truetune.evidence.curated import CuratedRow
from truetune.stages.data.checks.base import KEPT, NO_ROWS, Described
from truetune.stages.data.rows.row import Row
from truetune.stages.data.splits.cut import rows_digest
from truetune.stages.data.splits.frozen import base_id

CHANGED = Described(
    "data.split.frozen", "block", "Every row of the frozen test is still there, word for word, and no other.", NO_ROWS
)
MATES = Described(
    "data.split.left_out", "note", "No row belongs with a row of the frozen test: a copy, one customer, one conversation.", KEPT
)
RESEAL = "truetune data reseal"
_CHANGED_FIX = f"put the rows back as they were; or seal the test anew, on purpose: {RESEAL}"
_MATES_FIX = f"nothing: on either side they would spoil the test; to cut the test anew from all rows: {RESEAL}"
_SHOWN = 5


def seal_findings(seal: SealRecord | None, test: Sequence[CuratedRow], why: Mapping[str, str]) -> list[Finding]:
    """What differs between the sealed test and the test of this run; `why` has the codes of rows that were left out, by id."""
    if seal is None or rows_digest(test) == seal.digest:
        return []
    now = {row.row_id: row for row in test}
    then = {row.row_id for row in seal.rows}
    gone = [row for row in seal.rows if row.row_id not in now]
    added = [row for row in test if row.row_id not in then]
    places = [(row.file, row.line) for row in gone] + [(row.file, row.line) for row in added]
    counted = [f"{len(gone):,} of {plural(len(seal.rows), 'row')} {_are(gone)} gone or changed"] if gone else []
    counted += [f"{len(added)} {_are(added)} new"] if added else []
    return [
        Finding(
            code=CHANGED.code,
            severity="block",
            message=f"the test that was sealed on {seal.sealed_at[:10]} is another one now: {' and '.join(counted)}",
            rows=tuple(RowRef(file=file, line=line) for file, line in places),
            evidence={
                "gone": [_told(row, why) for row in gone[:_SHOWN]],
                "new": [f"{row.file}, line {row.line}" for row in added[:_SHOWN]],
                "sealed_at": seal.sealed_at,
                "digest": seal.digest,
            },
            fix=_CHANGED_FIX,
        )
    ]


def _are(rows: Sequence[object]) -> str:
    return "is" if len(rows) == 1 else "are"


def _told(row: SealedRow, why: Mapping[str, str]) -> str:
    code = why.get(base_id(row.row_id))
    named = f" (id {excerpt(row.id)})" if row.id else ""
    reason = f": left out, {code}" if code else ": not in the files any more"
    return f"{row.file}, line {row.line} when it was sealed{named}{reason}"


def mates_finding(rows: Sequence[Row]) -> list[Finding]:
    """Rows that are left out because they belong with a row of the frozen test."""
    if not rows:
        return []
    counted = f"{len(rows)} rows belong" if len(rows) > 1 else "a row belongs"
    return [
        Finding(
            code=MATES.code,
            severity="note",
            message=f"{counted} with rows of the frozen test, so they are neither trained on nor tested",
            rows=tuple(row.ref for row in rows),
            fix=_MATES_FIX,
        )
    ]
