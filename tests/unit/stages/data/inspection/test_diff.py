"""Two states of the data: what came, went and changed, by id or else by the question; the sums are right whatever happened."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stages.data.rows_for_tests import Record, Silent, labelled, record, write_lines

from truetune.core.config import DataConfig
from truetune.core.records import DataDiff, DataStats, RowRef
from truetune.stages.data.check import judge
from truetune.stages.data.inspection.diff import Content, State, diff, of_rows
from truetune.stages.data.rows.one_pass import IN_PROCESS


def compared(tmp_path: Path, a: list[Record], b: list[Record]) -> DataDiff:
    states = []
    for name, rows in (("a", a), ("b", b)):
        path = write_lines(tmp_path / f"{name}.jsonl", rows)
        judged = judge([(path, path.name)], [], DataConfig(sources=()), Silent(), IN_PROCESS)
        states.append(State(name, of_rows(judged.corpus.rows), judged.stats.findings_by_code, judged.stats))
    return diff(*states).record


def kinds(found: DataDiff) -> list[tuple[str, int | None, int | None]]:
    return [(c.kind, c.a.line if c.a else None, c.b.line if c.b else None) for c in found.changes]


def test_the_same_rows_in_another_order_are_no_difference(tmp_path: Path) -> None:
    rows = labelled(20)
    found = compared(tmp_path, rows, rows[::-1])
    assert (found.changes, found.unchanged, found.findings) == ((), 20, {})


def test_rows_that_came_and_went(tmp_path: Path) -> None:
    rows = labelled(21)
    found = compared(tmp_path, rows[:20], [*rows[1:20], rows[20]])
    assert kinds(found) == [("removed", 1, None), ("added", None, 20)]
    assert found.changes[0].before and not found.changes[0].after


def test_the_same_question_with_another_answer_changed(tmp_path: Path) -> None:
    rows = labelled(20)
    found = compared(tmp_path, rows, [*rows[:5], record(rows[5]["messages"][1]["content"], "other"), *rows[6:]])  # type: ignore[index]
    assert kinds(found) == [("changed", 6, 6)]
    assert found.changes[0].after.endswith("→ other")


def test_an_id_goes_before_the_question(tmp_path: Path) -> None:
    a = [{**record("How are you", "fine"), "id": "x"}, *labelled(5)]
    b = [*labelled(5), {**record("How do you do", "well"), "id": "x"}]
    found = compared(tmp_path, a, b)
    assert kinds(found) == [("changed", 1, 6)]
    assert found.changes[0].id == "x"


def test_a_repeat_counts_as_often_as_it_stands_there(tmp_path: Path) -> None:
    rows = labelled(10)
    found = compared(tmp_path, [*rows, rows[0], rows[0]], [*rows, rows[0]])
    assert kinds(found) == [("removed", 12, None)]
    assert found.unchanged == 11
    assert found.findings == {}, "both have one finding about the row that stands there more than once"


def test_findings_are_compared_by_code(tmp_path: Path) -> None:
    found = compared(tmp_path, labelled(20), [*labelled(20), labelled(1)[0], record("", "")])
    assert found.findings == {"data.duplicate.exact": (0, 1), "data.record.empty": (0, 1)}
    assert (found.stats_a.rows, found.stats_b.rows) == (20, 22)


def test_what_is_personal_is_masked(tmp_path: Path) -> None:
    found = compared(tmp_path, labelled(5), [*labelled(5), record("Write to ann@example.com", "joy")])
    assert "ann@example.com" not in found.model_dump_json()


ROWS = st.lists(st.tuples(st.integers(0, 6), st.sampled_from("xyz"), st.sampled_from([None, "i", "j", "k"])), max_size=25)


def state(rows: list[tuple[int, str, str | None]]) -> State:
    contents = [
        Content(RowRef(file="f", line=n), id_, [{"role": "user", "content": f"q{q}"}, {"role": "assistant", "content": a}])
        for n, (q, a, id_) in enumerate(rows, start=1)
    ]
    stats = DataStats(rows=len(rows), kept=len(rows), dropped=0, effective_unique=len(rows))
    return State("s", contents, {}, stats)


@given(a=ROWS, b=ROWS)
def test_every_row_is_counted_once(a: list[tuple[int, str, str | None]], b: list[tuple[int, str, str | None]]) -> None:
    found = diff(state(a), state(b)).record
    lines_a = [c.a.line for c in found.changes if c.a]
    lines_b = [c.b.line for c in found.changes if c.b]
    assert len(set(lines_a)) == len(lines_a) == len(a) - found.unchanged
    assert len(set(lines_b)) == len(lines_b) == len(b) - found.unchanged
    assert not diff(state(a), state(a)).record.changes
    mirrored = diff(state(b), state(a)).record
    assert mirrored.unchanged == found.unchanged
    assert sum(c.kind == "added" for c in mirrored.changes) == sum(c.kind == "removed" for c in found.changes)
