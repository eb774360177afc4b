"""Replay: general instructions mixed into the training rows by share of tokens, none of which the task or a test already has."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from truetune.core.config import DataConfig, ReplayConfig
from truetune.core.ports import Progress
from truetune.core.records import Finding, ReplayInfo, RowRef
from truetune.core.sensitive.masking import excerpt
from truetune.core.text import words
from truetune.core.units import plural
from truetune.evidence.curated import CuratedRow
from truetune.project.do_not_train.entries import DoNotTrainList
from truetune.stages.data.checks.base import RowCheck
from truetune.stages.data.checks.duplicates import exact as exact_duplicates
from truetune.stages.data.checks.duplicates import near as near_duplicates
from truetune.stages.data.checks.personal import do_not_train, secrets
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.curation.policy import Drop
from truetune.stages.data.curation.shards import DroppedRow
from truetune.stages.data.neighbours import SimilarityIndex
from truetune.stages.data.reading.formats import require_trainable
from truetune.stages.data.reading.load import Loaded, corpus_of, load
from truetune.stages.data.reading.sidecar import Provenance
from truetune.stages.data.rows.one_pass import IN_PROCESS, look_at_rows
from truetune.stages.data.rows.row import Row, row_ids
from truetune.stages.data.rules import Rules
from truetune.stages.data.training_rows.over_length import Window
from truetune.stages.data.training_rows.tokens import Fitting, tokenise

SHARE_CODE, LEAK_CODE, DUPLICATE_CODE, LICENCE_CODE = (
    "data.replay.share",
    "data.replay.leak",
    "data.replay.duplicate",
    "data.replay.licence",
)
SHARE_MIN, SHARE_MAX = 0.05, 0.2
"""Source: 5 % of replayed tokens kept the loss on earlier data under a weak shift of distribution (Ibrahim et al. 2024,
2403.08763); above 20 % of the tokens the task itself is learned on less than four fifths of what is paid for (ours)."""
_SHARE_SLACK = 0.005
"""Whole rows seldom meet a share exactly; half a point, or one row, is no finding."""
_NEAR_ENOUGH = 0.98
"""Of the tokens that are wanted: no further rows are tokenised to come nearer."""
QUOTED_WORDS_MIN = 5
"""An evaluation item of at least so many words that stands word for word inside a replay row is a leak. Source: ours:
shorter ones are everyday phrases."""
_BATCH_ROWS, _QUERIED_ROWS = 64, 1 << 15
_SHOWN = 50

Tokens = tuple[int, int]
"""Tokens of a row, and how many of them are trained."""


@dataclass(frozen=True)
class Request:
    """What is mixed into what.

    Attributes:
        wanted: source, share, licence.
        config: how the task's own rows are judged.
        path: the source, and how findings name it.
        seed: decides which rows are drawn.
        task_tokens: tokens and trained tokens of the task's training rows.
        task: rows of the task, by position; replay must not repeat them.
        suites: texts that the model will be evaluated on, by suite; replay must not hold them.
        rules: what the config says of each check.
        do_not_train: what must never be trained on, replay included; None where the project has no list.
    """

    wanted: ReplayConfig
    config: DataConfig
    path: tuple[Path, str]
    seed: int
    task_tokens: Tokens
    task: Sequence[Row]
    suites: Mapping[str, Sequence[str]]
    rules: Rules
    do_not_train: DoNotTrainList | None = None


@dataclass(frozen=True)
class Mixed:
    """The rows that are mixed in, what was left out and why, and what is to be said about it."""

    rows: list[CuratedRow]
    dropped: list[DroppedRow]
    findings: list[Finding]
    info: ReplayInfo


def mix_in(request: Request, window: Window, progress: Progress) -> Mixed:
    """Draw replay rows until they hold their share of the tokens, or there are no more.

    Raises:
        DataError: the source cannot be read as data at all, or its format cannot be trained on.
    """
    provenance = Provenance(request.config.columns)
    loaded = load([request.path], None, progress, provenance)
    require_trainable(loaded.sources)
    corpus = corpus_of(loaded, [], request.config, provenance, do_not_train=request.do_not_train)
    drops = _unusable(request, corpus, progress)
    drawn, too_hard = _drawn(request, corpus, drops, window, progress)
    drops |= too_hard
    info = _info(request, loaded, drops, list(drawn.values()))
    findings = [*_findings(corpus, drops), *_share_findings(info), *_licence_findings(info)]
    return Mixed(_curated(corpus, drawn), _dropped_rows(loaded, corpus, drops), findings, info)


def _unusable(request: Request, corpus: Corpus, progress: Progress) -> dict[int, Drop]:
    """Rows that cannot be mixed in, by position, each with the first reason that applies."""
    listed = do_not_train.listed_rows(corpus, range(len(corpus.rows)))
    found = {position: Drop(do_not_train.CODE, do_not_train.said_of(entry)) for position, entry in listed}
    for finding in _secrets(corpus, progress):
        for ref in finding.rows:
            position = corpus.rows.position(ref)
            if position is not None:
                found.setdefault(position, Drop(secrets.CODE, finding.message))
    for position, reason in _leaks(corpus.rows, request.suites):
        found.setdefault(position, Drop(LEAK_CODE, reason))
    for position, reason in _repeats(corpus.rows, request.task):
        found.setdefault(position, Drop(DUPLICATE_CODE, reason))
    kept_of_cluster: dict[int, int] = {}
    for position, first in enumerate(corpus.index.copy_clusters().tolist()):
        kept = kept_of_cluster.setdefault(first, position) if position not in found else position
        if kept != position:
            code = exact_duplicates.CODE if corpus.rows[kept].context == corpus.rows[position].context else near_duplicates.CODE
            found[position] = Drop(code, f"the same instruction stands earlier: line {corpus.rows[kept].line}")
    return found


def _secrets(corpus: Corpus, progress: Progress) -> Iterable[Finding]:
    check: RowCheck[object] = secrets.CHECK
    return check.conclude(corpus, look_at_rows(corpus, [check.look], progress, IN_PROCESS)[check.look])


def _leaks(rows: Sequence[Row], suites: Mapping[str, Sequence[str]]) -> Iterator[tuple[int, str]]:
    """Rows that ask what an evaluation item asks, or hold it word for word."""
    items = [(name, text) for name, texts in suites.items() for text in texts]
    if not items:
        return
    pairs = SimilarityIndex(text for _, text in items).query(row.context for row in rows)
    for left, right in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True):
        yield left, f"it asks what an item of the evaluation asks ({items[right][0]})"
    quoted = _Quotes(items)
    for position, row in enumerate(rows):
        name = quoted.within(row)
        if name:
            yield position, f"it holds an item of the evaluation word for word ({name})"


class _Quotes:
    """Finds texts inside others, by their first words."""

    def __init__(self, items: Iterable[tuple[str, str]]) -> None:
        self._by_start: defaultdict[tuple[str, ...], list[tuple[list[str], str]]] = defaultdict(list)
        for name, text in items:
            found = words(text)
            if len(found) >= QUOTED_WORDS_MIN:
                self._by_start[tuple(found[:QUOTED_WORDS_MIN])].append((found, name))

    def within(self, row: Row) -> str:
        """The suite of an item that a turn of the row holds; empty where there is none."""
        for message in row.messages:
            found = words(message["content"])
            for start in range(len(found) - QUOTED_WORDS_MIN + 1):
                for item, name in self._by_start.get(tuple(found[start : start + QUOTED_WORDS_MIN]), ()):
                    if found[start : start + len(item)] == item:
                        return name
        return ""


def _repeats(rows: Sequence[Row], task: Sequence[Row]) -> Iterator[tuple[int, str]]:
    if not rows or not task:
        return
    # The task's own index has no say here: it leaves out what its prompts share, which replay rows do not have.
    index = SimilarityIndex(row.context for row in rows)
    for start in range(0, len(task), _QUERIED_ROWS):
        pairs = index.query(row.context for row in task[start : start + _QUERIED_ROWS])
        for left, right in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True):
            place = task[start + left].ref
            yield right, f"it asks what a row of the task asks: {place.file}, line {place.line}"


def _drawn(
    request: Request, corpus: Corpus, drops: Mapping[int, Drop], window: Window, progress: Progress
) -> tuple[dict[int, Tokens], dict[int, Drop]]:
    """Rows in the order of the seed until their tokens are the share that was asked for; and those that the template or the
    length refused on the way.
    """
    wanted = request.wanted.share / (1 - request.wanted.share) * request.task_tokens[0]
    ids = row_ids(corpus.rows)
    order = sorted((p for p in range(len(ids)) if p not in drops), key=lambda p: _draw_key(request.seed, ids[p]))
    taken: dict[int, Tokens] = {}
    refused: dict[int, Drop] = {}
    tokens = 0
    for start in range(0, len(order), _BATCH_ROWS):
        batch = order[start : start + _BATCH_ROWS]
        counted = tokenise(corpus.rows, batch, window, Fitting(request.config, 0, request.rules), progress)
        refused |= counted.drops
        usable = (position for position in batch if position not in counted.drops)
        for position, both in zip(usable, zip(counted.tokens, counted.trained_tokens, strict=True), strict=True):
            # The row that would overshoot is left to a shorter one.
            if tokens + both[0] <= wanted:
                taken[position] = both
                tokens += both[0]
        if tokens >= _NEAR_ENOUGH * wanted:
            break
    return taken, refused


def _draw_key(seed: int, row_id: str) -> str:
    return hashlib.sha256(f"replay:{seed}:{row_id}".encode()).hexdigest()


def _curated(corpus: Corpus, drawn: Collection[int]) -> list[CuratedRow]:
    ids = [f"replay-{row_id}" for row_id in row_ids(corpus.rows)]
    rows = ((ids[p], corpus.rows[p]) for p in sorted(drawn))
    return [
        CuratedRow(i, row.file, row.line, i, row.messages, row.prompt, row.answer, row.meta.id, row.meta.source, origin="replay")
        for i, row in rows
    ]


def _dropped_rows(loaded: Loaded, corpus: Corpus, drops: Mapping[int, Drop]) -> list[DroppedRow]:
    found = [DroppedRow(f.file, f.line, f.code, f.message, f.text) for f in loaded.faults]
    for position, drop in drops.items():
        row = corpus.rows[position]
        found.append(DroppedRow(row.file, row.line, drop.code, drop.reason, f"{row.prompt}\n{row.answer}"))
    return found


def _info(request: Request, loaded: Loaded, drops: Mapping[int, Drop], drawn: Sequence[Tokens]) -> ReplayInfo:
    tokens, trained = sum(one for one, _ in drawn), sum(one for _, one in drawn)
    unreadable = {fault.line: fault.code for fault in reversed(loaded.faults)}
    return ReplayInfo(
        source=loaded.sources[0],
        licence=request.wanted.licence,
        seed=request.seed,
        share_asked=request.wanted.share,
        share_tokens=round(tokens / max(1, tokens + request.task_tokens[0]), 4),
        share_trained=round(trained / max(1, trained + request.task_tokens[1]), 4),
        rows=len(drawn),
        tokens=tokens,
        task_tokens=request.task_tokens[0],
        offered=loaded.sources[0].rows,
        dropped_by_code=dict(sorted((Counter(d.code for d in drops.values()) + Counter(unreadable.values())).items())),
    )


def _findings(corpus: Corpus, drops: Mapping[int, Drop]) -> Iterator[Finding]:
    """One for all rows that must not be trained on, one for all that repeat the evaluation, one for all that repeat the task."""
    listed = sorted(p for p, drop in drops.items() if drop.code == do_not_train.CODE)
    if listed:
        yield Finding(
            code=do_not_train.CODE,
            severity="note",
            message=f"of the replay set {_rows(listed)} on the do-not-train list, and passed over",
            rows=tuple(corpus.refs(listed[:_SHOWN])),
            evidence={"reasons": [drops[p].reason for p in listed[:5]], "rows": len(listed)},
            fix="nothing to do for this run; clean the replay set before others use it",
        )
    leaked = sorted(p for p, drop in drops.items() if drop.code == LEAK_CODE)
    if leaked:
        yield Finding(
            code=LEAK_CODE,
            severity="warn",
            message=f"of the replay set {_rows(leaked)} left out: what the model will be evaluated on is repeated",
            rows=corpus.refs(leaked),
            evidence={
                "prompts": [excerpt(corpus.rows[p].prompt) for p in leaked[:5]],
                "reasons": [drops[p].reason for p in leaked[:5]],
            },
            fix="nothing to do for this run; take another replay set if many of its rows are evaluation items",
        )
    repeated = sorted(p for p, drop in drops.items() if drop.code == DUPLICATE_CODE)
    if repeated:
        yield Finding(
            code=DUPLICATE_CODE,
            severity="note",
            message=f"of the replay set {_rows(repeated)} left out: rows of the task are repeated",
            rows=tuple(corpus.refs(repeated[:_SHOWN])),
            evidence={"prompts": [excerpt(corpus.rows[p].prompt) for p in repeated[:5]], "rows": len(repeated)},
            fix="nothing to do; replay is for what the task does not ask",
        )


def _share_findings(info: ReplayInfo) -> Iterator[Finding]:
    evidence = {"share_asked": info.share_asked, "share_tokens": info.share_tokens, "rows": info.rows, "offered": info.offered}
    place = (RowRef(file=info.source.path, line=1),)
    one_row = info.tokens / max(1, info.rows) / max(1, info.tokens + info.task_tokens)
    if info.share_tokens < info.share_asked - max(_SHARE_SLACK, one_row):
        yield Finding(
            code=SHARE_CODE,
            severity="warn",
            message=f"the replay set gives {info.share_tokens:.1%} of the training tokens; {info.share_asked:.1%} were asked for",
            rows=place,
            evidence=evidence,
            fix="give data.replay.source more usable rows, or set data.replay.share to what there is",
        )
    elif not SHARE_MIN - _SHARE_SLACK <= info.share_tokens <= SHARE_MAX + _SHARE_SLACK:
        yield Finding(
            code=SHARE_CODE,
            severity="warn",
            message=f"{info.share_tokens:.1%} of the training tokens are replay; {SHARE_MIN:.0%} to {SHARE_MAX:.0%} is usual",
            rows=place,
            evidence=evidence,
            fix=f"set data.replay.share between {SHARE_MIN} and {SHARE_MAX}",
        )


def _licence_findings(info: ReplayInfo) -> Iterator[Finding]:
    if info.licence is None:
        yield Finding(
            code=LICENCE_CODE,
            severity="note",
            message="no licence is stated for the replay set",
            rows=(RowRef(file=info.source.path, line=1),),
            fix="set data.replay.licence, as text: it goes into the record and the report",
        )


def _rows(positions: Sequence[int]) -> str:
    return f"{plural(len(positions), 'row')} {'is' if len(positions) == 1 else 'are'}"
