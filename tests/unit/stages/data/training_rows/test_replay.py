"""General rows mixed into training: by share of tokens, none that the task or the evaluation has, marked as what they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from benchmarks.real_data import data_folder
from tests.unit.stages.data.rows_for_tests import LONG, Record, Silent, labelled, record, write_lines

from truetune.backends.fake import FakeClock, FakeTokenizer
from truetune.core.config import DataConfig
from truetune.core.records import DataRecord, Finding
from truetune.evidence.curated import CuratedRow, read_split
from truetune.evidence.run_folder import RunFolder
from truetune.evidence.store import ObjectStore
from truetune.project.do_not_train.matching import text_sha256
from truetune.stages.data.stage import Ports, Request, run

SHARE, LEAK, DUPLICATE, LICENCE = "data.replay.share", "data.replay.leak", "data.replay.duplicate", "data.replay.licence"
THINGS = (
    "a lighthouse",
    "sour dough",
    "spring tides",
    "this violin",
    "old maps",
    "beeswax",
    "my compass",
    "wool",
    "salt",
    "thunder",
)
TAILS = (
    "a curious child",
    "four plain lines",
    "three household uses",
    "an honest riddle",
    "one short letter",
    "ten careful steps",
)


def general(count: int = 30) -> list[Record]:
    """Instructions of a small fictional set; no two share most of their words."""
    prompts = [f"Ask{n} {THINGS[n % 10]} with {TAILS[n % 6]} for reader{n} before day{n * 3}" for n in range(30)]
    return [
        record(p, f"Number {n}: {p.lower()}, told slowly and with care for every detail.", None) for n, p in enumerate(prompts)
    ][:count]


class World:
    """A folder with task rows and a replay set, and the stage run over it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = ObjectStore(root / "objects")

    def run(
        self,
        replay: Sequence[object],
        *,
        task: Sequence[Record] | None = None,
        gold: Sequence[Record] | None = None,
        suites: Mapping[str, Sequence[str]] | None = None,
        seed: int = 17,
        share: float = 0.1,
        data: Mapping[str, object] | None = None,
        **config: object,
    ) -> DataRecord:
        write_lines(self.root / "rows.jsonl", task or labelled(120))
        write_lines(self.root / "general.jsonl", replay)
        gold_path = write_lines(self.root / "gold.jsonl", gold) if gold else None
        settings = DataConfig.model_validate(
            {
                "sources": ["rows.jsonl"],
                "min_train_rows": 10,
                "replay": {"source": "general.jsonl", "share": share, "licence": "CC0-1.0", **config},
                **(data or {}),
            }
        )
        request = Request(settings, self.root, seed, 4096, gold_path, suites=suites or {})
        return run(request, Ports(FakeTokenizer(), Silent()), RunFolder(self.root / "runs" / "one", self.store, FakeClock()))

    def mixed(self, data: DataRecord) -> list[CuratedRow]:
        return [row for row in read_split(self.store, data.curated, "train") if row.origin == "replay"]

    def table(self, data: DataRecord, name: str) -> list[dict[str, object]]:
        artifact = next(a for a in data.curated.files if a.path == name)
        rows: list[dict[str, object]] = pq.read_table(BytesIO(self.store.get_bytes(artifact.digest))).to_pylist()
        return rows


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def found(data: DataRecord, code: str) -> list[Finding]:
    return [finding for finding in data.findings if finding.code == code]


def tokens(rows: Sequence[CuratedRow]) -> int:
    tokenizer = FakeTokenizer()
    return sum(len(tokenizer.encode([tokenizer.render(row.messages, add_generation_prompt=False)])[0].ids) for row in rows)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_the_share_of_tokens_is_reached_and_recorded(world: World, share: float) -> None:
    data = world.run(general(), share=share)
    assert data.replay
    assert data.replay.share_asked == share
    assert data.replay.share_tokens == pytest.approx(share, abs=0.012)
    train = read_split(world.store, data.curated, "train")
    mixed = world.mixed(data)
    assert len(mixed) == data.replay.rows and tokens(mixed) == data.replay.tokens
    assert tokens(train) == data.replay.tokens + data.replay.task_tokens
    assert data.replay.share_tokens == pytest.approx(tokens(mixed) / tokens(train), abs=1e-4)
    assert data.replay.licence == "CC0-1.0" and found(data, LICENCE) == []


def test_only_training_has_replay_and_the_lineage_marks_it(world: World) -> None:
    data, plain = world.run(general()), world.run(general(1), share=0.001)
    assert plain.replay and plain.replay.rows == 0
    for side in ("validation", "test"):
        assert all(row.origin == "task" for row in read_split(world.store, data.curated, side))
        assert data.splits[side] == plain.splits[side]
    lineage = world.table(data, "lineage.parquet")
    marked = [row for row in lineage if row["origin"] == "replay"]
    assert data.replay and len(marked) == data.replay.rows
    assert {(row["file"], row["split"]) for row in marked} == {("general.jsonl", "train")}
    assert all(str(row["row_id"]).startswith("replay-") for row in marked)
    assert data.splits["train"].rows == plain.splits["train"].rows + data.replay.rows
    assert data.stats.rows == plain.stats.rows == 120


def test_the_seed_draws_and_the_order_of_the_source_does_not(world: World) -> None:
    def drawn(rows: list[Record], seed: int = 17) -> list[str]:
        return sorted(row.prompt for row in world.mixed(world.run(rows, seed=seed)))

    first = drawn(general())
    assert drawn(general()) == first == drawn(general()[::-1])
    assert drawn(general(), seed=18) != first


