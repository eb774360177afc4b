"""What is left out because of what was found: every dropped row with the code and the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from truetune.core.records import DataStats, Finding, RowRef
from truetune.stages.data.checks import contradictions, exact_duplicates, near_duplicates, preferences, secrets, split_leaks
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.similarity import components

_WHOLE_GROUP = (secrets.CODE, preferences.SAME_CODE, contradictions.CODE)


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a row is left out."""

    code: str
    reason: str


def drops(corpus: Corpus, findings: Sequence[Finding]) -> dict[int, Drop]:
    """Positions in `corpus.rows` that the policy leaves out, each with the first reason that applies.

    A row with a secret, both sides of a contradiction and a leaked training row go whole; of duplicates, and of copies whose
    answers agree, the first row that is still there stays. Personal data is reported and kept.
    """
    position_of = {(row.file, row.line): position for position, row in enumerate(corpus.rows)}
    dropped: dict[int, Drop] = {}
    for finding in findings:
        if finding.severity == "block" and finding.code in (*_WHOLE_GROUP, split_leaks.CODE):
            for ref in _concerned(finding):
                position = position_of.get((ref.file, ref.line))
                if position is not None:
                    dropped.setdefault(position, Drop(finding.code, finding.message))
    for group in corpus.exact_groups.values():
        _keep_first(corpus, group, dropped, exact_duplicates.CODE, "the same row stands earlier")
    for group in _copies(corpus, dropped):
        _keep_first(corpus, group, dropped, near_duplicates.CODE, "nearly the same row with the same answer stands earlier")
    return dropped


def _concerned(finding: Finding) -> Iterable[RowRef]:
    # A leak's second group is the held-out row, which stays.
    return finding.groups[0] if finding.code == split_leaks.CODE else finding.rows


def _copies(corpus: Corpus, dropped: Mapping[int, Drop]) -> list[list[int]]:
    """Clusters of rows that are copies of each other and give the same answer, each in order."""
    edges = [(e.a, e.b) for e in corpus.near_edges if e.is_copy and e.a not in dropped and e.b not in dropped]
    clusters: dict[int, list[int]] = {}
    component = components(len(corpus.rows), edges)
    for position in sorted({position for edge in edges for position in edge}):
        clusters.setdefault(component[position], []).append(position)
    return list(clusters.values())


def _keep_first(corpus: Corpus, group: Sequence[int], dropped: dict[int, Drop], code: str, reason: str) -> None:
    left = [position for position in group if position not in dropped]
    for position in left[1:]:
        first = corpus.rows[left[0]]
        dropped[position] = Drop(code, f"{reason}: {first.file}, line {first.line}")


def statistics(corpus: Corpus, findings: Sequence[Finding], dropped: Mapping[int, Drop]) -> DataStats:
    """How many records came in, how many stay, why the others do not, and how many different questions there are."""
    unreadable = {(fault.file, fault.line): fault.code for fault in reversed(corpus.faults)}
    clusters = corpus.index.copy_clusters()[: len(corpus.rows)]
    reasons = Counter(drop.code for drop in dropped.values()) + Counter(unreadable.values())
    kept = len(corpus.rows) - len(dropped)
    return DataStats(
        rows=len(corpus.rows) + len(unreadable),
        kept=kept,
        dropped=len(dropped) + len(unreadable),
        effective_unique=len(set(clusters)),
        dropped_by_code=dict(sorted(reasons.items())),
        findings_by_code=dict(sorted(Counter(f.code for f in findings).items())),
    )
