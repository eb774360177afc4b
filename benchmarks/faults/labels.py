"""Labels that were changed to wrong ones: how many are named or listed, how many clean rows are named, and the estimate.

    python -m benchmarks.faults.labels                # the tables; exit 1 where a target is missed
    python -m benchmarks.faults.labels --rows 15000   # larger corpora

A row is *named* by a finding of its own (`warn`), and *listed* by the note that ranks the rows worth a look. What is found is
what is named or listed; how many rows are to be read for that stands beside it.

A share of the labels is changed, to any other label or to the most similar one: the label whose rows share the most words with
those of the right one, told apart here and without the data gate. The corpora keep what is wrong in them by nature, so that a
few of the "clean" rows that are named are wrong indeed.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.faults.breakage import as_text, turns
from benchmarks.faults.corpora import Corpus, Example, clinc150, plain_text, snips, support_triage
from benchmarks.faults.gate import report_on
from benchmarks.faults.measured import ALARM_TARGET_EACH, CLEAN, Alarms, Recall, Section, misses, target
from benchmarks.faults.plant import Planted
from benchmarks.faults.score import ALARMING
from benchmarks.real_data import DataAbsentError

from truetune import wiring
from truetune.core.config import DataConfig
from truetune.core.ports import NO_READERS, Readers

CODE = "data.label.noise"
SHARES = (0.02, 0.05, 0.1)
ROWS = 2400
PLANTED_LEAST = 60
"""Of each kind; a small corpus is spoilt several times, with other labels each time."""
KINDS_OF_WRONG = _RANDOM, _SIMILAR = "any other label", "the most similar label"


@dataclass(frozen=True)
class Noisy:
    """Rows of which some have a wrong label: their lines, from 1."""

    lines: tuple[str, ...]
    wrong: frozenset[int]


@dataclass(frozen=True)
class Result:
    """What one noisy file gave."""

    rows: int
    planted: int
    found: int
    alarms: int
    named: int
    read: int
    estimate: float
    interval: tuple[float, float]
    cpu_s: float

    @property
    def clean(self) -> int:
        """Rows whose label was left as it was."""
        return self.rows - self.planted


def label_of(answer: str, field: str) -> str:
    """The label that is changed: the answer, or one field of it."""
    return json.dumps(json.loads(answer)[field]) if field else answer


def with_label(answer: str, field: str, label: str) -> str:
    """The answer with another label."""
    return json.dumps({**json.loads(answer), field: json.loads(label)}) if field else label


def spoil(corpus: Corpus, field: str, share: float, kind: str, seed: int) -> Noisy:
    """The corpus with a share of its labels changed."""
    rng = random.Random(seed)
    rows = list(corpus.rows)
    rng.shuffle(rows)
    labels = sorted({label_of(e.answer, field) for e in rows})
    nearest = most_similar(rows, field) if kind == _SIMILAR else {}
    wrong = set(rng.sample(range(len(rows)), int(share * len(rows))))
    lines = []
    for place, example in enumerate(rows):
        answer = example.answer
        if place in wrong:
            own = label_of(answer, field)
            other = nearest[own] if nearest else rng.choice([label for label in labels if label != own])
            answer = with_label(answer, field, other)
        lines.append(as_text(turns(corpus.system, example.prompt, answer)))
    return Noisy(tuple(lines), frozenset(place + 1 for place in wrong))


def most_similar(rows: Sequence[Example], field: str) -> Mapping[str, str]:
    """For each label the one whose rows use the most similar words (cosine of word counts without the commonest words)."""
    counts: dict[str, Counter[str]] = {}
    for example in rows:
        counts.setdefault(label_of(example.answer, field), Counter()).update(set(plain_text(example.prompt).split()))
    common = {word for word, n in sum(counts.values(), Counter()).items() if n > len(rows) / 20}
    vectors = {label: {w: math.log1p(n) for w, n in c.items() if w not in common} for label, c in counts.items()}
    return {a: max((b for b in vectors if b != a), key=lambda b: (_cosine(vectors[a], vectors[b]), b)) for a in vectors}


def _cosine(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    dot = sum(weight * b.get(word, 0.0) for word, weight in a.items())
    return dot / (math.sqrt(sum(w * w for w in a.values()) * sum(w * w for w in b.values())) or 1.0)


def measure(noisy: Noisy, field: str, readers: Readers = NO_READERS) -> Result:
    """Check the file and compare what is named with what was changed."""
    report, cpu_s = report_on(Planted(noisy.lines, (), (), {}, {}), readers=readers)
    mine = [f for f in report.findings if f.code == CODE and (not field or repr(field) in f.message)]
    named = {row.line for f in mine if f.severity in ALARMING for row in f.rows}
    read = {row.line for f in mine for row in f.rows}
    evidence: Mapping[str, Any] = next((f.evidence for f in mine if f.severity == "note"), {})
    low, high = evidence.get("interval", (0.0, 0.0))
    return Result(
        len(noisy.lines),
        len(noisy.wrong),
        len(read & noisy.wrong),
        len(named - noisy.wrong),
        len(named & noisy.wrong),
        len(read),
        float(evidence.get("estimated_wrong", 0.0)),
        (float(low), float(high)),
        cpu_s,
    )


def corpora(rows: int) -> Iterator[tuple[Corpus, str] | str]:
    """Each corpus with the field that is changed (empty: the answer is the label), or why it cannot be had here."""
    support = support_triage(held_out=0)
    yield support, "queue"
    yield support, "priority"
    for make, size in ((snips, 200), (snips, rows), (clinc150, rows)):
        try:
            yield make(rows=size, held_out=0), ""
        except DataAbsentError as absent:
            yield f"skipped: {absent}"


HEAD = """| corpus | changed to | wrong | named | recall | precision | clean named | rate | read | found | estimate | interval |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"""


def line(name: str, kind: str, result: Result) -> str:
    """One row of the table."""
    named = result.named + result.alarms
    recall, found = (f"{n / result.planted:.2f}" if result.planted else "" for n in (result.named, result.found))
    precision = f"{result.named / named:.2f}" if named and result.planted else ""
    low, high = result.interval
    return (
        f"| {name} | {kind} | {result.planted} | {result.named} | {recall} | {precision} | {result.alarms} of {result.clean} | "
        f"{result.alarms / result.clean:.4f} | {result.read} | {found} | {result.estimate:.0f} | {low:.0f} to {high:.0f} |"
    )


def sections(rows: int, seed: int, readers: Readers = NO_READERS) -> Iterator[Section | str]:
    """For each corpus what is found of wrong labels, whatever their share, and the run in which most clean rows are named."""
    for entry in corpora(rows):
        yield entry if isinstance(entry, str) else measured(*entry, seed, readers)


def measured(corpus: Corpus, field: str, seed: int, readers: Readers = NO_READERS) -> Section:
    """One corpus with each share of wrong labels of both kinds; `readers` are the models that read the data."""
    runs = [("nothing", measure(spoil(corpus, field, 0.0, _RANDOM, seed), field, readers))]
    for kind in KINDS_OF_WRONG:
        planted, again = 0, seed
        while planted < PLANTED_LEAST:
            results = [measure(spoil(corpus, field, share, kind, again), field, readers) for share in SHARES]
            runs += [(kind, result) for result in results]
            planted, again = planted + sum(result.planted for result in results), again + 1
    recalls = []
    for kind in KINDS_OF_WRONG:
        mine = [result for name, result in runs if name == kind]
        fault, planted = f"label, {kind}", sum(r.planted for r in mine)
        recalls.append(Recall(CODE, fault, corpus.name, planted, sum(r.found for r in mine), target(CODE, fault)))
        recalls.append(Recall(CODE, f"{fault}, named", corpus.name, planted, sum(r.named for r in mine), None))
    worst = max((result for _, result in runs), key=lambda result: result.alarms / result.clean)
    alarms = Alarms(CODE, CLEAN, corpus.name, worst.clean, worst.alarms / worst.clean, worst.alarms, 1, ALARM_TARGET_EACH)
    name = f"{corpus.name}, {field or len(corpus.rows)}"
    shares = ", ".join(f"{share:.0%}" for share in SHARES)
    return Section(
        f"{name}, wrong labels{', by meaning too' if readers.meanings else ''}",
        f"{len(corpus.rows)} rows; {shares} of the labels are changed; of the clean rows, the run in which most are named",
        tuple(recalls),
        (alarms,),
        rows=sum(result.rows for _, result in runs),
        cpu_s=round(sum(result.cpu_s for _, result in runs), 1),
        more=("\n".join([HEAD, *(line(name, kind, result) for kind, result in runs)]),),
        is_aided=readers.meanings is not None,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and say whether the targets were reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults.labels", description="Wrong labels: recall and precision.")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of SNIPS and CLINC150")
    parser.add_argument("--only", default="", help="the corpus whose name begins so")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--sentence-model", metavar="SPEC", help="a model that says what texts mean takes part")
    options = parser.parse_args(argv)
    readers = wiring.readers(DataConfig(sources=(), sentence_model=options.sentence_model))
    missed = []
    for entry in corpora(options.rows):
        if isinstance(entry, str):
            print(entry)
        elif entry[0].name.startswith(options.only):
            made = measured(*entry, options.seed, readers)
            print("\n".join(made.more), flush=True)
            missed += misses(made)
    print("\n".join(missed) if missed else "every target is met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
