"""The data gate alone, on any file: no project, no tokenizer, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from truetune.core.ports import Progress
from truetune.core.records import CheckReport, DataFormat, Finding, GateState
from truetune.stages.data.checks.registry import run_checks
from truetune.stages.data.load import corpus_of, load
from truetune.stages.data.policy import drops, statistics


def run_check(
    files: Sequence[Path],
    against: Sequence[Path],
    format: DataFormat | None = None,  # noqa: A002 - the name of the option
    near_duplicate_jaccard: float = 0.8,
    *,
    progress: Progress,
) -> CheckReport:
    """Check files as they are; `stats.kept` is how many rows `truetune run` would keep.

    Args:
        files: what would be trained on.
        against: held-out files that it must not overlap with.
        format: of `files`, where it is named; found from the rows otherwise. Held-out files are always told by their own rows.
        near_duplicate_jaccard: from this similarity on, two short prompts count as copies of each other.
        progress: told what is being done.

    Raises:
        DataError: a file cannot be read as data at all.
    """
    sources = load([(path, str(path)) for path in files], format, progress)
    held_out = load([(path, str(path)) for path in against], None, progress)
    corpus = corpus_of(sources, held_out, near_duplicate_jaccard)
    findings = run_checks(corpus, progress)
    return CheckReport(
        gate=gate_of(findings, len(corpus.rows)),
        findings=tuple(findings),
        stats=statistics(corpus, findings, drops(corpus, findings)),
        sources=tuple(sources.sources),
        task=corpus.profile,
    )


def gate_of(findings: Sequence[Finding], readable_rows: int) -> GateState:
    """Failed where a finding blocks; not measured where there was nothing to look at."""
    if any(finding.severity == "block" for finding in findings):
        return "failed"
    return "passed" if readable_rows else "not_measured"
