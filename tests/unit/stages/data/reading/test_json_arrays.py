"""An array of records is read record by record, however it is cut into pieces, and says where it breaks."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.stages.data.reading import files
from truetune.stages.data.reading.json_arrays import array_entries
from truetune.stages.data.reading.json_values import Entry

values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    return (text[start : start + size] for start in range(0, len(text), size))


def read(text: str | bytes, size: int = 7) -> list[Entry]:
    return list(array_entries(pieces(text.encode() if isinstance(text, str) else text, size), array("q")))


@given(st.lists(values, max_size=6), st.sampled_from([1, 2, 5, 1000]), st.sampled_from([None, 1]), st.booleans())
def test_it_reads_what_the_whole_document_has(given_values: list[object], size: int, indent: int | None, escaped: bool) -> None:
    entries = read(json.dumps(given_values, indent=indent, ensure_ascii=escaped), size)
    assert [entry.value for entry in entries] == given_values
    assert [entry.line for entry in entries] == list(range(1, len(given_values) + 1))
    assert not any(entry.fault for entry in entries)


def test_brackets_and_quotes_inside_strings_mean_nothing() -> None:
    rows = [{"a": '}]"['}, {"b": "\\"}, {"c": '\\"}'}]
    assert [entry.value for entry in read(json.dumps(rows), 1)] == rows


def test_a_broken_record_is_one_finding_and_the_others_are_read() -> None:
    first, second, third = read('[{"a": 1},\n\n{"a" 2},\n{"a": 3, "a": 4}]')
    assert first.value == {"a": 1}
    assert second.fault and (second.line, second.fault.column) == (2, 6) and "line 3 of the file" in second.fault.message
    assert third.fault and "twice" in third.fault.message


@pytest.mark.parametrize(
    ("text", "said", "rows"),
    [
        ('[{"a": 1}, {"a": 2}', "no end", 2),
        ('[{"a": 1}, {"a": "', "no end", 1),
        ('[{"a": 1} {"a": 2}]', "between two records", 1),
        ('[{"a": 1},, {"a": 2}]', "between two records", 1),
        ('[{"a": 1},]', "between two records", 1),
        ('[, {"a": 1}]', "between two records", 0),
        ('[{"a": 1}, nonsense, {"a": 2}]', "between two records", 1),
        ('[{"a": 1}]\n{"a": 2}', "after the array", 1),
        ('[{"a": 1}}', "after the array", 1),
        ("[", "no end", 0),
        ("[]", "", 0),
    ],
)
def test_where_the_array_breaks_reading_ends_and_says_so(text: str, said: str, rows: int) -> None:
    entries = read(text)
    assert sum(entry.fault is None for entry in entries) == rows
    faults = [entry.fault.message for entry in entries if entry.fault]
    assert [said in fault for fault in faults] == ([True] if said else [])
    assert [entry.line for entry in entries] == list(range(1, len(entries) + 1))


def test_values_that_are_no_objects_are_records_too() -> None:
    assert [entry.value for entry in read('[1, "two", {"a": 3}, null]')] == [1, "two", {"a": 3}, None]


def test_a_record_that_is_too_long_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 100)
    entries = read(json.dumps([{"a": "x"}, {"a": "x" * 500}, {"a": "y"}]))
    assert [entry.fault is None for entry in entries] == [True, False]
    assert entries[1].fault and "longer than" in entries[1].fault.message


def test_other_encodings_are_found_out_record_by_record() -> None:
    text = json.dumps([{"a": "naïve"}, {"a": "b"}], ensure_ascii=False).encode("latin-1")
    noted = array("q")
    assert [entry.value for entry in array_entries(pieces(text, 4), noted)] == [{"a": "naïve"}, {"a": "b"}]
    assert noted.tolist() == [1]
