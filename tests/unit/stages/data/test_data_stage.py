"""The stage end to end: curated shards, lineage, drops, splits, gate."""

from __future__ import annotations

import json
import random
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.unit.stages.data.rows_for_tests import (
    LONG,
    Record,
    Silent,
    distinct_prompts,
    labelled,
    of_single_rows,
    record,
    write_lines,
)

from truetune.backends.fake import FakeClock, FakeTokenizer
from truetune.core.config import DataConfig, SplitConfig
from truetune.core.errors import DataError
from truetune.core.ports import ChatTokenizer, Message
from truetune.core.records import DataRecord, SealRecord, SplitName
from truetune.evidence.curated import from_parquet, read_split
from truetune.evidence.run_folder import RunFolder
from truetune.evidence.store import ObjectStore
from truetune.stages.data.splits.cut import split_digest
from truetune.stages.data.splits.frozen import new_seal
from truetune.stages.data.stage import Ports, Request, run


class Project:
    """A folder with rows, and the stage run over it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = ObjectStore(root / ".truetune" / "objects")

    def run(
        self,
        records: list[Record],
        *,
        tokenizer: ChatTokenizer | None = None,
        max_length: int = 4096,
        gold: list[Record] | None = None,
        test: list[Record] | None = None,
        seed: int = 17,
        seal: SealRecord | None = None,
        **config: object,
    ) -> DataRecord:
        write_lines(self.root / "rows.jsonl", records)
        gold_path = write_lines(self.root / "gold.jsonl", gold) if gold else None
        test_path = write_lines(self.root / "test.jsonl", test) if test else None
        settings = DataConfig.model_validate({"sources": ["rows.jsonl"], "min_train_rows": 10, **config})
        folder = RunFolder(self.root / "runs" / "one", self.store, FakeClock())
        return run(
            Request(settings, self.root, seed, max_length, gold_path, test_path, seal=seal),
            Ports(tokenizer or FakeTokenizer(), Silent()),
            folder,
        )

    def table(self, data: DataRecord, name: str) -> list[dict[str, object]]:
        artifact = next(a for a in data.curated.files if a.path == name)
        rows: list[dict[str, object]] = pq.read_table(BytesIO(self.store.get_bytes(artifact.digest))).to_pylist()
        return rows


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def faulty() -> list[Record]:
    """60 clean rows, then: an exact pair with row 1, a near pair, a contradiction, a secret, an empty answer."""
    clean = labelled(60)
    return [
        *clean,
        clean[0],
        record(LONG, "anger"),
        record(LONG.replace("garden", "kitchen"), "anger"),
        record("The very same question is asked here", "joy"),
        record("The very same question is asked here", "calm"),
        record("My key is AKIA" + "Q3EXAMPLE7Z2KLMN", "joy"),
        record("What now", ""),
    ]


def test_every_row_is_kept_once_or_dropped_with_a_reason(project: Project) -> None:
    data = project.run(faulty())
    lineage, dropped = project.table(data, "lineage.parquet"), project.table(data, "dropped.parquet")
    assert sorted([row["line"] for row in lineage] + [row["line"] for row in dropped]) == list(range(1, 68))
    assert {row["line"]: row["code"] for row in dropped} == {
        61: "data.duplicate.exact",
        63: "data.duplicate.near",
        64: "data.contradiction",
        65: "data.contradiction",
        66: "data.secret",
        67: "data.record.empty",
    }
    assert all(row["reason"] for row in dropped)
    assert (data.stats.rows, data.stats.kept, data.stats.dropped) == (67, 61, 6)
    assert data.gate == "passed" and "61 of 67" in data.gate_reason


def test_splits_are_frozen_and_disjoint(project: Project) -> None:
    data = project.run(faulty())
    sides = {side: read_split(project.store, data.curated, side) for side in ("train", "validation", "test")}
    ids = [row.row_id for rows in sides.values() for row in rows]
    assert len(ids) == len(set(ids)) == 61
    assert [len(sides[side]) for side in ("train", "validation", "test")] == [43, 6, 12]
    for side, rows in sides.items():
        artifact = next(a for a in data.curated.files if a.path == f"{side}.parquet")
        assert data.splits[side].digest == split_digest(project.store.get_bytes(artifact.digest))
        assert data.splits[side].rows == len(rows)


def test_the_same_rows_in_another_order_are_the_same_splits(project: Project) -> None:
    rows = labelled(80)
    first = project.run(rows)
    second = project.run(random.Random(1).sample(rows, 80))
    assert first.splits == second.splits
    assert first.splits != project.run(rows, seed=18).splits


def test_run_twice_gives_the_same_record(project: Project) -> None:
    assert project.run(faulty()) == project.run(faulty())


def test_leaking_rows_leave_training_and_held_out_rows_stay(project: Project) -> None:
    data = project.run([*labelled(60), record(LONG, "anger")], gold=[record(LONG, "anger")])
    assert data.stats.dropped_by_code == {"data.leakage.split": 1}
    assert [source.path for source in data.held_out] == ["gold.jsonl"]


def test_gold_rows_travel_with_the_curated_data(project: Project) -> None:
    data = project.run(labelled(60), gold=[record(LONG, "anger"), record("Something else", "joy")])
    artifact = next(a for a in data.curated.files if a.path == "gold.parquet")
    rows = from_parquet(project.store.get_bytes(artifact.digest))
    assert [row.answer for row in rows] == ["anger", "joy"]
    assert all(row.row_id.startswith("gold-") for row in rows)


def test_a_named_test_file_is_the_test(project: Project) -> None:
    data = project.run(
        [*labelled(60), record(LONG, "anger")], test=[record(LONG.upper(), "anger"), record("Something else", "joy")]
    )
    rows = read_split(project.store, data.curated, "test")
    assert [(row.file, row.line) for row in rows] == [("test.jsonl", 1), ("test.jsonl", 2)]
    assert data.splits["train"].rows + data.splits["validation"].rows == 60
    assert data.stats.dropped_by_code == {"data.leakage.split": 1}


def test_near_duplicates_with_other_answers_stay_on_one_side(project: Project) -> None:
    pairs = []
    for prompt in distinct_prompts(30):
        pairs += [record(prompt, "joy"), record(prompt.replace("because", "although"), "anger")]
    data = project.run(pairs, splits=SplitConfig(validation_frac=0.2, test_frac=0.3).model_dump())
    lineage = project.table(data, "lineage.parquet")
    sides: dict[object, set[object]] = {}
    for row in lineage:
        sides.setdefault(row["cluster"], set()).add(row["split"])
    assert len(lineage) == 60 and len(sides) == 30
    assert all(len(found) == 1 for found in sides.values())


def test_rephrasings_with_one_specific_answer_stay_on_one_side(project: Project) -> None:
    ways = ("How do I reset the {} password?", "the {} password has to be reset, what now", "Password reset for the {}, please")
    things = ("router", "laptop", "printer", "thermostat", "doorbell", "tractor", "scanner", "freezer", "cinema", "library")
    rows = [record(way.format(thing), f"Hold the {thing} button until its lamp turns green.") for thing in things for way in ways]
    data = project.run(rows, splits=SplitConfig(validation_frac=0.2, test_frac=0.3).model_dump())
    sides: dict[int, set[str]] = {}
    for side in ("train", "validation", "test"):
        for row in read_split(project.store, data.curated, side):
            sides.setdefault((row.line - 1) // 3, set()).add(side)
    assert all(len(found) == 1 for found in sides.values())
    assert set().union(*sides.values()) == {"train", "validation", "test"}


def test_over_length_rows_are_reported_and_left_out_never_cut(project: Project) -> None:
    data = project.run([*labelled(60), record("word " * 600, "joy")], max_length=500)
    (finding,) = of_single_rows(data)
    assert (finding.code, finding.rows[0].line) == ("data.length.context", 61)
    assert data.stats.tokens is not None
    assert data.stats.tokens.rows_over_length == 1
    assert data.stats.tokens.max_tokens <= 500


def test_token_views_show_what_is_trained(project: Project) -> None:
    data = project.run(labelled(60))
    assert len(data.token_views) == 3
    for view in data.token_views:
        trained = "".join(token for token, on in zip(view.tokens, view.trained, strict=True) if on)
        assert trained.removesuffix("<|im_end|>") in ("sorrow", "joy", "anger", "calm")
        assert trained.endswith("<|im_end|>")


def test_without_a_tokenizer_lengths_are_not_measured(tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", labelled(60))
    folder = RunFolder(tmp_path / "runs" / "one", ObjectStore(tmp_path / "objects"), FakeClock())
    request = Request(DataConfig(sources=("rows.jsonl",), min_train_rows=10), tmp_path, 1, 100)
    data = run(request, Ports(None, Silent()), folder)
    assert data.stats.tokens is None and data.template_digest is None and data.token_views == ()


def test_gate_says_in_words_what_failed(project: Project) -> None:
    strict = project.run(faulty(), policy="strict")
    assert strict.gate == "failed" and "data.contradiction (1)" in strict.gate_reason
    few = project.run(labelled(20), min_train_rows=50)
    assert few.gate == "failed" and "14 rows are left to train on; min_train_rows asks for 50" in few.gate_reason
    many = project.run([*labelled(60), *[record("What", "")] * 40])
    assert many.gate == "failed" and "40 of 100 rows (40%)" in many.gate_reason
    assert project.run([record("What", "")] * 3).gate == "failed"


def test_secrets_are_in_no_record_and_no_dropped_row(project: Project) -> None:
    data = project.run(faulty())
    assert "Q3EXAMPLE7Z2KLMN" not in data.model_dump_json() + json.dumps(project.table(data, "dropped.parquet"))


# --- templates that do harm -------------------------------------------------------------------------------------------


class Odd(FakeTokenizer):
    """A tokenizer with one defect."""

    def __init__(self, defect: str) -> None:
        super().__init__()
        self.defect = defect

    @property
    def eos_token_ids(self) -> tuple[int, ...]:
        return (99999,) if self.defect == "end" else super().eos_token_ids

    def render(self, messages: list[Message], *, add_generation_prompt: bool) -> str:  # type: ignore[override]
        if self.defect == "refuses" and messages[0]["role"] == "system":
            raise DataError("data.template.refused", "the template takes no system turn")
        if self.defect == "rewrites":
            messages = [{**m, "content": f"{len(messages)}{m['content']}"} for m in messages]
        if self.defect == "drops":
            messages = [{**m, "content": m["content"].replace("near", "")} for m in messages]
        return super().render(messages, add_generation_prompt=add_generation_prompt)

    def decode(self, ids: list[int]) -> str:  # type: ignore[override]
        text = super().decode(ids)
        return text.replace("near", "<unk>") if self.defect == "unknown" else text


@pytest.mark.parametrize(
    ("defect", "code"),
    [
        ("end", "data.template.mask"),
        ("refuses", "data.template.refused"),
        ("rewrites", "data.template.prefix"),
        ("drops", "data.template.roundtrip"),
        ("unknown", "data.template.roundtrip"),
    ],
)
def test_template_defects_are_found_on_every_row(project: Project, defect: str, code: str) -> None:
    data = project.run(labelled(30), tokenizer=Odd(defect))
    assert {finding.code for finding in of_single_rows(data)} == {code}
    assert data.stats.dropped_by_code == {code: 30}
    assert data.gate == "failed"


def test_one_refused_row_does_not_spoil_the_others(project: Project) -> None:
    rows = [*labelled(29), record("No system here", "joy", None)]
    data = project.run(
        [{**r, "messages": r["messages"][1:]} if n < 29 else r for n, r in enumerate(rows)] + labelled(40)[39:],
        tokenizer=Odd("refuses"),
    )  # type: ignore[index]
    assert data.stats.dropped_by_code == {"data.template.refused": 1}
    assert data.stats.kept == 30


@pytest.mark.parametrize(
    "untrainable",
    [
        {"query": "late parcel", "positive": "it has not come", "negative": "a wrong invoice"},
        {"prompt": "Where is it?", "completion": "Who knows.", "label": False},
    ],
)
def test_what_cannot_be_trained_on_is_refused_by_name(project: Project, untrainable: Record) -> None:
    with pytest.raises(DataError) as raised:
        project.run([untrainable] * 3)
    assert raised.value.code == "data.format.untrainable"
    assert "truetune check rows.jsonl" in raised.value.fix
    with pytest.raises(DataError, match=r"gold\.jsonl"):
        project.run(labelled(40), gold=[untrainable])


# --- splits that the user made, what belongs together, and a frozen test ------------------------------------------------


def lines_of_side(project: Project, data: DataRecord, side: SplitName) -> set[int]:
    return {row.line for row in read_split(project.store, data.curated, side)}


def test_a_split_column_is_kept_and_checked(project: Project) -> None:
    rows = [{**row, "split": "test" if n < 12 else "val" if n < 18 else "train"} for n, row in enumerate(labelled(60))]
    rows.append({**rows[3], "split": "train"})
    data = project.run(rows)
    assert lines_of_side(project, data, "test") == set(range(1, 13))
    assert lines_of_side(project, data, "validation") == set(range(13, 19))
    assert data.test_chosen_by == "column"
    assert data.stats.dropped_by_code == {"data.leakage.split": 1}


def test_a_column_that_says_train_everywhere_is_no_split(project: Project) -> None:
    data = project.run([{**row, "split": "train"} for row in labelled(60)])
    assert (data.test_chosen_by, data.splits["test"].rows) == ("cut", 12)


def test_a_validation_file_takes_the_place_of_the_validation_split(project: Project) -> None:
    write_lines(project.root / "val.jsonl", labelled(80)[70:])
    data = project.run(labelled(60), splits={"validation": "val.jsonl"})
    assert {row.file for row in read_split(project.store, data.curated, "validation")} == {"val.jsonl"}
    assert [data.splits[side].rows for side in ("train", "validation", "test")] == [48, 10, 12]


def test_customers_stay_whole_and_the_newest_are_the_test(project: Project) -> None:
    rows = [{**row, "customer_id": f"c{n // 3}", "date": f"2024-01-{1 + n // 3:02d}"} for n, row in enumerate(labelled(90))]
    data = project.run(rows, splits={"test_frac": 0.2, "validation_frac": 0.1})
    assert lines_of_side(project, data, "test") == set(range(73, 91))
    assert lines_of_side(project, data, "validation") == set(range(64, 73))
    clusters = {row.cluster for row in read_split(project.store, data.curated, "test")}
    assert len(clusters) == 6


def sealed(project: Project, data: DataRecord) -> SealRecord:
    return new_seal(
        read_split(project.store, data.curated, "test"), data.test_chosen_by, "2026-11-24T10:00:00Z", "sha256:" + "0" * 64
    )


def test_a_frozen_test_keeps_its_rows_among_more_rows_at_either_end(project: Project) -> None:
    rows = labelled(60)
    first = project.run(rows)
    seal = sealed(project, first)
    for more in ([*rows, *labelled(100)[60:]], [*labelled(100)[60:], *rows]):
        later = project.run(more, seal=seal)
        assert later.gate == "passed"
        assert later.splits["test"] == first.splits["test"]
        assert later.splits["train"].rows + later.splits["validation"].rows == 88


def test_rows_that_contradict_or_copy_a_frozen_row_go_and_the_frozen_row_stays(project: Project) -> None:
    rows = labelled(60)
    first = project.run(rows)
    seal = sealed(project, first)
    line = seal.rows[0].line
    prompt, answer = (rows[line - 1]["messages"][place]["content"] for place in (1, 2))  # type: ignore[index]
    other = next(label for label in ("joy", "anger") if label != answer)
    later = project.run([record(prompt, other), record(prompt, answer), *rows], seal=seal)
    assert later.splits["test"] == first.splits["test"] and later.gate == "passed"
    assert later.stats.dropped == 2


def test_rows_that_belong_with_a_frozen_row_are_left_out(project: Project) -> None:
    rows = [{**row, "customer_id": f"c{n}"} for n, row in enumerate(labelled(60))]
    first = project.run(rows)
    seal = sealed(project, first)
    mate = {**labelled(61)[60], "customer_id": f"c{seal.rows[0].line - 1}"}
    later = project.run([*rows, mate], seal=seal)
    assert later.splits["test"] == first.splits["test"]
    assert later.stats.dropped_by_code == {"data.split.left_out": 1}
    (finding,) = [f for f in later.findings if f.code == "data.split.left_out"]
    assert [ref.line for ref in finding.rows] == [61]


def test_a_frozen_row_that_is_changed_or_gone_fails_the_gate_by_name(project: Project) -> None:
    rows = [{"id": f"t-{n}", **row} for n, row in enumerate(labelled(60), start=1)]
    seal = sealed(project, project.run(rows))
    line = seal.rows[0].line
    changed = [{**row, **record("Something else altogether", "joy")} if n == line else row for n, row in enumerate(rows, start=1)]
    later = project.run(changed, seal=seal)
    (finding,) = [f for f in later.findings if f.code == "data.split.frozen"]
    assert later.gate == "failed" and "1 of 12 rows is gone or changed" in later.gate_reason
    assert [ref.line for ref in finding.rows] == [line] and f"t-{line}" in str(finding.evidence["gone"])
    assert "truetune data reseal" in finding.fix


def test_the_users_own_test_file_is_frozen_by_its_digest(project: Project) -> None:
    test = labelled(70)[60:]
    seal = sealed(project, project.run(labelled(60), test=test))
    assert project.run([*labelled(60), test[0]], test=test, seal=seal).gate == "passed"
    grown = project.run(labelled(60), test=[*test, *labelled(71)[70:]], seal=seal)
    assert grown.gate == "failed" and "1 is new" in grown.gate_reason


# --- the gold set's distance from training ------------------------------------------------------------------------------


def near_prompts(count: int) -> list[Record]:
    """Prompts of which each shares all but one of its words with the one of that number in `labelled`."""
    rows = []
    for row in labelled(count):
        turns = [dict(turn) for turn in row["messages"]]  # type: ignore[attr-defined]
        turns[1]["content"] = turns[1]["content"].replace("because", "although")
        rows.append({"messages": turns})
    return rows


def test_a_gold_set_of_other_questions_is_at_a_real_distance(project: Project) -> None:
    data = project.run(labelled(60), gold=labelled(200)[80:])
    assert data.gold is not None
    assert (data.gold.items, data.gold.close, data.gold.verdict) == (120, 0, "real distance")
    assert not [f for f in data.findings if f.code.startswith("data.gold")]


def test_gold_items_near_training_rows_are_shown_in_pairs(project: Project) -> None:
    policies = {"data.leakage.split": {"policy": "keep"}}
    data = project.run(labelled(60), gold=[*near_prompts(40), *labelled(160)[100:]], checks=policies)
    trained = lines_of_side(project, data, "train")
    assert data.gold is not None and data.gold.verdict == "too close"
    (finding,) = [f for f in data.findings if f.code == "data.gold.near"]
    pairs = {(gold.line, train.line) for gold, train in finding.groups}
    assert pairs == {(line, line) for line in range(1, 41) if line in trained}
    assert finding.severity == "warn" and data.gold.close == len(pairs)
    assert data.gold.at_least["0.8"] >= len(pairs) > data.gold.at_least["1.0"] == 0


def test_a_few_near_items_are_only_noted_and_a_small_gold_set_too(project: Project) -> None:
    policies = {"data.leakage.split": {"policy": "keep"}}
    data = project.run(labelled(60), gold=[*near_prompts(4), *labelled(136)[80:]], checks=policies)
    found = {f.code: f.severity for f in data.findings if f.code.startswith("data.gold")}
    assert found["data.gold.size"] == "note" and found.get("data.gold.near", "note") == "note"
    assert data.gold is not None and data.gold.verdict == "real distance" and data.gold.items == 60


def test_a_similar_question_with_another_answer_is_not_close(project: Project) -> None:
    train = [record(f"how do i change the {part} of my car", "tyres") for part in ("old tyres", "front tyres")]
    gold = [record("how do i change the dirty oil of my car", "oil")] * 1
    data = project.run([*labelled(60), *train], gold=gold)
    assert data.gold is not None and data.gold.close == 0


def test_without_a_gold_set_nothing_is_said_of_one(project: Project) -> None:
    assert project.run(labelled(60)).gold is None
