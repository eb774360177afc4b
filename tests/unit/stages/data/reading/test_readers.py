"""Files as users have them: every format, and everything that can be wrong with a file."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stages.data.rows_for_tests import Silent, check_rows, found, labelled, of_single_rows, record, write_lines

from truetune.core.errors import DataError
from truetune.core.records import DataFormat
from truetune.stages.data.check import run_check
from truetune.stages.data.reading import files
from truetune.stages.data.reading.load import load
from truetune.stages.data.reading.readers import parse, reading
from truetune.stages.data.rows.row import Row


def rows_of(path: Path, name: DataFormat | None = None) -> list[Row]:
    loaded = load([(path, path.name)], name, Silent())
    assert not loaded.faults, loaded.faults
    return list(loaded.rows)


def error_of(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        run_check([path], [], progress=Silent())
    assert caught.value.what and caught.value.fix and caught.value.where, vars(caught.value)
    return caught.value


# --- every format, told by its keys -----------------------------------------------------------------------------------


def test_alpaca_joins_instruction_and_input(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "a.jsonl", [{"instruction": "Add.", "input": "1 and 2", "output": "3"}, {"instruction": "Hi", "output": "Ho"}]
    )
    assert [(row.prompt, row.answer) for row in rows_of(path)] == [("Add.\n\n1 and 2", "3"), ("Hi", "Ho")]


def test_prompt_completion_takes_text_and_turns(tmp_path: Path) -> None:
    turns = {"prompt": [{"role": "user", "content": "a"}], "completion": [{"role": "assistant", "content": "b"}]}
    path = write_lines(tmp_path / "a.jsonl", [{"prompt": "x", "completion": "y"}, turns])
    assert [(row.prompt, row.answer) for row in rows_of(path)] == [("x", "y"), ("a", "b")]


def test_preference_trains_on_the_chosen_answer(tmp_path: Path) -> None:
    ask = {"role": "user", "content": "q"}
    sides = {side: [ask, {"role": "assistant", "content": side}] for side in ("chosen", "rejected")}
    path = write_lines(
        tmp_path / "a.jsonl", [{"prompt": "p", "chosen": "good", "rejected": "bad"}, {"prompt": [ask], **sides}, sides]
    )
    assert [(row.prompt, row.answer, row.rejected) for row in rows_of(path)] == [
        ("p", "good", "bad"),
        ("q", "chosen", "rejected"),
        ("q", "chosen", "rejected"),
    ]


def test_extra_keys_are_accepted(tmp_path: Path) -> None:
    assert len(rows_of(write_lines(tmp_path / "a.jsonl", [{**record("a", "b"), "id": 7, "source": "x", "metadata": {}}]))) == 1


@pytest.mark.parametrize("text", ["[{}]", '{{"rows": [{}]}}', '{{\n "note": "n",\n "rows": [\n{}\n]\n}}'])
def test_json_array_and_object_with_one_array(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    body = ",\n".join(json.dumps(record(f"q{n}", f"a{n}")) for n in range(3))
    path.write_text(text.format(body), encoding="utf-8")
    assert [row.line for row in rows_of(path)] == [1, 2, 3]


def test_json_lines_under_the_name_json(tmp_path: Path) -> None:
    assert len(rows_of(write_lines(tmp_path / "a.json", [record("a", "b"), record("c", "d")]))) == 2


def test_csv_with_quotes_newlines_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\ufeffprompt,completion,id\n"one\ntwo","say ""hi""",1\nthree,four,2\n', encoding="utf-8")
    assert [(row.line, row.prompt, row.answer) for row in rows_of(path)] == [(2, "one\ntwo", 'say "hi"'), (4, "three", "four")]


