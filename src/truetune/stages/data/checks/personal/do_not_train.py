"""Rows that the project's do-not-train list forbids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from truetune.core.config import DoNotTrainEntry
from truetune.core.records import Finding
from truetune.project.do_not_train.matching import DoNotTrain, Subject, described
from truetune.stages.data.checks.base import NEVER_A_ROW, Check
from truetune.stages.data.corpus import VALIDATION, Corpus
from truetune.stages.data.rows.row import Row, row_ids

CODE = "data.do_not_train"
_FIX = "leave it out (`truetune run` does), or take the entry off the list that data.do_not_train names"


def subject_of(row: Row) -> Subject:
    """What the list can know a row by: its ids, where it comes from, all its texts but the system prompt, which rows share."""
    meta = row.meta
    texts = [message["content"] for message in row.messages if message["role"] != "system"]
    return Subject(
        ids=[*row_ids([row]), *([meta.id] if meta.id else [])],
        sources=[row.file, *([meta.source] if meta.source else [])],
        texts=[*texts, *([] if row.rejected is None else [row.rejected]), *row.negatives],
    )


def listed_rows(corpus: Corpus, positions: Iterable[int]) -> Iterator[tuple[int, DoNotTrainEntry]]:
    """Which of these positions in `corpus.everyone` have a row that the list forbids, each with the entry that does."""
    if corpus.do_not_train is None:
        return
    listed = DoNotTrain(corpus.do_not_train)
    for position in positions:
        entry = listed.entry_for(subject_of(corpus.everyone[position]))
        if entry is not None:
            yield position, entry


def said_of(entry: DoNotTrainEntry) -> str:
    """Why a row is left out, in words."""
    return f"the do-not-train list forbids it: {described(entry)}"


def _find(corpus: Corpus) -> Iterable[Finding]:
    """Rows that are trained on, and rows that training validates on: both are tokenised and choose what the model becomes."""
    if corpus.do_not_train is None:
        return
    for position, entry in listed_rows(corpus, (*range(len(corpus.rows)), *corpus.side(VALIDATION))):
        yield Finding(
            code=CODE,
            severity="block",
            message=said_of(entry),
            rows=corpus.refs([position]),
            evidence={"list": corpus.do_not_train.digest},
            fix=_FIX,
        )


CHECK = Check(
    code=CODE,
    severity="block",
    claim="No row is on the project's do-not-train list: by id, source, expression, hash or as a near copy of a listed text.",
    fix=_FIX,
    find=_find,
    ways=NEVER_A_ROW,
)
