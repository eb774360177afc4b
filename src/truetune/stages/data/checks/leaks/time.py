"""Training rows from the future of the test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from truetune.core.records import Finding, Severity, TaskProfile
from truetune.stages.data.checks.base import DROPPED, RowCheck, Sightings, Threshold
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.metadata import written_day
from truetune.stages.data.rows.row import Row

CODE = "data.leakage.time"
_FIX = "train on rows that are older than the test, or cut the test by time: data.splits: {by_time: true}"

FEW_FRAC = 0.2
"""Up to this share of training rows that are newer, the test was meant to come after training, and these rows are astray; beyond,
both cover the same time. Source: stated."""
EARLY_QUANTILE = 0.05
"""So many of a test's oldest rows may themselves be astray: the test then begins after them. Source: stated."""

Times = npt.NDArray[np.float64]


def _look(row: Row, _task: TaskProfile) -> float | None:
    return row.meta.time


def _conclude(corpus: Corpus, sightings: Sightings[float]) -> Iterable[Finding]:
    """One finding a held-out file, where both sides have times."""
    if not len(sightings) or corpus.splits.by_time is False:
        return
    held: defaultdict[str, list[float]] = defaultdict(list)
    for row in corpus.held_out:
        if row.meta.time is not None:
            held[row.file].append(row.meta.time)
    positions = np.array([position for position, _ in sightings], dtype=np.int64)
    train = np.array(sightings.values(), dtype=np.float64)
    for file, times in held.items():
        begins, newer = _newer(train, np.array(times))
        if len(newer):
            yield _finding(corpus, file, begins, positions[newer].tolist(), train[newer].max(), len(train))


def _newer(train: Times, held: Times) -> tuple[float, npt.NDArray[np.int64]]:
    """When the held-out rows begin, and which training rows are newer than that."""
    begins = float(held.min())
    newer = np.flatnonzero(train > begins)
    if len(newer) > FEW_FRAC * len(train):
        later = float(np.quantile(held, EARLY_QUANTILE, method="higher"))
        after = np.flatnonzero(train > later)
        if len(after) <= FEW_FRAC * len(train):
            begins, newer = later, after
    return begins, newer


def _finding(corpus: Corpus, file: str, begins: float, newer: list[int], newest: float, timed: int) -> Finding:
    mixed = len(newer) > FEW_FRAC * timed
    counted = f"{len(newer)} of {timed} training rows are" if len(newer) > 1 else f"one of {timed} training rows is"
    said = f"{counted} newer than {file}, which begins on {written_day(begins)}"
    severity: Severity = "block" if corpus.splits.by_time is True else "note" if mixed else "warn"
    return Finding(
        code=CODE,
        severity=severity,
        message=f"{said}: it tests no future" if mixed else said,
        rows=corpus.refs(newer),
        evidence={
            "newer": len(newer),
            "train_rows": timed,
            "begins": written_day(begins),
            "newest_training_row": written_day(newest),
        },
        fix=_FIX,
    )


CHECK = RowCheck(
    code=CODE,
    severity="warn",
    claim="No training row is newer than the oldest row of the test.",
    fix=_FIX,
    look=_look,
    conclude=_conclude,
    ways=DROPPED,
    thresholds=(
        Threshold("share of newer training rows up to which they are astray", FEW_FRAC, "stated"),
        Threshold("share of a test's oldest rows that may be astray themselves", EARLY_QUANTILE, "stated"),
    ),
)