def test_csv_cell_with_messages(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    cell = json.dumps(record("a", "b")["messages"]).replace('"', '""')
    path.write_text(f'messages\tid\n"{cell}"\t1\n', encoding="utf-8")
    assert rows_of(path)[0].answer == "b"


def test_csv_row_with_too_few_cells_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("prompt,completion\na,b\nonly one\nc,d\n", encoding="utf-8")
    report = run_check([path], [], progress=Silent())
    assert [f.rows[0].line for f in found(report, "data.record.malformed")] == [3]
    assert report.stats.kept == 2


def test_parquet_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "rows.data"
    pq.write_table(pa.Table.from_pylist([record("a", "b"), record("c", "d")]), path)
    assert [(row.line, row.answer) for row in rows_of(path)] == [(1, "b"), (2, "d")]


def test_format_is_that_of_most_rows(tmp_path: Path) -> None:
    rows: list[object] = [record(f"q{n}", "a") for n in range(5)]
    report = check_rows(tmp_path, [*rows, {"prompt": "p", "completion": "c"}])
    assert report.sources[0].format == "messages"
    assert [f.rows[0].line for f in found(report, "data.record.type")] == [6]


def test_named_format_wins(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{**record("a", "b"), "prompt": "p", "completion": "c"}])
    assert rows_of(path, "prompt_completion")[0].prompt == "p"


def test_unknown_columns_are_named(tmp_path: Path) -> None:
    error = error_of(write_lines(tmp_path / "a.jsonl", [{"text": "a", "label": "b"}]))
    assert error.code == "data.format.unknown"
    assert "'text'" in error.why


# --- files that hold no rows ------------------------------------------------------------------------------------------


def test_missing_folder_pipe_and_empty_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    for path, code in (
        (tmp_path / "none.jsonl", "data.file.missing"),
        (tmp_path, "data.file.not_regular"),
        (pipe, "data.file.not_regular"),
        (Path("/dev/null"), "data.file.not_regular"),
        (empty, "data.file.empty"),
    ):
        assert error_of(path).code == code


def test_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_lines(tmp_path / "a.jsonl", [record("a", "b")])
    monkeypatch.setattr(files.os, "access", lambda *_: False)
    assert error_of(path).code == "data.file.unreadable"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", gzip.compress(b'{"messages": []}\n' * 50, mtime=0), "gunzip"),
        ("a.jsonl", b"PK\x03\x04" + bytes(100), "unzip"),
        ("a.jsonl", bytes(range(256)) * 20, "not text"),
        ("a.jsonl", '{"messages": []}\n'.encode("utf-16-le") * 20, "iconv"),
    ],
)
def test_binary_files_say_what_they_are(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    error = error_of(path)
    assert error.code == "data.file.binary"
    assert said in error.what + error.why + error.fix


def test_truncated_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist([record("a", "b")]), path)
    path.write_bytes(path.read_bytes()[:-20])
    assert error_of(path).code == "data.file.format"


def test_prose_is_not_data(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary,\nnothing happened.\n", encoding="utf-8")
    assert error_of(path).code == "data.file.format"


def test_object_with_two_arrays_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"train": [record("a", "b")], "test": [record("c", "d")]}), encoding="utf-8")
    error = error_of(path)
    assert error.code == "data.file.format"
    assert "'train'" in error.why


# --- lines that are no rows -------------------------------------------------------------------------------------------

GOOD = json.dumps(record("a", "b"))


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        ('{"messages": [', 15, "not JSON"),
        ('{"messages": [],}', None, "not JSON"),
        ('{"messages": NaN}', 14, "NaN"),
        ('{"messages": -Infinity}', 14, "Infinity"),
        ('{"messages": ' + "9" * 5000 + "}", None, "number"),
        ('{"messages": ' + "[" * 200_000, None, "nested"),
        ('{"messages": "\\ud83d"}', 15, "surrogate"),
        ('{"messages": [], "messages": []}', 18, "twice"),
        ('{"messages": [{"role": "user", "role": "user", "content": "x"}]}', 32, "twice"),
        ('{"messages": "a\x00b"}', 16, "not JSON"),
    ],
)
def test_malformed_lines_have_line_and_column(tmp_path: Path, line: str, column: int | None, said: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"{GOOD}\n\n{line}\n{GOOD}\n", encoding="utf-8")
    report = run_check([path], [], progress=Silent())
    (finding,) = found(report, "data.record.malformed")
    assert finding.rows[0].line == 3
    assert said in finding.message
    if column is not None:
        assert finding.column == column
    assert report.gate == "failed"
    assert report.model_dump_json()


