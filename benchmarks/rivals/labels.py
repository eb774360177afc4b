"""Wrong labels: `data.label.noise` beside cleanlab, on the same rows, in one run.

Labels are changed as for the fault table (`benchmarks/faults/labels.py`). Both tools name rows, and both rank them: recall among
the first rows of a ranking, as many as labels were changed or twice as many, needs no threshold of either.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults.corpora import Corpus, clinc150, snips
from benchmarks.faults.gate import report_on
from benchmarks.faults.labels import CODE, KINDS_OF_WRONG, ROWS, Noisy, spoil
from benchmarks.faults.plant import Planted
from benchmarks.faults.score import ALARMING
from benchmarks.real_data import DataAbsentError

SEED = 90210
"""Neither side was tried on it: data.label.noise was on 1, 5, 13, 77, 2026, 4242 and 9001, cleanlab's model on 77."""
SHARES, FEWER_SHARES = (0.02, 0.05, 0.1), (0.05,)
"""With 150 labels a classifier takes cleanlab most of a minute each time."""
TOOL, NEEDS = "cleanlab", "cleanlab scikit-learn"
SCRIPT = Path(__file__).with_name("confident_learning.py")


@dataclass(frozen=True)
class Opinion:
    """What a tool says of a file: the lines that it names, and all lines worth a look in their order."""

    named: frozenset[int]
    ranked: tuple[int, ...]
    cpu_s: float


def ours(noisy: Noisy) -> Opinion:
    """What the gate says; its CPU seconds are those of all checks."""
    report, cpu_s = report_on(Planted(noisy.lines, (), (), {}, {}))
    mine = [finding for finding in report.findings if finding.code == CODE]
    named = frozenset(row.line for finding in mine if finding.severity in ALARMING for row in finding.rows)
    ranked = tuple(row.line for finding in mine if finding.severity == "note" for row in finding.rows)
    return Opinion(named, ranked, cpu_s)


def cleanlab(python: Path, noisy: Noisy) -> dict[str, Opinion]:
    """What cleanlab says, by filter; its CPU seconds are those of the classifier and the library, imports left out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text("".join(line + "\n" for line in noisy.lines), encoding="utf-8")
        done = subprocess.run([str(python), str(SCRIPT), str(path)], capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {name: Opinion(frozenset(lines), tuple(said["ranked"]), said["cpu_s"]) for name, lines in said["named"].items()}


def line(about: str, tool: str, opinion: Opinion, noisy: Noisy) -> str:
    """One row of the table."""
    wrong, k = noisy.wrong, len(noisy.wrong)
    clean = len(noisy.lines) - k
    alarms = len(opinion.named - wrong)
    cells = [f"{len(opinion.named & wrong) / k:.2f}" if k else "", f"{alarms} of {clean} ({alarms / clean:.1%})"]
    cells += [f"{len(wrong.intersection(opinion.ranked[: n * k])) / k:.2f}" if k else "" for n in (1, 2)]
    return f"| {about} | {tool} | {' | '.join(cells)} | {opinion.cpu_s:.1f} |"


HEAD = """| corpus, changed to, share | tool | named | clean rows named | in the first k | in the first 2 k | CPU s |
| --- | --- | ---: | ---: | ---: | ---: | ---: |"""


def table(corpus: Corpus, shares: Sequence[float], python: Path, seed: int) -> Iterator[str]:
    """One corpus with each kind and share of wrong labels, and with none."""
    yield HEAD
    runs = [(kind, share) for kind in KINDS_OF_WRONG for share in shares] + [(KINDS_OF_WRONG[0], 0.0)]
    for kind, share in runs:
        noisy = spoil(corpus, "", share, kind, seed)
        about = f"{corpus.name}, {kind}, {share:.0%}" if share else f"{corpus.name}, nothing changed"
        yield line(about, "truetune", ours(noisy), noisy)
        for name, opinion in cleanlab(python, noisy).items():
            yield line(about, f"cleanlab, `{name}`", opinion, noisy)


BETTER = """_What cleanlab does better:_ it takes the opinion of any classifier, so that a better model of pictures, sound or text
makes it better; it judges labels of several annotators, several labels a row, spans of tokens and numbers, where truetune judges
one label a row and closed fields of JSON; and it ranks every row, where truetune's list ends."""


def sections(python: Path, seed: int) -> Iterator[str]:
    """The tables in Markdown, each as it is done."""
    for make, shares in ((snips, SHARES), (clinc150, FEWER_SHARES)):
        try:
            yield "\n".join(table(make(rows=ROWS, held_out=0), shares, python, seed))
        except DataAbsentError as absent:
            yield f"_skipped: {absent}_"
