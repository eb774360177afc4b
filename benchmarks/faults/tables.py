"""The figures as Markdown: one row for each check, then every corpus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.faults.measured import CLEAN, IN_OTHERS_WORDS, LOOK_ALIKE, TOGETHER, Alarms, Count, Recall, Section, misses
from benchmarks.faults.score import wilson

FAULTS_MIN, CORPORA_MIN = 50, 2
"""So many planted faults, in so many corpora, are asked of every check."""
NOT_PLANTED: Mapping[str, str] = {
    "data.sizing.more_than_needed": "advice from a count of more than a thousand rows a class: nothing is wrong with such data",
}
"""Codes of which no fault is planted, with the reason."""

AIDED = ", with a sentence model"

HEAD = """<!-- made by `python -m benchmarks.faults.run --write` from fault-table.json; do not edit by hand -->
# What the data gate finds

Faults of known kinds are planted at known places (`benchmarks/faults/`, seeded, sharing nothing with the checks), the files are
given to the data gate, and its findings are compared with the truth, which the gate never sees. `make bench-faults` measures all.

- **Found**: a finding of the right code names the fault's line, or the file where the fault is one of the whole file.
- **False alarm**: a clean row, or a clean file, that a finding names at `warn` or above; of a check whose findings are only ever
  notes, also a note. Rows that naturally equal another one, or are at most 20 % token edits away from
  it, are left out beforehand by a comparison of the benchmark's own (`benchmarks/faults/corpora.py`).
- **Rate of false alarms**: the share of the clean rows of one file that are flagged. Where faults are planted several times into
  the same rows, it is the mean over the plantings. Beside it stands how many of the distinct clean rows were ever flagged, that
  is in at least one planting.
- **Rows that resemble another one**: between 20 and 35 % token edits away, as "could you find my location on the map" and "could
  you pull up my location on the map". They stay in and count as false alarms when they are flagged; one line says what is left
  without them.
- **Look-alike**: a number that fails its check digit, a version, a date, an answer that says the same in other words. It is no
  fault, and the gate should leave it alone.

Intervals are Wilson's, 95 %. Those of false alarms are over the distinct clean rows, each of which counts with the share of its
plantings in which it is flagged, and not over rows times plantings, for the same row in thirty plantings is one row.
`docs/log.md` says what was tried and what it gave."""

SUMMARY_HEAD = """## Every check

Recall is the lowest of all kinds and corpora; false alarms are the highest of all corpora that the check's faults were planted
into or in which it flagged anything clean, with the rows that were ever flagged there. Corpora that are made of the same texts
count as one. A check is *met* where every kind in every corpus reaches its target.

