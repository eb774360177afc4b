"""Labels that the other rows speak against, ranked, with an estimate of how many labels are wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from pydantic import JsonValue

from truetune.core.records import Finding
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import LISTED, Check, Threshold
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.noise.judge import GAIN_LEAST, NAMED, Judge, Judgement, Task
from truetune.stages.data.noise.ridge import Described
from truetune.stages.data.profile import Answer, field_text

CODE = "data.label.noise"
_FIX = "look at the row and correct the label, or leave it where it is right"
_FIX_ALL = "look at the rows in this order until most labels are right; many wrong ones of a kind: mend the instructions"

SEED = 17
"""Of the sample that the model is fitted on. It stands in the evidence."""

ROWS_LEAST = 100
"""Fewer rows are not judged. Source: stated; the smallest measured corpus has 200."""

ROWS_PER_LABEL = 5
"""A label with fewer rows is not judged: without one of them too little is left to speak for it. Source: stated."""

MOST_LABELS = 1000
"""With more labels than this the scores of a sample would not fit in bounded memory."""

MOST_FALSE_FRAC = 0.008
"""Rows are named as long as the expected right labels among them stay below this share of all rows. Source: the 1 % of clean rows
that a check may warn about, less a margin; measured: docs/log.md, label noise."""

_SHOWN = 50
_LISTED_CHANCE = 0.1


def _find(corpus: Corpus) -> Iterable[Finding]:
    tasks = list(_tasks(corpus))
    if not tasks:
        return
    meanings = corpus.meanings.of if corpus.meanings else None
    described = Described(lambda rows: [corpus.rows[row].context for row in rows], meanings)
    judge = Judge(len(corpus.rows), described, SEED)
    twice = _asked_twice(corpus)
    for task in tasks:
        judgement = judge.judge(task)
        if judgement is not None:
            yield from _findings(corpus, judge, judgement, twice)


def _tasks(corpus: Corpus) -> Iterator[Task]:
    """The labels of a label task, or each closed field of a JSON task; those that are rare or missing are not judged."""
    if len(corpus.rows) < ROWS_LEAST or corpus.profile.shape not in ("labels", "json"):
        return
    if corpus.profile.shape == "labels":
        names = [""]
    else:
        names = [name for name, values in corpus.profile.json_fields.items() if len(values) > 1]
    written: dict[str, list[int]] = {name: [] for name in names}
    numbers: dict[str, dict[str, int]] = {name: {} for name in names}
    for position, row in enumerate(corpus.rows):
        answer = corpus.answers[position]
        for name in names:
            label = _label(answer, name) if row.is_demonstration else None
            written[name].append(-1 if label is None else numbers[name].setdefault(label, len(numbers[name])))
    for name in names:
        task = _frequent(name, list(numbers[name]), np.array(written[name], dtype=np.int32))
        if 2 <= len(task.values) <= MOST_LABELS:
            yield task


def _label(answer: Answer, field: str) -> str | None:
    if not field:
        return answer.key
    return field_text(answer.fields[field]) if answer.fields and field in answer.fields else None


def _frequent(name: str, values: Sequence[str], given: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Task:
    counts = Counter(given[given >= 0].tolist())
    kept = [number for number in range(len(values)) if counts[number] >= ROWS_PER_LABEL]
    renumbered = np.full(len(values) + 1, -1, dtype=np.int32)
    renumbered[kept] = np.arange(len(kept))
    return Task(name, tuple(values[number] for number in kept), renumbered[given])


def _asked_twice(corpus: Corpus) -> set[int]:
    """Rows whose prompt has another answer elsewhere: they are contradictions, and found as such."""
    first: dict[int, int] = {}
    twice: set[int] = set()
    answers, nodes = corpus.keys.answers, corpus.index.node_of
    for position in range(len(corpus.rows)):
        if answers[first.setdefault(nodes[position], position)] != answers[position]:
            twice.add(nodes[position])
    return {position for position in range(len(corpus.rows)) if nodes[position] in twice}


def _findings(corpus: Corpus, judge: Judge, judgement: Judgement, twice: set[int]) -> Iterator[Finding]:
    named = [row for row in judgement.named(MOST_FALSE_FRAC).tolist() if row not in twice]
    for rank, row in enumerate(named, 1):
        yield _row_finding(corpus, judge, judgement, row, rank)
    listed = judgement.listed()
    if len(listed) and judgement.wrong[listed].max() >= _LISTED_CHANCE:
        yield _estimate(corpus, judgement, listed.tolist())


def _row_finding(corpus: Corpus, judge: Judge, judgement: Judgement, row: int, rank: int) -> Finding:
    task = judgement.task
    given, suggested = (task.values[labels[row]] for labels in (task.given, judgement.suggested))
    evidence: dict[str, JsonValue] = {
        "prompt": excerpt(corpus.rows[row].prompt),
        "answer": excerpt(corpus.rows[row].answer),
        "given": excerpt(given),
        "suggested": excerpt(suggested),
        "chance_wrong": round(float(judgement.wrong[row]), 3),
        "margin": round(float(judgement.margin[row]), 3),
        "rank": rank,
    }
    alike = judge.alike(task, row, int(judgement.suggested[row]))
    if alike is not None:
        evidence["like"] = f"{corpus.rows[alike].ref.file}:{corpus.rows[alike].ref.line} {excerpt(corpus.rows[alike].prompt)}"
    return Finding(
        code=CODE,
        severity="warn",
        message=f"{_what(task)} {excerpt(given)!r} disagrees with similar rows, which speak for {excerpt(suggested)!r}",
        rows=corpus.refs([row]),
        evidence=evidence,
        fix=_FIX,
    )


def _named(rows: int) -> str:
    return "the likeliest row is listed" if rows == 1 else f"the likeliest {rows:,} rows are listed, the surest first"


def _estimate(corpus: Corpus, judgement: Judgement, listed: Sequence[int]) -> Finding:
    task = judgement.task
    low, high = judgement.interval()
    return Finding(
        code=CODE,
        severity="note",
        message=f"about {judgement.expected:,.0f} of {judgement.judged:,} labels{_of_field(task)} are probably wrong "
        f"({low:,.0f} to {high:,.0f}); {_named(len(listed))}",
        rows=corpus.refs(listed),
        evidence={
            "estimated_wrong": round(judgement.expected, 1),
            "interval": [round(low, 1), round(high, 1)],
            "confident_learning_count": round(judgement.confident, 1),
            "out_of_fold_accuracy": round(judgement.accuracy, 3),
            "judged_rows": judgement.judged,
            "seed": SEED,
            **({"sentence_model": corpus.meanings.name} if corpus.meanings else {}),
            "ranked": [
                {
                    "row": f"{ref.file}:{ref.line}",
                    "given": excerpt(task.values[task.given[row]]),
                    "suggested": excerpt(task.values[judgement.suggested[row]]),
                    "chance_wrong": round(float(judgement.wrong[row]), 3),
                }
                for row, ref in zip(listed[:_SHOWN], corpus.refs(listed[:_SHOWN]), strict=True)
            ],
        },
        fix=_FIX_ALL,
    )


def _what(task: Task) -> str:
    return f"the value of {task.field!r}," if task.field else "the label"


def _of_field(task: Task) -> str:
    return f" in {task.field!r}" if task.field else ""


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="No label speaks against what similar rows are labelled, where labels follow from the text.",
    fix=_FIX,
    find=_find,
    ways=LISTED,
    thresholds=(
        Threshold("expected right labels among those named, as a share of the rows", MOST_FALSE_FRAC, "measured: docs/log.md"),
        Threshold("chance that a named label is wrong", NAMED, "stated"),
        Threshold("of the commonest label's mistakes that the model must mend", GAIN_LEAST, "stated"),
        Threshold("rows a label needs", ROWS_PER_LABEL, "stated"),
    ),
)
