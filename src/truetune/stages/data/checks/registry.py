"""All checks that need nothing but the rows, in the order in which they run."""

from __future__ import annotations

from truetune.core.ports import Progress
from truetune.core.records import Finding
from truetune.stages.data.checks import (
    answer_leaks,
    boilerplate,
    contradictions,
    empty,
    encoding,
    encoding_damage,
    exact_duplicates,
    malformed,
    near_duplicates,
    pii,
    preference_graph,
    preferences,
    roles,
    secrets,
    split_leaks,
    truncated,
    types,
)
from truetune.stages.data.checks.base import Check
from truetune.stages.data.corpus import Corpus

ALL: tuple[Check, ...] = (
    malformed.CHECK,
    types.CHECK,
    roles.CHECK,
    empty.CHECK,
    encoding.CHECK,
    encoding_damage.MOJIBAKE,
    encoding_damage.CONTROL,
    truncated.CHECK,
    boilerplate.CHECK,
    preferences.SAME,
    preferences.PROMPT,
    preference_graph.FLIPPED,
    preference_graph.CYCLE,
    preference_graph.LENGTH,
    secrets.CHECK,
    pii.CHECK,
    exact_duplicates.CHECK,
    near_duplicates.CHECK,
    contradictions.CHECK,
    split_leaks.CHECK,
    answer_leaks.CHECK,
)


def run_checks(corpus: Corpus, progress: Progress) -> list[Finding]:
    """The findings of every check, sorted by file and line."""
    found: list[Finding] = []
    for number, check in enumerate(ALL):
        progress.update(number, len(ALL), check.code)
        found.extend(check.find(corpus))
    progress.update(len(ALL), len(ALL), f"{len(found)} findings")
    return in_order(found)


def in_order(findings: list[Finding]) -> list[Finding]:
    """By file, line, then code."""
    return sorted(
        findings, key=lambda f: (f.rows[0].file if f.rows else "", f.rows[0].line if f.rows else 0, f.code, len(f.rows))
    )
