"""Findings for machines that review changes: SARIF 2.1.0, and GitHub's workflow annotations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pydantic import JsonValue

from truetune import __version__
from truetune.core.records import CheckReport, Finding, RowRef, Severity
from truetune.report.shown import clean

HOME = "https://github.com/truetune/truetune"
RESULTS_MOST, LOCATIONS_MOST = 25_000, 100
"""Source: GitHub, "SARIF support for code scanning", limits: 25,000 results a run, 100 locations kept of a result."""
ANNOTATIONS_MOST = 10
"""Source: GitHub Actions, limits of a step: 10 errors, 10 warnings and 10 notices are shown."""

_LEVELS: dict[Severity, str] = {"block": "error", "warn": "warning", "note": "note"}
_COMMANDS: dict[Severity, str] = {"block": "error", "warn": "warning", "note": "notice"}
_WORST_FIRST: tuple[Severity, ...] = ("block", "warn", "note")
_NO_LINES = (".parquet", ".json")
"""Files whose `line` is the number of a row."""


@dataclass(frozen=True)
class RuleText:
    """What a code claims and how severe it is by default."""

    claim: str
    severity: Severity


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Blocking ones, warnings, notes; each in the order of the files."""
    return sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.severity))


# --- SARIF ----------------------------------------------------------------------------------------------------------


def sarif(report: CheckReport, rules: Mapping[str, RuleText]) -> str:
    """The report as a SARIF 2.1.0 log.

    Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", sections 3.13, 3.14, 3.27 and 3.49.
    """
    found = worst_first(report.findings)
    codes = list(dict.fromkeys([*rules, *(finding.code for finding in found)]))
    index = {code: number for number, code in enumerate(codes)}
    fixes = {finding.code: finding.fix for finding in reversed(found)}
    run: dict[str, JsonValue] = {
        "tool": {
            "driver": {
                "name": "truetune",
                "version": __version__,
                "informationUri": HOME,
                "rules": [_rule(code, rules.get(code), fixes.get(code, "")) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "artifacts": [
            {"location": {"uri": _uri(s.path)}, "length": s.size_bytes, "hashes": {"sha-256": s.digest.removeprefix("sha256:")}}
            for s in report.sources
        ],
        "invocations": [{"executionSuccessful": True, **_left_out(len(found) - RESULTS_MOST)}],
        "results": [_result(finding, index) for finding in found[:RESULTS_MOST]],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=1)


def _left_out(count: int) -> dict[str, JsonValue]:
    if count <= 0:
        return {}
    said = f"{count} findings are not in this log: it holds the first {RESULTS_MOST}, the worst ones first"
    return {"toolExecutionNotifications": [{"level": "warning", "message": {"text": said}}]}


def _rule(code: str, text: RuleText | None, fix: str) -> dict[str, JsonValue]:
    claim = text.claim if text else code
    page = f"{HOME}/blob/main/docs/errors/{code}.md"
    said = f"{claim} {f'What to do: {fix}.' if fix else ''}".strip()
    return {
        "id": code,
        "shortDescription": {"text": claim},
        "fullDescription": {"text": claim},
        "help": {"text": f"{said}\n{page}", "markdown": f"{said}\n\n[{code}]({page})"},
        "helpUri": page,
        "defaultConfiguration": {"level": _LEVELS[text.severity if text else "warn"]},
        "properties": {"tags": ["data", code.split(".")[1]]},
    }


def _result(finding: Finding, index: Mapping[str, int]) -> dict[str, JsonValue]:
    first, *others = finding.rows or (None,)
    result: dict[str, JsonValue] = {
        "ruleId": finding.code,
        "ruleIndex": index[finding.code],
        "level": _LEVELS[finding.severity],
        "message": {"text": clean(_said(finding, first))},
        "locations": [_location(first, finding.column)] if first else [],
    }
    if others:
        related: list[JsonValue] = [
            {"id": number, **_location(row, None), "message": {"text": f"line {row.line}"}}
            for number, row in enumerate((row for row in others[:LOCATIONS_MOST] if row), start=1)
        ]
        result["relatedLocations"] = related
    return result


def _said(finding: Finding, first: RowRef | None) -> str:
    where = f"row {first.line}: " if first and first.file.endswith(_NO_LINES) else ""
    return f"{where}{finding.message}" + (f" ({finding.fix})" if finding.fix else "")


def _location(row: RowRef, column: int | None) -> dict[str, JsonValue]:
    region: dict[str, JsonValue] = {"startLine": 1 if row.file.endswith(_NO_LINES) else row.line}
    if column is not None and not row.file.endswith(_NO_LINES):
        region["startColumn"] = column
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(row.file)}, "region": region}}


def _uri(name: str) -> str:
    """A relative reference as it stands in the repository, or a `file:` URI."""
    path = Path(name)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


# --- GitHub annotations ---------------------------------------------------------------------------------------------


def github_annotations(findings: Sequence[Finding]) -> list[str]:
    """Workflow commands, the worst findings first, as many of a kind as GitHub shows; then one that counts the others.

    Source: GitHub, "Workflow commands for GitHub Actions", and the escaping of `@actions/core`.
    """
    lines: list[str] = []
    left_out: list[str] = []
    for severity in _WORST_FIRST:
        same = [finding for finding in findings if finding.severity == severity]
        lines += [_command(finding) for finding in same[:ANNOTATIONS_MOST]]
        if len(same) > ANNOTATIONS_MOST:
            left_out.append(f"{len(same) - ANNOTATIONS_MOST} more at {severity}")
    return [*lines, *([f"::notice title=truetune::{_data(', '.join(left_out))}"] if left_out else [])]


def _command(finding: Finding) -> str:
    properties = []
    if finding.rows:
        first = finding.rows[0]
        properties.append(f"file={_property(first.file)}")
        if not first.file.endswith(_NO_LINES):
            properties.append(f"line={first.line}")
            properties += [f"col={finding.column}"] if finding.column is not None else []
    properties.append(f"title={_property(finding.code)}")
    said = _said(finding, finding.rows[0] if finding.rows else None)
    return f"::{_COMMANDS[finding.severity]} {','.join(properties)}::{_data(said)}"


def _data(text: str) -> str:
    return clean(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
