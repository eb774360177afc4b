"""Rows that differ by a few words and give the same answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from truetune.core.records import Finding
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import ONE_KEPT, Check, Threshold
from truetune.stages.data.corpus import Corpus, NearEdge
from truetune.stages.data.neighbours.components import components
from truetune.stages.data.neighbours.prompts import LONG_WORDS, NEAR_WORDS_FRAC

CODE = "data.duplicate.near"
_FIX = "keep one of the rows, or make them say something different"


def _find(corpus: Corpus) -> Iterable[Finding]:
    component = components(len(corpus.rows), [(edge.a, edge.b) for edge in corpus.near_edges])
    clusters: defaultdict[int, list[NearEdge]] = defaultdict(list)
    for edge in corpus.near_edges:
        clusters[component[edge.a]].append(edge)
    for cluster in clusters.values():
        yield _finding(corpus, cluster)


def _finding(corpus: Corpus, edges: Sequence[NearEdge]) -> Finding:
    positions = sorted({position for edge in edges for position in (edge.a, edge.b)})
    rows = corpus.refs(positions)
    closest = max(edges, key=lambda edge: (edge.jaccard, -edge.a, -edge.b))
    return Finding(
        code=CODE,
        severity="warn",
        message=f"{len(rows)} rows say nearly the same and have the same answer",
        rows=rows,
        groups=(rows,),
        evidence={
            "first": excerpt(corpus.rows[closest.a].prompt),
            "second": excerpt(corpus.rows[closest.b].prompt),
            "answer": excerpt(corpus.rows[closest.a].answer),
            "jaccard": [round(min(edge.jaccard for edge in edges), 3), round(closest.jaccard, 3)],
            "copies": any(edge.is_copy for edge in edges),
        },
        fix=_FIX,
    )


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="No two rows are the same but for a few words: prompts that share most words, with answers that agree.",
    fix=_FIX,
    find=_find,
    ways=ONE_KEPT,
    thresholds=(
        Threshold(
            "share of the longer text's words kept in order",
            NEAR_WORDS_FRAC,
            "a token edit of up to 20 %; see the page of this code",
        ),
        Threshold("a copy from so many words on", LONG_WORDS, "measured on CLINC150 and SNIPS; see the page of this code"),
    ),
)
