"""Held-out rows that training knows by their company: the same customer, the same conversation, the same source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import combinations

from truetune.core.config import KeptTogether
from truetune.core.records import Finding, TaskProfile
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import DROPPED, RowCheck, Sightings, Threshold
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row
from truetune.stages.data.splits.groups import LARGEST_GROUP_FRAC, LEAST_GROUPS, keeps_together

CODES: dict[KeptTogether, str] = {
    "group": "data.leakage.group",
    "conversation": "data.leakage.conversation",
    "source": "data.leakage.source",
}
_FIX = "leave the training rows out, or hold out whole {0}s (`truetune run` cuts its own test so)"
_BETWEEN_FIX = "put all rows of the {0} on one of the two sides"
_SHOWN = 5


def _group(row: Row, _task: TaskProfile) -> str | None:
    return row.meta.group


def _conversation(row: Row, _task: TaskProfile) -> str | None:
    return row.meta.conversation


def _source(row: Row, _task: TaskProfile) -> str | None:
    return row.meta.source


def _conclude(field: KeptTogether, corpus: Corpus, sightings: Sightings[str]) -> Iterable[Finding]:
    """One finding a group that stands on both sides; certain where the column was named on purpose, else a warning."""
    if not len(sightings) or not corpus.held_out:
        return
    held: defaultdict[str, list[int]] = defaultdict(list)
    for position, row in enumerate(corpus.held_out, start=len(corpus.rows)):
        if (name := row.meta.together(field)) is not None:
            held[name].append(position)
    if not keeps_together(field, sightings.values(), corpus.splits, corpus.declared):
        return
    train: defaultdict[str, list[int]] = defaultdict(list)
    for position, name in sightings:
        if name in held:
            train[name].append(position)
    for name, positions in train.items():
        yield _finding(corpus, field, name, positions, held[name])
    for name, positions in held.items():
        yield from _between_held_out(corpus, field, name, positions)


def _between_held_out(corpus: Corpus, field: KeptTogether, name: str, held: Sequence[int]) -> Iterable[Finding]:
    """A group on two of the sides that training does not see: what is chosen on the one is tested on the same company."""
    sides = [(side, some) for side, positions in corpus.sides if (some := [p for p in held if p in positions])]
    for (one, rows), (other, others) in combinations(sides, 2):
        refs = corpus.refs(rows), corpus.refs(others)
        yield Finding(
            code=CODES[field],
            severity="warn",
            message=f"{field} {excerpt(name)} stands in {one} ({_counted(len(rows), 'held-out')}) and in {other} too",
            rows=(*refs[0], *refs[1]),
            groups=refs,
            evidence={
                field: excerpt(name),
                "first": [excerpt(corpus.everyone[p].prompt) for p in rows[:_SHOWN]],
                "second": [excerpt(corpus.everyone[p].prompt) for p in others[:_SHOWN]],
            },
            fix=_BETWEEN_FIX.format(field),
        )


def _finding(corpus: Corpus, field: KeptTogether, name: str, train: list[int], held: list[int]) -> Finding:
    sides = corpus.refs(train), corpus.refs(held)
    files = sorted({ref.file for ref in sides[1]})
    return Finding(
        code=CODES[field],
        severity="block" if field in corpus.declared else "warn",
        message=f"{field} {excerpt(name)} stands on both sides: {_counted(len(train), 'training')}, "
        f"{_counted(len(held), 'held-out')} in {', '.join(files)}",
        rows=(*sides[0], *sides[1]),
        groups=sides,
        evidence={
            field: excerpt(name),
            "train": [excerpt(corpus.everyone[p].prompt) for p in train[:_SHOWN]],
            "held_out": [excerpt(corpus.everyone[p].prompt) for p in held[:_SHOWN]],
            "train_rows": len(train),
            "held_out_rows": len(held),
        },
        fix=_FIX.format(field),
    )


def _counted(rows: int, side: str) -> str:
    return f"{rows} {side} rows" if rows > 1 else f"a {side} row"


def _check(field: KeptTogether, look: Callable[[Row, TaskProfile], str | None], claim: str) -> RowCheck[str]:
    return RowCheck(
        code=CODES[field],
        severity="block",
        claim=claim,
        fix=_FIX.format(field),
        look=look,
        conclude=partial(_conclude, field),
        ways=DROPPED,
        thresholds=(
            Threshold("groups that an unnamed column must have", LEAST_GROUPS, "stated: below, it is a category"),
            Threshold("share of the rows in one group of an unnamed column", LARGEST_GROUP_FRAC, "stated: above, a category"),
        ),
    )


GROUP = _check("group", _group, "No customer, user or other group has rows on both sides.")
CONVERSATION = _check("conversation", _conversation, "No conversation is cut into rows on both sides.")
SOURCE = _check("source", _source, "Where `data.splits.keep_together` names it, no source has rows on both sides.")
