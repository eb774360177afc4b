"""The data stage: the user's files in; curated, split and frozen rows out, with a reason for every row that is not in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from truetune.core.config import DataConfig
from truetune.core.ports import ChatTokenizer, Progress, RowEngine
from truetune.core.records import DataRecord, DataStats, Finding, GateState, SplitInfo, SplitName
from truetune.evidence.curated import CuratedRow
from truetune.evidence.run_folder import RunFolder
from truetune.stages.data.checks import context_length
from truetune.stages.data.checks.registry import in_order, run_checks
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.formats import require_trainable
from truetune.stages.data.load import Loaded, corpus_of, load
from truetune.stages.data.over_length import Window
from truetune.stages.data.policy import Drop, drops, fate_of, statistics
from truetune.stages.data.profile import field_text
from truetune.stages.data.row_pass import IN_PROCESS
from truetune.stages.data.rows import Row, row_ids
from truetune.stages.data.rules import Rules
from truetune.stages.data.shards import DroppedRow, store_shards
from truetune.stages.data.sidecar import Provenance
from truetune.stages.data.splits import SplitRow, rows_digest, split_rows
from truetune.stages.data.tokens import Fitting, Tokenised, token_stats, token_views, tokenise

_SIDES: tuple[SplitName, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Request:
    """What to read and how to judge it.

    Attributes:
        config: files, format, policy, split shares.
        project_dir: what relative paths start from.
        seed: decides the split, together with the rows' content.
        max_length: tokens a row may have.
        gold: the hand-graded set, which training must not overlap with; None where the project has none.
        test: the user's own test file; None cuts the test split from the sources.
        commercial: will the tuned model be used commercially; None where nobody said.
    """

    config: DataConfig
    project_dir: Path
    seed: int
    max_length: int
    gold: Path | None = None
    test: Path | None = None
    commercial: bool | None = None


@dataclass(frozen=True)
class Ports:
    """The base model's tokenizer (None: template and lengths stay unmeasured), who hears of progress, who does the row work."""

    tokenizer: ChatTokenizer | None
    progress: Progress
    engine: RowEngine = IN_PROCESS


@dataclass(frozen=True)
class _Judged:
    """Everything found: in `corpus.everyone` the user's test rows follow those of the sources, and the gold rows follow them.

    `test_rows` and `gold_rows` are their positions there.
    """

    corpus: Corpus
    test_rows: range
    gold_rows: range
    findings: list[Finding]
    dropped: dict[int, Drop]
    tokenised: Tokenised | None
    rules: Rules

    def pieces(self, position: int, row_id: str) -> list[tuple[str, Row, str]]:
        """What is kept of a row: id, row and what was changed; the row itself where it was not too long."""
        pieces = self.tokenised.pieces.get(position) if self.tokenised else None
        if pieces is None:
            return [(row_id, self.corpus.everyone[position], "")]
        return [(f"{row_id}.{number}", piece.row, piece.change) for number, piece in enumerate(pieces, start=1)]


