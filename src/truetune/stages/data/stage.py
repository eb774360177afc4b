"""The data stage: the user's files in; curated, split and frozen rows out, with a reason for every row that is not in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import get_args

from truetune.core.config import DataConfig, KeptTogether, SplitConfig
from truetune.core.ports import NO_READERS, ChatTokenizer, Progress, Readers, RowEngine
from truetune.core.records import (
    DataFormat,
    DataRecord,
    DataStats,
    Finding,
    GateState,
    GoldDistance,
    RowRef,
    SealRecord,
    SplitInfo,
    SplitName,
)
from truetune.core.units import plural
from truetune.evidence.curated import CuratedRow
from truetune.evidence.run_folder import RunFolder
from truetune.project.do_not_train.entries import read_do_not_train
from truetune.stages.data.balance.summary import summary
from truetune.stages.data.checks.leaks import gold_distance
from truetune.stages.data.checks.leaks.frozen import CHANGED, MATES, mates_finding, seal_findings
from truetune.stages.data.checks.personal import do_not_train
from truetune.stages.data.checks.registry import in_order, run_checks
from truetune.stages.data.checks.template import context_length, mask
from truetune.stages.data.corpus import GOLD, TEST, VALIDATION, Corpus
from truetune.stages.data.curation.policy import Drop, drops, fate_of, statistics
from truetune.stages.data.curation.redaction import RedactedRows, Redaction, redaction
from truetune.stages.data.curation.shards import DroppedRow, store_shards
from truetune.stages.data.curation.spool import CuratedSpool
from truetune.stages.data.profile import field_text
from truetune.stages.data.reading.answer_schema import read_schema
from truetune.stages.data.reading.formats import require_trainable
from truetune.stages.data.reading.load import HeldOut, Loaded, corpus_of, load
from truetune.stages.data.reading.sidecar import Provenance
from truetune.stages.data.rows.one_pass import IN_PROCESS
from truetune.stages.data.rows.row import Row, row_ids
from truetune.stages.data.rules import Rules
from truetune.stages.data.splits.cut import Cut, SplitRow, rows_digest, split_rows, unit_names
from truetune.stages.data.splits.declared import own_split
from truetune.stages.data.splits.frozen import ChosenBy, frozen_ids
from truetune.stages.data.splits.groups import keeps_together
from truetune.stages.data.training_rows import replay
from truetune.stages.data.training_rows.over_length import Window
from truetune.stages.data.training_rows.tokens import Fitting, Tokenised, token_stats, token_views, tokenise

UNLEARNED_FRAC = 0.3
"""Where more rows lose their labels, it is the template and not the rows. Source: Unsloth refuses to train from this share on."""
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
        seal: the frozen test of the project; None where none is sealed yet.
        suites: what the model will be asked beside the task, by suite: a replay set must not hold it.
    """

    config: DataConfig
    project_dir: Path
    seed: int
    max_length: int
    gold: Path | None = None
    test: Path | None = None
    commercial: bool | None = None
    seal: SealRecord | None = None
    suites: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Ports:
    """The base model's tokenizer (None: template and lengths stay unmeasured), who hears of progress, who does the row work.

    `readers` are the models that read the data.
    """

    tokenizer: ChatTokenizer | None
    progress: Progress
    engine: RowEngine = IN_PROCESS
    readers: Readers = NO_READERS


@dataclass(frozen=True)
class _Read:
    """All rows that were read: those to be cut, and those that are held out already."""

    sources: Loaded
    validation: HeldOut
    test: HeldOut
    gold: HeldOut
    provenance: Provenance
    chosen_by: ChosenBy

    @property
    def held_out(self) -> tuple[HeldOut, ...]:
        """Validation, test, gold: their order in the corpus."""
        return self.validation, self.test, self.gold


