"""The split: reproducible, in proportion, clusters whole."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from truetune.core.config import SplitConfig
from truetune.stages.data.splits import SplitRow, split_rows

CONFIG = SplitConfig(validation_frac=0.1, test_frac=0.2)


def singles(count: int, strata: int = 4) -> list[SplitRow]:
    return [SplitRow(f"row{n}", f"row{n}", f"label{n % strata}") for n in range(count)]


def test_sizes_and_strata_are_in_proportion() -> None:
    rows = singles(400)
    sides = split_rows(rows, CONFIG, 17)
    assert Counter(sides.values()) == {"train": 280, "validation": 40, "test": 80}
    by_label = Counter((row.stratum, sides[row.row_id]) for row in rows)
    assert all(by_label[f"label{n}", "test"] == 20 and by_label[f"label{n}", "validation"] == 10 for n in range(4))


def test_rare_strata_still_add_up() -> None:
    assert Counter(split_rows(singles(300, strata=150), CONFIG, 1).values()) == {"train": 210, "validation": 30, "test": 60}


@given(st.permutations(singles(60)), st.integers(0, 9))
def test_order_of_rows_does_not_matter(rows: list[SplitRow], seed: int) -> None:
    assert split_rows(rows, CONFIG, seed) == split_rows(singles(60), CONFIG, seed)


def test_another_seed_is_another_split() -> None:
    assert split_rows(singles(100), CONFIG, 1) != split_rows(singles(100), CONFIG, 2)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=150), st.integers(0, 5))
def test_clusters_stay_on_one_side(clusters: list[int], seed: int) -> None:
    rows = [SplitRow(f"row{n}", f"cluster{c}", f"label{n % 3}") for n, c in enumerate(clusters)]
    sides = split_rows(rows, CONFIG, seed)
    for cluster in set(clusters):
        assert len({sides[row.row_id] for row in rows if row.cluster == f"cluster{cluster}"}) == 1
    counts = Counter(sides.values())
    assert counts["test"] <= round(0.2 * len(rows)) and counts["validation"] <= round(0.1 * len(rows))


def test_no_test_asked_for() -> None:
    sides = split_rows(singles(100), SplitConfig(validation_frac=0.1, test_frac=0.0), 3)
    assert Counter(sides.values()) == {"train": 90, "validation": 10}
    assert split_rows([], CONFIG, 3) == {}
