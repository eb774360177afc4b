"""`truetune data diff` on what people compare: two files, a file with what was curated of it, two runs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Truetune, ticket

from truetune.cli.data_diff import lines
from truetune.core.records import DataDiff, DataStats, RowChange, RowRef


def at(line: int) -> RowRef:
    return RowRef(file="t.jsonl", line=line)


def test_the_whole_text() -> None:
    stats = DataStats(rows=3, kept=2, dropped=1, effective_unique=2)
    record = DataDiff(
        a="old.jsonl",
        b="new.jsonl",
        unchanged=1,
        changes=(
            RowChange(kind="changed", id="r1", a=at(1), b=at(2), before="late → yes it is", after="late → no it is not"),
            RowChange(kind="removed", id=None, a=at(3), b=None, before="hello → hi", after=""),
            RowChange(kind="added", id=None, a=None, b=at(4), before="", after="bye → bye"),
            RowChange(kind="added", id=None, a=None, b=at(5), before="", after="ok → ok"),
        ),
        findings={"data.secret": (2, 0)},
        stats_a=stats,
        stats_b=stats,
    )
    assert [str(line) for line in lines(record, most=1)] == [
        "a         old.jsonl: 3 rows, 2 kept, about 2 really different",
        "b         new.jsonl: 3 rows, 2 kept, about 2 really different",
        "rows      2 added, 1 removed, 1 changed, 1 unchanged",
        "findings  data.secret: 2 → 0 (-2)",
        "- t.jsonl:3",
        "    hello → hi",
        "+ t.jsonl:4",
        "    bye → bye",
        "… and 1 more added (all of them: --max-rows 0)",
        "~ t.jsonl:1 → t.jsonl:2  id r1",
        "    late → ‹yes› it is",
        "    late → ‹no› it is ‹not›",
    ]


def test_a_file_and_what_was_curated_of_it(tickets: Path, truetune: Truetune, tmp_path: Path) -> None:
    tickets.write_text(tickets.read_text(encoding="utf-8") + tickets.read_text(encoding="utf-8").splitlines()[0] + "\n")
    assert truetune("data", "curate", "tickets.jsonl").returncode == 0
    for version in ("curated", "curated/0001"):
        done = truetune("data", "diff", "tickets.jsonl", version)
        assert done.returncode == 0, done.stderr
        assert "rows      0 added, 1 removed, 0 changed, 240 unchanged" in done.stdout
        assert "findings  data.duplicate.exact: 1 → 0 (-1)" in done.stdout


def test_two_runs(project: Path, truetune: Truetune) -> None:
    assert truetune("data", cwd=project).returncode == 0
    data = project / "data" / "tickets.jsonl"
    rows = data.read_text(encoding="utf-8").splitlines()
    data.write_text("\n".join([*rows[1:], json.dumps(ticket("billing", 960))]) + "\n", encoding="utf-8")
    assert truetune("data", cwd=project).returncode == 0
    done = truetune("data", "diff", "1", "2", "--json", cwd=project)
    record = json.loads(done.stdout)
    assert sorted(change["kind"] for change in record["changes"]) == ["added", "removed"]
    assert record["unchanged"] == 239


def test_what_is_neither(project: Path, truetune: Truetune) -> None:
    assert "data.file.missing" in truetune("data", "diff", "none.jsonl", "none.jsonl", cwd=project).stderr
    assert "usage.no_runs" in truetune("data", "diff", "1", "2", cwd=project).stderr