@dataclass(frozen=True)
class _Judged:
    """Everything found: in `corpus.everyone` the rows that are held out follow those of the sources: validation, test, gold.

    The ranges are their positions there; `ids` and `frozen` (the rows of a sealed test) go by position too.
    """

    corpus: Corpus
    ids: Sequence[str]
    validation_rows: range
    test_rows: range
    gold_rows: range
    frozen: frozenset[int]
    findings: list[Finding]
    dropped: dict[int, Drop]
    tokenised: Tokenised | None
    rules: Rules
    redaction: Redaction

    def pieces(self, position: int, row_id: str) -> list[tuple[str, Row, str]]:
        """What is kept of a row: id, row and what was changed; the row as it was given where nothing was."""
        redacted = self.redaction.of(position, self.corpus.everyone[position])
        pieces = self.tokenised.pieces.get(position) if self.tokenised else None
        if pieces is None:
            return [(row_id, redacted.row, redacted.change)]
        changes = [f"{piece.change}; {redacted.change}" if redacted.change else piece.change for piece in pieces]
        return [(f"{row_id}.{n}", piece.row, changes[n - 1]) for n, piece in enumerate(pieces, start=1)]


def run(request: Request, ports: Ports, evidence: RunFolder) -> DataRecord:
    """Read, check, curate, split and store the data. A failed gate is a record; the user's files are only read.

    Raises:
        DataError: a file cannot be read as data at all, or its format cannot be trained on.
        EnvironmentFault: the store cannot be written.
    """
    read = _read(request, ports, evidence.store.root.parent)
    judged = _judge(request, ports, read)
    rows, changes, mates = _curated(request, judged, evidence.store.root.parent)
    sizes = {side: len(rows[side]) for side in _SIDES}
    mixed = _replay(request, ports, judged, rows)
    why = {judged.ids[position]: drop.code for position, drop in judged.dropped.items()}
    judged.dropped.update(mates)
    gold, near = _gold_distance(request, judged, rows["train"])
    of_the_sides = [
        *seal_findings(request.seal, rows["test"], why),
        *mates_finding([judged.corpus.everyone[position] for position in mates]),
        *near,
        *(mixed.findings if mixed else ()),
    ]
    judged.findings.extend(judged.rules.applied(of_the_sides))
    if mixed:
        rows["train"].extend(mixed.rows)
    shards: dict[str, Sequence[CuratedRow]] = {side: rows[side] for side in _SIDES}
    if request.gold:
        shards["gold"] = _gold(judged)
    curated = store_shards(evidence.store, shards, chain(_dropped_rows(judged), mixed.dropped if mixed else ()), changes)
    stats = _statistics(request, judged)
    gate, reason = _gate(request.config, judged, stats, sizes)
    return DataRecord(
        gate=gate,
        gate_reason=reason,
        findings=tuple(judged.corpus.readable(in_order(judged.findings))),
        sources=tuple(read.sources.sources),
        held_out=tuple(source for side in read.held_out for source in side.sources),
        metadata=read.provenance.files,
        stats=stats,
        task=judged.corpus.profile,
        curated=curated,
        splits={side: _frozen(rows[side]) for side in _SIDES},
        do_not_train=judged.corpus.do_not_train.digest if judged.corpus.do_not_train else None,
        test_chosen_by=read.chosen_by,
        gold=gold,
        template_digest=ports.tokenizer.template_digest if ports.tokenizer else None,
        token_views=token_views(rows["train"], ports.tokenizer) if ports.tokenizer else (),
        balance=summary(judged.corpus.balance),
        sizing=judged.corpus.sizing,
        replay=mixed.info if mixed else None,
    )


def _read(request: Request, ports: Ports, scratch: Path) -> _Read:
    """The files, and what is held out from them: by the user's own `split`, or by files of its own."""
    config = request.config
    provenance = Provenance(config.columns, _named(request, config.metadata) if config.metadata else None)

    def read(paths: Iterable[str | Path | None], name: DataFormat | None = None) -> Loaded:
        named = [_named(request, str(path)) for path in paths if path is not None]
        return load(named, name, ports.progress, provenance, scratch)

    everything = read(config.sources, config.format)
    validation, test, gold = read([config.splits.validation]), read([request.test]), read([request.gold])
    require_trainable([source for loaded in (everything, validation, test, gold) for source in loaded.sources])
    own = own_split(everything, scratch)
    chosen_by: ChosenBy = "file" if request.test else "column" if len(own.test) else "cut"
    return _Read(
        own.train,
        HeldOut(VALIDATION, (Loaded((), (), own.validation, ()), validation)),
        HeldOut(TEST, (Loaded((), (), own.test, ()), test)),
        HeldOut(GOLD, (gold,)),
        provenance,
        chosen_by,
    )


