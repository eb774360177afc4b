"""The split: reproducible, in proportion, what belongs together whole, the newest in the test, a frozen test as it was."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from truetune.core.config import SplitConfig
from truetune.stages.data.splits.cut import Cut, SplitRow, split_rows, unit_names

CONFIG = SplitConfig(validation_frac=0.1, test_frac=0.2)


def singles(count: int, strata: int = 4) -> list[SplitRow]:
    return [SplitRow(f"row{n}", f"row{n}", f"label{n % strata}") for n in range(count)]


def test_sizes_and_strata_are_in_proportion() -> None:
    rows = singles(400)
    sides = split_rows(rows, CONFIG, 17).sides
    assert Counter(sides.values()) == {"train": 280, "validation": 40, "test": 80}
    by_label = Counter((row.stratum, sides[row.row_id]) for row in rows)
    assert all(by_label[f"label{n}", "test"] == 20 and by_label[f"label{n}", "validation"] == 10 for n in range(4))


def test_rare_strata_still_add_up() -> None:
    assert Counter(split_rows(singles(300, strata=150), CONFIG, 1).sides.values()) == {"train": 210, "validation": 30, "test": 60}


@given(st.permutations(singles(60)), st.integers(0, 9))
def test_order_of_rows_does_not_matter(rows: list[SplitRow], seed: int) -> None:
    assert split_rows(rows, CONFIG, seed) == split_rows(singles(60), CONFIG, seed)


def test_another_seed_is_another_split() -> None:
    assert split_rows(singles(100), CONFIG, 1) != split_rows(singles(100), CONFIG, 2)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=150), st.integers(0, 5))
def test_clusters_stay_on_one_side(clusters: list[int], seed: int) -> None:
    rows = [SplitRow(f"row{n}", f"cluster{c}", f"label{n % 3}") for n, c in enumerate(clusters)]
    sides = split_rows(rows, CONFIG, seed).sides
    for cluster in set(clusters):
        assert len({sides[row.row_id] for row in rows if row.cluster == f"cluster{cluster}"}) == 1
    counts = Counter(sides.values())
    assert counts["test"] <= round(0.2 * len(rows)) and counts["validation"] <= round(0.1 * len(rows))


def test_no_test_asked_for() -> None:
    sides = split_rows(singles(100), SplitConfig(validation_frac=0.1, test_frac=0.0), 3).sides
    assert Counter(sides.values()) == {"train": 90, "validation": 10}
    assert split_rows([], CONFIG, 3).sides == {}


# --- what belongs together, time, and a frozen test -------------------------------------------------------------------


@st.composite
def any_rows(draw: st.DrawFn) -> list[SplitRow]:
    """Rows with clusters, customers and conversations across each other; with times or without."""
    timed = draw(st.booleans())
    rows = []
    for n in range(draw(st.integers(1, 80))):
        together = [f"group {draw(st.integers(0, 15))}"] if draw(st.booleans()) else []
        together += [f"conversation {draw(st.integers(0, 25))}"] if draw(st.booleans()) else []
        time = float(draw(st.integers(0, 50))) if timed else None
        rows.append(SplitRow(f"row{n}", f"cluster{draw(st.integers(0, 60))}", f"label{n % 3}", tuple(together), time))
    return rows


def shared_names(rows: list[SplitRow]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for row in rows:
        for name in (row.cluster, *row.together):
            names.setdefault(name, []).append(row.row_id)
    return names


@given(any_rows(), st.integers(0, 5))
def test_no_cluster_customer_or_conversation_stands_on_two_sides(rows: list[SplitRow], seed: int) -> None:
    cut = split_rows(rows, CONFIG, seed)
    assert set(cut.sides) == {row.row_id for row in rows} and not cut.left_out
    assert all(len({cut.sides[row_id] for row_id in ids}) == 1 for ids in shared_names(rows).values())
    units = unit_names(rows)
    assert all(len({units[row_id] for row_id in ids}) == 1 for ids in shared_names(rows).values())
    counts = Counter(cut.sides.values())
    assert counts["test"] <= round(0.2 * len(rows)) and counts["validation"] <= round(0.1 * len(rows))


@given(any_rows(), st.randoms(), st.integers(0, 5))
def test_the_order_of_rows_that_belong_together_does_not_matter(rows: list[SplitRow], random: Random, seed: int) -> None:
    shuffled = random.sample(rows, len(rows))
    assert split_rows(shuffled, CONFIG, seed) == split_rows(rows, CONFIG, seed)


@given(st.lists(st.integers(0, 40), min_size=2, max_size=120))
def test_the_newest_rows_are_the_test_and_the_next_the_validation(times: list[int]) -> None:
    rows = [SplitRow(f"row{n}", f"row{n}", "label", time=float(time)) for n, time in enumerate(times)]
    config = CONFIG.model_copy(update={"by_time": True})
    sides = split_rows(rows, config, 3).sides
    of_side = {side: [row.time for row in rows if sides[row.row_id] == side] for side in ("train", "validation", "test")}
    assert len(of_side["test"]) == round(0.2 * len(rows))
    if of_side["test"] and of_side["validation"]:
        assert min(of_side["test"]) >= max(of_side["validation"])
    if of_side["train"]:
        assert max(of_side["train"]) <= min([*of_side["validation"], *of_side["test"], 99.0])


def test_auto_cuts_by_time_only_where_nearly_all_rows_have_one() -> None:
    def newest_in_test(rows: list[SplitRow]) -> bool:
        sides = split_rows(rows, CONFIG, 17).sides
        return all(sides[f"row{n}"] == "test" for n in range(80, 100))

    timed = [SplitRow(f"row{n}", f"row{n}", "x", time=float(n)) for n in range(100)]
    assert newest_in_test(timed)
    assert not newest_in_test([row if n % 10 else singles(100)[n] for n, row in enumerate(timed)])
    assert not newest_in_test([SplitRow(row.row_id, row.cluster, "x", time=5.0) for row in timed])


def test_a_group_that_can_never_fit_does_not_keep_newer_rows_from_the_test() -> None:
    crowd = [SplitRow(f"crowd{n}", f"crowd{n}", "x", ("group 1",), time=100.0) for n in range(60)]
    rows = [*crowd, *(SplitRow(f"row{n}", f"row{n}", "x", time=float(n)) for n in range(40))]
    sides = split_rows(rows, CONFIG, 1).sides
    assert [n for n in range(40) if sides[f"row{n}"] == "test"] == list(range(20, 40))


@given(any_rows(), any_rows(), st.integers(0, 5))
def test_more_rows_never_move_a_frozen_test(rows: list[SplitRow], more: list[SplitRow], seed: int) -> None:
    frozen = {row_id for row_id, side in split_rows(rows, CONFIG, seed).sides.items() if side == "test"}
    later = [*rows, *(SplitRow(f"new-{row.row_id}", row.cluster, row.stratum, row.together, row.time) for row in more)]
    cut = split_rows(later, CONFIG, seed, frozen)
    if not frozen:
        return
    assert {row_id for row_id, side in cut.sides.items() if side == "test"} == frozen
    assert set(cut.sides) | set(cut.left_out) == {row.row_id for row in later} and not set(cut.sides) & set(cut.left_out)
    for ids in shared_names(later).values():
        assert len({cut.sides[row_id] for row_id in ids if row_id in cut.sides}) <= 1


def test_what_belongs_with_a_frozen_row_is_left_out_by_name() -> None:
    rows = [SplitRow("a", "a", "x", ("group 1",)), SplitRow("b", "b", "x", ("group 1",)), SplitRow("c", "c", "x")]
    assert split_rows(rows, CONFIG, 1, {"a"}) == Cut({"a": "test", "c": "train"}, {"b": "a"})
