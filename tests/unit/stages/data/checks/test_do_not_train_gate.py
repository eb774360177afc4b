"""The do-not-train list at the gate: listed rows go with the entry as reason, the record has the list's digest."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.unit.stages.data.rows_for_tests import Silent, labelled, record, write_lines

from truetune.backends.fake import FakeClock, FakeTokenizer
from truetune.core.config import DataConfig
from truetune.evidence.curated import read_split
from truetune.evidence.run_folder import RunFolder
from truetune.evidence.store import ObjectStore
from truetune.stages.data.check import run_check
from truetune.stages.data.stage import Ports, Request, run

LETTER = "The deposit for the flat on Birch Lane has still not been paid back although it was promised in writing"
LISTED = (
    {"id": "t-1", "reason": "consent withdrawn"},
    {"source": "forum"},
    {"regex": "(?i)project +heron"},
    {"text": LETTER},
)


def rows() -> list[dict[str, object]]:
    return [
        *labelled(40),
        {**record("A row with an id of its own", "calm"), "id": "t-1"},
        {**record("A row that was posted elsewhere", "calm"), "source": "forum"},
        record("News of Project Heron, please", "joy"),
        record(f"Hello, {LETTER.replace('Birch', 'Beech')}, what now?", "anger"),
    ]


def test_listed_rows_go_with_the_entry_as_their_reason(tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", rows())
    store = ObjectStore(tmp_path / "objects")
    config = DataConfig.model_validate({"sources": ["rows.jsonl"], "min_train_rows": 10, "do_not_train": LISTED})
    folder = RunFolder(tmp_path / "runs" / "one", store, FakeClock())
    data = run(Request(config, tmp_path, 17, 4096), Ports(FakeTokenizer(), Silent()), folder)
    kept = {row.line for side in ("train", "validation", "test") for row in read_split(store, data.curated, side)}
    assert kept == set(range(1, 41))
    artifact = next(a for a in data.curated.files if a.path == "dropped.parquet")
    dropped = pq.read_table(BytesIO(store.get_bytes(artifact.digest))).to_pylist()
    assert {row["code"] for row in dropped} == {"data.do_not_train"}
    assert [row["reason"].removeprefix("the do-not-train list forbids it: ")[:22] for row in dropped] == [
        "the id 't-1' (consent ",
        "the source 'forum'",
        "the expression '(?i)pr",
        "a near copy of the lis",
    ]
    assert data.do_not_train is not None and data.do_not_train.startswith("sha256:")


def test_the_users_own_validation_rows_are_held_to_the_list_and_the_test_is_left_whole(tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", labelled(60))
    for name in ("validation.jsonl", "test.jsonl"):
        write_lines(tmp_path / name, [*({**row, "id": f"{name}-{n}"} for n, row in enumerate(labelled(80)[60:66])), *rows()[-2:]])
    store = ObjectStore(tmp_path / "objects")
    config = DataConfig.model_validate(
        {
            "sources": ["rows.jsonl"],
            "min_train_rows": 10,
            "do_not_train": [*LISTED, {"id": "validation.jsonl-0"}],
            "splits": {"validation": "validation.jsonl"},
        }
    )
    folder = RunFolder(tmp_path / "runs" / "one", store, FakeClock())
    request = Request(config, tmp_path, 17, 4096, test=tmp_path / "test.jsonl")
    data = run(request, Ports(FakeTokenizer(), Silent()), folder)
    assert [row.line for row in read_split(store, data.curated, "validation")] == [2, 3, 4, 5, 6]
    assert len(read_split(store, data.curated, "test")) == 8
    listed = [finding for finding in data.findings if finding.code == "data.do_not_train"]
    assert [(ref.file, ref.line) for finding in listed for ref in finding.rows] == [
        ("validation.jsonl", line) for line in (1, 7, 8)
    ]


def test_without_a_list_nothing_is_looked_for(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "rows.jsonl", rows())
    report = run_check([source], [], progress=Silent())
    assert "data.do_not_train" not in report.stats.findings_by_code


@pytest.mark.parametrize(("policy", "allowed"), [("keep", False), ("quarantine", True)])
def test_the_list_cannot_be_overruled(policy: str, allowed: bool) -> None:
    from truetune.stages.data.checks.registry import choices

    assert (policy in choices()["data.do_not_train"].policies) is allowed
    assert not choices()["data.do_not_train"].may_be_off