def test_rows_of_the_evaluation_are_left_out_with_the_reason(world: World) -> None:
    suite = ("The animal that farmers shear for its wool is the", "Name two primary colours, please, in one line.")
    leaks = [
        record("the animal that farmers shear for its wool, is the", "sheep", None),
        record("Fill in one word and say nothing more. The animal that farmers shear for its wool is the ...", "sheep", None),
        record("What comes next?", f"I would say: {suite[1]}", None),
        record(LONG, "A lovely question about chairs.", None),
    ]
    data = world.run([*leaks, *general()], gold=[record(LONG, "joy")], suites={"general knowledge": suite})
    (finding,) = found(data, LEAK)
    assert [row.line for row in finding.rows] == [1, 2, 3, 4]
    assert finding.severity == "warn"
    assert data.replay and data.replay.dropped_by_code == {LEAK: 4}
    dropped = {row["line"]: row["reason"] for row in world.table(data, "dropped.parquet") if row["file"] == "general.jsonl"}
    assert "general knowledge" in str(dropped[1]) and "word for word" in str(dropped[2]) and "gold" in str(dropped[4])
    assert {row.line for row in world.mixed(data)} & {1, 2, 3, 4} == set()


def test_rows_of_the_frozen_test_are_left_out(world: World) -> None:
    task = labelled(120)
    test = read_split(world.store, world.run(general(1), task=task).curated, "test")
    data = world.run([record(test[0].prompt, "Something general to say about it.", None), *general()], task=task)
    assert [row.line for row in found(data, LEAK)[0].rows] == [1]


def test_rows_of_the_task_and_of_the_source_itself_are_left_out(world: World) -> None:
    task = [*labelled(119), record(LONG, "joy")]
    general_rows = general()
    same = [record(LONG.replace("garden", "kitchen"), "A chair is a seat.", None), general_rows[0], general_rows[0]]
    data = world.run([*same, *general_rows[1:]], task=task, share=0.3)
    assert data.replay and data.replay.dropped_by_code[DUPLICATE] + data.replay.dropped_by_code.get(LEAK, 0) == 1
    assert data.replay.dropped_by_code["data.duplicate.exact"] == 1
    assert len({row.prompt for row in world.mixed(data)}) == data.replay.rows


def test_unusable_rows_are_left_out(world: World) -> None:
    key = "My key is AKIA" + "Q3EXAMPLE7Z2KLMN"
    data = world.run([record(key, "Keep it safe and tell nobody.", None), record("And then", "", None), *general()])
    assert data.replay and data.replay.dropped_by_code == {"data.record.empty": 1, "data.secret": 1}
    assert data.replay.offered == 32


@pytest.mark.parametrize(("share", "count", "said"), [(0.03, 30, "is usual"), (0.25, 30, "is usual"), (0.1, 2, "were asked for")])
def test_a_share_out_of_range_or_out_of_reach_is_a_finding(world: World, share: float, count: int, said: str) -> None:
    (finding,) = found(world.run(general(count), share=share), SHARE)
    assert finding.severity == "warn" and said in finding.message


def test_no_licence_is_a_note(world: World) -> None:
    (finding,) = found(world.run(general(), licence=None), LICENCE)
    assert finding.severity == "note"


def test_a_replay_set_answers_the_note_on_off_task_rows(world: World) -> None:
    assert found(world.run(general()), "data.balance.off_task") == []


def test_too_few_rows_of_the_task_are_not_made_up_by_replay(world: World) -> None:
    data = world.run(general(), task=labelled(12))
    assert data.gate == "failed" and "min_train_rows" in data.gate_reason


def test_alpaca_seed_tasks(world: World) -> None:
    path = data_folder() / "alpaca_seed_tasks" / "seed_tasks.jsonl"
    if not path.exists():
        pytest.skip(f"{path.parent.name} is absent; set TRUETUNE_SHARED_DATA to the folder that has it")
    tasks = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [{"instruction": t["instruction"], **t["instances"][0]} for t in tasks]
    data = world.run(rows, task=labelled(600))
    assert data.replay and data.replay.offered == 175
    assert data.replay.share_tokens == pytest.approx(0.1, abs=0.005)
    assert found(data, SHARE) == []


def test_listed_rows_are_passed_over_and_counted(world: World) -> None:
    rows = general()
    rows[0] = {**rows[0], "id": "g-1"}
    rows[1] = {**rows[1], "source": "forum"}
    turns = [str(message["content"]) for message in rows[2]["messages"]]  # type: ignore[attr-defined]
    near = str(rows[4]["messages"][1]["content"]).replace("care", "patience")  # type: ignore[index]
    listed = [{"id": "g-1"}, {"source": "forum"}, {"sha256": text_sha256(turns[0])}, {"regex": "Ask3 "}, {"text": near}]
    data = world.run(rows, share=0.3, data={"do_not_train": listed})
    assert data.replay and data.replay.dropped_by_code["data.do_not_train"] == 5
    (finding,) = found(data, "data.do_not_train")
    assert (finding.severity, [row.line for row in finding.rows]) == ("note", [1, 2, 3, 4, 5])
    assert {row.line for row in world.mixed(data)} & {1, 2, 3, 4, 5} == set()
    dropped = [row for row in world.table(data, "dropped.parquet") if row["code"] == "data.do_not_train"]
    assert {row["file"] for row in dropped} == {"general.jsonl"}
