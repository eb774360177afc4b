"""Curated rows go through the store and come back as they were, byte for byte the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.core.errors import EvidenceError
from truetune.core.records import Tree
from truetune.evidence.curated import CuratedRow, from_parquet, read_split, to_parquet
from truetune.evidence.digests import tree_digest
from truetune.evidence.store import ObjectStore

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ROWS = st.lists(
    st.builds(
        CuratedRow,
        row_id=TEXT,
        file=TEXT,
        line=st.integers(1, 2**40),
        cluster=TEXT,
        messages=st.lists(st.fixed_dictionaries({"role": TEXT, "content": TEXT}), max_size=3).map(tuple),
        prompt=TEXT,
        answer=TEXT,
    ),
    max_size=5,
)


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_round_trip(rows: list[CuratedRow]) -> None:
    content = to_parquet(rows)
    assert from_parquet(content) == rows
    assert to_parquet(rows) == content


def test_split_by_name(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    row = CuratedRow("1", "a.jsonl", 3, "c", ({"role": "user", "content": "x"},), "x", "y")
    files = (store.put_bytes("train.parquet", to_parquet([row])),)
    tree = Tree(digest=tree_digest(files), files=files)
    assert read_split(store, tree, "train") == [row]
    with pytest.raises(EvidenceError) as caught:
        read_split(store, tree, "test")
    assert caught.value.code == "evidence.missing"
