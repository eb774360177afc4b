"""The same question, answered differently: decided on the answers, and only where they differ in substance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from truetune.core.records import Finding
from truetune.stages.data.checks.base import DROPPED_WHERE_SURE, Check, Threshold
from truetune.stages.data.checks.contradictions.evidence import shown
from truetune.stages.data.checks.contradictions.json_fields import surest
from truetune.stages.data.checks.contradictions.pairs import Edge, contradicting, sides
from truetune.stages.data.checks.contradictions.same_question import ANY_LENGTH_JACCARD, LONG_JACCARD
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.neighbours.components import components
from truetune.stages.data.neighbours.prompts import LONG_WORDS
from truetune.stages.data.substance import ALIKE_RATIO, HEDGED_FRAC, SHARED_FRAC

CODE = "data.contradiction"
_FIX = "decide which answer is right and correct or delete the others (`truetune run` leaves the whole group out)"
_FIX_TEXT = "decide which answer is right and correct or delete the others; where both are right, leave them"


def _find(corpus: Corpus) -> Iterable[Finding]:
    edges = list(contradicting(corpus))
    component = components(len(corpus.rows), [(edge.a, edge.b) for edge in edges])
    groups: defaultdict[int, list[Edge]] = defaultdict(list)
    for edge in edges:
        groups[component[edge.a]].append(edge)
    for group in groups.values():
        yield _finding(corpus, group)


def _finding(corpus: Corpus, edges: Sequence[Edge]) -> Finding:
    positions = sorted({position for edge in edges for position in (edge.a, edge.b)})
    by_side = sides(corpus, positions, _neighbours(edges))
    evidence = shown(corpus, [side[0] for side in by_side])
    severity = surest(edge.severity for edge in edges) or "note"
    may = "may get" if severity == "note" else "get"
    return Finding(
        code=CODE,
        severity=severity,
        message=f"{len(positions)} rows ask the same and {may} {len(by_side)} different answers{evidence.in_what}",
        rows=corpus.refs(positions),
        groups=tuple(corpus.refs(side) for side in by_side),
        evidence=evidence.evidence,
        fix=_FIX if severity == "block" else _FIX_TEXT,
    )


def _neighbours(edges: Iterable[Edge]) -> Mapping[int, set[int]]:
    found: defaultdict[int, set[int]] = defaultdict(set)
    for edge in edges:
        found[edge.a].add(edge.b)
        found[edge.b].add(edge.a)
    return found


CHECK = Check(
    code=CODE,
    severity="block",
    claim="No question has two answers that differ in substance: label, field, number, date, name, yes or no, negation, order.",
    fix=_FIX,
    find=_find,
    ways=DROPPED_WHERE_SURE,
    thresholds=(
        Threshold("same question from Jaccard similarity", ANY_LENGTH_JACCARD, "measured on CLINC150 and SNIPS"),
        Threshold(f"the same for prompts of {LONG_WORDS} words or more", LONG_JACCARD, "measured on CLINC150 and SNIPS"),
        Threshold("of a statement's other words shared, for a negation or an opposite", SHARED_FRAC, "stated"),
        Threshold("words in the same order where two statements are worded alike", ALIKE_RATIO, "measured; see its page"),
        Threshold("slack of a hedged number", HEDGED_FRAC, "stated"),
    ),
)
