"""Metadata: read from the rows' own columns and from a sidecar, by name, by mapping, and what cannot be read."""

from __future__ import annotations

import json
import pickle
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stages.data.rows_for_tests import Silent, labelled, record, write_lines

from truetune.core.errors import DataError
from truetune.core.records import Finding
from truetune.stages.data.check import run_check
from truetune.stages.data.reading.load import load
from truetune.stages.data.reading.sidecar import Provenance
from truetune.stages.data.rows.metadata import META_FIELDS, NO_META, Columns, RowMeta, read_time

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC).timestamp()


def test_the_fields_are_the_ones_that_the_config_can_map() -> None:
    assert {field.name for field in fields(RowMeta)} == {*META_FIELDS, "unread", "conflicts"}


def test_known_names_are_found_in_any_case() -> None:
    meta = Columns().of({"ID": 7, "License": "MIT", "customer_id": "c9", "created_at": "2024-01-01", "messages": []})
    assert (meta.id, meta.licence, meta.group, meta.time) == ("7", "MIT", "c9", NEW_YEAR)


def test_of_two_names_for_a_field_the_surer_one_counts() -> None:
    assert Columns().of({"user_id": "u", "group": "g"}).group == "g"
    assert Columns().of({"group": "g", "user_id": "u"}).group == "g"


def test_a_mapped_column_counts_alone() -> None:
    columns = Columns({"group": "Household", "time": "user_id"})
    assert columns.of({"group": "A", "household": "h1", "user_id": "2024-01-01"}) == RowMeta(group="h1", time=NEW_YEAR)


def test_a_table_of_metadata_inside_the_record_is_read_and_the_record_counts_before_it() -> None:
    assert Columns().of({"metadata": {"source": "crm", "id": "1"}, "id": "2"}) == RowMeta(id="2", source="crm")


@pytest.mark.parametrize("value", ["A sentence\nand another", "x" * 201, ["a"], {"a": 1}, None, "", "  "])
def test_texts_and_tables_are_no_metadata(value: object) -> None:
    assert Columns().of({"source": value, "output": "x"}) is NO_META


def test_what_cannot_be_read_is_named() -> None:
    meta = Columns().of({"timestamp": "last week", "contains_pii": "perhaps", "split": "holdout-b", "id": "1"})
    assert meta == RowMeta(id="1", unread=("time", "contains_pii", "split"))


@pytest.mark.parametrize(
    "written",
    [
        "2024-01-01",
        "2024-01-01T00:00:00Z",
        "2024-01-01 01:00:00+01:00",
        "20240101",
        20240101,
        1704067200,
        "1704067200",
        1704067200000,
        1704067200.0,
        "Mon, 01 Jan 2024 00:00:00 GMT",
        date(2024, 1, 1),
        datetime(2024, 1, 1),
        datetime(2024, 1, 1, tzinfo=UTC),
    ],
)
def test_times_are_read(written: object) -> None:
    assert read_time(written) == NEW_YEAR


@pytest.mark.parametrize("written", ["03/04/2024", "soon", 5, 0, True, "12:30", float("nan"), "9" * 400, "2024"])
def test_what_is_no_time_is_not_guessed(written: object) -> None:
    assert read_time(written) is None


@given(
    st.dictionaries(
        st.sampled_from(["id", "split", "date", "pii", "Group", "meta", "x"]),
        st.text("0123-:TZ yestrue.e") | st.floats() | st.none(),
    )
)
def test_no_record_breaks_the_reading(values: dict[str, object]) -> None:
    Columns().of(values)
    Columns().of({"metadata": values})


def test_columns_and_rows_can_be_sent_to_another_process() -> None:
    columns = pickle.loads(pickle.dumps(Columns({"group": "household"})))
    assert columns.of({"household": "h"}).group == "h"


# --- the sidecar ------------------------------------------------------------------------------------------------------


def with_ids(count: int) -> list[dict[str, object]]:
    return [{"id": f"r{n}", **row} for n, row in enumerate(labelled(count))]


def read(folder: Path, rows: list[dict[str, object]], lines: list[object], **named: object) -> tuple[list[RowMeta], Provenance]:
    path = write_lines(folder / "rows.jsonl", rows)
    write_lines(folder / "metadata.jsonl", lines)
    provenance = Provenance(**named)  # type: ignore[arg-type]
    loaded = load([(path, "rows.jsonl")], None, Silent(), provenance)
    return [row.meta for row in loaded.rows], provenance


def test_a_sidecar_beside_the_rows_is_joined_by_id(tmp_path: Path) -> None:
    metas, provenance = read(tmp_path, with_ids(3), [{"id": "r1", "source": "crm", "contains_pii": True, "license": "MIT"}])
    assert metas[1] == RowMeta(id="r1", source="crm", contains_pii=True, licence="MIT")
    assert metas[0] == RowMeta(id="r0")
    assert [file.path for file in provenance.files] == ["metadata.jsonl"]