def _named(request: Request, path: str) -> tuple[Path, str]:
    """The file, and its name in findings: relative to the project where it lies inside."""
    full = (request.project_dir / path).absolute()
    root = request.project_dir.absolute()
    return full, full.relative_to(root).as_posix() if full.is_relative_to(root) else str(full)


def _judge(request: Request, ports: Ports, read: _Read) -> _Judged:
    schema = read_schema(*_named(request, request.config.answer_schema)) if request.config.answer_schema else ""
    listed = read_do_not_train(request.config.do_not_train, request.project_dir)
    corpus = corpus_of(
        read.sources,
        read.held_out,
        request.config,
        read.provenance,
        request.commercial,
        schema,
        do_not_train=listed,
        readers=ports.readers,
    )
    rules = Rules(request.config.checks)
    border, everyone = len(corpus.rows), len(corpus.everyone)
    validation_rows, test_rows, gold_rows = (positions for _, positions in corpus.sides)
    ids = _ids(corpus, test_rows)
    sealed = frozen_ids(request.seal) if read.chosen_by == "cut" else frozenset()
    frozen = frozenset(position for position in range(border) if ids[position] in sealed) if sealed else frozenset()
    findings = run_checks(corpus, ports.progress, ports.engine)
    dropped, redacted = drops(corpus, findings, rules, frozen), redaction(corpus, findings, rules)
    for position, entry in do_not_train.listed_rows(corpus, validation_rows):
        dropped[position] = Drop(do_not_train.CODE, do_not_train.said_of(entry))
    tokenised = None
    if ports.tokenizer is not None:
        left = [position for position in range(everyone) if position not in dropped]
        window, fitting = Window(ports.tokenizer, request.max_length), Fitting(request.config, border, rules)
        tokenised = tokenise(RedactedRows(corpus.everyone, redacted), left, window, fitting, ports.progress)
        findings = in_order([*findings, *tokenised.findings])
        dropped |= dict(tokenised.drops)
    return _Judged(
        corpus=corpus,
        ids=ids,
        validation_rows=validation_rows,
        test_rows=test_rows,
        gold_rows=gold_rows,
        frozen=frozen,
        findings=rules.applied(findings),
        dropped=dropped,
        tokenised=tokenised,
        rules=rules,
        redaction=redacted,
    )


def _ids(corpus: Corpus, test_rows: range) -> list[str]:
    """An id for each position. Of rows that are the same the user's test rows are named first: training changes no test's id."""
    ids = row_ids(_test_first(corpus, test_rows))
    tests, others = ids[: len(test_rows)], ids[len(test_rows) :]
    return [*others[: test_rows.start], *tests, *others[test_rows.start :]]


def _test_first(corpus: Corpus, test_rows: range) -> Iterator[Row]:
    yield from (corpus.everyone[position] for position in test_rows)
    yield from (row for position, row in enumerate(corpus.everyone) if position not in test_rows)


def _curated(
    request: Request, judged: _Judged, scratch: Path
) -> tuple[dict[SplitName, CuratedSpool], dict[str, str], dict[int, Drop]]:
    """The kept rows by side, in the order of the files; what was changed in rows that were too long, by id; and the rows that
    are left out because they belong with a row of the frozen test.
    """
    ids = judged.ids
    own = [position for position in range(len(judged.corpus.rows)) if position not in judged.dropped]
    held = [position for position in (*judged.validation_rows, *judged.test_rows) if position not in judged.dropped]
    to_split = _split_rows(judged, own)
    cut = split_rows(to_split, _shares(request, judged), request.seed, {ids[position] for position in judged.frozen})
    units = unit_names([*to_split, *_split_rows(judged, held)])
    result = {side: CuratedSpool(scratch) for side in _SIDES}
    changes: dict[str, str] = {}
    for position in (position for position in own if ids[position] in cut.sides):
        for row_id, row, change in judged.pieces(position, ids[position]):
            result[cut.sides[ids[position]]].append(_curated_row(row, row_id, units[ids[position]]))
            if change:
                changes[row_id] = change
    for position in held:
        side: SplitName = "test" if position in judged.test_rows else "validation"
        result[side].append(_curated_row(judged.corpus.everyone[position], ids[position], units[ids[position]]))
    return result, changes, _mates(judged, own, cut)


