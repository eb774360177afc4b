"""Rows and files for the tests of the data stage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from truetune.core.records import CheckReport, DataRecord, Finding
from truetune.stages.data.check import run_check

Record = dict[str, object]


LONG = (
    "My order of two garden chairs from last week has still not arrived although the tracking page said it was out "
    "for delivery on Monday"
)


class Silent:
    """Progress that tells nobody."""

    def update(self, done: float, total: float, note: str = "") -> None:
        """Nothing."""


def record(prompt: str, answer: str, system: str | None = "Sort the message.") -> Record:
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    return {"messages": ([{"role": "system", "content": system}] if system is not None else []) + turns}


def write_lines(path: Path, records: Iterable[object]) -> Path:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), encoding="utf-8")
    return path


PEOPLE = ("Ada", "Bela", "Carl", "Dora", "Emil", "Frida", "Gero", "Hilde", "Ivan", "Jutta")
PLACES = ("the harbour", "our kitchen", "a tall ladder", "the night train", "some old mill", "that quiet library")
DEEDS = (
    "lost a red umbrella",
    "repaired two clocks",
    "sang until dawn",
    "counted every sheep",
    "painted blue doors",
    "sold warm bread",
    "wrote nine letters",
)


def distinct_prompts(count: int) -> list[str]:
    """Sentences of which no two share four fifths of their words: each word list turns at its own pace, with words of its own."""
    return [
        f"{PEOPLE[n % 10]}{n} {DEEDS[n % 7]} near {PLACES[n % 6]} because item{n * 7} broke word{n} twice{n * 3}"
        for n in range(count)
    ]


def labelled(count: int, labels: Sequence[str] = ("sorrow", "joy", "anger", "calm")) -> list[Record]:
    """Clean rows of a label task."""
    return [record(prompt, labels[n % len(labels)]) for n, prompt in enumerate(distinct_prompts(count))]


OF_THE_WHOLE = ("data.balance.", "data.style.", "data.sizing.")
"""What is said of all rows together: a handful of rows in a test of one fault is too few for any job."""


def check_rows(
    tmp_path: Path, records: Iterable[object], against: Iterable[object] = (), *, of_the_whole: bool = False
) -> CheckReport:
    path = write_lines(tmp_path / "rows.jsonl", records)
    held_out = list(against)
    files = [write_lines(tmp_path / "held_out.jsonl", held_out)] if held_out else []
    report = run_check([path], files, progress=Silent())
    return report if of_the_whole else report.model_copy(update={"findings": of_single_rows(report)})


def of_single_rows(report: CheckReport | DataRecord) -> tuple[Finding, ...]:
    """The findings without what is said of all rows together."""
    return tuple(finding for finding in report.findings if not finding.code.startswith(OF_THE_WHOLE))


def found(report: CheckReport, code: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.code == code]


def lines_of(findings: Iterable[Finding]) -> list[list[int]]:
    return [[row.line for row in finding.rows] for finding in findings]
