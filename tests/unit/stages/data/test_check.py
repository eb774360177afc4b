"""`run_check`: quick to start, the same on every run, of bounded size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.unit.stages.data.rows_for_tests import OF_THE_WHOLE, Silent, check_rows, labelled, record, write_lines

from truetune.core.errors import TruetuneError
from truetune.stages.data.check import run_check
from truetune.stages.data.checks.registry import ALL, TEMPLATE


def test_no_heavy_library_is_imported(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", labelled(30))
    script = f"""
import sys
from pathlib import Path
from tests.unit.stages.data.rows_for_tests import Silent
from truetune.stages.data.check import run_check
run_check([Path({str(path)!r})], [], progress=Silent())
heavy = {{"torch", "transformers", "datasets", "pandas", "tokenizers", "pyarrow"}} & set(sys.modules)
sys.exit(repr(heavy) if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_report_is_the_same_twice(tmp_path: Path) -> None:
    rows = [*labelled(50), *labelled(5), record("x y", "")]
    assert check_rows(tmp_path, rows) == check_rows(tmp_path, rows)


def test_several_files_are_one_corpus(tmp_path: Path) -> None:
    first = write_lines(tmp_path / "a.jsonl", labelled(40))
    second = write_lines(tmp_path / "b.jsonl", labelled(1))
    report = run_check([first, second], [], progress=Silent())
    (finding,) = [f for f in report.findings if not f.code.startswith(OF_THE_WHOLE)]
    assert [(Path(row.file).name, row.line) for row in finding.rows] == [("a.jsonl", 1), ("b.jsonl", 1)]


def test_faults_in_a_held_out_file_are_named_but_not_counted_as_rows(tmp_path: Path) -> None:
    report = check_rows(tmp_path, labelled(40), against=[record("a", ""), record("b c", "joy")])
    assert [(Path(f.rows[0].file).name, f.code) for f in report.findings] == [("held_out.jsonl", "data.record.empty")]
    assert (report.stats.rows, report.stats.dropped) == (40, 0)


def test_a_hundred_thousand_findings(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("{\n" * 100_000, encoding="utf-8")
    report = run_check([path], [], progress=Silent())
    assert report.stats.findings_by_code == {"data.record.malformed": 100_000}
    assert report.gate == "failed"


def test_every_check_says_what_it_claims() -> None:
    codes = [check.code for check in ALL] + [check.code for check in TEMPLATE]
    assert len(codes) == len(set(codes))
    assert all(check.claim.endswith(".") and check.fix for check in (*ALL, *TEMPLATE))
    assert all(threshold.source for check in ALL for threshold in check.thresholds)


def test_errors_print_as_json(tmp_path: Path) -> None:
    try:
        run_check([tmp_path / "none.jsonl"], [], progress=Silent())
    except TruetuneError as error:
        assert json.dumps(error.as_json())
        assert error.exit_code == 2
