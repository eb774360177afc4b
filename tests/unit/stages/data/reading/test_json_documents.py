"""An object whose one array holds the rows is read record by record, and says where it breaks."""

from __future__ import annotations

import json
import tracemalloc
from array import array
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.core.errors import DataError
from truetune.stages.data.reading import files
from truetune.stages.data.reading.json_documents import document_entries
from truetune.stages.data.reading.json_values import Entry

values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
beside = st.dictionaries(
    st.sampled_from(["version", "about", "é", "}"]), values.filter(lambda v: not isinstance(v, list)), max_size=3
)


def read(text: str | bytes, size: int = 7) -> list[Entry]:
    content = text.encode() if isinstance(text, str) else text

    def pieces() -> Iterator[bytes]:
        return (content[start : start + size] for start in range(0, len(content), size))

    return list(document_entries(pieces, array("q"), "a.json"))


@given(st.lists(values, max_size=5), beside, beside, st.sampled_from([1, 3, 1000]), st.sampled_from([None, 1]))
def test_it_reads_what_the_whole_document_has(
    rows: list[object], before: dict[str, object], after: dict[str, object], size: int, indent: int | None
) -> None:
    after = {key: value for key, value in after.items() if key not in before}
    entries = read(json.dumps({**before, "rows": rows, **after}, indent=indent, ensure_ascii=False), size)
    assert [entry.value for entry in entries] == rows
    assert [entry.line for entry in entries] == list(range(1, len(rows) + 1))
    assert not any(entry.fault for entry in entries)


def test_an_object_with_the_columns_of_a_row_is_one_row() -> None:
    row = {"messages": [{"role": "user", "content": "a"}], "tags": ["x"]}
    assert [entry.value for entry in read(json.dumps(row, indent=1))] == [row]
    assert [entry.value for entry in read('"text"')] == ["text"]
    (broken,) = read('{\n"messages": [{"role" "user"}]}')
    assert broken.fault and (broken.line, broken.fault.column) == (2, 22)


def test_a_broken_record_is_one_finding_and_the_others_are_read() -> None:
    first, second, third = read('{"version": 1,\n"rows": [{"a": 1},\n{"a" 2},\n{"a": 3}]}')
    assert first.value == {"a": 1} and third.value == {"a": 3}
    assert second.fault and (second.line, second.fault.column) == (2, 6) and "line 3 of the file" in second.fault.message


@pytest.mark.parametrize(
    ("text", "rows", "said", "line", "column"),
    [
        ('{"v" 1, "rows": [{}]}', 0, "not JSON", 1, 6),
        ('{"rows": [{},\n{}\n],\n"v": x}', 2, "not JSON", 4, 6),
        ('{"rows": [\n{}], "v": x}', 1, "not JSON", 2, None),
        ('{"rows": [{}],\n"rows": [{}]}', 1, "twice", 2, 1),
        ('{"rows": [{}]}\n{"rows": []}', 1, "not JSON", 2, 1),
        ('{"rows": [{}], "v": 1', 1, "not JSON", 1, None),
        ('{"rows": [{}, {', 1, "no end", 1, None),
        ('{"rows": [{} {}]}', 1, "between two records", 1, None),
    ],
)
def test_where_it_breaks_it_says_so(text: str, rows: int, said: str, line: int, column: int | None) -> None:
    entries = read(text)
    assert sum(entry.fault is None for entry in entries) == rows
    (fault,) = [entry.fault for entry in entries if entry.fault]
    assert said in fault.message and fault.column == column
    if rows:
        assert f"line {line} of the file" in fault.message


@pytest.mark.parametrize("text", ['{"a": [{}], "b": [{}]}', '{"a": {"b": [{}]}}', "{}"])
def test_rows_that_could_be_anywhere_are_not_guessed(text: str) -> None:
    with pytest.raises(DataError, match="not clear"):
        read(text)


def test_what_stands_beside_the_rows_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 100)
    entries = read(json.dumps({"rows": [{"a": "x"}], "v": {"x": "y" * 200}}))
    assert [entry.fault is None for entry in entries] == [True, False]
    assert entries[1].fault and "beside its rows is longer" in entries[1].fault.message
    (entry,) = read(json.dumps({"messages": ["x" * 200]}))
    assert entry.fault and "longer than" in entry.fault.message


def test_memory_does_not_grow_with_the_rows() -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"version": 1, "rows": ['
        for _ in range(300):
            yield b'{"prompt": "%s", "completion": "a"},\n' % (b"x" * 100_000)
        yield b'{}], "end": true}'

    tracemalloc.start()
    count = sum(1 for _ in document_entries(pieces, array("q"), "a.json"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 301 and peak < 3_000_000
