"""What is measured, in one form for every part of the benchmark: figures, and the targets that they are held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.faults.score import Tally

RECALL_TARGET = 0.95
CERTAIN = ("data.record.malformed", "data.record.type", "data.record.role", "data.record.empty", "data.duplicate.exact")
"""Every fault of these must be found."""
CONTRADICTION, CONTRADICTION_TARGET = "data.contradiction", 0.90
BEYOND = ("answer, refusal in free wording",)
"""Kinds that the checks cannot tell, planted so that the table says so."""
IN_OTHERS_WORDS = "in other people's words"
"""The way of faults that are written by authors who had seen no rule; measured without a target."""
ALARM_TARGET_EACH, ALARM_TARGET_TOGETHER = 0.01, 0.02
COUNT_TARGET = 0.2
"""How far from the true number of different questions the count may be, as a share of it."""
CLEAN, TOGETHER, APART, LOOK_ALIKE = "clean", "together", "together, resembling left out", "look-alike"


@dataclass(frozen=True)
class Recall:
    """One kind of fault in one corpus. `code` is the check that should find it; `target` is None where nothing is asked."""

    code: str
    fault: str
    corpus: str
    planted: int
    found: int
    target: float | None

    @property
    def rate(self) -> float:
        """The share that was found."""
        return self.found / self.planted

    @property
    def is_missed(self) -> bool:
        """Is there a target, and was it not reached?"""
        return self.target is not None and self.rate < self.target


@dataclass(frozen=True)
class Alarms:
    """What was flagged at `warn` or above and is clean, or is a look-alike (`of`), by one check or by all (`code` empty).

    Attributes:
        clean: distinct rows, in all plantings.
        rate: the share that is flagged in one planting; the mean of them.
        flagged: rows that were flagged in at least one planting.
        plantings: how many there were.
    """

    code: str
    of: str
    corpus: str
    clean: int
    rate: float
    flagged: int
    plantings: int
    target: float | None

    @property
    def is_missed(self) -> bool:
        """Is there a target, and was it not kept?"""
        return self.target is not None and self.rate > self.target


@dataclass(frozen=True)
class Count:
    """Rows, and how many different questions the gate says that they ask, at least and at most. `target`: share of the truth."""

    code: str
    what: str
    rows: int
    questions: int
    fewest: int
    most: int
    target: float | None

    @property
    def is_missed(self) -> bool:
        """Is there a target, and is the lower count, which the sizing rests on, too far from the truth?"""
        return self.target is not None and abs(self.fewest - self.questions) > self.target * self.questions


@dataclass(frozen=True)
class Section:
    """One corpus, measured in one part of the benchmark.

    Attributes:
        title: its heading; `corpus` in the figures says whose texts these are.
        what: what was planted, in words.
        rows: how many were checked.
        cpu_s: how long that took.
        more: lines of Markdown that belong to no other table.
        is_aided: a sentence model took part.
    """

    title: str
    what: str
    recalls: tuple[Recall, ...] = ()
    alarms: tuple[Alarms, ...] = ()
    counts: tuple[Count, ...] = ()
    rows: int = 0
    cpu_s: float = 0.0
    more: tuple[str, ...] = ()
    is_aided: bool = False


def section(title: str, corpus: str, what: str, tally: Tally, listed_as: Mapping[str, str] | None = None) -> Section:
    """The figures of a tally. `listed_as` names the check of a fault for which several codes would do."""
    names = listed_as or {}
    recalls = []
    for kind, planted in tally.planted.items():
        code = names.get(tally.codes[kind], tally.codes[kind])
        recalls.append(Recall(code, kind, corpus, planted, tally.found.get(kind, 0), target(code, kind)))
    cpu_s = round(tally.cpu_s, 1)
    return Section(title, what, tuple(recalls), tuple(_alarms(corpus, tally)), rows=tally.rows, cpu_s=cpu_s)


def _alarms(corpus: str, tally: Tally) -> Iterator[Alarms]:
    clean, plantings = len(tally.clean()), len(tally.files)
    if clean:
        asked = [(code, CLEAN, ALARM_TARGET_EACH) for code in tally.alarm_codes()]
        for code, of, most in (*asked, ("", TOGETHER, ALARM_TARGET_TOGETHER)):
            rate, flagged = round(tally.alarm_rate(code), 6), len(tally.flagged_clean(code))
            yield Alarms(code, of, corpus, clean, rate, flagged, plantings, most)
        if tally.resembling:
            rate, flagged = round(tally.alarm_rate(but=tally.resembling), 6), len(tally.flagged_clean() - tally.resembling)
            yield Alarms("", APART, corpus, clean, rate, flagged, plantings, None)
    looked = sorted(tally.lookalike_alarms.items()) or [("", 0)]
    for code, count in looked if tally.lookalikes else ():
        yield Alarms(code, LOOK_ALIKE, corpus, tally.lookalikes, count / tally.lookalikes, count, 1, None)


def target(code: str, kind: str) -> float | None:
    """The recall that a kind of fault must reach; None where it is measured to show what cannot be told."""
    if kind in BEYOND or kind.endswith(IN_OTHERS_WORDS):
        return None
    if code in CERTAIN:
        return 1.0
    return CONTRADICTION_TARGET if code == CONTRADICTION else RECALL_TARGET


def misses(measured: Section) -> list[str]:
    """Every target that was not reached, in words."""
    missed = [f"{measured.title}: recall of {r.fault} is {r.rate:.3f}" for r in measured.recalls if r.is_missed]
    for alarms in (alarms for alarms in measured.alarms if alarms.is_missed):
        missed.append(f"{measured.title}: {alarms.code or 'some check'} flags {alarms.rate:.4f} of what is clean")
    missed += [f"{c.what}: {c.fewest} questions are counted, {c.questions} there are" for c in measured.counts if c.is_missed]
    return missed


def joined(title: str, what: str, parts: Sequence[Section]) -> Section:
    """Several measurements as one: their figures one after another."""
    return Section(
        title,
        what,
        tuple(r for part in parts for r in part.recalls),
        tuple(a for part in parts for a in part.alarms),
        tuple(c for part in parts for c in part.counts),
        sum(part.rows for part in parts),
        round(sum(part.cpu_s for part in parts), 1),
        tuple(line for part in parts for line in part.more),
    )


def from_json(value: Mapping[str, Any]) -> Section:
    """The section that `dataclasses.asdict` made this of."""
    made = Section(**{**value, "more": tuple(value["more"])})
    return replace(
        made,
        recalls=tuple(_each(Recall, value["recalls"])),
        alarms=tuple(_each(Alarms, value["alarms"])),
        counts=tuple(_each(Count, value["counts"])),
    )


def _each(kind: type[Any], values: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
    return (kind(**value) for value in values)
