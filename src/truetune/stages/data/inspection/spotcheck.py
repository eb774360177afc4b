"""A random sample of rows, looked at by a person: each verdict kept the moment it is given, and the error rate that follows.

The order of the rows is that of a seeded hash of their ids, so that the first n of it are a random sample, the same on every
start, and a larger n goes on where a smaller one ended. Verdicts lie in a hash-chained ledger: nothing is overwritten, an undone
verdict stays readable, and a line that a kill cut short does not count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from scipy.stats import binomtest

from truetune.core.ports import Clock, Message
from truetune.core.records import Interval, RowRef, SpotCheckRecord, SpotVerdict, SpotVerdictName
from truetune.evidence.ledger import Ledger

LEVEL = 0.95
_JUDGED, _UNDONE, _NOTED = "spotcheck.judged", "spotcheck.undone", "spotcheck.noted"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that may be looked at."""

    row_id: str
    row: RowRef
    messages: Sequence[Message]


def sample(rows: Iterable[Candidate], n: int, seed: int) -> list[Candidate]:
    """`n` rows, or all where there are fewer: each set of n is equally likely over the seeds."""
    return sorted(rows, key=lambda row: hashlib.sha256(f"{seed}:{row.row_id}".encode()).digest())[:n]


class SpotCheck:
    """One sample and what was said of it so far."""

    def __init__(self, rows: Sequence[Candidate], path: Path, clock: Clock) -> None:
        """Read what was said before; verdicts on rows that are not in the sample are kept in the file and not counted.

        Raises:
            EvidenceError: the file is not what was written.
        """
        self.rows = rows
        self._ledger = Ledger(path, clock)
        self._verdicts: dict[str, SpotVerdictName] = {}
        self._notes: dict[str, str] = {}
        for entry in self._ledger.read():
            self._replay(entry.event, str(entry.data.get("row_id")), entry.data)

    def _replay(self, event: str, row_id: str, data: Mapping[str, object]) -> None:
        if event == _JUDGED:
            self._verdicts.pop(row_id, None)
            self._verdicts[row_id] = next(name for name in _names() if name == data["verdict"])
        elif event == _UNDONE:
            self._verdicts.pop(row_id, None)
        elif event == _NOTED:
            self._notes[row_id] = str(data["note"])

    @property
    def next_row(self) -> Candidate | None:
        """The first row of the sample that has no verdict."""
        return next((row for row in self.rows if row.row_id not in self._verdicts), None)

    @property
    def judged(self) -> int:
        """How many rows of the sample have a verdict."""
        return sum(row.row_id in self._verdicts for row in self.rows)

    def judge(self, row: Candidate, verdict: SpotVerdictName) -> None:
        """Keep a verdict, on disk before this returns.

        Raises:
            EnvironmentFault: it cannot be written.
        """
        self._say(_JUDGED, row.row_id, verdict=verdict, file=row.row.file, line=row.row.line)

    def note(self, row: Candidate, text: str) -> None:
        """Keep a note on a row."""
        self._say(_NOTED, row.row_id, note=text)

    def undo(self) -> bool:
        """Take the newest verdict back; False where there is none."""
        sampled = {row.row_id for row in self.rows}
        newest = next((row_id for row_id in reversed(self._verdicts) if row_id in sampled), None)
        if newest is not None:
            self._say(_UNDONE, newest)
        return newest is not None

    def _say(self, event: str, row_id: str, **data: str | int) -> None:
        self._ledger.append(event, row_id=row_id, **data)
        self._replay(event, row_id, data)

    def record(self, source: str, rows: int, seed: int) -> SpotCheckRecord:
        """What came of it; `rows` is how many the sample was drawn from."""
        verdicts = tuple(
            SpotVerdict(row_id=c.row_id, row=c.row, verdict=self._verdicts[c.row_id], note=self._notes.get(c.row_id, ""))
            for c in self.rows
            if c.row_id in self._verdicts
        )
        counts = {name: sum(v.verdict == name for v in verdicts) for name in _names()}
        decided = counts["good"] + counts["bad"]
        return SpotCheckRecord(
            source=source,
            rows=rows,
            sample=len(self.rows),
            seed=seed,
            good=counts["good"],
            bad=counts["bad"],
            unsure=counts["unsure"],
            error_rate=counts["bad"] / decided if decided else None,
            interval=error_interval(counts["bad"], decided) if decided else None,
            verdicts=verdicts,
        )


def error_interval(bad: int, decided: int, level: float = LEVEL) -> Interval:
    """The share of bad rows that the sample is compatible with; never too narrow, which matters where few are bad.

    Source: Clopper and Pearson 1934, Biometrika 26:404, as `scipy.stats.binomtest`.
    """
    found = binomtest(bad, decided).proportion_ci(level, method="exact")
    return Interval(low=float(found.low), high=float(found.high), level=level, method="Clopper-Pearson")


def _names() -> tuple[SpotVerdictName, ...]:
    return get_args(SpotVerdictName)