def run(request: Request, ports: Ports, evidence: RunFolder) -> DataRecord:
    """Read, check, curate, split and store the data. A failed gate is a record; the user's files are only read.

    Raises:
        DataError: a file cannot be read as data at all, or its format cannot be trained on.
        EnvironmentFault: the store cannot be written.
    """
    config, scratch = request.config, evidence.store.root.parent
    provenance = Provenance(config.columns, _named(request, config.metadata) if config.metadata else None)
    named = [_named(request, source) for source in config.sources]
    sources = load(named, config.format, ports.progress, provenance, scratch)
    test = load([_named(request, str(request.test))] if request.test else [], None, ports.progress, provenance, scratch)
    gold = load([_named(request, str(request.gold))] if request.gold else [], None, ports.progress, provenance, scratch)
    require_trainable([*sources.sources, *test.sources, *gold.sources])
    judged = _judge(request, ports, sources, test, gold, provenance)
    rows, changes = _curated(request, judged)
    shards: dict[str, Sequence[CuratedRow]] = {side: rows[side] for side in _SIDES}
    if request.gold:
        shards["gold"] = _gold(judged)
    curated = store_shards(evidence.store, shards, _dropped_rows(judged), changes)
    stats = _statistics(request, judged)
    gate, reason = _gate(request.config, judged, stats, {side: len(rows[side]) for side in _SIDES})
    return DataRecord(
        gate=gate,
        gate_reason=reason,
        findings=tuple(judged.findings),
        sources=tuple(sources.sources),
        held_out=(*test.sources, *gold.sources),
        metadata=provenance.files,
        stats=stats,
        task=judged.corpus.profile,
        curated=curated,
        splits={side: _frozen(rows[side]) for side in _SIDES},
        template_digest=ports.tokenizer.template_digest if ports.tokenizer else None,
        token_views=token_views(rows["train"], ports.tokenizer) if ports.tokenizer else (),
    )


def _named(request: Request, path: str) -> tuple[Path, str]:
    """The file, and its name in findings: relative to the project where it lies inside."""
    full = (request.project_dir / path).absolute()
    root = request.project_dir.absolute()
    return full, full.relative_to(root).as_posix() if full.is_relative_to(root) else str(full)


def _judge(request: Request, ports: Ports, sources: Loaded, test: Loaded, gold: Loaded, provenance: Provenance) -> _Judged:
    corpus = corpus_of(sources, [test, gold], request.config, provenance, request.commercial)
    rules = Rules(request.config.checks)
    findings = run_checks(corpus, ports.progress, ports.engine)
    dropped = drops(corpus, findings, rules)
    border, everyone = len(corpus.rows), len(corpus.everyone)
    test_rows = range(border, border + len(test.rows))
    gold_rows = range(test_rows.stop, everyone)
    if ports.tokenizer is None:
        return _Judged(corpus, test_rows, gold_rows, rules.applied(findings), dropped, None, rules)
    left = [position for position in range(everyone) if position not in dropped]
    window, fitting = Window(ports.tokenizer, request.max_length), Fitting(request.config, border, rules)
    tokenised = tokenise(corpus.everyone, left, window, fitting, ports.progress)
    found = rules.applied(in_order([*findings, *tokenised.findings]))
    return _Judged(corpus, test_rows, gold_rows, found, dropped | dict(tokenised.drops), tokenised, rules)


def _curated(request: Request, judged: _Judged) -> tuple[dict[SplitName, list[CuratedRow]], dict[str, str]]:
    """The kept rows by side, in the order of the files; and what was changed in those that were too long, by row id."""
    everyone = judged.corpus.everyone
    ids = row_ids(everyone)
    clusters = judged.corpus.index.copy_clusters().tolist()
    own = [p for p in range(len(judged.corpus.rows)) if p not in judged.dropped]
    # A cluster is named after a row that is in it and was kept: the first one.
    names: dict[int, str] = {}
    for position in (*own, *judged.test_rows):
        names.setdefault(clusters[position], ids[position])
    split_config = request.config.splits.model_copy(update={"test_frac": 0.0}) if request.test else request.config.splits
    to_split = [SplitRow(ids[p], names[clusters[p]], _stratum(judged.corpus, p)) for p in own]
    sides = split_rows(to_split, split_config, request.seed)
    result: dict[SplitName, list[CuratedRow]] = {side: [] for side in _SIDES}
    changes: dict[str, str] = {}
    for position in own:
        for row_id, row, change in judged.pieces(position, ids[position]):
            result[sides[ids[position]]].append(_curated_row(row, row_id, names[clusters[position]]))
            if change:
                changes[row_id] = change
    for position in judged.test_rows:
        if position not in judged.dropped:
            result["test"].append(_curated_row(everyone[position], ids[position], names[clusters[position]]))
    return result, changes


