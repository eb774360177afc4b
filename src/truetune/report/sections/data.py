"""5. The data: where each row went and why, how many really differ, what the gate found, what the model found hard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from truetune.core.records import DOUBTING_CODES, DataRecord, Finding, HardRow, RowRef, SpotCheckRecord
from truetune.core.units import plural
from truetune.report import charts, wording
from truetune.report.bundle import Flow, ReportBundle
from truetune.report.charts import Ribbon
from truetune.report.diffing import Field, Segment, fields_of, word_diff
from truetune.report.evidence_text import marks_of
from truetune.report.sections import balance
from truetune.report.sections.findings import SHOWN_ELSEWHERE, FindingGroup, RowView, group_findings, row_view
from truetune.report.shown import Shown

_MOST_SOURCES = 6
_MOST_REASONS = 9
_MOST_SIDES = 4
_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Side:
    """One answer of a contradiction: as fields where it is JSON, else as text."""

    row: RowView
    fields: tuple[Field, ...]
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Conflict:
    """Rows that ask the same and answer differently."""

    prompt: str
    sides: tuple[Side, ...]
    left_out: int


@dataclass(frozen=True)
class HardView:
    """A training row that the trained model still finds unlikely. `doubts` is what the data gate said against its answer."""

    row: RowView
    loss: str
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class DataView:
    """What came in, what stayed, and what is wrong with it."""

    gate: str
    gate_reason: str
    facts: tuple[tuple[str, str, str], ...]
    spotcheck: str
    flow: Markup | None
    histogram: Markup | None
    tokens: tuple[tuple[str, str], ...]
    task: tuple[tuple[str, str], ...]
    findings: tuple[FindingGroup, ...]
    conflicts: tuple[Conflict, ...]
    conflicts_left_out: int
    hardest: tuple[HardView, ...]
    hardest_left_out: int
    unseen_hardest: int
    balance: balance.BalanceView | None


def view(bundle: ReportBundle, shown: Shown) -> DataView | None:
    """The data, or None where the gate has not run."""
    data = bundle.data
    if data is None:
        return None
    conflicts = [f for f in data.findings if f.code in SHOWN_ELSEWHERE and len(_sides(f)) > 1]
    hardest = bundle.train.hardest if bundle.train else ()
    known = [h for h in hardest if h.row_id in bundle.row_ids]
    limits = shown.limits
    return DataView(
        gate=data.gate,
        gate_reason=shown.text(data.gate_reason),
        facts=(*_facts(data), *_gold(data), *_looks(bundle)),
        spotcheck=_spotcheck(bundle.spotcheck),
        flow=_flow(bundle, shown),
        histogram=charts.histogram("lengths", "How long the kept rows are", bundle.lengths_chars, "characters a row")
        if bundle.lengths_chars
        else None,
        tokens=_tokens(data),
        task=_task(data, shown),
        findings=group_findings(bundle, data.findings, shown),
        conflicts=tuple(_conflict(bundle, f, shown) for f in conflicts[: limits.groups]),
        conflicts_left_out=max(0, len(conflicts) - limits.groups),
        hardest=tuple(_hard(bundle, h, shown) for h in known[: limits.groups]),
        hardest_left_out=max(0, len(known) - limits.groups),
        unseen_hardest=len(hardest) - len(known),
        balance=balance.view(data, shown),
    )


def _facts(data: DataRecord) -> tuple[tuple[str, str, str], ...]:
    stats = data.stats
    share = stats.effective_unique / stats.rows if stats.rows else 0.0
    fewest = stats.effective_unique_range[0] if stats.effective_unique_range else stats.effective_unique
    once = "" if fewest == stats.effective_unique else f"; {fewest:,} where rephrasings count once"
    splits = [(name, f"{data.splits[name].rows:,}", "rows") for name in _SPLITS if name in data.splits]
    return (
        ("rows came in", f"{stats.rows:,}", f"from {plural(len(data.sources), 'file')}"),
        ("really different", f"{stats.effective_unique:,}", f"{wording.percent(share, 0)} of the rows{once}"),
        ("kept", f"{stats.kept:,}", " · ".join(f"{n} {name}" for name, n, _ in splits)),
        ("dropped", f"{stats.dropped:,}", "each with its reason"),
    )


def _gold(data: DataRecord) -> tuple[tuple[str, str, str], ...]:
    """How far the gold set is from training, with how many items share at least so much of a training prompt's words."""
    gold = data.gold
    if gold is None:
        return ()
    shares = ", ".join(f"{items} share {wording.percent(float(share), 0)}" for share, items in gold.at_least.items())
    return (("gold items", f"{gold.items:,}", f"{gold.verdict} from training: {shares} or more of a training prompt's words"),)


