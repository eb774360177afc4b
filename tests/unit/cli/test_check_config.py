"""`truetune check --config`: the project's own rules, and words for rules that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.conftest import LABELS, Truetune, ticket

START = "task: sort tickets\nbase: fake:tiny\ndata:\n  sources: [tickets.jsonl]\n"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """40 clean rows and one that stands twice."""
    path = tmp_path / "tickets.jsonl"
    numbers = [*range(40), 3]
    path.write_text("".join(json.dumps(ticket(LABELS[n % 4], n)) + "\n" for n in numbers), encoding="utf-8")
    return path


def test_the_config_decides(rows: Path, truetune: Truetune, tmp_path: Path) -> None:
    assert truetune("check", rows).returncode == 0
    config = tmp_path / "truetune.yaml"
    config.write_text(START + "  checks:\n    data.duplicate.*: {max_frac: 0.01}\n", encoding="utf-8")
    for named in (config, tmp_path):
        done = truetune("check", rows, "--config", named)
        assert done.returncode == 1, done.stderr
        assert "why       data.duplicate.*: 2 of 41 rows (4.88%); max_frac allows 1.00%" in done.stdout
    assert json.loads(truetune("check", rows, "-C", tmp_path, "--json").stdout)["gate_reason"].startswith(
        "data.duplicate.*: 2 of"
    )


@pytest.mark.parametrize(
    ("said", "place", "words"),
    [
        ("data.pii.emial: {severity: off}", "6:5", "unknown check `data.pii.emial`; did you mean `data.pii.email`?"),
        ("data.duplicates.*: {policy: drop}", "6:5", "did you mean `data.duplicate.*`?"),
        ("data.secret: {polcy: drop}", "6:19", "unknown key `polcy`; did you mean `policy`?"),
        ("data.secret: {policy: delete}", "6:27", "`data.checks.data.secret.policy` must be"),
        (
            "data.pii.email: {policy: keep-first}",
            "6:30",
            "`data.pii.email` can be keep or redact or drop or quarantine, not keep-first",
        ),
        ("data.record.*: {severity: off}", "6:31", "`data.record.malformed` cannot be off"),
        ("data.secret: {max_frac: 2}", "6:29", "less than or equal to 1"),
    ],
)
def test_what_cannot_be_is_said_with_its_place(
    rows: Path, truetune: Truetune, tmp_path: Path, said: str, place: str, words: str
) -> None:
    (tmp_path / "truetune.yaml").write_text(f"{START}  checks:\n    {said}\n", encoding="utf-8")
    for command in (["check", str(rows), "--config", str(tmp_path)], ["data"]):
        done = truetune(*command)
        assert done.returncode == 2
        assert f"truetune.yaml:{place}" in done.stderr, done.stderr
        assert words in done.stderr, done.stderr
