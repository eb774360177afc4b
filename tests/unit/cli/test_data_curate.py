"""`truetune data curate` as it is typed: on files, and on everything that a project names."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Truetune


def test_files_become_a_version(tickets: Path, truetune: Truetune, tmp_path: Path) -> None:
    tickets.write_text(tickets.read_text(encoding="utf-8") + tickets.read_text(encoding="utf-8").splitlines()[0] + "\n")
    done = truetune("data", "curate", "tickets.jsonl", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "curate    passed: 240 of 241 rows kept" in done.stdout
    assert "too long  not applied: no project names a model" in done.stdout
    assert "left out  1, put aside 0: 1 data.duplicate.exact" in done.stdout
    assert (tmp_path / "out" / "0001" / "tickets.jsonl").read_text(encoding="utf-8").count("\n") == 240
    assert "unchanged out/0001" in truetune("data", "curate", "tickets.jsonl", "--out", "out").stdout


def test_a_project_needs_no_file(project: Path, truetune: Truetune) -> None:
    done = truetune("data", "curate", "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["over_length"].startswith("drop: more than ") and record["stats"]["tokens"]["rows_over_length"] == 0
    assert [source["path"] for source in record["sources"]] == ["data/tickets.jsonl"]
    assert (project / "curated" / "0001" / "changes.md").exists()


def test_neither_files_nor_a_project(truetune: Truetune) -> None:
    done = truetune("data", "curate")
    assert done.returncode == 2
    assert "usage.no_project" in done.stderr
