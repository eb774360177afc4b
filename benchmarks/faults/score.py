"""Findings against the truth: what was found of each kind, and what was flagged that is clean."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.faults.plant import Fault, Planted

ALARMING = ("block", "warn")
"""Severities that count as a false alarm on a clean row; a `note` asks nothing of anybody."""


@dataclass(frozen=True)
class Flag:
    """One row named by one finding."""

    code: str
    severity: str
    line: int


@dataclass(frozen=True)
class File:
    """The clean rows of one planting, and those flagged, by code."""

    clean: frozenset[str]
    alarms: dict[str, set[str]]


@dataclass
class Tally:
    """Counts over one or several plantings into the same corpus.

    `files` are the plantings; `resembling` the flagged clean rows that resemble another row, though less than a planted near
    duplicate does; `missed` the faults that were not found; `codes` says by which code each kind is to be found; `noted` are the
    codes of which a note on a clean row counts as a false alarm too.
    """

    planted: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    missed: dict[str, list[str]] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
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
        alarms: dict[str, set[str]] = {}
        for line, example in planted.clean.items():
            for flag in unexcused(by_line.get(line, []), planted.excused.get(line, ()), self.noted):
                alarms.setdefault(flag.code, set()).add(example.prompt)
        self.files.append(File(frozenset(example.prompt for example in planted.clean.values()), alarms))

    def add_beside(self, planted: Planted, flags: Sequence[Flag]) -> None:
        """Count another file of the planting that was counted last: lines about the same rows."""
        self.add(planted, flags, 0.0)
        beside, rows = self.files.pop(), self.files.pop()
        codes = rows.alarms.keys() | beside.alarms.keys()
        alarms = {code: rows.alarms.get(code, set()) | beside.alarms.get(code, set()) for code in codes}
        self.files.append(File(rows.clean | beside.clean, alarms))

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
        self.files.append(File(frozenset((name,)), {code: {name} for code in alarms}))

    def keep_alarms(self, codes: Container[str]) -> None:
        """Forget the false alarms of all other codes."""
        self.files = [
            File(file.clean, {code: rows for code, rows in file.alarms.items() if code in codes}) for file in self.files
        ]

    def recall(self, kind: str) -> float:
        """The share of the planted faults of a kind that were found."""
        return self.found.get(kind, 0) / self.planted[kind]

    def clean(self) -> set[str]:
        """The distinct clean rows of all plantings."""
        return set().union(*(file.clean for file in self.files))

    def alarm_codes(self) -> list[str]:
        """The codes that flagged a clean row."""
        return sorted({code for file in self.files for code in file.alarms})

    def flagged_clean(self, code: str = "") -> set[str]:
        """The clean rows that a check, or any (no code), flagged in at least one planting."""
        return set().union(*(self._flagged(file, code) for file in self.files))

    def alarm_rate(self, code: str = "", but: Container[str] = ()) -> float:
        """The mean over the plantings of the share of the clean rows that a check, or any (no code), flags.

        Args:
            code: the check; empty for all together.
            but: rows that are not counted where they are flagged.
        """
        shares = [sum(row not in but for row in self._flagged(file, code)) / len(file.clean) for file in self.files if file.clean]
        return sum(shares) / len(shares)

    @staticmethod
    def _flagged(file: File, code: str) -> set[str]:
        return file.alarms.get(code, set()) if code else set().union(*file.alarms.values())


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


_Z = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


def wilson(successes: float, n: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a rate (Wilson 1927); (0, 1) where nothing was counted.

    `successes` need not be whole: of rows that are each flagged in a share of their plantings, it is the sum of the shares. As
    shares vary less than the noughts and ones of the same mean, the interval over n rows is then too wide rather than too narrow.
    """
    if n == 0:
        return 0.0, 1.0
    rate, by_n = successes / n, _Z * _Z / n
    middle = rate + by_n / 2
    spread = _Z * math.sqrt(rate * (1 - rate) / n + by_n / (4 * n))
    return max(0.0, (middle - spread) / (1 + by_n)), min(1.0, (middle + spread) / (1 + by_n))