def _shares(request: Request, judged: _Judged) -> SplitConfig:
    """What is still to be cut: a side that the user has made is not."""
    made = {"test_frac": judged.test_rows, "validation_frac": judged.validation_rows}
    return request.config.splits.model_copy(update={name: 0.0 for name, rows in made.items() if len(rows)})


def _mates(judged: _Judged, own: Sequence[int], cut: Cut) -> dict[int, Drop]:
    """The rows that belong with a row of the frozen test, each with that row."""
    if not cut.left_out:
        return {}
    position_of = {judged.ids[position]: position for position in judged.frozen}
    mates = {}
    for position in own:
        if (frozen := cut.left_out.get(judged.ids[position])) is not None:
            row = judged.corpus.rows[position_of[frozen]]
            mates[position] = Drop(MATES.code, f"it belongs with a row of the frozen test: {row.file}, line {row.line}")
    return mates


def _split_rows(judged: _Judged, positions: Sequence[int]) -> list[SplitRow]:
    corpus, clusters = judged.corpus, judged.corpus.index.copy_clusters().tolist()
    fields = [field for field in get_args(KeptTogether) if _keeps_together(corpus, field)]
    # A whole class that asks one question is not kept together: the other sides would have none of it.
    certain = [cluster for cluster in corpus.rephrased if cluster.is_certain]
    question = {position: f"question {number}" for number, cluster in enumerate(certain) for position in cluster.positions}
    rows = []
    for position in positions:
        meta = corpus.everyone[position].meta
        together = tuple(f"{field} {value}" for field in fields if (value := meta.together(field)) is not None)
        together += (question[position],) if position in question else ()
        cluster, stratum = judged.ids[clusters[position]], _stratum(corpus, position)
        rows.append(SplitRow(judged.ids[position], cluster, stratum, together, meta.time))
    return rows


def _keeps_together(corpus: Corpus, field: KeptTogether) -> bool:
    values = (value for row in corpus.rows if (value := row.meta.together(field)) is not None)
    return keeps_together(field, values, corpus.splits, corpus.declared)


def _replay(
    request: Request, ports: Ports, judged: _Judged, rows: Mapping[SplitName, Sequence[CuratedRow]]
) -> replay.Mixed | None:
    """The general rows for the training side; None where the config asks for none, or their tokens cannot be counted.

    Raises:
        DataError: the source cannot be read as data at all.
    """
    wanted = request.config.replay
    if wanted is None or ports.tokenizer is None or judged.tokenised is None:
        return None
    corpus = judged.corpus
    gold = [row.prompt for row in corpus.everyone[judged.gold_rows.start : judged.gold_rows.stop]]
    asked = replay.Request(
        wanted=wanted,
        config=request.config,
        path=_named(request, wanted.source),
        seed=request.seed,
        task_tokens=_tokens_of(judged, judged.tokenised, rows["train"]),
        task=corpus.rows,
        suites={**{side: [row.prompt for row in rows[side]] for side in ("validation", "test")}, "gold": gold, **request.suites},
        rules=judged.rules,
        do_not_train=corpus.do_not_train,
    )
    return replay.mix_in(asked, Window(ports.tokenizer, request.max_length), ports.progress)