def test_a_line_beyond_the_limit_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 1 << 16)
    path = tmp_path / "a.jsonl"
    path.write_text(f"{GOOD}\n{json.dumps(record('a', 'x' * (1 << 21)))}\n{GOOD}\n", encoding="utf-8")
    report = run_check([path], [], progress=Silent())
    assert [f.rows[0].line for f in found(report, "data.record.malformed")] == [2]
    assert report.stats.rows == 3


def test_a_document_in_one_line_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 1 << 16)
    path = tmp_path / "a.json"
    path.write_text(json.dumps([record("a", "x" * (1 << 18))]), encoding="utf-8")
    assert "longer than" in found(run_check([path], [], progress=Silent()), "data.record.malformed")[0].message


def test_broken_document_names_the_place(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[\n{"prompt": "a", "completion": "b"},\n{"prompt": "a" "completion": "b"}\n]', encoding="utf-8")
    report = run_check([path], [], progress=Silent())
    (finding,) = found(report, "data.record.malformed")
    assert (finding.rows[0].line, finding.column) == (2, 16)
    assert "(line 3 of the file)" in finding.message
    assert report.stats.rows == 2 and report.stats.kept == 1


def test_nothing_readable_and_nothing_wrong_is_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n\n  \n", encoding="utf-8")
    assert run_check([path], [], progress=Silent()).gate == "not_measured"


# --- encodings --------------------------------------------------------------------------------------------------------


def test_latin1_is_decoded_and_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes((GOOD + "\n").encode() + json.dumps(record("café", "b"), ensure_ascii=False).encode("latin-1") + b"\n")
    report = run_check([path], [], progress=Silent())
    (finding,) = found(report, "data.encoding")
    assert finding.severity == "warn"
    assert [row.line for row in finding.rows] == [2]
    assert report.sources[0].encoding == "latin-1"
    assert rows_of(path)[1].prompt == "café"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_wide_encodings_with_a_mark_are_decoded_and_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"{GOOD}\n{json.dumps(record('naïve ☂', 'b'), ensure_ascii=False)}\n", encoding=encoding)
    report = run_check([path], [], progress=Silent())
    assert report.sources[0].encoding == encoding
    assert len(found(report, "data.encoding")) == 1
    assert rows_of(path)[1].prompt == "naïve ☂"


def test_utf8_byte_order_mark_is_no_character(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"\ufeff{GOOD}\n", encoding="utf-8")
    report = run_check([path], [], progress=Silent())
    assert not of_single_rows(report)
    assert report.stats.kept == 1


def test_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(f"{GOOD}\r\n{GOOD}\r\n".encode())
    assert [row.line for row in rows_of(path)] == [1, 2]


# --- and whatever else ------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inside: (
        st.lists(inside, max_size=4) | st.dictionaries(st.sampled_from(["messages", "role", "content", "prompt", "x"]), inside)
    ),
    max_leaves=12,
)


@given(st.text(max_size=200))
def test_parse_never_raises(text: str) -> None:
    entry = parse(text, 1)
    assert entry.fault is not None or entry.value == json.loads(text)


@given(st.lists(json_values, min_size=1, max_size=6))
def test_any_json_is_a_row_a_finding_or_an_error(tmp_path_factory: pytest.TempPathFactory, values: list[object]) -> None:
    path = write_lines(tmp_path_factory.mktemp("any") / "a.jsonl", [*values, record("a", "b")])
    report = run_check([path], [], progress=Silent())
    assert report.stats.rows == len(values) + 1
    assert report.stats.kept + report.stats.dropped == report.stats.rows


@given(st.binary(min_size=1, max_size=400))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "a.jsonl"
    path.write_bytes(content)
    try:
        read = reading(path, "a.jsonl")
        entries = list(read)
        assert read.result().entries == len(entries)
    except DataError as error:
        assert error.code.startswith("data.")


def test_the_users_file_is_not_touched(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", labelled(30))
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    path.chmod(0o444)
    run_check([path], [], progress=Silent())
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.jsonl"]
