"""Rows that ask the same question in other words and give the same answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from truetune.core.config import CheckChoices
from truetune.core.records import Finding
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import Check, Threshold, Ways
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.neighbours.rephrasings import (
    ABOUT_THE_SAME,
    DENSE_PAIRS_FRAC,
    MEANS_THE_SAME,
    SPECIFIC_ANSWER_WORDS,
)

CODE = "data.duplicate.paraphrase"
_FIX = "count them as one question: write rows about something else, or keep the few wordings that people really use"
_SHOWN = 8


def _find(corpus: Corpus) -> Iterable[Finding]:
    if not corpus.rephrased:
        return
    near = corpus.index.near_clusters()
    for cluster in corpus.rephrased:
        positions = [position for position in cluster.positions if position < len(corpus.rows)]
        # What differs by a few words only is a near-duplicate, and reported as such.
        if len(np.unique(near[positions])) > 1:
            yield _finding(corpus, positions, is_certain=cluster.is_certain)


def _finding(corpus: Corpus, positions: Sequence[int], *, is_certain: bool) -> Finding:
    rows = corpus.refs(positions)
    return Finding(
        code=CODE,
        severity="warn" if is_certain else "note",
        message=f"{len(rows)} rows ask the same in other words and have the same answer",
        rows=rows,
        groups=(rows,),
        evidence={
            "prompts": [excerpt(corpus.rows[position].prompt) for position in positions[:_SHOWN]],
            "answers": [excerpt(corpus.rows[position].answer) for position in positions[:_SHOWN]],
            **({"sentence_model": corpus.meanings.name} if corpus.meanings and is_certain else {}),
        },
        fix=_FIX,
    )


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="No question is asked again in other words, told by an answer that is the same and prompts that are about the same.",
    fix=_FIX,
    find=_find,
    ways=Ways("keep", CheckChoices(("keep", "keep-first", "drop", "quarantine"), may_be_off=True)),
    thresholds=(
        Threshold("cosine of weighted content words", ABOUT_THE_SAME, "measured; see the page of this code"),
        Threshold("cosine of meanings, where a sentence model is named", MEANS_THE_SAME, "measured; see the page of this code"),
        Threshold(
            "words of an answer that belongs to one question", SPECIFIC_ANSWER_WORDS, "the longest label of CLINC150 has 4"
        ),
        Threshold("pairs of a class that are about the same", DENSE_PAIRS_FRAC, "measured; see the page of this code"),
    ),
)