def _looks(bundle: ReportBundle) -> tuple[tuple[str, str, str], ...]:
    """How often the frozen test has been looked at, by what, and how often after this run's evaluation had."""
    then = bundle.evaluation.frozen_test if bundle.evaluation else None
    looked = bundle.looked or then
    if looked is None:
        return ()
    said = [f"since it was sealed on {looked.sealed_at[:10]}"]
    said += [f"seal {looked.seals}"] if looked.seals > 1 else []
    said += [f"{count:,} by {command}" for command, count in looked.by_command.items()]
    said += [f"{looked.looks - then.looks:,} after this run's evaluation"] if then and looked.looks > then.looks else []
    return (("looks at the frozen test", f"{looked.looks:,}", ", ".join(said)),)


def _spotcheck(record: SpotCheckRecord | None) -> str:
    """What people said of a random sample, in a sentence; empty where nobody looked."""
    if record is None or record.error_rate is None or record.interval is None:
        return ""
    looked = plural(record.good + record.bad + record.unsure, "row")
    bounds = f"{wording.percent(record.interval.low)} to {wording.percent(record.interval.high)}"
    unsure = f", {record.unsure} unsure" if record.unsure else ""
    return (
        f"A person looked at {looked} of a random sample: {record.good} good, {record.bad} bad{unsure}. Estimated share of"
        f" bad rows: {wording.percent(record.error_rate)} (95 % interval {bounds})."
    )


def _task(data: DataRecord, shown: Shown) -> tuple[tuple[str, str], ...]:
    task = data.task
    facts = [("Answers are", {"labels": "labels", "json": "JSON", "exact": "exact strings", "text": "free text"}[task.shape])]
    if task.labels:
        facts.append(("Labels", shown.text(", ".join(task.labels[:40]))))
    facts += [
        (f"Field {shown.text(name)}", shown.text(", ".join(values[:12]) or "free"))
        for name, values in list(task.json_fields.items())[:12]
    ]
    if task.reason:
        facts.append(("Because", shown.text(task.reason)))
    return tuple(facts)


def _tokens(data: DataRecord) -> tuple[tuple[str, str], ...]:
    tokens = data.stats.tokens
    if tokens is None:
        return (("Tokens", "not measured: no tokenizer"),)
    return (
        ("Tokens in all", f"{tokens.total_tokens:,}"),
        (
            "Tokens trained",
            f"{tokens.trained_tokens:,} ({wording.percent(tokens.trained_tokens / max(1, tokens.total_tokens), 0)})",
        ),
        ("Median row", plural(tokens.median_tokens, "token")),
        ("95 of 100 rows", f"at most {plural(tokens.p95_tokens, 'token')}"),
        ("Longest row", plural(tokens.max_tokens, "token")),
        (f"Longer than {tokens.max_length_tokens:,}", plural(tokens.rows_over_length, "row")),
    )


# --- flow -----------------------------------------------------------------------------------------------------------


def _flow(bundle: ReportBundle, shown: Shown) -> Markup | None:
    flows = bundle.flows or _flow_from_record(bundle.data)
    if not flows:
        return None
    sources = _top(flows, "source", _MOST_SOURCES)
    reasons = _top([f for f in flows if f.target.startswith("dropped:")], "target", _MOST_REASONS)
    merged: Counter[tuple[str, str]] = Counter()
    for f in flows:
        source = f.source if f.source in sources else "other files"
        is_other = f.target.startswith("dropped:") and f.target not in reasons
        merged[source, "dropped:other reasons" if is_other else f.target] += f.rows
    order = [*_SPLITS, *reasons, "dropped:other reasons"]
    ribbons = [
        Ribbon(_short(shown.text(s)), _target(t), n, t.startswith("dropped:"))
        for (s, t), n in sorted(merged.items(), key=lambda item: order.index(item[0][1]) if item[0][1] in order else -1)
    ]
    return charts.flow("rows-flow", "Where each row went", ribbons)