def test_the_sidecar_with_the_name_of_the_file_counts_first(tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.metadata.jsonl", [{"id": "r0", "source": "mine"}])
    metas, _ = read(tmp_path, with_ids(1), [{"id": "r0", "source": "other"}])
    assert metas[0].source == "mine"


def test_where_record_and_sidecar_differ_the_sidecar_counts_and_it_is_noted(tmp_path: Path) -> None:
    rows = [{"id": 1, "source": "crm", "split": "train", **record("What is it", "joy")}]
    metas, _ = read(tmp_path, rows, [{"id": "1", "source": "forum", "split": "training"}])
    assert metas == [RowMeta(id="1", source="forum", split="train", conflicts=("source",))]


def test_lines_that_cannot_be_joined_are_faults_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "side.jsonl").write_text('{"id": "r0"}\n{"id": \n["r1"]\n{"source": "x"}\n{"id": "r0", "source": "y"}\n')
    _, provenance = read(tmp_path, with_ids(2), [], named=(tmp_path / "side.jsonl", "side.jsonl"))
    (sidecar,) = provenance.sidecars.values()
    assert [(fault.line, fault.column) for fault in sidecar.faults] == [(2, 7), (3, None), (4, None)]
    assert sidecar.repeated == ((5, 1),)


def test_the_sidecar_may_use_the_name_that_the_config_gives_to_the_id(tmp_path: Path) -> None:
    rows = [{"ticket": "t1", **record("What is it", "joy")}]
    metas, _ = read(tmp_path, rows, [{"ticket": "t1", "source": "crm"}], columns={"id": "ticket"})
    assert metas == [RowMeta(id="t1", source="crm")]


def test_a_named_sidecar_must_be_there_and_one_that_was_found_may_be_something_else(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "rows.jsonl", with_ids(1))
    with pytest.raises(DataError):
        load([(path, "rows.jsonl")], None, Silent(), Provenance(named=(tmp_path / "absent.jsonl", "absent.jsonl")))
    (tmp_path / "metadata.jsonl").write_bytes(b"\x00\x01\x02")
    assert len(load([(path, "rows.jsonl")], None, Silent()).rows) == 1


def test_a_file_of_rows_is_not_its_own_sidecar(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "metadata.jsonl", with_ids(2))
    provenance = Provenance()
    load([(path, "metadata.jsonl")], None, Silent(), provenance)
    assert provenance.files == ()


def test_json_lines_with_a_mapped_time(tmp_path: Path) -> None:
    rows = [{"when": "2024-01-01", **record("What is it", "joy")}]
    metas, _ = read(tmp_path, rows, [], columns={"time": "when"})
    assert json.dumps(metas[0].time) == json.dumps(NEW_YEAR)


# --- what the gate says about it --------------------------------------------------------------------------------------


def findings(folder: Path, rows: list[dict[str, object]], side: str, prefix: str = "data.metadata") -> list[Finding]:
    path = write_lines(folder / "rows.jsonl", rows)
    (folder / "metadata.jsonl").write_text(side, encoding="utf-8")
    report = run_check([path], [], progress=Silent())
    return [finding for finding in report.findings if finding.code.startswith(prefix)]


def places(finding: Finding) -> list[tuple[str, int]]:
    return [(Path(row.file).name, row.line) for row in finding.rows]


def test_sound_metadata_is_left_alone(tmp_path: Path) -> None:
    lines = [{"id": f"r{n}", "source": "crm", "timestamp": "2024-01-01", "contains_pii": False} for n in range(20)]
    assert findings(tmp_path, with_ids(20), "".join(json.dumps(line) + "\n" for line in lines)) == []


def test_each_fault_of_a_sidecar_is_found_at_its_line(tmp_path: Path) -> None:
    rows = [{"source": "forum", **row} for row in with_ids(20)]
    side = '{"id": "r0", "source": "crm"}\n{"id": \n{"source": "x"}\n{"id": "r1"}\n{"id": "r1"}\n{"id": "gone"}\n'
    found = {finding.code: finding for finding in findings(tmp_path, rows, side) if finding.code != "data.metadata.malformed"}
    assert places(found["data.metadata.duplicate_id"]) == [("metadata.jsonl", 5), ("metadata.jsonl", 4)]
    assert places(found["data.metadata.unknown_id"]) == [("metadata.jsonl", 6)]
    assert places(found["data.metadata.conflict"]) == [("rows.jsonl", 1), ("metadata.jsonl", 1)]
    assert {finding.severity for finding in found.values()} == {"warn"}
    malformed = [f for f in findings(tmp_path, rows, side) if f.code == "data.metadata.malformed"]
    assert [(f.rows[0].line, f.column) for f in malformed] == [(2, 7), (3, None)]


def test_a_sidecar_that_fits_no_row_is_only_noted(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, with_ids(20), '{"id": "a.png"}\n{"id": "b.png"}\n')
    assert (finding.code, finding.severity) == ("data.metadata.unknown_id", "note")
    assert "it was not used" in finding.message


def test_rows_that_share_an_id_are_noted_and_warned_of_where_metadata_is_joined_by_it(tmp_path: Path) -> None:
    rows = with_ids(20)
    rows[7]["id"] = "r3"
    (noted,) = findings(tmp_path, rows, '{"id": "r0"}\n')
    (warned,) = findings(tmp_path, rows, '{"id": "r3"}\n')
    assert (noted.severity, warned.severity) == ("note", "warn")
    assert places(warned) == [("rows.jsonl", 4), ("rows.jsonl", 8)]


def test_values_that_cannot_be_read_are_named_with_their_field(tmp_path: Path) -> None:
    rows = [{"timestamp": "yesterday" if n == 4 else "2024-01-01", **row} for n, row in enumerate(with_ids(20))]
    (finding,) = findings(tmp_path, rows, '{"id": "r0"}\n')
    assert (finding.code, finding.severity, places(finding)) == ("data.metadata.value", "note", [("rows.jsonl", 5)])
    assert "`time` of a row cannot be read" in finding.message
