"""Rows on disk: what is put comes back, in any way it is asked for, and nothing is left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.core.errors import EnvironmentFault
from truetune.core.records import RowRef
from truetune.stages.data.rows import store as store_module
from truetune.stages.data.rows.row import Row, row_of
from truetune.stages.data.rows.store import Joined, RowStore, StoredRows, rows_with_positions, stored


@pytest.fixture(scope="module", params=["rows stay", "rows are made anew"], autouse=True)
def stays(request: pytest.FixtureRequest) -> Iterator[bool]:
    """All of this twice: as a small store and as a large one."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param != "rows stay":
            patch.setattr(store_module, "_KEPT_ROWS", -1)
        yield request.param == "rows stay"


texts = st.text(st.characters(), min_size=0, max_size=40)


def row(line: int, prompt: str = "q", answer: str = "a", rejected: str | None = None, file: str = "f.jsonl") -> Row:
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    return row_of(file, line, turns, rejected)


def three_files() -> StoredRows:
    store = RowStore()
    for file, lines in (("a", (1, 2, 5)), ("b", ()), ("c", range(1, 4000))):
        store.begin_file(file)
        for line in lines:
            store.put(row(line, f"{file} {line}", file=file))
    return store.sealed()


@given(st.lists(st.tuples(texts, texts, st.none() | texts), max_size=8))
def test_what_is_put_comes_back(given_rows: list[tuple[str, str, str | None]]) -> None:
    rows = [row(line, *parts) for line, parts in enumerate(given_rows, start=1)]
    kept = stored(rows)
    assert list(kept) == rows
    assert [kept[place] for place in range(len(kept))] == rows
    assert [pair for batch in kept.batches() for pair in rows_with_positions(batch)] == list(enumerate(rows))


def test_half_of_a_surrogate_pair_survives() -> None:
    (kept,) = stored([row(1, "\ud83d", "a\udc00")])
    assert (kept.prompt, kept.answer) == ("\ud83d", "a\udc00")


def test_slices_and_places_are_those_of_a_list() -> None:
    rows = three_files()
    everything = list(rows)
    assert len(rows) == len(everything) == 4002
    for part in (slice(0, 3), slice(1000, 2100), slice(None, None, 700), slice(-5, None), slice(3, 3), slice(9, 2)):
        assert rows[part] == everything[part]
    assert rows[-1] == everything[-1]
    with pytest.raises(IndexError):
        rows[4002]


def test_only_a_small_store_keeps_its_rows(stays: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = three_files()
    assert (rows[7] is rows[7]) == (next(iter(rows)) is rows[0]) == stays
    monkeypatch.setattr(store_module, "_KEPT_BYTES", 100)
    rows = three_files()
    assert rows[7] is not rows[7]


def test_a_place_in_a_file_is_found_again() -> None:
    rows = three_files()
    for file, line in (("a", 5), ("c", 1), ("c", 2000), ("c", 3999)):
        position = rows.position(RowRef(file=file, line=line))
        assert position is not None
        assert (rows[position].file, rows[position].line) == (file, line)
    for file, line in (("a", 3), ("b", 1), ("c", 4000), ("d", 1)):
        assert rows.position(RowRef(file=file, line=line)) is None


def test_a_file_can_be_taken_back() -> None:
    store = RowStore()
    for file, lines in (("a", range(1, 1500)), ("b", range(1, 3000))):
        store.begin_file(file)
        for line in lines:
            store.put(row(line, file=file))
    store.forget_file()
    store.begin_file("b")
    store.put(row(7, "again", file="b"))
    rows = store.sealed()
    assert len(rows) == 1500
    assert rows[1499].prompt == "again"
    assert rows[1498].line == 1499


def test_pairs_and_triplets_are_known_by_position_also_after_a_file_was_taken_back() -> None:
    store = RowStore()
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    for file in ("a", "b"):
        store.begin_file(file)
        for line, (rejected, negatives) in enumerate([(None, ()), ("r", ()), (None, ("n",)), ("r", ())], start=1):
            store.put(row_of(file, line, turns, rejected, None, negatives))
    store.forget_file()
    rows = store.sealed()
    assert list(rows.pairs) == [1, 3]
    assert list(rows.triplets) == [2]


def test_joined_sequences_are_one() -> None:
    joined = Joined([1, 2], [], [3, 4, 5])
    assert list(joined) == [joined[place] for place in range(5)] == [1, 2, 3, 4, 5]
    assert joined[1:4] == [2, 3, 4]
    assert joined[::2] == [1, 3, 5]
    assert joined[-1] == 5


def test_nothing_is_left_after_a_kill(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from truetune.stages.data.rows.store import RowStore\nfrom truetune.stages.data.rows.row import row_of\n"
        "store = RowStore(Path(sys.argv[1])); store.begin_file('a')\n"
        "turns = [{'role': 'user', 'content': 'q'}, {'role': 'assistant', 'content': 'x' * 1000}]\n"
        "for n in range(5000): store.put(row_of('a', n, turns))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_that_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RowStore(tmp_path)
    store.begin_file("a")
    full = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - closed with the store
    monkeypatch.setattr(store, "_file", full)
    with pytest.raises(EnvironmentFault) as caught:
        store.put(row(1))
    full.close()
    assert caught.value.code == "environment.disk_full"
    assert str(tmp_path) in caught.value.where