def _tokens_of(judged: _Judged, tokenised: Tokenised, rows: Sequence[CuratedRow]) -> tuple[int, int]:
    """Tokens, and trained tokens, of rows of the sources."""
    wanted = {(row.file, row.line) for row in rows}
    kept = ((p, row) for p, row in enumerate(judged.corpus.everyone) if p not in judged.dropped)
    # A row that was too long may have become several pieces, each counted by itself.
    places = ((row.file, row.line) for p, row in kept for _ in tokenised.pieces.get(p, (None,)))
    counts = zip(places, tokenised.tokens, tokenised.trained_tokens, strict=True)
    chosen = [(tokens, trained) for place, tokens, trained in counts if place in wanted]
    return sum(tokens for tokens, _ in chosen), sum(trained for _, trained in chosen)


def _gold_distance(request: Request, judged: _Judged, train: Sequence[CuratedRow]) -> tuple[GoldDistance | None, list[Finding]]:
    """How far the gold set is from what will be trained on, where the project has one."""
    if request.gold is None:
        return None, []
    corpus = judged.corpus
    places = (corpus.rows.position(RowRef(file=row.file, line=row.line)) for row in train)
    rows = sorted({position for position in places if position is not None})
    found = gold_distance.nearest(corpus, [p for p in judged.gold_rows if p not in judged.dropped], rows)
    measured = gold_distance.distance(found, len(rows))
    return measured, gold_distance.findings(corpus, found, measured)


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


def _dropped_rows(judged: _Judged) -> Iterator[DroppedRow]:
    """By file, line and code; each made when it is written: a quarter of all rows may be among them."""
    corpus = judged.corpus
    faults = (*corpus.faults, *corpus.held_out_faults)
    places = [(fault.file, fault.line, fault.code, number, -1) for number, fault in enumerate(faults)]
    for position, drop in judged.dropped.items():
        ref = corpus.everyone[position].ref
        places.append((ref.file, ref.line, drop.code, -1, position))
    for file, line, code, number, position in sorted(places):
        if position < 0:
            fault = faults[number]
            text = corpus.shown(fault.text, None)
            yield DroppedRow(file, line, code, fault.message, text, fate_of(judged.rules, code))
        else:
            row, drop = corpus.everyone[position], judged.dropped[position]
            text = corpus.shown(f"{row.prompt}\n{row.answer}", position)
            yield DroppedRow(file, line, code, drop.reason, text, drop.fate)


def _statistics(request: Request, judged: _Judged) -> DataStats:
    own = {p: drop for p, drop in judged.dropped.items() if p < len(judged.corpus.rows)}
    stats = statistics(judged.corpus, judged.findings, own, judged.rules, judged.redaction.positions)
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
            f"{stats.dropped:,} of {plural(stats.rows, 'row')} ({dropped_frac:.0%}) had to be left out; "
            f"max_dropped_frac allows {config.max_dropped_frac:.0%}"
        )
    unlearned = sum(finding.code == mask.CODE for finding in judged.findings)
    looked_at = stats.rows - stats.dropped + unlearned
    if looked_at and unlearned > UNLEARNED_FRAC * looked_at:
        problems.append(
            f"{unlearned:,} of {plural(looked_at, 'row')} {'has' if unlearned == 1 else 'have'} an answer of which nothing, "
            f"or not the end, would be trained ({mask.CODE}): the chat template does not fit this training"
        )
    if sizes["train"] < config.min_train_rows:
        problems.append(
            f"{plural(sizes['train'], 'row')} {'is' if sizes['train'] == 1 else 'are'} left to train on; "
            f"min_train_rows asks for {config.min_train_rows}"
        )
    if not sizes["test"]:
        problems.append("no row is left for the frozen test")
    problems += [f.message for f in judged.findings if f.code == CHANGED.code and f.severity == "block"]
    kept = (
        f"{stats.kept:,} of {plural(stats.rows, 'row')} kept: {sizes['train']:,} train, {sizes['validation']:,} validation, "
        f"{sizes['test']:,} test"
    ) + (f"; {plural(stats.redacted, 'row')} redacted" if stats.redacted else "")
    return ("failed", "; ".join(problems)) if problems else ("passed", kept)


def _frozen(rows: Sequence[CuratedRow]) -> SplitInfo:
    return SplitInfo(rows=len(rows), digest=rows_digest(rows))