def _flow_from_record(data: DataRecord | None) -> tuple[Flow, ...]:
    """Without the rows themselves the record still knows the totals."""
    if data is None:
        return ()
    kept = [Flow("all files", name, split.rows) for name, split in data.splits.items() if split.rows]
    return (*kept, *(Flow("all files", f"dropped:{code}", n) for code, n in data.stats.dropped_by_code.items() if n))


def _top(flows: tuple[Flow, ...] | list[Flow], side: str, most: int) -> list[str]:
    count: Counter[str] = Counter()
    for f in flows:
        count[getattr(f, side)] += f.rows
    return [name for name, _ in count.most_common(most)]


def _target(target: str) -> str:
    return target.removeprefix("dropped:").removeprefix("data.") if target.startswith("dropped:") else target


def _short(name: str) -> str:
    return name if len(name) <= 22 else f"{name[:9]}…{name[-12:]}"


# --- rows -----------------------------------------------------------------------------------------------------------


def _sides(finding: Finding) -> tuple[RowRef, ...]:
    """One row for each answer that a contradiction has: its groups are the sides, and without groups every row is one."""
    return tuple(group[0] for group in finding.groups if group) if len(finding.groups) > 1 else finding.rows


def _conflict(bundle: ReportBundle, finding: Finding, shown: Shown) -> Conflict:
    refs = _sides(finding)[:_MOST_SIDES]
    rows = [row_view(bundle, ref, shown) for ref in refs]
    prompts, answers = (_words(finding, shown, rows, key) for key in ("prompts", "answers"))
    fields = fields_of(answers)
    marks = marks_of(finding, len(rows))
    if any(marks) and isinstance(kept := finding.evidence.get("answers"), list):
        segments = [_at_places(str(text), spans, shown) for text, spans in zip(kept, marks, strict=False)]
    elif fields is None and len(rows) > 1:
        segments = [word_diff(answers[0], answers[1])[0], *(word_diff(answers[0], answer)[1] for answer in answers[1:])]
    else:
        segments = [() for _ in rows]
    sides = tuple(Side(row, fields[i] if fields else (), segments[i]) for i, row in enumerate(rows))
    return Conflict(next((p for p in prompts if p), ""), sides, len(finding.rows) - len(rows))


def _at_places(text: str, places: Sequence[tuple[int, int]], shown: Shown) -> tuple[Segment, ...]:
    """An answer as the check kept it, the places that it found to differ marked."""
    segments, done = [], 0
    for start, end in sorted(places):
        if start >= done:
            segments += [Segment(shown.text(text[done:start])), Segment(shown.text(text[start:end]), differs=True)]
            done = end
    return tuple(s for s in (*segments, Segment(shown.text(text[done:]))) if s.text)


def _words(finding: Finding, shown: Shown, rows: list[RowView], key: str) -> list[str]:
    """Each side's prompt or answer: of a row that was dropped the finding's evidence has them, in the order of the sides."""
    kept = finding.evidence.get(key)
    evidence = [str(text) for text in kept] if isinstance(kept, list) else []
    own = [row.prompt if key == "prompts" else row.answer for row in rows]
    return [text or (shown.text(evidence[i]) if i < len(evidence) else "") for i, text in enumerate(own)]


def _hard(bundle: ReportBundle, hard: HardRow, shown: Shown) -> HardView:
    """A hard row with what the data gate said of it, what warns first."""
    place = bundle.row_ids[hard.row_id]
    findings = bundle.data.findings if bundle.data else ()
    doubting = [f for f in findings if f.code in DOUBTING_CODES and place in {(r.file, r.line) for r in f.rows}]
    doubting.sort(key=lambda f: f.severity == "note")
    return HardView(_row(bundle, hard.row_id, shown), f"{hard.loss:.2f}", tuple(shown.text(f.message) for f in doubting[:1]))


def _row(bundle: ReportBundle, row_id: str, shown: Shown) -> RowView:
    file, line = bundle.row_ids[row_id]
    return row_view(bundle, RowRef(file=file, line=line), shown)
