"""Every finding of a check in one HTML file under 5 MB: the first of each code in full, the others by place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from truetune.core.records import CheckReport, Finding, Severity
from truetune.report import wording
from truetune.report.ci import RuleText, worst_first
from truetune.report.evidence_text import EvidenceText, Side, evidence_text
from truetune.report.render import MOST_BYTES, own, page_environment, script_digest
from truetune.report.sections.findings import evidence_text as evidence_words
from truetune.report.shown import clean, hide_personal, is_personal

_FILES_MOST = 12
"""A filter with more boxes than this is longer than what it filters; the files after it share one box."""
_PAGE = 50
_PLACES_PER_GROUP = 8
_MESSAGE_CHARS, _TEXT_CHARS = 160, 400
_BUDGETS = ((400, True), (100, True), (100, False), (25, False), (5, False), (0, False))
"""(Findings of a code that are shown in full, whether the others keep their message.) 100,000 findings fit by place alone."""


@dataclass(frozen=True)
class Card:
    """One finding in full."""

    file: int
    place: str
    severity: Severity
    message: str
    evidence: EvidenceText
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rest:
    """Findings that are listed by place: `lines` of one file, `+` between rows that belong together."""

    file: int
    name: str
    severity: Severity
    message: str
    count: int
    lines: str


@dataclass(frozen=True)
class CodeView:
    """All findings of one code; `severity` is the worst of them, `uniform` where all have it."""

    code: str
    severity: Severity
    uniform: bool
    claim: str
    count: int
    fix: str
    pages: tuple[tuple[Card, ...], ...]
    rest: tuple[Rest, ...]
    rest_count: int


@dataclass(frozen=True)
class FindingsView:
    """The page as one value."""

    report: CheckReport
    severities: tuple[tuple[Severity, int], ...]
    files: tuple[tuple[str, int], ...]
    codes: tuple[CodeView, ...]


def findings_page(report: CheckReport, rules: Mapping[str, RuleText]) -> str:
    """The page as HTML; where there is too much for 5 MB fewer findings are shown in full, and none is left out."""
    page = ""
    for cards, with_messages in _BUDGETS:
        page = _page(_view(report, rules, cards, with_messages=with_messages))
        if len(page.encode("utf-8")) < MOST_BYTES:
            break
    return page


def _page(view: FindingsView) -> str:
    template = page_environment().get_template("findings.html.j2")
    style, script = own("report.css") + own("findings.css"), own("report.js")
    return template.render(v=view, style=style, script=script, script_digest=script_digest(script))


def _view(report: CheckReport, rules: Mapping[str, RuleText], cards: int, *, with_messages: bool) -> FindingsView:
    by_code: dict[str, list[Finding]] = {}
    for finding in worst_first(report.findings):
        by_code.setdefault(finding.code, []).append(finding)
    counted: dict[str, int] = {}
    for finding in report.findings:
        name = _file(finding)
        counted[name] = counted.get(name, 0) + 1
    names = sorted(counted, key=lambda name: (-counted[name], name))
    number = {name: min(place, _FILES_MOST) for place, name in enumerate(names)}
    files = [(clean(name) or "no file", counted[name]) for name in names[:_FILES_MOST]]
    if len(names) > _FILES_MOST:
        files.append((f"{len(names) - _FILES_MOST} other files", sum(counted[name] for name in names[_FILES_MOST:])))
    severities: tuple[Severity, ...] = ("block", "warn", "note")
    return FindingsView(
        report=report,
        severities=tuple((s, sum(f.severity == s for f in report.findings)) for s in severities),
        files=tuple(files),
        codes=tuple(_code(same, rules.get(code), number, cards, with_messages=with_messages) for code, same in by_code.items()),
    )


def _code(
    findings: Sequence[Finding], rule: RuleText | None, number: Mapping[str, int], cards: int, *, with_messages: bool
) -> CodeView:
    first = findings[0]
    hide = hide_personal if is_personal(first) else clean
    full = [_card(finding, number) for finding in findings[:cards]]
    rest = findings[cards:]
    return CodeView(
        code=first.code,
        severity=first.severity,
        uniform=findings[-1].severity == first.severity,
        claim=rule.claim if rule else "",
        count=len(findings),
        fix=hide(" ".join(dict.fromkeys(f.fix for f in findings[:_PAGE] if f.fix))[:_TEXT_CHARS]),
        pages=tuple(tuple(full[start : start + _PAGE]) for start in range(0, len(full), _PAGE)),
        rest=tuple(_rests(rest, number, with_messages=with_messages)),
        rest_count=len(rest),
    )


def _card(finding: Finding, number: Mapping[str, int]) -> Card:
    hide = hide_personal if is_personal(finding) else clean
    evidence = evidence_text(finding)
    shown = EvidenceText(
        lines=tuple(hide(line[:_TEXT_CHARS]) for line in evidence.lines),
        mark=evidence.mark,
        sides=tuple(Side(clean(s.place), tuple(hide(t[:_TEXT_CHARS]) for t in s.texts)) for s in evidence.sides),
        facts=evidence.facts,
    )
    facts = tuple((wording.sentence(k), hide(evidence_words(k, v)[:_TEXT_CHARS])) for k, v in evidence.facts.items())
    return Card(number[_file(finding)], _place(finding), finding.severity, _message(finding), shown, facts)


def _message(finding: Finding) -> str:
    return (hide_personal if is_personal(finding) else clean)(finding.message[:_TEXT_CHARS])


def _file(finding: Finding) -> str:
    return finding.rows[0].file if finding.rows else ""


def _place(finding: Finding) -> str:
    if not finding.rows:
        return ""
    first = finding.rows[0]
    column = f":{finding.column}" if finding.column is not None else ""
    others = [f"{row.line}" if row.file == first.file else f"{row.file}:{row.line}" for row in finding.rows[1:]]
    more = f" … {len(others) - _PLACES_PER_GROUP} more" if len(others) > _PLACES_PER_GROUP else ""
    listed = f" with {', '.join(others[:_PLACES_PER_GROUP])}{more}" if others else ""
    return clean(f"{first.file}:{first.line}{column}{listed}")


def _rests(findings: Iterable[Finding], number: Mapping[str, int], *, with_messages: bool) -> Iterable[Rest]:
    """Places by file, and by message where there is room for messages."""
    grouped: dict[tuple[str, Severity, str], list[str]] = {}
    for finding in findings:
        message = _message(finding)[:_MESSAGE_CHARS] if with_messages else ""
        grouped.setdefault((_file(finding), finding.severity, message), []).append(_lines(finding))
    for (name, severity, message), lines in grouped.items():
        yield Rest(number[name], clean(name) or "no file", severity, message, len(lines), ", ".join(ranges(lines)))


def _lines(finding: Finding) -> str:
    own_file = [str(row.line) for row in finding.rows if row.file == _file(finding)]
    others = len(finding.rows) - len(own_file)
    shown = "+".join(own_file[:_PLACES_PER_GROUP]) + ("+…" if len(own_file) > _PLACES_PER_GROUP else "")
    return shown + (f"+{others} elsewhere" if others else "")


def ranges(lines: Sequence[str]) -> list[str]:
    """Runs of following line numbers as `first–last`, all else as it stands."""
    found: list[list[str]] = []
    for line in lines:
        run = found[-1] if found else []
        if run and line.isdigit() and run[-1].isdigit() and int(line) == int(run[-1]) + 1:
            found[-1] = [run[0], line]
        else:
            found.append([line])
    return ["–".join(run) for run in found]
