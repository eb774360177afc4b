"""Rows of which their own metadata say that they hold personal data."""

from __future__ import annotations

from collections.abc import Iterable

from truetune.core.records import Finding, TaskProfile
from truetune.stages.data.checks.base import RowCheck, Sightings
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row

CODE = "data.pii.declared"
_FIX = "redact the rows and set contains_pii: false, or leave them out"


def _look(row: Row, _task: TaskProfile) -> bool | None:
    return row.meta.contains_pii or None


def _conclude(corpus: Corpus, sightings: Sightings[bool]) -> Iterable[Finding]:
    rows = corpus.refs([position for position, _ in sightings])
    if rows:
        counted = f"{len(rows)} rows hold" if len(rows) > 1 else "a row holds"
        yield Finding(
            code=CODE,
            severity="warn",
            message=f"{counted} personal data, say their metadata (`contains_pii`)",
            rows=rows,
            evidence={"rows": len(rows)},
            fix=_FIX,
        )


CHECK = RowCheck(
    code=CODE,
    severity="warn",
    claim="No row is marked as holding personal data.",
    fix=_FIX,
    look=_look,
    conclude=_conclude,
)
