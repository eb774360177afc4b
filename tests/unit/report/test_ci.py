"""SARIF that any reader of 2.1.0 takes, and annotations that GitHub parses back into what was said."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as SarifLog

from truetune.core.records import CheckReport, DataStats, Finding, RowRef, Severity, SourceFile, TaskProfile
from truetune.report.ci import ANNOTATIONS_MOST, RESULTS_MOST, RuleText, github_annotations, sarif

RULES = {
    "data.contradiction": RuleText("No question has two different answers.", "block"),
    "data.pii.email": RuleText("No row holds an e-mail address.", "warn"),
}


def finding(
    code: str = "data.contradiction", severity: Severity = "block", places: tuple[tuple[str, int], ...] = (("a b.jsonl", 3),),
    message: str = "2 rows ask the same", column: int | None = None, fix: str = "decide",
) -> Finding:  # fmt: skip
    rows = tuple(RowRef(file=file, line=line) for file, line in places)
    return Finding(code=code, severity=severity, message=message, rows=rows, column=column, fix=fix)


def report(*findings: Finding) -> CheckReport:
    source = SourceFile(path="a b.jsonl", digest="sha256:" + "0" * 64, size_bytes=10, format="messages", rows=9)
    stats = DataStats(rows=9, kept=9, dropped=0, effective_unique=9)
    return CheckReport(gate="failed", findings=findings, stats=stats, sources=(source,), task=TaskProfile(shape="text"))


def logged(*findings: Finding) -> dict[str, object]:
    text = sarif(report(*findings), RULES)
    SarifLog.model_validate_json(text, strict=True)
    log = json.loads(text)
    assert_is_sarif(log)
    (run,) = log["runs"]
    return run


def assert_is_sarif(log: dict[str, object]) -> None:
    """What the standard asks of the parts that are written beyond its schema: indexes that meet, ids that are unique."""
    assert log["version"] == "2.1.0"
    assert str(log["$schema"]).endswith("sarif-2.1.0.json")
    for run in log["runs"]:  # type: ignore[attr-defined]
        assert set(run) <= {"tool", "columnKind", "artifacts", "invocations", "results"}
        driver = run["tool"]["driver"]
        assert driver["name"]
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(ids) == len(set(ids))
        for rule in driver["rules"]:
            assert rule["defaultConfiguration"]["level"] in {"none", "note", "warning", "error"}
            assert rule["shortDescription"]["text"] and rule["help"]["text"]
            assert re.fullmatch(r"https://\S+", rule["helpUri"])
        assert all(isinstance(invocation["executionSuccessful"], bool) for invocation in run["invocations"])
        assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
        for result in run["results"]:
            assert ids[result["ruleIndex"]] == result["ruleId"]
            assert result["level"] in {"none", "note", "warning", "error"}
            assert result["message"]["text"]
            for location in [*result["locations"], *result.get("relatedLocations", [])]:
                place = location["physicalLocation"]
                assert place["region"]["startLine"] >= 1
                assert place["region"].get("startColumn", 1) >= 1
                assert " " not in place["artifactLocation"]["uri"]


@pytest.mark.parametrize("places", [(), (("a b.jsonl", 3),), (("rows.parquet", 7),), (("/data/b.jsonl", 5), ("ö.json", 2))])
def test_the_log_fits_the_schema_of_the_standard_and_a_wrong_one_does_not(places: tuple[tuple[str, int], ...]) -> None:
    text = sarif(report(finding(places=places, column=4), finding(code="data.new", severity="note")), RULES)
    SarifLog.model_validate_json(text, strict=True)
    for wrong in (text.replace('"ruleId"', '"rule"'), text.replace('"error"', '"fatal"'), text.replace('"driver"', '"drivers"')):
        with pytest.raises(ValidationError):
            SarifLog.model_validate_json(wrong, strict=True)


def test_a_finding_is_a_result_of_its_rule() -> None:
    run = logged(finding(column=7))
    (result,) = run["results"]  # type: ignore[misc]
    assert (result["ruleId"], result["level"]) == ("data.contradiction", "error")
    place = result["locations"][0]["physicalLocation"]
    assert unquote(place["artifactLocation"]["uri"]) == "a b.jsonl"
    assert place["region"] == {"startLine": 3, "startColumn": 7}
    assert "decide" in result["message"]["text"]


def test_rules_come_from_the_registry_and_unknown_codes_have_one_too() -> None:
    run = logged(finding(), finding(code="data.new", severity="note"))
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}  # type: ignore[index]
    assert set(rules) == {*RULES, "data.new"}
    assert rules["data.pii.email"]["shortDescription"]["text"] == "No row holds an e-mail address."
    assert rules["data.pii.email"]["defaultConfiguration"]["level"] == "warning"
    assert rules["data.contradiction"]["helpUri"].endswith("docs/errors/data.contradiction.md")


def test_other_rows_are_related_and_files_have_their_hash() -> None:
    run = logged(finding(places=(("a b.jsonl", 3), ("/data/b.jsonl", 5))))
    (result,) = run["results"]  # type: ignore[misc]
    assert result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///data/b.jsonl"
    assert run["artifacts"][0]["hashes"] == {"sha-256": "0" * 64}  # type: ignore[index]


def test_a_parquet_row_is_not_called_a_line() -> None:
    (result,) = logged(finding(places=(("rows.parquet", 77),)))["results"]  # type: ignore[misc]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}
    assert result["message"]["text"].startswith("row 77: ")


def test_a_log_that_would_be_too_long_says_so_and_keeps_the_worst() -> None:
    many = [finding(severity="note", code="data.pii.email", places=(("a.jsonl", n + 1),)) for n in range(RESULTS_MOST)]
    run = logged(*many, finding())
    assert len(run["results"]) == RESULTS_MOST  # type: ignore[arg-type]
    assert run["results"][0]["level"] == "error"  # type: ignore[index]
    assert "1 findings are not in this log" in json.dumps(run["invocations"])


# --- annotations ------------------------------------------------------------------------------------------------------

COMMAND = re.compile(r"::(?P<name>[a-z]+) (?P<properties>[^:]*)::(?P<message>.*)")


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """As GitHub's runner reads a command: properties are split at commas, then each is unescaped."""
    match = COMMAND.fullmatch(line)
    assert match, line
    properties = dict(part.split("=", 1) for part in match["properties"].split(","))
    unescaped = {k: _unescape(v.replace("%3A", ":").replace("%2C", ",")) for k, v in properties.items()}
    return match["name"], unescaped, _unescape(match["message"])


