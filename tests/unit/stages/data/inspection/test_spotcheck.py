"""A spot check: a fair sample, verdicts that survive anything, an interval that covers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.backends.fake import FakeClock
from truetune.core.errors import EvidenceError
from truetune.core.records import RowRef
from truetune.stages.data.inspection.spotcheck import Candidate, SpotCheck, error_interval, sample

ROWS = [Candidate(f"id{n}", RowRef(file="f.jsonl", line=n + 1), [{"role": "user", "content": str(n)}]) for n in range(60)]


def check(path: Path, rows: int = 10) -> SpotCheck:
    return SpotCheck(sample(ROWS, rows, 17), path / "spotcheck.jsonl", FakeClock())


def test_the_sample_is_the_same_in_any_order_and_grows() -> None:
    ten = [row.row_id for row in sample(ROWS, 10, 17)]
    assert [row.row_id for row in sample(ROWS[::-1], 10, 17)] == ten
    assert [row.row_id for row in sample(ROWS, 20, 17)][:10] == ten
    assert [row.row_id for row in sample(ROWS, 10, 18)] != ten
    assert len(sample(ROWS, 1000, 17)) == 60


def test_every_row_is_as_likely_as_any_other() -> None:
    drawn = [row.row_id for seed in range(600) for row in sample(ROWS, 10, seed)]
    counts = [drawn.count(row.row_id) for row in ROWS]
    assert min(counts) > 60 and max(counts) < 140, "100 expected, within 4.4 standard deviations"


def test_a_later_start_goes_on(tmp_path: Path) -> None:
    first = check(tmp_path)
    assert first.next_row is not None
    first.judge(first.next_row, "good")
    first.judge(first.next_row, "bad")
    again = check(tmp_path)
    assert again.judged == 2 and again.next_row == again.rows[2]
    assert [v.verdict for v in again.record("f", 60, 17).verdicts] == ["good", "bad"]


def test_undo_takes_the_newest_back_and_the_file_keeps_it(tmp_path: Path) -> None:
    one = check(tmp_path)
    for verdict in ("good", "bad"):
        one.judge(one.next_row, verdict)  # type: ignore[arg-type]
    assert one.undo() and one.next_row == one.rows[1]
    one.judge(one.rows[1], "unsure")
    assert [v.verdict for v in check(tmp_path).record("f", 60, 17).verdicts] == ["good", "unsure"]
    assert check(tmp_path).undo() and check(tmp_path).undo() and not check(tmp_path).undo()
    assert (tmp_path / "spotcheck.jsonl").read_text().count("spotcheck.judged") == 3


def test_a_note_belongs_to_its_row(tmp_path: Path) -> None:
    one = check(tmp_path)
    one.note(one.rows[0], "wrong label")
    one.judge(one.rows[0], "bad")
    (verdict,) = check(tmp_path).record("f", 60, 17).verdicts
    assert (verdict.row_id, verdict.note, verdict.row.line) == (one.rows[0].row_id, "wrong label", one.rows[0].row.line)


def test_a_line_that_a_kill_cut_short_does_not_count(tmp_path: Path) -> None:
    one = check(tmp_path)
    one.judge(one.rows[0], "good")
    whole = (tmp_path / "spotcheck.jsonl").read_text()
    one.judge(one.rows[1], "bad")
    (tmp_path / "spotcheck.jsonl").write_text((tmp_path / "spotcheck.jsonl").read_text()[: len(whole) + 20])
    again = check(tmp_path)
    assert again.judged == 1
    again.judge(again.rows[1], "good")
    assert check(tmp_path).judged == 2


def test_a_verdict_that_was_edited_is_refused(tmp_path: Path) -> None:
    one = check(tmp_path)
    one.judge(one.rows[0], "bad")
    path = tmp_path / "spotcheck.jsonl"
    path.write_text(path.read_text().replace('"bad"', '"good"'))
    with pytest.raises(EvidenceError):
        check(tmp_path)


def test_verdicts_on_other_rows_are_not_counted(tmp_path: Path) -> None:
    one = check(tmp_path, rows=20)
    for _ in range(20):
        one.judge(one.next_row, "bad")  # type: ignore[arg-type]
    assert check(tmp_path, rows=5).record("f", 60, 17).bad == 5


def test_what_was_not_decided_is_not_measured(tmp_path: Path) -> None:
    one = check(tmp_path)
    one.judge(one.rows[0], "unsure")
    record = one.record("f", 60, 17)
    assert (record.unsure, record.error_rate, record.interval) == (1, None, None)


def test_known_intervals() -> None:
    """Source: the rule of three's exact form, 1 - 0.025^(1/n); and R's binom.test(4, 100)."""
    none = error_interval(0, 100)
    assert none.low == 0 and none.high == pytest.approx(1 - 0.025 ** (1 / 100), abs=1e-6)
    four = error_interval(4, 100)
    assert (four.low, four.high) == (pytest.approx(0.011004, abs=1e-5), pytest.approx(0.099266, abs=1e-5))


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 300), bad=st.integers(0, 300))
def test_the_interval_holds_the_estimate(n: int, bad: int) -> None:
    found = error_interval(min(bad, n), n)
    assert 0 <= found.low <= min(bad, n) / n <= found.high <= 1