| check | kinds | faults | corpora | lowest recall | interval | target | most false alarms | interval | ever flagged | target | |
| --- | ---: | ---: | ---: | --- | --- | ---: | --- | --- | --- | ---: | --- |"""


@dataclass(frozen=True)
class Line:
    """What was measured of one check."""

    code: str
    recalls: tuple[Recall, ...]
    alarms: tuple[Alarms, ...]

    @property
    def faults(self) -> int:
        """How many were planted of kinds that should be found."""
        return sum(recall.planted for recall in self.recalls if recall.target is not None)

    @property
    def corpora(self) -> int:
        """How many corpora they were planted into."""
        return len({recall.corpus for recall in self.recalls if recall.target is not None})

    @property
    def is_covered(self) -> bool:
        """Were enough planted, in enough corpora?"""
        return self.faults >= FAULTS_MIN and self.corpora >= CORPORA_MIN

    @property
    def is_missed(self) -> bool:
        """Was a target not reached?"""
        return any(r.is_missed for r in self.recalls) or any(a.is_missed for a in self.alarms)


def line_of(code: str, sections: Sequence[Section]) -> Line:
    """Everything that was measured of one check."""
    recalls = tuple(r for section in sections for r in section.recalls if r.code == code)
    return Line(code, recalls, tuple(a for section in sections for a in _alarms_of(code, section)))


def _alarms_of(code: str, section: Section) -> Iterator[Alarms]:
    """What the check flagged in a corpus; nothing, where its faults were planted there and it flagged nothing that is clean."""
    flagged = [a for a in section.alarms if a.code == code and a.of == CLEAN]
    yield from flagged
    if not flagged and any(recall.code == code for recall in section.recalls):
        for together in (a for a in section.alarms if a.of == TOGETHER):
            yield Alarms(code, CLEAN, together.corpus, together.clean, 0.0, 0, together.plantings, None)


def summary_line(line: Line, how: str = "") -> str:
    """One check as a row of the table; `how` says what took part."""
    if line.code in NOT_PLANTED:
        return f"| `{line.code}` | | | | {NOT_PLANTED[line.code]} | | | | | | | not planted |"
    kinds = len({recall.fault for recall in line.recalls if recall.target is not None})
    cells = [f"`{line.code}`{how}", str(kinds), str(line.faults), str(line.corpora), *_worst_recall(line), *_worst_alarms(line)]
    verdict = "**missed**" if line.is_missed else "met" if line.is_covered else "**too few planted**"
    return f"| {' | '.join((*cells, verdict))} |"


def _worst_recall(line: Line) -> tuple[str, str, str]:
    asked = [recall for recall in line.recalls if recall.target is not None]
    if not asked:
        return "", "", ""
    worst = min(asked, key=lambda r: (r.rate, -r.planted))
    where = f"{worst.rate:.3f}" if worst.rate == 1 else f"{worst.rate:.3f}: {worst.fault}, {worst.corpus}"
    return where, _interval(worst.found, worst.planted), f"{worst.target:.2f}"


def _worst_alarms(line: Line) -> tuple[str, str, str, str]:
    if not line.alarms:
        return "", "", "", ""
    return (*_alarm_cells(max(line.alarms, key=lambda a: (a.rate, a.clean))), "0.01")


def _alarm_cells(worst: Alarms) -> tuple[str, str, str]:
    said = f"{worst.rate:.4f}: {worst.corpus}" if worst.flagged else "0"
    return said, _interval(worst.rate * worst.clean, worst.clean), _ever(worst)


def _ever(alarms: Alarms) -> str:
    """How many rows were flagged at least once."""
    several = f" in {alarms.plantings} plantings" if alarms.plantings > 1 and alarms.plantings != alarms.clean else ""
    return f"{alarms.flagged} of {alarms.clean}{several}"


def summary(codes: Sequence[str], sections: Sequence[Section]) -> str:
    """The table of all checks, and what all of them flag together."""
    alone, aided = ([section for section in sections if section.is_aided is is_aided] for is_aided in (False, True))
    lines = []
    for code in codes:
        lines.append(summary_line(line_of(code, alone)))
        if any(recall.code == code for section in aided for recall in section.recalls):
            lines.append(summary_line(line_of(code, aided), AIDED))
    together = [a for section in alone for a in section.alarms if a.of == TOGETHER]
    if together:
        worst = max(together, key=lambda a: a.rate)
        verdict = "**missed**" if any(a.is_missed for a in together) else "met"
        cells = (*_alarm_cells(worst), f"{worst.target:.2f}", verdict)
        lines.append(f"| all together | | | | | | | {' | '.join(cells)} |")
    missed = [line for section in sections for line in misses(section)]
    said = "\n".join(f"- {line}" for line in missed) or "Nothing."
    parts = ["\n".join([SUMMARY_HEAD, *lines]), "## What is missed", said]
    without = list(untargeted(sections))
    return "\n\n".join([*parts, "\n".join([UNTARGETED_HEAD, *without])] if without else parts)


UNTARGETED_HEAD = """## What no recall is asked of

Faults that are told by what the words mean, planted to show how many are found all the same. Their clean rows count above.

