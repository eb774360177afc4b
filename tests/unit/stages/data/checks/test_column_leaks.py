"""Leaks by column: the same customer, conversation or source on both sides, and training rows from the future of the test."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.unit.stages.data.rows_for_tests import Record, Silent, labelled, write_lines

from truetune.core.config import DataConfig
from truetune.core.records import Finding
from truetune.stages.data.checks.registry import run_checks
from truetune.stages.data.curation.policy import drops
from truetune.stages.data.reading.load import HeldOut, corpus_of, load
from truetune.stages.data.reading.sidecar import Provenance
from truetune.stages.data.rules import Rules

START = date(2024, 1, 1)


def day(number: int) -> str:
    return (START + timedelta(days=number)).isoformat()


def rows(count: int, start: int = 0, **columns: object) -> list[Record]:
    """Rows whose columns are made from their number."""
    made = labelled(start + count)[start:]
    return [{**row, **{k: v(n) if callable(v) else v for k, v in columns.items()}} for n, row in enumerate(made, start)]


def leaks(folder: Path, train: list[Record], held: list[Record], **config: object) -> tuple[list[Finding], set[int]]:
    """The findings of leaks by column, and the lines that the policy then leaves out."""
    settings = DataConfig.model_validate({"sources": ["train.jsonl"], **config})
    provenance = Provenance(settings.columns)
    sides = [
        load([(write_lines(folder / name, lines), name)], None, Silent(), provenance)
        for name, lines in (("train.jsonl", train), ("test.jsonl", held))
    ]
    corpus = corpus_of(sides[0], [HeldOut("the test", sides[1:])], settings, provenance)
    found = run_checks(corpus, Silent())
    lines = {corpus.rows[position].line for position in drops(corpus, found, Rules(settings.checks))}
    return [f for f in found if f.code.startswith("data.leakage") and f.code != "data.leakage.split"], lines


def test_a_customer_on_both_sides_is_one_finding_with_all_its_rows(tmp_path: Path) -> None:
    train = rows(40, customer_id=lambda n: f"c{n % 20}")
    held = rows(10, 100, customer_id=lambda n: "c3" if n < 102 else f"x{n}")
    (finding,), dropped = leaks(tmp_path, train, held)
    assert (finding.code, finding.severity) == ("data.leakage.group", "warn")
    assert [[(ref.file, ref.line) for ref in group] for group in finding.groups] == [
        [("train.jsonl", 4), ("train.jsonl", 24)],
        [("test.jsonl", 1), ("test.jsonl", 2)],
    ]
    assert "2 training rows, 2 held-out rows in test.jsonl" in finding.message
    assert dropped == set()


def test_a_column_that_the_config_names_blocks_and_its_training_rows_are_left_out(tmp_path: Path) -> None:
    train = rows(40, household=lambda n: f"h{n % 20}")
    held = rows(10, 100, household=lambda n: f"h{n - 100}" if n < 102 else f"x{n}")
    found, dropped = leaks(tmp_path, train, held, columns={"group": "household"})
    assert [finding.severity for finding in found] == ["block", "block"]
    assert dropped == {1, 2, 21, 22}


def test_a_conversation_on_both_sides_is_found(tmp_path: Path) -> None:
    train, held = rows(40, thread_id=lambda n: f"t{n // 2}"), rows(10, 100, thread_id=lambda n: f"t{n - 81}")
    found, _ = leaks(tmp_path, train, held)
    assert [finding.code for finding in found] == ["data.leakage.conversation"]


def test_a_category_is_no_group_unless_somebody_says_so(tmp_path: Path) -> None:
    train, held = rows(40, group=lambda n: "ab"[n % 2]), rows(10, 100, group="a")
    assert leaks(tmp_path, train, held)[0] == []
    (finding,), _ = leaks(tmp_path, train, held, columns={"group": "group"})
    assert finding.severity == "block"


def test_a_source_counts_only_where_it_is_declared_to(tmp_path: Path) -> None:
    train, held = rows(40, source=lambda n: f"forum{n % 10}"), rows(10, 100, source="forum1")
    assert leaks(tmp_path, train, held)[0] == []
    (finding,), _ = leaks(tmp_path, train, held, splits={"keep_together": ["source"]}, columns={"source": "source"})
    assert (finding.code, finding.severity) == ("data.leakage.source", "block")


def test_one_side_alone_leaks_nothing(tmp_path: Path) -> None:
    assert leaks(tmp_path, rows(40, user_id=lambda n: f"c{n}"), rows(10, 100))[0] == []


# --- time -------------------------------------------------------------------------------------------------------------


def test_training_rows_from_the_future_of_the_test_are_named(tmp_path: Path) -> None:
    train = rows(40, timestamp=lambda n: day(n if n < 38 else 60))
    (finding,), dropped = leaks(tmp_path, train, rows(10, 100, timestamp=lambda n: day(n - 50)))
    assert (finding.code, finding.severity) == ("data.leakage.time", "warn")
    assert [ref.line for ref in finding.rows] == [39, 40]
    assert finding.message == "2 of 40 training rows are newer than test.jsonl, which begins on 2024-02-20"
    assert dropped == set()


def test_one_old_row_in_the_test_does_not_hide_them(tmp_path: Path) -> None:
    train = rows(40, timestamp=lambda n: day(n if n < 38 else 90))
    held = rows(40, 100, timestamp=lambda n: day(-9 if n == 100 else n - 50))
    (finding,), _ = leaks(tmp_path, train, held)
    assert (finding.severity, [ref.line for ref in finding.rows]) == ("warn", [39, 40])


def test_a_test_of_the_same_time_is_only_noted(tmp_path: Path) -> None:
    (finding,), _ = leaks(tmp_path, rows(40, timestamp=day), rows(10, 100, timestamp=lambda n: day(4 * (n - 100))))
    assert finding.severity == "note" and "it tests no future" in finding.message


@pytest.mark.parametrize(("by_time", "expected"), [(True, ["block"]), (False, [])])
def test_the_config_decides_what_time_means(tmp_path: Path, by_time: bool, expected: list[str]) -> None:
    train, held = rows(40, timestamp=lambda n: day(n if n < 38 else 60)), rows(10, 100, timestamp=lambda n: day(n - 50))
    found, dropped = leaks(tmp_path, train, held, splits={"by_time": by_time})
    assert [finding.severity for finding in found] == expected
    assert dropped == ({39, 40} if by_time else set())


def test_a_customer_on_two_held_out_sides_is_said_and_nothing_is_left_out(tmp_path: Path) -> None:
    provenance = Provenance()
    lines = {
        "train.jsonl": rows(40, customer_id=lambda n: f"c{n % 20}"),
        "validation.jsonl": rows(6, 100, customer_id=lambda n: f"v{n}"),
        "test.jsonl": rows(6, 200, customer_id=lambda n: "v103" if n < 202 else f"t{n}"),
    }
    read = {name: load([(write_lines(tmp_path / name, some), name)], None, Silent(), provenance) for name, some in lines.items()}
    sides = [HeldOut(name, [read[f"{name}.jsonl"]]) for name in ("validation", "test")]
    corpus = corpus_of(read["train.jsonl"], sides, DataConfig(sources=("train.jsonl",)), provenance)
    (finding,) = [found for found in run_checks(corpus, Silent()) if found.code == "data.leakage.group"]
    assert finding.severity == "warn" and "group v103 stands in validation (a held-out row) and in test too" in finding.message
    assert [[(ref.file, ref.line) for ref in group] for group in finding.groups] == [
        [("validation.jsonl", 4)],
        [("test.jsonl", 1), ("test.jsonl", 2)],
    ]
    assert drops(corpus, [finding], Rules({})) == {}


def test_sides_in_order_of_time_leak_nothing(tmp_path: Path) -> None:
    assert leaks(tmp_path, rows(40, timestamp=day), rows(10, 100, timestamp=day))[0] == []
    assert leaks(tmp_path, rows(40, timestamp=day), rows(10, 100))[0] == []


# --- rights -----------------------------------------------------------------------------------------------------------


def rights(folder: Path, licence: str, commercial: bool | None = None) -> tuple[list[tuple[str, str]], bool]:
    provenance = Provenance()
    path = write_lines(folder / "rows.jsonl", [*rows(20), *rows(5, 50, license=licence)])
    corpus = corpus_of(
        load([(path, "rows.jsonl")], None, Silent(), provenance),
        [],
        DataConfig(sources=("rows.jsonl",)),
        provenance,
        commercial,
    )
    found = [finding for finding in run_checks(corpus, Silent()) if finding.code.startswith("data.licence")]
    assert all([ref.line for ref in finding.rows] == [21, 22, 23, 24, 25] for finding in found)
    return [(finding.code, finding.severity) for finding in found], set(drops(corpus, found, Rules({}))) == {20, 21, 22, 23, 24}


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("Apache-2.0", []),
        ("cc-by-4.0", []),
        ("MIT OR CC-BY-NC-4.0", []),
        ("LicenseRef-own", []),
        ("CC-BY-NC-4.0", [("data.licence.forbids_use", "note")]),
        ("CC-BY-SA-4.0", [("data.licence.conditions", "note")]),
        ("CC-BY-ND-4.0", [("data.licence.conditions", "note")]),
        ("free for friends", [("data.licence.unknown", "note")]),
        ("No AI training", [("data.licence.forbids_training", "block")]),
        ("Training prohibited", [("data.licence.forbids_training", "block")]),
        ("may not be used to train models", [("data.licence.forbids_training", "block")]),
        ("CC-BY-4.0, not for training", [("data.licence.forbids_training", "block")]),
        ("(c) 2024, all rights reserved", [("data.licence.forbids_training", "warn")]),
    ],
)
def test_what_a_licence_says_of_training(tmp_path: Path, licence: str, expected: list[tuple[str, str]]) -> None:
    found, left_out = rights(tmp_path, licence)
    assert found == expected
    assert left_out is any(severity == "block" for _, severity in expected)


def test_a_licence_for_no_commerce_blocks_a_commercial_use(tmp_path: Path) -> None:
    assert rights(tmp_path, "CC-BY-NC-SA-4.0", True)[0][0] in [
        ("data.licence.conditions", "note"),
        ("data.licence.forbids_use", "block"),
    ]
    assert rights(tmp_path, "CC-BY-NC-4.0", True) == ([("data.licence.forbids_use", "block")], True)
    assert rights(tmp_path, "CC-BY-4.0", True) == ([], False)


def test_rows_that_are_marked_as_personal_are_said(tmp_path: Path) -> None:
    provenance = Provenance()
    path = write_lines(tmp_path / "rows.jsonl", rows(20, contains_pii=lambda n: n in (3, 4)))
    loaded = load([(path, "rows.jsonl")], None, Silent(), provenance)
    corpus = corpus_of(loaded, [], DataConfig(sources=("rows.jsonl",)), provenance)
    (finding,) = [f for f in run_checks(corpus, Silent()) if f.code.startswith("data.pii")]
    assert (finding.code, finding.severity, [ref.line for ref in finding.rows]) == ("data.pii.declared", "warn", [4, 5])
