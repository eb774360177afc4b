"""What new and careless users type after `truetune data`: what stands before the command counts, and mistakes are named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.conftest import Truetune


def test_the_project_may_be_named_before_the_command(project: Path, truetune: Truetune, tmp_path: Path) -> None:
    done = truetune("data", "--project", str(project), "--json", "curate", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Path(json.loads(done.stdout)["version"]) == project / "curated" / "0001"
    wrong = truetune("data", "--project", str(tmp_path / "none"), "curate", cwd=project)
    assert wrong.returncode == 2 and "usage.no_project" in wrong.stderr


def test_a_copied_version_goes_by_its_own_place(project: Path, truetune: Truetune, tmp_path: Path) -> None:
    assert truetune("data", "curate", cwd=project).returncode == 0
    other = tmp_path / "other"
    shutil.copytree(project, other)
    assert f"unchanged {other / 'curated' / '0001'}" in truetune("data", "-p", str(other), "curate").stdout


def test_a_run_of_another_project_is_that_run_and_one_comparison_is_one_look(
    project: Path, truetune: Truetune, tmp_path: Path
) -> None:
    assert truetune("data", cwd=project).returncode == 0
    (run,) = (project / "runs").iterdir()
    other = tmp_path / "other"
    shutil.copytree(project, other)
    data = other / "data" / "tickets.jsonl"
    rows = data.read_text(encoding="utf-8").splitlines(keepends=True)
    new = json.loads(rows[0])
    new["messages"][-2]["content"] = "Quite another matter: the lamp in hall seven hums loudly whenever it rains at night"
    data.write_text("".join([*rows, json.dumps(new) + "\n"]), encoding="utf-8")
    assert truetune("data", cwd=other).returncode == 0
    newest = max((other / "runs").iterdir(), key=lambda path: path.name)
    done = truetune("data", "diff", run.name, str(newest), "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    assert [change["kind"] for change in json.loads(done.stdout)["changes"]] == ["added"]

    assert truetune("data", "diff", run.name, run.name, cwd=project).returncode == 0
    events = (project / "evals" / "test.looks.jsonl").read_text(encoding="utf-8")
    assert events.count('"test.looked"') == 2  # one a comparison


def test_mistakes_are_named(project: Path, truetune: Truetune) -> None:
    for arguments, code in (
        (("diff", "data/tickets.jsonl", "data"), "usage.no_version"),
        (("diff", "data/tickets.jsonl", "curated/0007"), "data.file.missing"),
        (("curate", "--out", "data/tickets.jsonl"), "usage.not_a_folder"),
        (("reseal", "--why", "  "), "say why"),
        (("spotcheck", "data/tickets.jsonl", "--answers", "none.txt"), "none.txt"),
    ):
        done = truetune("data", *arguments, cwd=project)
        assert done.returncode == 2 and code in done.stderr, (arguments, done.stderr)
