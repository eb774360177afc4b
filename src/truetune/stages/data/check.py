"""The data gate alone, on any file: no project, no tokenizer, no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from truetune.core.config import DataConfig
from truetune.core.ports import NO_READERS, Progress, Readers, RowEngine
from truetune.core.records import CheckReport, DataStats, Finding, GateState, SourceFile
from truetune.core.text import file_name
from truetune.project.do_not_train.entries import read_do_not_train
from truetune.stages.data.balance.summary import summary
from truetune.stages.data.checks.registry import run_checks
from truetune.stages.data.corpus import TEST, VALIDATION, Corpus
from truetune.stages.data.curation.policy import Drop, drops, statistics
from truetune.stages.data.curation.redaction import Redaction, redaction
from truetune.stages.data.reading.answer_schema import read_schema
from truetune.stages.data.reading.load import HeldOut, Loaded, corpus_of, load
from truetune.stages.data.reading.sidecar import Provenance
from truetune.stages.data.rows.one_pass import IN_PROCESS
from truetune.stages.data.rows.store import stored
from truetune.stages.data.rules import Rules
from truetune.stages.data.splits.declared import OwnSplit, own_split

_DEFAULTS = DataConfig(sources=())
NamedFile = tuple[Path, str]


@dataclass(frozen=True)
class Judged:
    """What was read, found and decided.

    Attributes:
        sources: the files that would be trained on.
        held_out: those that they must not overlap with.
        corpus: both.
        rules: what the config says.
        findings: after the rules.
        dropped: by position in `corpus.rows`.
        redaction: which rows have placeholders, and for what.
        stats: the numbers.
    """

    sources: Loaded
    held_out: Sequence[SourceFile]
    corpus: Corpus
    rules: Rules
    findings: Sequence[Finding]
    dropped: Mapping[int, Drop]
    redaction: Redaction
    stats: DataStats

    def failed_tests(self) -> list[str]:
        """Each data test of the config that does not hold, in words."""
        return self.rules.failed_tests(self.findings, self.stats.rows, [source.path for source in self.held_out])


def run_check(
    files: Sequence[Path],
    against: Sequence[Path],
    config: DataConfig = _DEFAULTS,
    *,
    progress: Progress,
    engine: RowEngine = IN_PROCESS,
    readers: Readers = NO_READERS,
) -> CheckReport:
    """Check files as they are; `stats.kept` is how many rows `truetune run` would keep.

    Args:
        files: what would be trained on.
        against: held-out files that it must not overlap with.
        config: how to judge them; its `format` is that of `files`, held-out files are always told by their own rows.
        progress: told what is being done.
        engine: does the work of the row checks.
        readers: the models that read the data.

    Raises:
        DataError: a file cannot be read as data at all.
        EnvironmentFault: there is no room for the rows where temporary files go.
    """
    named = [[(path, file_name(path)) for path in paths] for paths in (files, against)]
    judged = judge(named[0], named[1], config, progress, engine, hold_out=True, readers=readers)
    problems = _problems(judged)
    state: GateState = "failed" if problems else "passed" if judged.corpus.rows else "not_measured"
    return CheckReport(
        gate=state,
        gate_reason="; ".join(problems) or ("" if judged.corpus.rows else "no row could be read"),
        findings=tuple(judged.findings),
        stats=judged.stats,
        sources=tuple(judged.sources.sources),
        task=judged.corpus.profile,
        balance=summary(judged.corpus.balance),
        sizing=judged.corpus.sizing,
    )


def judge(
    files: Sequence[NamedFile],
    against: Sequence[NamedFile],
    config: DataConfig,
    progress: Progress,
    engine: RowEngine,
    *,
    hold_out: bool = False,
    readers: Readers = NO_READERS,
) -> Judged:
    """Read files, each given as (path, how findings name it), check them, and decide what becomes of each row.

    With `hold_out`, rows whose own `split` says validation or test are held out from the others; `readers` are the models
    that read the data.

    Raises:
        DataError: a file cannot be read as data at all.
        EnvironmentFault: there is no room for the rows where temporary files go.
    """
    provenance = Provenance(config.columns, (Path(config.metadata), config.metadata) if config.metadata else None)
    sources = load(files, config.format, progress, provenance)
    held_out = [HeldOut(shown, [load([(path, shown)], None, progress, provenance)]) for path, shown in against]
    own = own_split(sources) if hold_out else OwnSplit(sources, stored(()), stored(()))
    named = ((VALIDATION, own.validation), (TEST, own.test))
    sides = [*(HeldOut(name, [Loaded((), (), rows, ())]) for name, rows in named), *held_out]
    schema = read_schema(Path(config.answer_schema), config.answer_schema) if config.answer_schema else ""
    listed = read_do_not_train(config.do_not_train, Path())
    sources = own.train
    corpus = corpus_of(sources, sides, config, provenance, answer_schema=schema, do_not_train=listed, readers=readers)
    rules = Rules(config.checks)
    found = run_checks(corpus, progress, engine)
    findings, dropped, redacted = (
        corpus.readable(rules.applied(found)),
        drops(corpus, found, rules),
        redaction(corpus, found, rules),
    )
    stats = statistics(corpus, findings, dropped, rules, redacted.positions)
    return Judged(
        sources, [source for side in held_out for source in side.sources], corpus, rules, findings, dropped, redacted, stats
    )


def _problems(judged: Judged) -> list[str]:
    """What fails the gate: data tests that do not hold, then blocking findings that no data test judges."""
    blocking = judged.rules.blocking(judged.findings)
    counted = ", ".join(f"{code} ({n})" for code, n in sorted(blocking.items()))
    return [*judged.failed_tests(), *([f"blocking findings: {counted}"] if counted else [])]
