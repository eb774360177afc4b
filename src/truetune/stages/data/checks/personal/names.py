"""Names of people: asked for, because it takes a language model and is never certain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from truetune.core.records import Finding
from truetune.core.sensitive.masking import masked
from truetune.stages.data.checks.base import KEPT_OR_REDACTED, Check
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row

CODE = "data.pii.person"
_FIX = "data.checks: policy redact puts [PERSON_1] in its place; or delete the row, unless the model has to learn it"
_BATCH_ROWS = 256
_PLACES_SHOWN = 8


def _find(corpus: Corpus) -> Iterable[Finding]:
    if corpus.names is None:
        return
    remaining = iter(corpus.rows)
    while rows := list(islice(remaining, _BATCH_ROWS)):
        turns = [(row, where, text) for row in rows for where, text in _turns(row)]
        found = zip(turns, corpus.names.find([text for _, _, text in turns]), strict=True)
        shown: dict[tuple[str, int], list[str]] = {}
        first: dict[tuple[str, int], tuple[Row, str]] = {}
        for (row, where, text), spans in found:
            for span in spans:
                first.setdefault((row.file, row.line), (row, where))
                at = f"{where}, characters {span.start + 1}–{span.end}: {masked(text, span)}"
                shown.setdefault((row.file, row.line), []).append(at)
        yield from (_finding(row, where, shown[key]) for key, (row, where) in first.items())


def _turns(row: Row) -> Iterator[tuple[str, str]]:
    for number, message in enumerate(row.messages, start=1):
        if message["role"] != "system":
            yield f"turn {number} ({message['role']})", message["content"]
    if row.rejected is not None:
        yield "the rejected answer", row.rejected


def _finding(row: Row, where: str, places: Sequence[str]) -> Finding:
    times = f", {len(places)} times" if len(places) > 1 else ""
    return Finding(
        code=CODE,
        severity="warn",
        message=f"{where} holds what looks like the name of a person{times}",
        rows=(row.ref,),
        evidence={"entity": "person", "places": list(places[:_PLACES_SHOWN])},
        fix=_FIX,
    )


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="No row holds the name of a person (looked for with data.pii_names or --names only).",
    fix=_FIX,
    find=_find,
    ways=KEPT_OR_REDACTED,
)