def _gold(judged: _Judged) -> list[CuratedRow]:
    """The gold rows that can be asked and graded; each is a cluster of its own."""
    rows = judged.corpus.everyone[judged.gold_rows.start : judged.gold_rows.stop]
    kept = zip(row_ids(rows), judged.gold_rows, rows, strict=True)
    return [_curated_row(row, f"gold-{row_id}", f"gold-{row_id}") for row_id, p, row in kept if p not in judged.dropped]


def _stratum(corpus: Corpus, position: int) -> str:
    """The kind of answer that is spread evenly: the label, or the JSON answer's closed fields."""
    answer = corpus.answers[position]
    if corpus.profile.shape == "labels":
        return answer.key
    if corpus.profile.shape == "json" and answer.fields is not None:
        closed = [name for name, values in corpus.profile.json_fields.items() if values]
        return "\t".join(field_text(answer.fields.get(name)) for name in closed)
    return ""


def _curated_row(row: Row, row_id: str, cluster: str) -> CuratedRow:
    meta = row.meta
    return CuratedRow(
        row_id, row.file, row.line, cluster, row.messages, row.prompt, row.answer, meta.id, meta.source, meta.licence
    )


def _dropped_rows(judged: _Judged) -> list[DroppedRow]:
    corpus = judged.corpus
    faults = (*corpus.faults, *corpus.held_out_faults)
    found = [DroppedRow(f.file, f.line, f.code, f.message, f.text, fate_of(judged.rules, f.code)) for f in faults]
    for position, drop in judged.dropped.items():
        row = corpus.everyone[position]
        found.append(DroppedRow(row.file, row.line, drop.code, drop.reason, f"{row.prompt}\n{row.answer}", drop.fate))
    return sorted(found, key=lambda row: (row.file, row.line, row.code))


def _statistics(request: Request, judged: _Judged) -> DataStats:
    own = {p: drop for p, drop in judged.dropped.items() if p < len(judged.corpus.rows)}
    stats = statistics(judged.corpus, judged.findings, own, judged.rules)
    if judged.tokenised is None:
        return stats
    over_length = Counter(finding.code for finding in judged.findings)[context_length.CODE]
    return stats.model_copy(update={"tokens": token_stats(judged.tokenised, over_length, request.max_length)})


def _gate(config: DataConfig, judged: _Judged, stats: DataStats, sizes: Mapping[SplitName, int]) -> tuple[GateState, str]:
    """The state, and why in plain words with the numbers."""
    blocking = judged.rules.blocking(judged.findings)
    held_out = {row.file for row in judged.corpus.held_out} | {fault.file for fault in judged.corpus.held_out_faults}
    dropped_frac = stats.dropped / stats.rows if stats.rows else 0.0
    problems = judged.rules.failed_tests(judged.findings, stats.rows, held_out)
    if config.policy == "strict" and blocking:
        counted = ", ".join(f"{code} ({n})" for code, n in sorted(blocking.items()))
        problems.append(f"the policy is strict and there are blocking findings: {counted}")
    if dropped_frac > config.max_dropped_frac:
        problems.append(
            f"{stats.dropped} of {stats.rows} rows ({dropped_frac:.0%}) had to be left out; "
            f"max_dropped_frac allows {config.max_dropped_frac:.0%}"
        )
    if sizes["train"] < config.min_train_rows:
        problems.append(f"{sizes['train']} rows are left to train on; min_train_rows asks for {config.min_train_rows}")
    if not sizes["test"]:
        problems.append("no row is left for the frozen test")
    kept = (
        f"{stats.kept} of {stats.rows} rows kept: {sizes['train']} train, {sizes['validation']} validation, {sizes['test']} test"
    )
    return ("failed", "; ".join(problems)) if problems else ("passed", kept)


def _frozen(rows: Sequence[CuratedRow]) -> SplitInfo:
    return SplitInfo(rows=len(rows), digest=rows_digest(rows))
