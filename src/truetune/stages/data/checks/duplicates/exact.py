"""The same conversation twice, up to unicode form, case and white space."""

from __future__ import annotations

from collections.abc import Iterable

from truetune.core.records import Finding
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import ONE_KEPT, Check
from truetune.stages.data.corpus import Corpus

CODE = "data.duplicate.exact"
_FIX = "keep one of the rows (`truetune run` keeps the first)"


def _find(corpus: Corpus) -> Iterable[Finding]:
    for positions in corpus.exact_groups:
        rows = corpus.refs(positions)
        first = corpus.rows[positions[0]]
        yield Finding(
            code=CODE,
            severity="warn",
            message=f"{len(positions)} rows are the same",
            rows=rows,
            groups=(rows,),
            evidence={"prompt": excerpt(first.prompt), "answer": excerpt(first.answer)},
            fix=_FIX,
        )


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="No conversation stands twice in the data, compared without regard to unicode form, case and white space.",
    fix=_FIX,
    find=_find,
    ways=ONE_KEPT,
)
