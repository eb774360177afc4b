"""The over-length policy on curated files: rows made to fit are records of the same format that read as the pieces they are."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.unit.stages.data.rows_for_tests import Record, Silent, labelled, write_lines

from truetune.backends.fake import FakeTokenizer
from truetune.core.config import DataConfig
from truetune.core.records import CurationRecord
from truetune.stages.data.curation.curate import Request, curate
from truetune.stages.data.reading.load import load
from truetune.stages.data.training_rows.over_length import Window

MOST = 150
LONG_TALK = " ".join(f"word{n}" for n in range(16))


def talk(*turns: str, system: str = "Sort.") -> list[dict[str, str]]:
    roles = ("user", "assistant")
    said = [{"role": roles[n % 2], "content": turn} for n, turn in enumerate(turns)]
    return [{"role": "system", "content": system}, *said]


def run(tmp_path: Path, rows: list[Record], how: str, *, window: bool = True) -> CurationRecord:
    source = write_lines(tmp_path / "rows.jsonl", rows)
    config = DataConfig.model_validate({"sources": [], "over_length": how})
    request = Request(
        [(source, "rows.jsonl")],
        [],
        config,
        tmp_path / "curated",
        model="fake:tiny",
        window=Window(FakeTokenizer(), MOST) if window else None,
    )
    return curate(request, Silent()).record


def curated(record: CurationRecord) -> list[dict[str, object]]:
    path = Path(record.version) / "rows.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def conversations(path: Path) -> list[list[tuple[str, str]]]:
    loaded = load([(path, "rows.jsonl")], None, Silent())
    assert not loaded.faults
    return [[(turn["role"], turn["content"]) for turn in row.messages] for row in loaded.rows]


def test_rows_that_are_too_long_are_left_out_and_said(tmp_path: Path) -> None:
    rows = [*labelled(20), {"messages": talk(LONG_TALK * 4, "joy")}]
    record = run(tmp_path, rows, "drop")
    assert len(curated(record)) == 20
    assert record.stats.dropped_by_code == {"data.length.context": 1}
    assert record.stats.tokens is not None and record.stats.tokens.rows_over_length == 1
    assert record.over_length == f"drop: more than {MOST} tokens of fake:tiny"


def test_without_a_tokenizer_it_says_that_nothing_was_measured(tmp_path: Path) -> None:
    record = run(tmp_path, [*labelled(20), {"messages": talk(LONG_TALK * 4, "joy")}], "drop", window=False)
    assert len(curated(record)) == 21
    assert record.over_length.startswith("not applied: ") and record.stats.tokens is None


def sharegpt(turns: list[dict[str, str]]) -> Record:
    names = {"user": "human", "assistant": "gpt"}
    return {
        "id": 7,
        "system": turns[0]["content"],
        "conversations": [{"from": names[t["role"]], "value": t["content"]} for t in turns[1:]],
    }


@pytest.mark.parametrize("form", ["messages", "sharegpt", "sharegpt, system as a turn", "prompt_completion"])
def test_a_long_conversation_becomes_records_of_its_own_format(tmp_path: Path, form: str) -> None:
    turns = talk(f"a {LONG_TALK}", "one", f"b {LONG_TALK}", "two", f"c {LONG_TALK}", "three")
    given: dict[str, Record] = {
        "messages": {"id": 7, "messages": [{**turn, "weight": n} for n, turn in enumerate(turns)]},
        "sharegpt": sharegpt(turns),
        "sharegpt, system as a turn": {
            "conversations": [{"from": "system", "value": "Sort."}, *sharegpt(turns)["conversations"]]
        },  # type: ignore[misc]
        "prompt_completion": {"prompt": turns[:-1], "completion": turns[-1:]},
    }
    record = run(tmp_path, [given[form]] * 1, "split")
    version = Path(record.version)
    wanted = [
        [("system", "Sort."), ("user", f"{name} {LONG_TALK}"), ("assistant", word)]
        for name, word in zip("abc", ("one", "two", "three"), strict=True)
    ]
    assert conversations(version / "rows.jsonl") == wanted
    lineage = pq.read_table(version / "lineage.parquet").to_pylist()
    assert [row["row_id"].partition(".")[2] for row in lineage] == ["1", "2", "3"]
    assert {row["source_line"] for row in lineage} == {1}
    assert "part 2 of 3, split between turns" in (version / "changes.md").read_text(encoding="utf-8")
    if form == "messages":
        assert [turn["weight"] for turn in curated(record)[1]["messages"]] == [0, 3, 4]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": talk(LONG_TALK * 3, "joy")},
        {"instruction": LONG_TALK, "input": LONG_TALK * 2, "output": "joy"},
        {"prompt": LONG_TALK * 3, "completion": "joy"},
    ],
)
def test_a_shortened_prompt_reads_as_what_it_was_cut_to(tmp_path: Path, row: Record) -> None:
    record = run(tmp_path, [row], "truncate_prompt")
    (messages,) = conversations(Path(record.version) / "rows.jsonl")
    prompt = messages[-2][1]
    assert (LONG_TALK * 3).endswith(prompt) and len(prompt) > 40 and messages[-1] == ("assistant", "joy")
    assert list(curated(record)[0]) == list(row)
