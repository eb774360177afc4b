"""Are the rows that training could not learn the ones whose answers the data gate doubted?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from truetune.core.records import DataRecord, Finding, HardRow, RowRef, Severity, TrainRecord
from truetune.evidence.curated import read_split
from truetune.evidence.store import ObjectStore
from truetune.stages.diagnose.curves import Curves

CODE = "train.hard_rows"

_SHOWN = 20


@dataclass(frozen=True)
class _Doubted:
    """A training row that is hard and doubted: its place, its loss in nats a trained token, and what the data gate said."""

    place: RowRef
    loss: float
    doubt: Finding


def check(train: TrainRecord, data: DataRecord, curves: Curves, store: ObjectStore) -> Finding | None:
    """Finds rows that are among the hardest after training, harder than the usual row, and doubted by the data gate.

    Raises:
        EvidenceError: the training rows are not in the store.
    """
    doubts = data.doubts()
    hard = _harder_than_usual(train.hardest, curves)
    if not doubts or not hard:
        return None
    found = sorted(_doubted(data, hard, doubts, store), key=lambda d: (-d.loss, d.place.file, d.place.line))
    if not found:
        return None
    severity: Severity = "warn" if any(d.doubt.severity != "note" for d in found) else "note"
    are, them = ("is", "it") if len(found) == 1 else ("are", "them")
    return Finding(
        code=CODE,
        severity=severity,
        message=f"{len(found)} of the {len(hard)} hardest training rows {are} in doubt since the data gate: training did not "
        f"learn {them} either",
        rows=tuple(d.place for d in found),
        evidence={"rows": [_told(d) for d in found[:_SHOWN]], "hardest_measured": len(train.hardest)},
        fix="correct the answers of these rows, or leave the rows out, and train again",
    )


def _harder_than_usual(hardest: Sequence[HardRow], curves: Curves) -> dict[str, float]:
    """Of the hardest rows those above the loss at which training ended; a row that is learned is no hard one."""
    usual = curves.end().loss if curves.judged else 0.0
    return {row.row_id: row.loss for row in hardest if row.loss > usual}


def _doubted(data: DataRecord, hard: dict[str, float], doubts: dict[RowRef, Finding], store: ObjectStore) -> Iterator[_Doubted]:
    for row in read_split(store, data.curated, "train"):
        place = RowRef(file=row.file, line=row.line)
        if row.row_id in hard and place in doubts:
            yield _Doubted(place, hard[row.row_id], doubts[place])


def _told(doubted: _Doubted) -> JsonValue:
    place = f"{doubted.place.file}:{doubted.place.line}"
    return {"row": place, "loss": round(doubted.loss, 3), "code": doubted.doubt.code, "doubt": doubted.doubt.message}
