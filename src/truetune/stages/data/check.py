"""The data gate alone, on any file: no project, no tokenizer, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from truetune.core.config import DataConfig
from truetune.core.ports import Progress
from truetune.core.records import CheckReport, Finding, GateState
from truetune.stages.data.checks.registry import run_checks
from truetune.stages.data.load import corpus_of, load
from truetune.stages.data.policy import drops, statistics
from truetune.stages.data.rules import Rules

_DEFAULTS = DataConfig(sources=())


def run_check(
    files: Sequence[Path], against: Sequence[Path], config: DataConfig = _DEFAULTS, *, progress: Progress
) -> CheckReport:
    """Check files as they are; `stats.kept` is how many rows `truetune run` would keep.

    Args:
        files: what would be trained on.
        against: held-out files that it must not overlap with.
        config: how to judge them; its `format` is that of `files`, held-out files are always told by their own rows.
        progress: told what is being done.

    Raises:
        DataError: a file cannot be read as data at all.
        EnvironmentFault: there is no room for the rows where temporary files go.
    """
    sources = load([(path, str(path)) for path in files], config.format, progress)
    held_out = load([(path, str(path)) for path in against], None, progress)
    corpus = corpus_of(sources, [held_out], config.near_duplicate_jaccard, config.task_shape)
    rules = Rules(config.checks)
    found = run_checks(corpus, progress)
    findings = rules.applied(found)
    stats = statistics(corpus, findings, drops(corpus, found, rules), rules)
    problems = _problems(findings, rules, stats.rows, [source.path for source in held_out.sources])
    state: GateState = "failed" if problems else "passed" if corpus.rows else "not_measured"
    return CheckReport(
        gate=state,
        gate_reason="; ".join(problems) or ("" if corpus.rows else "no row could be read"),
        findings=tuple(findings),
        stats=stats,
        sources=tuple(sources.sources),
        task=corpus.profile,
    )


def _problems(findings: Sequence[Finding], rules: Rules, rows: int, held_out: Sequence[str]) -> list[str]:
    """What fails the gate: data tests that do not hold, then blocking findings that no data test judges."""
    blocking = rules.blocking(findings)
    counted = ", ".join(f"{code} ({n})" for code, n in sorted(blocking.items()))
    return [*rules.failed_tests(findings, rows, held_out), *([f"blocking findings: {counted}"] if counted else [])]
