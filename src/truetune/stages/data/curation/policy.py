"""What is left out because of what was found: every dropped row with the code and the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

import numpy as np

from truetune.core.records import DataStats, Finding, RowRef
from truetune.stages.data.checks.duplicates import exact as exact_duplicates
from truetune.stages.data.checks.duplicates import near as near_duplicates
from truetune.stages.data.checks.leaks import columns as column_leaks
from truetune.stages.data.checks.leaks import splits as split_leaks
from truetune.stages.data.checks.registry import described
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.neighbours.components import components
from truetune.stages.data.rules import Rules

_FIRST_GROUP = (split_leaks.CODE, *column_leaks.CODES.values())
"""A leak's second group is the held-out rows, which stay."""

Fate = Literal["drop", "quarantine"]


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a row is left out, and whether it is put aside for a person to decide."""

    code: str
    reason: str
    fate: Fate = "drop"


def drops(corpus: Corpus, findings: Sequence[Finding], rules: Rules, frozen: Collection[int] = frozenset()) -> dict[int, Drop]:
    """Positions in `corpus.rows` that the rules leave out, each with the first reason that applies.

    First what `drop` and `quarantine` take, in the order of the findings: all rows of a finding, of a leak the training rows
    only. Then `keep-first`, code by code: of each group the first row that is still there stays.

    Args:
        corpus: the rows.
        findings: as the checks gave them, before `Rules.applied`.
        rules: what the config says.
        frozen: positions of the frozen test's rows: they stay, and of rows that repeat each other it is they that stay.
    """
    acting = [f for f in findings if rules.of(f.code).acts_on(f)]
    dropped: dict[int, Drop] = {}
    for finding in acting:
        policy = rules.of(finding.code).policy
        if policy == "drop" or policy == "quarantine":  # noqa: PLR1714 - narrows the type
            for position in positions_of(corpus, _concerned(finding)):
                if position not in frozen:
                    dropped.setdefault(position, Drop(finding.code, finding.message, policy))
    for code in described():
        if rules.of(code).policy == "keep-first":
            _keep_firsts(corpus, [f for f in acting if f.code == code], dropped, frozen)
    return dropped


def fate_of(rules: Rules, code: str) -> Fate:
    """What becomes of a record that cannot be a row: such records are never kept."""
    return "quarantine" if rules.of(code).policy == "quarantine" else "drop"


def positions_of(corpus: Corpus, refs: Iterable[RowRef]) -> list[int]:
    """Where the rows stand that are in the corpus; rows of held-out files are not."""
    found = {corpus.rows.position(ref) for ref in refs}
    return sorted(position for position in found if position is not None)


def _concerned(finding: Finding) -> Iterable[RowRef]:
    return finding.groups[0] if finding.code in _FIRST_GROUP else finding.rows


def _keep_firsts(corpus: Corpus, findings: Sequence[Finding], dropped: dict[int, Drop], frozen: Collection[int]) -> None:
    if not findings:
        return
    code = findings[0].code
    if code == near_duplicates.CODE:
        # A finding holds all that is similar; only copies of each other are too many, as far as they are still there.
        for group in _copies(corpus, dropped):
            _keep_first(corpus, group, dropped, frozen, Drop(code, "nearly the same row with the same answer stands earlier"))
        return
    for finding in findings:
        reason = "the same row stands earlier" if code == exact_duplicates.CODE else f"{finding.message}, the first stays"
        _keep_first(corpus, positions_of(corpus, finding.rows), dropped, frozen, Drop(code, reason))


def _copies(corpus: Corpus, dropped: Mapping[int, Drop]) -> list[list[int]]:
    """Clusters of rows that are copies of each other and give the same answer, each in order."""
    edges = [(e.a, e.b) for e in corpus.near_edges if e.is_copy and e.a not in dropped and e.b not in dropped]
    clusters: dict[int, list[int]] = {}
    component = components(len(corpus.rows), edges)
    for position in sorted({position for edge in edges for position in edge}):
        clusters.setdefault(component[position], []).append(position)
    return list(clusters.values())


def _keep_first(corpus: Corpus, group: Sequence[int], dropped: dict[int, Drop], frozen: Collection[int], why: Drop) -> None:
    left = sorted((position for position in group if position not in dropped), key=lambda position: position not in frozen)
    for position in left[1:]:
        first = corpus.rows[left[0]]
        if position not in frozen:
            dropped[position] = Drop(why.code, f"{why.reason}: {first.file}, line {first.line}")


def unique_counts(corpus: Corpus) -> tuple[int, int]:
    """How many different questions there are: rephrasings counted once too, and copies alone counted once."""
    own = len(corpus.rows)
    return len(np.unique(corpus.questions[:own])), len(np.unique(corpus.index.copy_clusters()[:own]))


def statistics(
    corpus: Corpus, findings: Sequence[Finding], dropped: Mapping[int, Drop], rules: Rules, redacted: AbstractSet[int]
) -> DataStats:
    """How many records came in, how many stay, why the others do not, and how many different questions there are.

    `redacted` are the positions of rows that have placeholders, dropped or not.
    """
    unreadable = {(fault.file, fault.line): fault.code for fault in reversed(corpus.faults)}
    loose, strict = unique_counts(corpus)
    reasons = Counter(drop.code for drop in dropped.values()) + Counter(unreadable.values())
    aside = [drop.fate for drop in dropped.values()] + [fate_of(rules, code) for code in unreadable.values()]
    kept = len(corpus.rows) - len(dropped)
    return DataStats(
        rows=len(corpus.rows) + len(unreadable),
        kept=kept,
        dropped=len(dropped) + len(unreadable),
        quarantined=aside.count("quarantine"),
        redacted=len(redacted - dropped.keys()),
        effective_unique=strict,
        effective_unique_range=(loose, strict),
        dropped_by_code=dict(sorted(reasons.items())),
        findings_by_code=dict(sorted(Counter(f.code for f in findings).items())),
    )
