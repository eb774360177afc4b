"""The tables of the benchmark, and the targets that they are held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.faults import answers, do_not_train, languages, personal, preferences, provenance, schemas, sets, sides, triplets
from benchmarks.faults.plant import KINDS
from benchmarks.faults.score import Tally, wilson

CERTAIN = ("malformed", "type", "role", "empty", "duplicate, exact", "preference, empty side")
BEYOND = ("answer, refusal in free wording",)
"""Kinds that the checks cannot tell, planted so that the table says so."""
RECALL_TARGET = 0.95
CONTRADICTION_TARGET = 0.90
ALARM_TARGET_EACH = 0.01
ALARM_TARGET_TOGETHER = 0.02
HEAD = """<!-- made by `python -m benchmarks.faults.run --write`; do not edit by hand -->
# What the data gate finds

Faults of known kinds are planted at known lines (`benchmarks/faults/plant.py`, seeded, sharing nothing with the checks), the file
is given to `truetune check`, and its findings are compared with the truth, which the check never sees.

- **Found**: a finding of the right code names the fault's line.
- **False alarm**: a clean row that a finding names at `warn` or above. Rows that naturally equal another one, or are at most 20 %
  token edits away from it, are left out beforehand by a comparison of the benchmark's own (`benchmarks/faults/corpora.py`).
- **Rows that resemble another one**: between 20 and 35 % token edits away, as "could you find my location on the map" and "could
  you pull up my location on the map". They stay in and count as false alarms when they are flagged; one line says what is left
  without them.
- **Look-alike**: a number that fails its check digit, a version, a date. It is no fault, and the gate should leave it alone.

Intervals are Wilson's; `docs/log.md` says on which machine the seconds were measured."""


@dataclass(frozen=True)
class Result:
    """One corpus, measured."""

    name: str
    what: str
    tally: Tally


def target(kind: str) -> float:
    """The recall that a kind of fault must reach; zero where it is measured to show what cannot be told."""
    if kind in BEYOND:
        return 0.0
    if kind in CERTAIN:
        return 1.0
    return CONTRADICTION_TARGET if kind == "contradiction" else RECALL_TARGET


def recall_lines(tally: Tally) -> Iterator[str]:
    """The recall table of one corpus, in Markdown."""
    yield "| fault | planted | found | recall | 95 % interval | target | |"
    yield "| --- | ---: | ---: | ---: | --- | ---: | --- |"
    listed = (kind.name for kind in do_not_train.kinds([]))
    pairs = (*preferences.KINDS, *preferences.WHOLES, *triplets.KINDS)
    wholes = (*languages.KINDS, *sets.KINDS)
    order = (*KINDS, *answers.KINDS, *schemas.KINDS, *pairs, *personal.KINDS, *listed, *sides.KINDS, *provenance.KINDS, *wholes)
    for kind in (name for name in order if name in tally.planted):
        planted, found = tally.planted[kind], tally.found.get(kind, 0)
        recall, goal = tally.recall(kind), target(kind)
        met = "" if not goal else "met" if recall >= goal else "**missed**"
        asked = f"{goal:.2f}" if goal else "none"
        yield f"| {kind} | {planted} | {found} | {recall:.3f} | {_interval(found, planted)} | {asked} | {met} |"


def alarm_lines(tally: Tally) -> Iterator[str]:
    """The false-alarm table of one corpus, in Markdown."""
    n = len(tally.clean)
    yield "| false alarms | clean rows | flagged | rate | 95 % interval | target | |"
    yield "| --- | ---: | ---: | ---: | --- | ---: | --- |"
    for code, rows in sorted(tally.alarms.items()):
        yield _alarm_line(f"`{code}`", len(rows), n, ALARM_TARGET_EACH)
    yield _alarm_line("all checks together", len(tally.flagged_clean()), n, ALARM_TARGET_TOGETHER)
    if tally.resembling:
        yield _alarm_line("together, without rows that resemble another", len(tally.flagged_clean() - tally.resembling), n, None)
    for code, count in sorted(tally.lookalike_alarms.items()):
        yield _alarm_line(f"look-alikes flagged `{code}`", count, tally.lookalikes, None)
    if tally.lookalikes and not tally.lookalike_alarms:
        yield _alarm_line("look-alikes flagged", 0, tally.lookalikes, None)


def _alarm_line(what: str, flagged: int, n: int, most: float | None) -> str:
    rate = flagged / n
    goal, met = ("", "") if most is None else (f"{most:.2f}", "met" if rate <= most else "**missed**")
    return f"| {what} | {n} | {flagged} | {rate:.4f} | {_interval(flagged, n)} | {goal} | {met} |"


def _interval(successes: int, n: int) -> str:
    low, high = wilson(successes, n)
    return f"{low:.3f} to {high:.3f}"


def misses(results: Iterable[Result]) -> list[str]:
    """Every target that was not reached, in words."""
    missed = []
    for result in results:
        tally = result.tally
        n = len(tally.clean)
        missed += [f"{result.name}: recall of {k} is {tally.recall(k):.3f}" for k in tally.planted if tally.recall(k) < target(k)]
        for code, rows in tally.alarms.items():
            if len(rows) / n > ALARM_TARGET_EACH:
                missed.append(f"{result.name}: {code} flags {len(rows) / n:.4f} of the clean rows")
        if len(tally.flagged_clean()) / n > ALARM_TARGET_TOGETHER:
            missed.append(f"{result.name}: {len(tally.flagged_clean()) / n:.4f} of the clean rows are flagged by some check")
    return missed


def section(result: Result) -> str:
    """One corpus in Markdown: what it is, recall, false alarms, time."""
    tally = result.tally
    parts = [f"## {result.name}", result.what + ".", "\n".join(recall_lines(tally)), "\n".join(alarm_lines(tally))]
    parts.append(f"{tally.rows} rows checked in {tally.seconds:.1f} s, start-up of the command included.")
    return "\n\n".join(parts)


def page(results: Sequence[Result], skipped: Sequence[str]) -> str:
    """docs/reference/fault-table.md."""
    return "\n\n".join([HEAD, *(section(r) for r in results), *(f"_{reason}_" for reason in skipped)]) + "\n"
