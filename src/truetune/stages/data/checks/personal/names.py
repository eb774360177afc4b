"""Names of people: asked for, because it takes a language model and is never certain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from truetune.core.records import Finding
from truetune.core.sensitive.masking import masked
from truetune.core.sensitive.spans import Span
from truetune.stages.data.checks.base import KEPT_OR_REDACTED, Check
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.people import REJECTED, Named, text_of
from truetune.stages.data.rows.row import Row

CODE = "data.pii.person"
_FIX = "data.checks: policy redact puts [PERSON_1] in its place; or delete the row, unless the model has to learn it"
_PLACES_SHOWN = 8


def _find(corpus: Corpus) -> Iterable[Finding]:
    for position, named in corpus.named.items():
        yield _finding(corpus.rows[position], named)


def _finding(row: Row, named: Sequence[Named]) -> Finding:
    times = f", {len(named)} times" if len(named) > 1 else ""
    return Finding(
        code=CODE,
        severity="warn",
        message=f"{_turn(row, named[0])} holds what looks like the name of a person{times}",
        rows=(row.ref,),
        evidence={"entity": "person", "places": [_place(row, one) for one in named[:_PLACES_SHOWN]]},
        fix=_FIX,
    )


def _turn(row: Row, named: Named) -> str:
    return "the rejected answer" if named.turn == REJECTED else f"turn {named.turn + 1} ({row.messages[named.turn]['role']})"


def _place(row: Row, named: Named) -> str:
    shown = masked(text_of(row, named.turn), Span("person", named.start, named.end))
    return f"{_turn(row, named)}, characters {named.start + 1}–{named.end}: {shown}"


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="No row holds the name of a person (looked for with data.pii_names or --names only).",
    fix=_FIX,
    find=_find,
    ways=KEPT_OR_REDACTED,
)
