"""Files made to break a reader: each ends in a clear error or a right result, in bounded memory, and never in a traceback.

The command runs in a process of its own that may take 640 MiB for itself. What it needs for a harmless file is about 200 MiB, so
a file of 200 MB that was held as a whole, or parsed as a whole, would end it.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.stages.data.rows_for_tests import Silent, record

from truetune.core.errors import TruetuneError
from truetune.stages.data.check import run_check
from truetune.stages.data.reading.readers import reading

_OWN_MEMORY_BYTES = 640 << 20
_MB = 1_000_000
GOOD = json.dumps(record("Where is the kettle?", "In the kitchen, on the left."))
OTHER = json.dumps(record("When does the shop open?", "At nine, on every day but Sunday."))


def check(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "truetune", "check", str(path), *options],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (_OWN_MEMORY_BYTES, _OWN_MEMORY_BYTES)),
    )
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode in (0, 1, 2), done.stdout + done.stderr
    return done


def rows_and_lines(path: Path) -> tuple[int, set[int]]:
    """How many records were counted, and the lines of those that cannot be parsed."""
    report = json.loads(check(path, "--json").stdout)
    malformed = {row["line"] for f in report["findings"] if f["code"] == "data.record.malformed" for row in f["rows"]}
    return report["stats"]["rows"], malformed


def write(path: Path, pieces: Iterator[bytes]) -> Path:
    with path.open("wb") as file:
        file.writelines(pieces)
    return path


def long_text(before: str, after: str, megabytes: int = 200) -> Iterator[bytes]:
    """A text with many megabytes of one letter in the middle, which the test itself never holds."""
    yield before.encode()
    yield from (b"x" * _MB for _ in range(megabytes))
    yield after.encode()


# --- more than memory should hold -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "before", "after", "counted"),
    [
        ("line.jsonl", f"{GOOD}\n" + '{"messages": "', f'"}}\n{OTHER}\n', (3, {2})),
        ("no_end.jsonl", "", "", (1, {1})),
        ("document.json", '[{"messages": "', '"}]', (1, {1})),
        ("cell.csv", 'prompt,completion\nq,a\n"', '",b\nq2,a2\n', (3, {3})),
    ],
)
def test_a_line_of_200_megabytes(tmp_path: Path, name: str, before: str, after: str, counted: tuple[int, set[int]]) -> None:
    assert rows_and_lines(write(tmp_path / name, long_text(before, after))) == counted


def test_a_wide_line_of_200_megabytes(tmp_path: Path) -> None:
    pieces = [f"\ufeff{GOOD}\n".encode("utf-16-le"), *(("x" * _MB).encode("utf-16-le") for _ in range(100))]
    path = write(tmp_path / "wide.jsonl", iter([*pieces, f"\n{OTHER}\n".encode("utf-16-le")]))
    assert rows_and_lines(path) == (3, {2})


def test_a_cell_of_200_megabytes_over_many_lines(tmp_path: Path) -> None:
    # After the cell has become too long each of its lines is read as a row of its own, and none of them is one.
    lines = ((b"x" * 99_999 + b"\n") for _ in range(2000))
    path = write(tmp_path / "cell.csv", iter([b'prompt,completion\nq,a\n"', *lines, b'",b\n']))
    counted, malformed = rows_and_lines(path)
    assert counted == 1 + len(malformed)
    assert min(malformed) == 3


def test_nesting_without_end(tmp_path: Path) -> None:
    path = tmp_path / "deep.jsonl"
    path.write_text(f"{GOOD}\n{'[' * 2_000_000}\n" + '{"a":' * 500_000 + f"\n{OTHER}\n", encoding="utf-8")
    assert rows_and_lines(path) == (4, {2, 3})


@pytest.mark.slow
def test_a_hundred_thousand_findings_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"messages": [}\n' * 100_000 + GOOD + "\n", encoding="utf-8")
    done = check(path)
    assert done.returncode == 1
    assert "100000" in done.stdout
    assert len(done.stdout) < 10_000


# --- what is no file of rows ------------------------------------------------------------------------------------------


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _loop(path: Path) -> None:
    path.symlink_to(path.with_suffix(".other"))
    path.with_suffix(".other").symlink_to(path)


def _parquet(cut: slice, flipped: slice) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        pq.write_table(pa.Table.from_pylist([json.loads(GOOD)] * 2000), path)
        content = bytearray(path.read_bytes())
        content[flipped] = b"\xff" * len(content[flipped])
        path.write_bytes(content[cut])

    return make


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (Path.mkdir, "data.file.not_regular"),
        (_fifo, "data.file.not_regular"),
        (_loop, "data.file.unreadable"),
        (Path.touch, "data.file.empty"),
        (lambda path: path.write_bytes(gzip.compress(GOOD.encode())), "data.file.binary"),
        (lambda path: path.write_bytes(bytes(100_000)), "data.file.binary"),
        (_parquet(slice(0, -20), slice(0, 0)), "data.file.format"),
        (_parquet(slice(0, 300), slice(0, 0)), "data.file.format"),
        (_parquet(slice(None), slice(60, 160)), None),
    ],
)
def test_no_file_of_rows(tmp_path: Path, make: Callable[[Path], None], code: str | None) -> None:
    path = tmp_path / "rows.jsonl"
    make(path)
    done = check(path, "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout)
    assert error["error"].startswith("data.file.")
    assert code is None or error["error"] == code
    assert error["fix"]


# --- odd content ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "is_row"),
    [
        ('{"prompt": "a", "completion": "b", "prompt": "c"}', False),
        ('{"prompt": "a", "completion": "b", "score": NaN}', False),
        ('{"prompt": "a", "completion": "b", "score": ' + "9" * 1_000_000 + "}", False),
        ('{"prompt": "a", "completion": "b", "score": ' + "9" * 4000 + "}", True),
        ('{"prompt": "a", "completion": "b", "score": 1e999}', True),
        ('{"prompt": "\\ud800", "completion": "b"}', False),
        ('{"prompt": "\\ud83d\\ude00", "completion": "b"}', True),
        ('{"prompt": "a\x00", "completion": "b"}', False),
        ('{"prompt": "a\\u0000", "completion": "b"}', True),
        ('{"prompt": "' + "a@1-" * 100_000 + '", "completion": "' + "http://" * 50_000 + '"}', True),
    ],
)
def test_odd_values(tmp_path: Path, line: str, is_row: bool) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"prompt": "q", "completion": "a"}}\n{line}\n', encoding="utf-8")
    report = run_check([path], [], progress=Silent())
    assert report.stats.rows == 2
    assert any(f.code == "data.record.malformed" and f.rows[0].line == 2 for f in report.findings) != is_row
    assert report.model_dump_json()


def test_a_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"{GOOD}\n" * 10, encoding="utf-8")
    entries = iter(reading(path, "a.jsonl"))
    next(entries)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{OTHER}\n")
    with pytest.raises(TruetuneError) as caught:
        list(entries)
    assert caught.value.code == "data.file.changed"


def test_a_file_that_another_takes_the_name_of_is_read_to_its_own_end(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"{GOOD}\n" * 10, encoding="utf-8")
    read = reading(path, "a.jsonl")
    entries = iter(read)
    next(entries)
    (tmp_path / "new").write_text(OTHER, encoding="utf-8")
    (tmp_path / "new").rename(path)
    assert len(list(entries)) == 9
    assert read.result().entries == 10


# --- and anything else ------------------------------------------------------------------------------------------------

_MARKS = [
    b"\n",
    b"\r\n",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"\t",
    b"\xef\xbb\xbf",
    b"\x00",
    b"\xe9",
    b"\xff\xfe",
    b"PAR1",
]
_WORDS = [
    b"prompt",
    b"completion",
    b'"messages"',
    b"null",
    b"\\ud800",
    b"NaN",
    b'{"prompt": "a", "completion": "b"}',
    GOOD.encode(),
]
_NAMES = ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt", "a.parquet"]
pieces = st.one_of(st.binary(max_size=12), st.sampled_from(_MARKS), st.sampled_from(_WORDS))
lines_of_text = st.one_of(st.just(GOOD), st.text(st.characters(exclude_characters="\n\r"), max_size=20))


@given(st.lists(pieces, max_size=30).map(b"".join), st.sampled_from(_NAMES))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_any_bytes_under_any_name(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    try:
        report = run_check([path], [], progress=Silent())
    except TruetuneError as error:
        assert error.code.startswith("data.")
        assert error.what
        return
    assert report.stats.kept + report.stats.dropped == report.stats.rows
    named = {row.line for finding in report.findings for row in finding.rows}
    assert all(line <= content.count(b"\n") + content.count(b"{") + 1 for line in named)
    assert report.model_dump_json()


@given(st.lists(lines_of_text, min_size=1, max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
def test_every_line_is_accounted_for(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f"{line}\n" for line in [GOOD, *lines]), encoding="utf-8", errors="replace")
    report = run_check([path], [], progress=Silent())
    blank = sum(not line.strip(" \t\r\n\ufeff") for line in lines)
    assert report.stats.rows == 1 + len(lines) - blank
