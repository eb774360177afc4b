"""Findings as a reader meets them: grouped by code, worst first, with real rows and the fix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from truetune.core.records import Finding, RowRef, Severity
from truetune.core.units import plural
from truetune.report import wording
from truetune.report.bundle import ReportBundle
from truetune.report.diffing import Segment
from truetune.report.shown import Shown, is_personal

_WORST_FIRST: tuple[Severity, ...] = ("block", "warn", "note")
_EXAMPLE_CHARS = 400
_SURELY_KEPT = 60
SHOWN_ELSEWHERE = ("data.contradiction",)
"""Codes whose rows the report lays side by side in a place of their own, so that their fold stays closed."""


@dataclass(frozen=True)
class RowView:
    """A row of the user's: where it stands, what became of it, its words. `marked` is the place a check points at."""

    place: str
    fate: str
    prompt: str
    answer: str
    raw: tuple[Segment, ...]


@dataclass(frozen=True)
class Example:
    """One finding: what it says (empty where that is the group's title), the evidence, the rows (groups together)."""

    message: str
    evidence: tuple[tuple[str, str], ...]
    groups: tuple[tuple[RowView, ...], ...]


@dataclass(frozen=True)
class FindingGroup:
    """All findings of one code. `left_out` of its findings are not shown."""

    code: str
    severity: Severity
    title: str
    count: str
    fix: str
    examples: tuple[Example, ...]
    left_out: int
    unfolded: bool


def group_findings(bundle: ReportBundle, findings: Sequence[Finding], shown: Shown) -> tuple[FindingGroup, ...]:
    """One group a code, the worst severity first, and within one the most rows first."""
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    ordered = sorted(by_code.values(), key=lambda f: (_WORST_FIRST.index(_worst(f)), -len(_places(f)), f[0].code))
    return tuple(_group(bundle, same, shown) for same in ordered)


def row_view(bundle: ReportBundle, ref: RowRef, shown: Shown, column: int | None = None) -> RowView:
    """A row's words as they may be shown; empty where the run does not hold them."""
    place = (ref.file, ref.line)
    row = bundle.rows.get(place)
    name = shown.text(f"{ref.file}:{ref.line}" + (f":{column}" if column else ""))
    if row is None:
        return RowView(name, "", "", "", ())
    raw = _marked(shown.text(row.raw, place, _EXAMPLE_CHARS), column if row.raw else None)
    return RowView(
        name,
        f"in {row.fate}" if row.row_id else f"dropped: {row.fate.removeprefix('data.')}",
        shown.text(row.prompt, place, _EXAMPLE_CHARS),
        shown.text(row.answer, place, _EXAMPLE_CHARS),
        raw,
    )


def _group(bundle: ReportBundle, findings: list[Finding], shown: Shown) -> FindingGroup:
    limit = shown.limits.examples
    first = _message(findings[0], shown)
    examples = [_example(bundle, finding, shown) for finding in findings[:limit]]
    fixes = list(dict.fromkeys(f.fix for f in findings if f.fix))
    rows = len(_places(findings))
    return FindingGroup(
        code=findings[0].code,
        severity=_worst(findings),
        title=_title(findings, shown),
        count=plural(rows, "row") if rows else "",
        fix=shown.text(" ".join(fixes[:2])),
        examples=tuple(replace(e, message="") if e.message == first else e for e in examples),
        left_out=max(0, len(findings) - limit),
        unfolded=_worst(findings) == "block" and findings[0].code not in SHOWN_ELSEWHERE,
    )


def _title(findings: list[Finding], shown: Shown) -> str:
    first = _message(findings[0], shown)
    return first if len(findings) == 1 else f"{first} — and {plural(len(findings) - 1, 'more finding')} like it"


def _message(finding: Finding, shown: Shown) -> str:
    return shown.personal(finding.message) if is_personal(finding) else shown.text(finding.message)


def _example(bundle: ReportBundle, finding: Finding, shown: Shown) -> Example:
    limit = shown.limits.examples
    groups = finding.groups[:limit] or tuple((row,) for row in finding.rows[:limit])
    column = finding.column if len(finding.rows) == 1 else None
    hide = shown.personal if is_personal(finding) else shown.text
    return Example(
        message=_message(finding, shown),
        evidence=tuple((wording.sentence(k), hide(evidence_text(k, v))) for k, v in _telling(finding.evidence).items()),
        groups=tuple(tuple(row_view(bundle, r, shown, column) for r in group[:limit]) for group in groups),
    )


def _telling(evidence: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Evidence without what is empty, and without the row's own text and the place in it, which are shown as the row."""
    return {key: value for key, value in evidence.items() if key not in ("text", "mark") and value not in (None, "", [], {})}


def evidence_text(key: str, value: JsonValue) -> str:
    """One piece of evidence in words; a list is cut after six."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return wording.keyed(key, value)
    if isinstance(value, list):
        return ", ".join(evidence_text(key, v) for v in value[:6]) + (f" … {len(value) - 6} more" if len(value) > 6 else "")
    if isinstance(value, dict):
        return "; ".join(f"{k}: {evidence_text(str(k), v)}" for k, v in list(value.items())[:8])
    return str(value)


def _worst(findings: Sequence[Finding]) -> Severity:
    return min((f.severity for f in findings), key=_WORST_FIRST.index)


def _places(findings: Sequence[Finding]) -> set[tuple[str, int]]:
    return {(r.file, r.line) for f in findings for r in (f.rows or tuple(row for g in f.groups for row in g))}


def _marked(text: str, column: int | None) -> tuple[Segment, ...]:
    """The raw text with the character at `column` (from 1) marked, where what is kept of the line surely begins with it.

    Of a long line the data gate keeps a window around the fault, so that a late column is not a place in the window.
    """
    if not text:
        return ()
    if column is None or not 1 <= column <= min(_SURELY_KEPT, len(text)) or "…" in text[:column]:
        return (Segment(text),)
    parts = (Segment(text[: column - 1]), Segment(text[column - 1 : column], differs=True), Segment(text[column:]))
    return tuple(p for p in parts if p.text)
