"""A split that the user has made already: rows whose `split` says train, validation or test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from truetune.core.records import SplitName
from truetune.stages.data.reading.load import Loaded
from truetune.stages.data.rows.row import Row
from truetune.stages.data.rows.store import StoredRows, stored


@dataclass(frozen=True)
class OwnSplit:
    """The sides that the user's own column makes: `train` is what is left of the files, the others are held out from it."""

    train: Loaded
    validation: StoredRows
    test: StoredRows


def own_split(loaded: Loaded, scratch_dir: Path | None = None) -> OwnSplit:
    """Sort rows by their own `split`. Where it does not tell training rows from others (all have one side) it is no split.

    Rows without one are training rows.

    Raises:
        EnvironmentFault: there is no room for the rows.
    """
    sides = {_side(row) for row in loaded.rows}
    if "train" not in sides or len(sides) == 1:
        return OwnSplit(loaded, stored(()), stored(()))
    train, validation, test = (stored(_of(loaded.rows, side), scratch_dir) for side in ("train", "validation", "test"))
    return OwnSplit(replace(loaded, rows=train), validation, test)


def _side(row: Row) -> SplitName:
    return row.meta.split or "train"


def _of(rows: Iterable[Row], side: str) -> Iterator[Row]:
    return (row for row in rows if _side(row) == side)
