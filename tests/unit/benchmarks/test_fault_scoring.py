"""Counting: a fault is found by the right code on the right line; a clean row is flagged at `warn` or above."""

from __future__ import annotations

import pytest
from benchmarks.faults.corpora import Example
from benchmarks.faults.gate import flags_of
from benchmarks.faults.measured import misses, section
from benchmarks.faults.plant import Fault, Planted
from benchmarks.faults.score import Flag, Tally, wilson
from benchmarks.faults.tables import in_markdown

from truetune.core.records import Finding, RowRef

FAULTS = (
    Fault("role", "data.record.role", 1),
    Fault("duplicate, exact", "data.duplicate.exact", 2, partner=3),
    Fault("look-alike", "", 4),
)
CLEAN = {3: Example("three", "a"), 5: Example("five", "a"), 6: Example("six", "a")}
PLANTED = Planted(tuple("abcdef"), (), FAULTS, CLEAN, {3: ("data.duplicate",)})


def _tally(*flags: Flag) -> Tally:
    tally = Tally()
    tally.add(PLANTED, flags, 0.5)
    return tally


def test_found_needs_the_code_and_the_line() -> None:
    tally = _tally(Flag("data.record.role", "block", 1), Flag("data.record.role", "block", 2))
    assert tally.recall("role") == 1.0
    assert tally.recall("duplicate, exact") == 0.0
    assert tally.missed == {"duplicate, exact": ["b"]}


def test_a_code_below_the_expected_one_counts_and_a_longer_word_does_not() -> None:
    assert _tally(Flag("data.record.role.order", "warn", 1)).recall("role") == 1.0
    assert _tally(Flag("data.record.roles", "warn", 1)).recall("role") == 0.0


def test_a_note_finds_a_fault_but_alarms_nobody() -> None:
    tally = _tally(Flag("data.record.role", "note", 1), Flag("data.record.role", "note", 5))
    assert tally.recall("role") == 1.0
    assert tally.alarm_codes() == []


def test_a_partner_may_be_named_beside_its_copy_and_for_nothing_else() -> None:
    tally = _tally(Flag("data.duplicate.exact", "warn", 3), Flag("data.pii.email", "warn", 3))
    assert tally.alarm_codes() == ["data.pii.email"]
    assert tally.flagged_clean("data.pii.email") == {"three"}


def test_the_rate_of_false_alarms_is_that_of_one_file_and_rows_ever_flagged_are_counted_once() -> None:
    tally = _tally(Flag("data.secret", "block", 5))
    tally.add(PLANTED, [Flag("data.secret", "block", 5), Flag("data.pii.email", "warn", 6)], 0.5)
    tally.add(PLANTED, [], 0.5)
    assert tally.flagged_clean("data.secret") == {"five"}
    assert tally.flagged_clean() == {"five", "six"}
    assert len(tally.clean()) == 3
    assert tally.planted["role"] == 3
    assert tally.alarm_rate("data.secret") == pytest.approx((1 / 3 + 1 / 3 + 0) / 3)
    assert tally.alarm_rate() == pytest.approx((1 / 3 + 2 / 3 + 0) / 3)
    assert tally.alarm_rate(but={"six"}) == tally.alarm_rate("data.secret")
    alarms = section("toy", "toys", "three rows", tally).alarms
    assert [(a.code, a.flagged, a.clean, a.plantings) for a in alarms[:3]] == [
        ("data.pii.email", 1, 3, 3),
        ("data.secret", 1, 3, 3),
        ("", 2, 3, 3),
    ]


def test_a_file_beside_the_rows_belongs_to_their_planting() -> None:
    tally = _tally(Flag("data.secret", "block", 5))
    tally.add_beside(PLANTED, [Flag("data.metadata.value", "warn", 6)])
    assert (len(tally.files), tally.flagged_clean(), tally.alarm_rate()) == (1, {"five", "six"}, pytest.approx(2 / 3))


def test_alarms_of_other_checks_can_be_left_out() -> None:
    tally = _tally(Flag("data.secret", "block", 5), Flag("data.pii.email", "warn", 6))
    tally.keep_alarms({"data.secret"})
    assert (tally.flagged_clean(), tally.alarm_rate()) == ({"five"}, pytest.approx(1 / 3))


def test_a_look_alike_is_not_a_fault_and_flagging_it_is_counted() -> None:
    tally = _tally(Flag("data.pii.phone", "warn", 4))
    assert "look-alike" not in tally.planted
    assert (tally.lookalikes, tally.lookalike_alarms) == (1, {"data.pii.phone": 1})


def test_only_rows_of_the_checked_file_are_flags() -> None:
    rows = (RowRef(file="/x/rows.jsonl", line=7), RowRef(file="/x/held_out.jsonl", line=8))
    finding = Finding(code="data.leakage.split", severity="block", message="m", rows=rows, fix="f")
    assert flags_of([finding], "rows.jsonl") == [Flag("data.leakage.split", "block", 7)]


def test_every_missed_target_is_said() -> None:
    tally = _tally(Flag("data.record.role", "block", 1), Flag("data.secret", "block", 5))
    made = section("toy", "toys", "three rows", tally)
    said = misses(made)
    assert len(said) == 3
    assert said[0] == "toy: recall of duplicate, exact is 0.000"
    text = in_markdown(made)
    assert "| role | `data.record.role` | 1 | 1 | 1.000 |" in text
    assert "| duplicate, exact | `data.duplicate.exact` | 1 | 0 | 0.000 |" in text
    assert text.count("**missed**") == 3


def test_wilson_agrees_with_published_values() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857, table I: 81 of 263 and 0 of 20, method 3.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_rows_flagged_in_some_plantings_lie_between_those_flagged_in_all_and_in_none() -> None:
    assert wilson(1, 124)[1] < wilson(1.5, 124)[1] < wilson(2, 124)[1]
