"""What `data.checks` says is what happens: severity, policy, data tests; and the defaults are today's behaviour."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.stages.data.rows_for_tests import LONG, Record, Silent, found, labelled, record, write_lines

from truetune.core.config import CheckConfig, DataConfig
from truetune.core.records import CheckReport
from truetune.stages.data.check import run_check
from truetune.stages.data.checks.registry import choices, described
from truetune.stages.data.rules import Rules


def faulty() -> list[Record]:
    """60 clean rows; two repeats of row 1, a near pair, a contradiction, a secret, an empty answer, two e-mail addresses."""
    clean = labelled(60)
    return [
        *clean,
        clean[0],
        clean[0],
        record(LONG, "anger"),
        record(LONG.replace("garden", "kitchen"), "anger"),
        record("The very same question is asked here", "joy"),
        record("The very same question is asked here", "calm"),
        record("My key is AKIA" + "Q3EXAMPLE7Z2KLMN", "joy"),
        record("What now", ""),
        record("Write to ann@example.com about the boat that sank", "joy"),
        record("Nobody at bob@example.com ever answers my letters", "calm"),
    ]


def checked(tmp_path: Path, **checks: dict[str, object]) -> CheckReport:
    config = DataConfig.model_validate({"sources": [], "checks": {key.replace("__", "."): said for key, said in checks.items()}})
    return run_check([write_lines(tmp_path / "rows.jsonl", faulty())], [], config, progress=Silent())


def test_defaults_are_the_checks_own(tmp_path: Path) -> None:
    report = checked(tmp_path)
    assert report.stats.dropped_by_code == {
        "data.contradiction": 2,
        "data.duplicate.exact": 2,
        "data.duplicate.near": 1,
        "data.record.empty": 1,
        "data.secret": 1,
    }
    assert report.stats.quarantined == 0
    assert report.gate == "failed"
    assert report.gate_reason == "blocking findings: data.contradiction (1), data.record.empty (1), data.secret (1)"


def test_severity_is_what_the_config_says(tmp_path: Path) -> None:
    blocking = ("data__contradiction", "data__record__empty", "data__secret")
    report = checked(tmp_path, **{code: {"severity": "warn"} for code in blocking}, data__pii__email={"severity": "block"})
    assert report.gate_reason == "blocking findings: data.pii.email (2)"
    assert {f.severity for f in found(report, "data.secret")} == {"warn"}
    assert report.stats.dropped_by_code["data.secret"] == 1, "how loud a finding is does not decide what becomes of the row"


def test_off_leaves_no_trace(tmp_path: Path) -> None:
    off = {"severity": "off"}
    report = checked(tmp_path, data__contradiction=off, data__duplicate__exact=off, data__pii__email=off)
    assert not {"data.contradiction", "data.duplicate.exact", "data.pii.email"} & set(report.stats.findings_by_code)
    assert not {"data.contradiction", "data.duplicate.exact"} & set(report.stats.dropped_by_code)


@pytest.mark.parametrize(
    ("code", "policy", "dropped"),
    [
        ("data.duplicate.exact", "keep", 0),
        ("data.duplicate.exact", "keep-first", 2),
        ("data.duplicate.exact", "drop", 3),
        ("data.duplicate.near", "keep", 0),
        ("data.duplicate.near", "drop", 2),
        ("data.contradiction", "keep", 0),
        ("data.pii.email", "keep", 0),
        ("data.pii.email", "drop", 2),
        ("data.pii.email", "quarantine", 2),
        ("data.record.empty", "quarantine", 1),
    ],
)
def test_policy_decides_what_becomes_of_the_rows(tmp_path: Path, code: str, policy: str, dropped: int) -> None:
    report = checked(tmp_path, **{code: {"policy": policy}})
    assert report.stats.dropped_by_code.get(code, 0) == dropped
    assert report.stats.quarantined == (dropped if policy == "quarantine" else 0)
    assert report.stats.kept + report.stats.dropped == report.stats.rows == 70


@pytest.mark.parametrize("said", [{"policy": "drop"}, {"severity": "block"}, {"max_frac": 0.0}])
def test_a_contradiction_that_is_only_noted_accuses_no_row(tmp_path: Path, said: dict[str, object]) -> None:
    answers = ["The fee for swimming was raised last year.", "They lowered it."]
    rows = [record(f"Tell me about thing {n}", f"It has {n} parts, all of which are of wood and of glass.") for n in range(30)]
    rows += [record("What happened to the fee for the pool last year?", answer) for answer in answers]
    config = DataConfig.model_validate({"sources": [], "checks": {"data.contradiction": said}})
    report = run_check([write_lines(tmp_path / "rows.jsonl", rows)], [], config, progress=Silent())
    assert [f.severity for f in found(report, "data.contradiction")] == ["note"]
    assert report.stats.dropped_by_code.get("data.contradiction", 0) == 0 and report.gate == "passed"


def test_a_named_drop_takes_findings_that_only_warn(tmp_path: Path) -> None:
    rows = [*labelled(40), record(LONG, "anger"), record("Where is my order", "joy")]
    held = [record(LONG.replace("garden", "kitchen"), "anger"), record("Where is my parcel order", "joy")]
    files = [write_lines(tmp_path / "rows.jsonl", rows)], [write_lines(tmp_path / "test.jsonl", held)]
    by_default = run_check(*files, progress=Silent())
    named = DataConfig.model_validate({"sources": [], "checks": {"data.leakage.*": {"policy": "drop"}}})
    severities = sorted(f.severity for f in found(by_default, "data.leakage.split"))
    assert by_default.stats.dropped_by_code == {"data.leakage.split": severities.count("block")}
    assert run_check(*files, named, progress=Silent()).stats.dropped_by_code == {"data.leakage.split": len(severities)}


def test_data_test_fails_above_its_share_and_not_below(tmp_path: Path) -> None:
    quiet = {"severity": "note"}
    calm = {"data__contradiction": quiet, "data__record__empty": quiet, "data__secret": quiet}
    assert checked(tmp_path, **calm, **{"data.pii.*": {"max_frac": 2 / 70}}).gate == "passed"
    failed = checked(tmp_path, **calm, **{"data.pii.*": {"max_frac": 0.02}})
    assert failed.gate == "failed"
    assert failed.gate_reason == "data.pii.*: 2 of 70 rows (2.86%); max_frac allows 2.00%"


def test_a_data_test_stands_in_for_the_severity(tmp_path: Path) -> None:
    report = checked(tmp_path, **{f"data.{name}": {"max_frac": 0.5} for name in ("contradiction", "record.empty", "secret")})
    assert report.gate == "passed"
    assert found(report, "data.secret")[0].severity == "block"


def test_the_longest_key_decides_field_by_field() -> None:
    rules = Rules({"data.*": CheckConfig(severity="note", policy="keep"), "data.pii.*": CheckConfig(policy="drop")})
    assert (rules.of("data.pii.email").policy, rules.of("data.pii.email").severity) == ("drop", "note")
    assert rules.of("data.secret").policy == "keep"
    exact = Rules({"data.pii.*": CheckConfig(severity="off"), "data.pii.email": CheckConfig(severity="warn")})
    assert exact.of("data.pii.email").severity == "warn"
    assert exact.of("data.pii.phone").severity == "off"


def test_every_code_says_what_may_be_done() -> None:
    assert list(choices()) == list(described())
    for code, check in described().items():
        assert check.ways.policy == check.ways.choices.policies[0], code
        assert "*" not in code
    assert {"data.template.prefix", "data.length.context", "data.pii.iban"} <= set(described())
