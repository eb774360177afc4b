"""A project's test is sealed by its first run, kept by the later ones, looked at in public, and given up only on purpose."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Truetune


def seal(project: Path) -> dict:
    return json.loads((project / "evals" / "test.seal.json").read_text(encoding="utf-8"))


def looks(project: Path) -> list[dict]:
    lines = (project / "evals" / "test.looks.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def digest_of_test(project: Path) -> str:
    newest = max((project / "runs").iterdir(), key=lambda run: run.name)
    return json.loads((newest / "data.json").read_text(encoding="utf-8"))["splits"]["test"]["digest"]


def test_more_rows_keep_the_test_and_a_changed_row_stops_the_run_until_it_is_resealed(project: Path, truetune: Truetune) -> None:
    assert truetune("data", cwd=project).returncode == 0
    first = seal(project)
    assert first["digest"] == digest_of_test(project) and first["chosen_by"] == "cut"
    assert "unchanged" in truetune("data", cwd=project).stdout

    data = project / "data" / "tickets.jsonl"
    rows = data.read_text(encoding="utf-8").splitlines(keepends=True)
    new = json.loads(rows[0])
    new["messages"][-2]["content"] = "Quite another matter: the lamp in hall seven hums loudly whenever it rains at night"
    data.write_text(json.dumps(new) + "\n" + "".join(rows), encoding="utf-8")
    assert truetune("data", cwd=project).returncode == 0
    assert digest_of_test(project) == first["digest"] and seal(project) == first

    gone = first["rows"][0]["line"]
    data.write_text("".join(rows[: gone - 1] + rows[gone:]), encoding="utf-8")
    stopped = truetune("data", cwd=project)
    assert stopped.returncode == 1 and "truetune data reseal" in stopped.stdout

    assert truetune("data", "reseal", cwd=project).returncode == 2  # without a reason
    resealed = truetune("data", "reseal", "--why", "a row was withdrawn", cwd=project)
    assert resealed.returncode == 0, resealed.stdout + resealed.stderr
    assert seal(project)["digest"] == digest_of_test(project) != first["digest"]
    assert [entry["event"] for entry in looks(project)] == ["test.sealed", "test.seal_broken", "test.sealed"]
    assert looks(project)[1]["data"]["why"] == "a row was withdrawn"


def test_who_shows_or_spot_checks_a_row_of_the_test_looks_at_it(project: Path, truetune: Truetune) -> None:
    assert truetune("data", cwd=project).returncode == 0
    sealed = {row["line"] for row in seal(project)["rows"]}
    free = next(line for line in range(1, 99) if line not in sealed)
    assert truetune("data", "show", f"data/tickets.jsonl:{free}", cwd=project).returncode == 0
    assert [entry["event"] for entry in looks(project)] == ["test.sealed"]
    assert truetune("data", "show", f"data/tickets.jsonl:{min(sealed)}", cwd=project).returncode == 0
    assert truetune("data", "show", seal(project)["rows"][0]["row_id"], cwd=project).returncode == 0
    truetune("data", "spotcheck", "data/tickets.jsonl", "-n", "80", "--answers", "/dev/null", cwd=project)
    truetune("data", "spotcheck", "-n", "80", "--answers", "/dev/null", cwd=project)
    commands = [entry["data"]["command"] for entry in looks(project) if entry["event"] == "test.looked"]
    assert commands == ["data show", "data show", "data spotcheck"]


def test_who_compares_or_curates_files_with_rows_of_the_test_looks_at_it(project: Path, truetune: Truetune) -> None:
    assert truetune("data", cwd=project).returncode == 0
    lines = (project / "data" / "tickets.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    tested = min(row["line"] for row in seal(project)["rows"])
    free = next(line for line in range(1, 99) if line not in {row["line"] for row in seal(project)["rows"]})

    def commands() -> list[str]:
        return [entry["data"]["command"] for entry in looks(project) if entry["event"] == "test.looked"]

    def without(line: int) -> str:
        path = project / "less.jsonl"
        path.write_text("".join(lines[: line - 1] + lines[line:]), encoding="utf-8")
        return path.name

    assert truetune("data", "diff", "data/tickets.jsonl", without(free), cwd=project).returncode == 0
    assert commands() == []
    assert truetune("data", "diff", "data/tickets.jsonl", without(tested), cwd=project).returncode == 0
    assert commands() == ["data diff"]

    kept = [*lines[tested - 1 : tested], *lines[free - 1 : free], *lines[free - 1 : free]]
    (project / "few.jsonl").write_text("".join(kept), encoding="utf-8")
    truetune("data", "curate", "few.jsonl", cwd=project)
    assert commands() == ["data diff"]
    (project / "few.jsonl").write_text("".join([*kept, lines[tested - 1]]), encoding="utf-8")
    truetune("data", "curate", "few.jsonl", cwd=project)
    truetune("data", "curate", "few.jsonl", cwd=project)  # nothing new is written
    assert commands() == ["data diff", "data curate"]
    place = f"data/tickets.jsonl:{tested}"
    assert truetune("data", "show", place, "--model", "fake:tiny", cwd=project).returncode == 0
    assert commands() == ["data diff", "data curate", "data show"]


def test_each_evaluation_is_a_look_that_verify_and_the_report_count(project: Path, truetune: Truetune) -> None:
    assert truetune("run", cwd=project).returncode == 0
    assert truetune("run", "--new", cwd=project).returncode == 0
    assert [entry["event"] for entry in looks(project)] == ["test.sealed", "test.looked", "test.looked"]
    checked = truetune("verify", "latest", cwd=project)
    assert checked.returncode == 0 and "looked at 2 times since it was sealed on" in checked.stdout
    newest = max((project / "runs").iterdir(), key=lambda run: run.name)
    assert "looks at the frozen test" in (newest / "report.html").read_text(encoding="utf-8")
    assert truetune("data", "show", seal(project)["rows"][0]["row_id"], cwd=project).returncode == 0
    assert truetune("report", "latest", cwd=project).returncode == 0
    page = (newest / "report.html").read_text(encoding="utf-8")
    assert "1 by data show, 2 by evaluate, 1 after this run&#39;s evaluation" in page

    ledger = project / "evals" / "test.looks.jsonl"
    lines = ledger.read_text(encoding="utf-8").splitlines(keepends=True)
    ledger.write_text(lines[0] + lines[2], encoding="utf-8")
    checked = truetune("verify", "latest", cwd=project)
    assert checked.returncode == 1 and "frozen test: failed" in checked.stdout
