"""Findings against the truth: what was found of each kind, and what was flagged that is clean."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.faults.plant import Fault, Planted
from scipy.stats import binomtest

ALARMING = ("block", "warn")
"""Severities that count as a false alarm on a clean row; a `note` asks nothing of anybody."""


@dataclass(frozen=True)
class Flag:
    """One row named by one finding."""

    code: str
    severity: str
    line: int


@dataclass
class Tally:
    """Counts over one or several plantings into the same corpus.

    `clean` are the distinct clean rows seen; `alarms` those flagged, by code; `resembling` those of them that resemble another
    row, though less than a planted near duplicate does; `missed` the faults that were not found; `codes` says by which code each
    kind is to be found; `noted` are the codes of which a note on a clean row counts as a false alarm too.
    """

    planted: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    missed: dict[str, list[str]] = field(default_factory=dict)
    clean: set[str] = field(default_factory=set)
    alarms: dict[str, set[str]] = field(default_factory=dict)
    resembling: set[str] = field(default_factory=set)
    lookalikes: int = 0
    lookalike_alarms: dict[str, int] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    noted: frozenset[str] = frozenset()
    cpu_s: float = 0.0
    rows: int = 0

    def add(self, planted: Planted, flags: Sequence[Flag], cpu_s: float) -> None:
        """Count one planting and what was found in it."""
        self.cpu_s += cpu_s
        self.rows += len(planted.lines)
        by_line: dict[int, list[Flag]] = {}
        for flag in flags:
            by_line.setdefault(flag.line, []).append(flag)
        for fault in planted.faults:
            self._add_fault(fault, by_line.get(fault.line, []), planted.lines[fault.line - 1])
        for line, example in planted.clean.items():
            self.clean.add(example.prompt)
            for flag in unexcused(by_line.get(line, []), planted.excused.get(line, ()), self.noted):
                self.alarms.setdefault(flag.code, set()).add(example.prompt)

    def _add_fault(self, fault: Fault, flags: Sequence[Flag], text: str) -> None:
        if not fault.code:
            self.lookalikes += 1
            for code in {flag.code for flag in unexcused(flags, ())}:
                self.lookalike_alarms[code] = self.lookalike_alarms.get(code, 0) + 1
            return
        self.codes[fault.kind] = fault.code
        self.planted[fault.kind] = self.planted.get(fault.kind, 0) + 1
        if is_found(fault, flags):
            self.found[fault.kind] = self.found.get(fault.kind, 0) + 1
        else:
            self.missed.setdefault(fault.kind, []).append(text)

    def add_whole(self, kind: str, code: str, rows: int, *, is_found: bool, cpu_s: float) -> None:
        """Count one set of rows with a fault of the whole set."""
        self.cpu_s += cpu_s
        self.rows += rows
        self.codes[kind] = code
        self.planted[kind] = self.planted.get(kind, 0) + 1
        self.found[kind] = self.found.get(kind, 0) + is_found

    def add_sound_whole(self, name: str, alarms: Iterable[str], rows: int, cpu_s: float) -> None:
        """Count one set of rows without such a fault, and the codes that said that it has one."""
        self.cpu_s += cpu_s
        self.rows += rows
        self.clean.add(name)
        for code in alarms:
            self.alarms.setdefault(code, set()).add(name)

    def recall(self, kind: str) -> float:
        """The share of the planted faults of a kind that were found."""
        return self.found.get(kind, 0) / self.planted[kind]

    def flagged_clean(self) -> set[str]:
        """The clean rows that any check flagged."""
        return set().union(*self.alarms.values())


def is_found(fault: Fault, flags: Iterable[Flag]) -> bool:
    """Whether a finding of the expected code, or of a more special one, names the fault's line."""
    return any(belongs(flag.code, fault.code) for flag in flags)


def belongs(code: str, family: str) -> bool:
    """Whether `code` is `family` or lies under it in the dotted tree."""
    return code == family or code.startswith(family + ".")


def unexcused(flags: Iterable[Flag], excused: Sequence[str], noted: Container[str] = ()) -> list[Flag]:
    """The flags at `warn` or above, or of a `noted` code, that the row does not deserve because of a fault planted beside it."""
    alarming = (flag for flag in flags if flag.severity in ALARMING or flag.code in noted)
    return [flag for flag in alarming if not any(belongs(flag.code, family) for family in excused)]


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a rate; (0, 1) where nothing was counted."""
    if n == 0:
        return 0.0, 1.0
    interval = binomtest(successes, n).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)
