"""`truetune data show`: the tokens of a row, what is trained among them, legible without colour and at any width."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from tests.conftest import Truetune

from truetune.backends.fake import FakeTokenizer
from truetune.cli.data_show import lines
from truetune.core.records import RowRef
from truetune.evidence.curated import from_parquet
from truetune.stages.data.inspection.show import FoundRow, show

MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Say hi\nto 语言"},
    {"role": "assistant", "content": "hi"},
    {"role": "user", "content": "again"},
    {"role": "assistant", "content": "hi hi"},
]


def shown(width: int = 60, max_length: int | None = None) -> list[str]:
    record = show(FoundRow(RowRef(file="rows.jsonl", line=3), MESSAGES), FakeTokenizer(), "fake:tiny", max_length)
    return list(lines(record, width))


def test_the_whole_text() -> None:
    assert shown() == [
        "row       rows.jsonl:3",
        "tokens    63, of which 6 are trained; the others are only read",
        "model     fake:tiny",
        *TEXT.splitlines(),
    ]


TEXT = """\
        │ <|im_start|>¦sy¦st¦em¦↵
        │ B¦e ¦br¦ie¦f¦.¦<|im_end|>¦↵
        │ <|im_start|>¦us¦er¦↵
        │ S¦ay¦ h¦i¦↵
        │ to¦ ¦语¦⋯¦⋯¦言¦⋯¦⋯¦<|im_end|>¦↵
        │ <|im_start|>¦as¦si¦st¦an¦t¦↵
trained │ hi¦<|im_end|>
        │ ↵
        │ <|im_start|>¦us¦er¦↵
        │ ag¦ai¦n¦<|im_end|>¦↵
        │ <|im_start|>¦as¦si¦st¦an¦t¦↵
trained │ hi¦ h¦i¦<|im_end|>
        │ ↵
"""


def test_every_trained_token_is_on_a_marked_line_and_no_other() -> None:
    marked = [line.removeprefix("trained │ ") for line in shown() if line.startswith("trained")]
    assert ["".join(line.split("¦")) for line in marked] == ["hi<|im_end|>", "hi hi<|im_end|>"]


@pytest.mark.parametrize("width", [20, 33, 80, 300])
def test_lines_fit_and_lose_nothing(width: int) -> None:
    body = [line for line in shown(width) if "│ " in line]
    assert all(cell_len(line) <= max(30, width) for line in body)
    text = "".join("".join(line.partition("│ ")[2].split("¦")) for line in body)
    assert "Say hi↵to 语⋯⋯言⋯⋯<|im_end|>↵" in text and text.endswith("hi hi<|im_end|>↵")


def test_a_row_that_is_too_long_says_so() -> None:
    assert "too long  13 tokens more than train.max_length (50)" in shown(max_length=50)


def test_a_line_of_a_file_with_a_model(tickets: Path, truetune: Truetune) -> None:
    done = truetune("data", "show", f"{tickets.name}:3", "--model", "fake:tiny", "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    text = "".join(t for t, on in zip(record["tokens"], record["trained"], strict=True) if on)
    assert text == "returns<|im_end|>"
    assert len(record["token_ids"]) == len(record["tokens"])


def test_rows_of_a_project_by_place_and_by_id(project: Path, truetune: Truetune) -> None:
    by_place = json.loads(truetune("data", "show", "data/tickets.jsonl:7", "--json", cwd=project).stdout)
    assert by_place["model"] == "fake:tiny" and by_place["row_id"] is None
    assert truetune("data", "show", "abc", cwd=project).returncode == 2
    data = json.loads(truetune("data", "--json", cwd=project).stdout)
    inside = project / "data"
    view = data["token_views"][0]["row"]
    assert truetune("data", "show", f"{view['file']}:{view['line']}", cwd=inside).returncode == 0
    first = truetune("data", "show", "", "--json", cwd=project)
    assert first.returncode == 2 and "240 rows" in json.loads(first.stdout)["what"]


def test_a_row_of_the_frozen_test_is_a_look_however_it_is_named(project: Path, truetune: Truetune) -> None:
    assert truetune("data", cwd=project).returncode == 0
    (objects,) = (project / "runs").iterdir()
    data = json.loads((objects / "data.json").read_text(encoding="utf-8"))
    digests = {artifact["path"]: artifact["digest"].removeprefix("sha256:") for artifact in data["curated"]["files"]}
    store = project / ".truetune" / "objects"
    rows = {
        side: from_parquet((store / digests[f"{side}.parquet"][:2] / digests[f"{side}.parquet"][2:]).read_bytes())[0]
        for side in ("train", "test")
    }

    def looks() -> int:
        path = project / "evals" / "test.looks.jsonl"
        return path.read_text(encoding="utf-8").count('"data show"') if path.exists() else 0

    assert truetune("data", "show", f"{rows['train'].file}:{rows['train'].line}", cwd=project).returncode == 0
    assert looks() == 0
    assert truetune("data", "show", f"{rows['test'].file}:{rows['test'].line}", cwd=project).returncode == 0
    assert truetune("data", "show", f"tickets.jsonl:{rows['test'].line}", cwd=project / "data").returncode == 0
    assert truetune("data", "show", rows["test"].row_id, cwd=project).returncode == 0
    assert looks() == 3


def test_a_check_that_finds_a_row_of_the_frozen_test_is_no_look_and_writes_nothing(project: Path, truetune: Truetune) -> None:
    # It runs in hooks and pipelines: one that adds to a versioned file would stop every commit.
    assert truetune("data", cwd=project).returncode == 0
    seal = json.loads((project / "evals" / "test.seal.json").read_text(encoding="utf-8"))["rows"][0]
    data = project / "data" / "tickets.jsonl"
    again = json.loads(data.read_text(encoding="utf-8").splitlines()[seal["line"] - 1])
    again["messages"][-1]["content"] = "garden"
    (project / "new.jsonl").write_text(json.dumps(again) + "\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    done = truetune("check", "data/tickets.jsonl", "new.jsonl", "--json", cwd=project)
    named = [row["line"] for f in json.loads(done.stdout)["findings"] if f["code"] == "data.contradiction" for row in f["rows"]]
    assert seal["line"] in named
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("row", "code"),
    [("tickets.jsonl:900", "usage.row_not_found"), ("bad.jsonl:2", "data.record.empty"), ("none.jsonl:1", "data.file.missing")],
)
def test_what_is_no_row(tickets: Path, truetune: Truetune, tmp_path: Path, row: str, code: str) -> None:
    rows = [{"prompt": "a", "completion": "b"}, {"prompt": "a", "completion": ""}]
    (tmp_path / "bad.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    done = truetune("data", "show", row, "--model", "fake:tiny", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"] == code
