"""Records as words for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from truetune.cli.findings import printable
from truetune.core.records import (
    BaseRecord,
    DataBalance,
    DataRecord,
    DataSizing,
    DataStats,
    DiagnosisRecord,
    DoctorRecord,
    EvaluationRecord,
    PlanRecord,
    Record,
    RunComparison,
    Score,
    TrainRecord,
    VerdictRecord,
)
from truetune.core.units import plural

if TYPE_CHECKING:
    from rich.console import Console

_GIB = 1 << 30


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def gib(size_bytes: float) -> str:
    """A size in GiB, with one decimal place."""
    return f"{size_bytes / _GIB:.1f} GiB"


def summary(record: Record) -> str:
    """What the stage found, in one line."""
    for kind, text in _SUMMARIES:
        if isinstance(record, kind):
            return text(record)
    return ""


def _doctor(r: DoctorRecord) -> str:
    gpu = f"{len(r.environment.gpus)} GPU" if r.environment.gpus else "no GPU"
    return f"{r.environment.cores} cores, {gib(r.environment.memory_available_bytes)} free memory, {gpu}, {r.precision}"


def _base(r: BaseRecord) -> str:
    licence = r.licence.spdx or "unknown"
    return f"{r.model}: {r.parameters / 1e6:.0f} M parameters, licence {licence}, context {r.context_length_tokens}"


def unique_rows(stats: DataStats) -> str:
    """How many rows are really different: from where rephrasings count once too, to where copies alone do."""
    most = stats.effective_unique
    fewest = stats.effective_unique_range[0] if stats.effective_unique_range else most
    return f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"


def _data(r: DataRecord) -> str:
    splits = " / ".join(f"{r.splits[name].rows:,}" for name in ("train", "validation", "test") if name in r.splits)
    found = Counter(f.severity for f in r.findings)
    return (
        f"{plural(r.stats.rows, 'row')} in, {r.stats.kept:,} kept ({splits} train/validation/test), "
        f"about {unique_rows(r.stats)} really different; "
        f"{plural(found['block'], 'fault')}, {plural(found['warn'], 'warning')}{_replay(r)}"
    )


def _replay(r: DataRecord) -> str:
    return f"; {plural(r.replay.rows, 'replay row')}, {r.replay.share_tokens:.1%} of the tokens" if r.replay else ""


def _plan(r: PlanRecord) -> str:
    return f"{r.steps} steps, about {duration(r.train_s)} of training, {gib(r.memory_bytes)} memory, {gib(r.disk_bytes)} disk"


def _train(r: TrainRecord) -> str:
    resumed = f", resumed from step {r.resumed_from_step}" if r.resumed_from_step else ""
    return f"{r.steps} steps, {r.tokens_per_s:.0f} tokens/s, peak memory {gib(r.peak_memory_bytes)}{resumed}"


def _diagnose(r: DiagnosisRecord) -> str:
    return r.summary


def _evaluate(r: EvaluationRecord) -> str:
    states = Counter(c.state for c in r.criteria)
    return f"criteria: {states['met']} met, {states['broken']} broken, {states['not_measured']} not measured"


def _verdict(r: VerdictRecord) -> str:
    return r.verdict


_SUMMARIES: tuple[tuple[type[Record], Callable[..., str]], ...] = (
    (DoctorRecord, _doctor),
    (BaseRecord, _base),
    (DataRecord, _data),
    (PlanRecord, _plan),
    (TrainRecord, _train),
    (DiagnosisRecord, _diagnose),
    (EvaluationRecord, _evaluate),
    (VerdictRecord, _verdict),
)


def balance(record: DataBalance, sizing: DataSizing | None) -> str:
    """What the rows teach as a whole, in one line: enough of them, labels, openings, topics, languages."""
    parts = []
    if sizing:
        have = f"{sizing.have_low:,}" if sizing.have_low == sizing.have_high else f"{sizing.have_low:,} to {sizing.have_high:,}"
        parts.append(f"{sizing.verdict} for {sizing.job} ({have} {sizing.unit})")
    for labels in record.labels[:2]:
        named = f"{labels.field}: " if labels.field else ""
        most = printable(labels.values[0].name)[:24]
        parts.append(f"{named}{labels.classes} values, “{most}” {labels.values[0].frac:.0%}, rarest {labels.rarest.rows}")
    if record.openings:
        parts.append(f"“{printable(record.openings[0].name)[:32]}” begins {record.openings[0].frac:.0%} of the answers")
    if record.topics:
        parts.append(f"{len(record.topics)} topics, largest {record.topics[0].frac:.0%}")
    if record.languages:
        parts.append(", ".join(f"{share.name} {share.frac:.0%}" for share in record.languages[:3]))
    return "; ".join(parts) or "nothing to compare"


def score_of(record: EvaluationRecord, candidate: str, suite: str = "test", metric: str = "task_success") -> Score | None:
    """One score of the evaluation, if it was made."""
    wanted = (candidate, suite, metric)
    return next((s for s in record.scores if (s.candidate, s.suite, s.metric) == wanted), None)


def verdict(console: Console, record: VerdictRecord, report: str, run_id: str) -> None:
    """The block that ends a run: verdict, why, the numbers, where the report is, what to do next."""
    style = {"release": "bold green", "hold": "bold yellow", "do not fine-tune": "bold red"}[record.verdict]
    console.print()
    console.print(f"verdict   {record.verdict}", style=style)
    console.print(f"          {record.headline}")
    for reason in record.reasons:
        console.print(f"  - {reason}")
    for change in record.would_change:
        console.print(f"  would change it: {change}")
    numbers = [f"{name} {value:.0%}" for name, value in record.numbers.items() if value is not None]
    if numbers:
        console.print(f"success   {' → '.join(numbers)}")
    console.print(f"report    {report}")
    console.print(f"next      truetune verify {run_id}")


def comparison(console: Console, record: RunComparison) -> None:
    """What changed, what moved, and whether it is real."""
    console.print(f"compare   {record.run_a} (a) → {record.run_b} (b)")
    for change in record.config_changes:
        console.print(f"changed   {change.key}: {change.a} → {change.b}")
    same = {True: "the same", False: "different", None: "not known"}
    splits = ", ".join(f"{name} {same[is_same]}" for name, is_same in record.splits_same.items())
    console.print(
        f"data      {same[record.data_same]} ({splits}); base model {same[record.base_same]}; adapter {same[record.adapter_same]}"
    )
    for moved in record.differences:
        c = moved.comparison
        console.print(
            f"moved     {c.candidate}, {c.metric} on {c.suite}: {moved.a:.1%} → {moved.b:.1%}, difference {c.difference:+.1%}"
            f" [{c.interval.low:+.1%}, {c.interval.high:+.1%}], n = {c.n}"
        )
        console.print(f"real?     {moved.real}: {moved.reason}", style={"yes": "bold", "no": None}.get(moved.real, "yellow"))
    for time in record.times:
        if time.a_s is not None and time.b_s is not None:
            console.print(f"time      {time.what}: {duration(time.a_s)} → {duration(time.b_s)}")
    console.print(f"verdict   {record.verdict_a or 'none'} → {record.verdict_b or 'none'}")
    console.print(f"summary   {record.summary}")