| check | corpus | planted | found | recall | by kind |
| --- | --- | ---: | ---: | ---: | --- |"""


def untargeted(sections: Sequence[Section]) -> Iterator[str]:
    """One row for each check and corpus with faults that no recall is asked of."""
    for section in sections:
        recalls = [r for r in section.recalls if r.target is None and not r.fault.endswith(", named")]
        for code in dict.fromkeys(r.code for r in recalls):
            mine = [r for r in recalls if r.code == code]
            planted, found = sum(r.planted for r in mine), sum(r.found for r in mine)
            kinds = ", ".join(f"{r.fault.removesuffix(f', {IN_OTHERS_WORDS}')} {r.found} of {r.planted}" for r in mine)
            yield f"| `{code}` | {section.title} | {planted} | {found} | {found / planted:.3f} | {kinds} |"


def recall_lines(recalls: Sequence[Recall]) -> Iterator[str]:
    """The recall table of one corpus."""
    yield "| fault | check | planted | found | recall | interval | target | |"
    yield "| --- | --- | ---: | ---: | ---: | --- | ---: | --- |"
    for r in recalls:
        asked = "none" if r.target is None else f"{r.target:.2f}"
        cells = (r.fault, f"`{r.code}`", str(r.planted), str(r.found), f"{r.rate:.3f}", _interval(r.found, r.planted), asked)
        yield f"| {' | '.join(cells)} | {_verdict(r)} |"


def alarm_lines(alarms: Sequence[Alarms]) -> Iterator[str]:
    """The false-alarm table of one corpus."""
    yield "| false alarms | rate | interval | ever flagged | target | |"
    yield "| --- | ---: | --- | --- | ---: | --- |"
    for a in alarms:
        what = f"look-alikes flagged {f'`{a.code}`' if a.code else ''}".strip() if a.of == LOOK_ALIKE else f"`{a.code}`"
        named = what if a.code or a.of == LOOK_ALIKE else "all checks together" if a.of == TOGETHER else a.of
        asked = "" if a.target is None else f"{a.target:.2f}"
        cells = (named, f"{a.rate:.4f}", _interval(a.rate * a.clean, a.clean), _ever(a), asked)
        yield f"| {' | '.join(cells)} | {_verdict(a)} |"


def count_lines(counts: Sequence[Count]) -> Iterator[str]:
    """The table of questions counted."""
    yield "| rows | | questions | counted, at least | at most | target | |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | --- |"
    for c in counts:
        asked = "none" if c.target is None else f"±{c.target:.0%}"
        yield f"| {c.what} | {c.rows:,} | {c.questions:,} | {c.fewest:,} | {c.most:,} | {asked} | {_verdict(c)} |"


def _verdict(measured: Recall | Alarms | Count) -> str:
    return "" if measured.target is None else "**missed**" if measured.is_missed else "met"


def _interval(successes: float, n: int) -> str:
    low, high = wilson(successes, n)
    return f"{low:.3f} to {high:.3f}"


def in_markdown(section: Section) -> str:
    """One corpus: what it is, recall, false alarms, time."""
    blocks = [f"### {section.title}", f"{section.what}."]
    if section.recalls:
        blocks.append("\n".join(recall_lines(section.recalls)))
    if section.alarms:
        blocks.append("\n".join(alarm_lines(section.alarms)))
    if section.counts:
        blocks.append("\n".join(count_lines(section.counts)))
    blocks += section.more
    if section.rows:
        blocks.append(f"{section.rows} rows checked in {section.cpu_s:.1f} CPU seconds.")
    return "\n\n".join(blocks)


def page(codes: Sequence[str], sections: Sequence[Section], gaps: Sequence[str]) -> str:
    """docs/reference/fault-table.md; `gaps` says what could not be measured."""
    missing = ["## What is not measured\n\n" + "\n".join(f"- {gap}" for gap in gaps)] if gaps else []
    return "\n\n".join([HEAD, *missing, summary(codes, sections), "## Every corpus", *map(in_markdown, sections)]) + "\n"