def _unescape(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_an_annotation_names_file_line_and_column() -> None:
    (line,) = github_annotations([finding(column=7)])
    assert line == "::error file=a b.jsonl,line=3,col=7,title=data.contradiction::2 rows ask the same (decide)"


@pytest.mark.parametrize(("severity", "command"), [("block", "error"), ("warn", "warning"), ("note", "notice")])
def test_severity_is_the_command(severity: Severity, command: str) -> None:
    assert parsed(github_annotations([finding(severity=severity)])[0])[0] == command


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from("%:,\r\n="), max_size=40)


@given(file=TEXT.filter(bool), message=TEXT)
def test_whatever_a_file_is_called_is_read_back(file: str, message: str) -> None:
    lines = github_annotations(
        [finding(places=((file.replace("%3A", "").replace("%2C", "") or "x", 1),), message=message, fix="")]
    )
    assert len(lines) == 1 and "\n" not in lines[0] and "\r" not in lines[0]
    _, properties, said = parsed(lines[0])
    if "%" not in file:
        assert properties["file"] == file
    if not PurePosixPath(file).suffix:
        assert "%" in message or said == message


def test_more_than_github_shows_is_counted() -> None:
    many = [finding(severity="warn", places=(("a.jsonl", n + 1),)) for n in range(ANNOTATIONS_MOST + 5)]
    lines = github_annotations([*many, finding()])
    assert lines[0].startswith("::error")
    assert len(lines) == ANNOTATIONS_MOST + 2
    assert parsed(lines[-1])[2] == "5 more at warn"
