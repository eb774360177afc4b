"""The rows of a side on disk: a sequence like any other, and the digest that freezes it is that of the rows."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from truetune.evidence.curated import CuratedRow, from_parquet, to_parquet
from truetune.evidence.digests import json_digest
from truetune.stages.data.curation.spool import CuratedSpool
from truetune.stages.data.splits.cut import rows_digest

text = st.text(max_size=12)
row_lists = st.lists(
    st.builds(
        CuratedRow,
        row_id=text,
        file=text,
        line=st.integers(1, 2**40),
        cluster=text,
        messages=st.lists(st.fixed_dictionaries({"role": text, "content": text}), max_size=3).map(tuple),
        prompt=text,
        answer=text,
        id=st.none() | text,
        licence=st.none() | text,
        origin=st.sampled_from(["task", "replay"]),
    ),
    max_size=6,
    unique_by=lambda row: row.row_id,
)


@given(row_lists, row_lists)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_a_side_is_the_rows_that_were_put_into_it(tmp_path: Path, rows: list[CuratedRow], later: list[CuratedRow]) -> None:
    side = CuratedSpool(tmp_path)
    side.extend(rows)
    assert list(side) == rows
    side.extend(later)
    everything = [*rows, *later]
    assert list(side) == [side[place] for place in range(len(side))] == everything
    assert side[1:4] == everything[1:4]
    assert to_parquet(side) == to_parquet(everything)
    assert list(tmp_path.iterdir()) == []


@given(row_lists)
def test_the_digest_is_that_of_the_sorted_rows(rows: list[CuratedRow]) -> None:
    assert rows_digest(rows) == json_digest(sorted([row.row_id, list(row.messages)] for row in rows))


def test_a_shard_of_several_groups_comes_back_whole() -> None:
    rows = [CuratedRow(str(n), "a", n, "c", ({"role": "user", "content": json.dumps(n)},), "p", "a") for n in range(1, 70_000)]
    assert from_parquet(to_parquet(rows)) == rows
