"""`truetune check --metadata` and `--against`: the named sidecar is joined, and held-out files may be of any format."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import Truetune
from tests.unit.stages.data.rows_for_tests import labelled, record, write_lines


def test_the_named_metadata_is_joined_wherever_it_lies(truetune: Truetune, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [{**row, "id": f"r{n}"} for n, row in enumerate(labelled(40))])
    (tmp_path / "known").mkdir()
    write_lines(tmp_path / "known" / "about.jsonl", [{"id": "r3", "contains_pii": True}, {"id": "gone", "source": "crm"}])
    plain = json.loads(truetune("check", "rows.jsonl", "--json").stdout)
    done = json.loads(truetune("check", "rows.jsonl", "--metadata", "known/about.jsonl", "--json").stdout)
    found = {finding["code"]: finding["rows"] for finding in done["findings"]}
    assert "data.pii.declared" not in plain["stats"]["findings_by_code"]
    assert [row["line"] for row in found["data.pii.declared"]] == [4]
    assert "data.metadata.unknown_id" in found


def test_metadata_that_is_not_there_is_an_error(truetune: Truetune, tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", labelled(20))
    done = truetune("check", "rows.jsonl", "--metadata", "none.jsonl")
    assert done.returncode == 2 and "data.file.missing" in done.stderr


def test_several_held_out_files_each_of_its_own_format(truetune: Truetune, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    prompts = [str(row["messages"][-2]["content"]) for row in labelled(46)]  # type: ignore[index]
    write_lines(tmp_path / "rows.jsonl", labelled(40))
    write_lines(tmp_path / "a.jsonl", [{"instruction": prompts[0], "output": "joy"}])
    (tmp_path / "b.csv").write_text(f'prompt,completion\n"{prompts[1]}",joy\n', encoding="utf-8")
    (tmp_path / "c.json").write_text(json.dumps([record(prompts[2], "joy")]), encoding="utf-8")
    pq.write_table(pa.table({"prompt": [prompts[3]], "completion": ["joy"]}), tmp_path / "d.parquet")
    share = {"conversations": [{"from": "human", "value": prompts[4]}, {"from": "gpt", "value": "joy"}]}
    write_lines(tmp_path / "e.jsonl", [share])
    against = [part for name in ("a.jsonl", "b.csv", "c.json", "d.parquet", "e.jsonl") for part in ("--against", name)]
    report = json.loads(truetune("check", "rows.jsonl", *against, "--json").stdout)
    leaks = [finding["rows"] for finding in report["findings"] if finding["code"] == "data.leakage.split"]
    assert [(rows[0]["line"], rows[1]["file"]) for rows in leaks] == [
        (1, "a.jsonl"),
        (2, "b.csv"),
        (3, "c.json"),
        (4, "d.parquet"),
        (5, "e.jsonl"),
    ]


def test_what_is_one_is_said_of_one(truetune: Truetune, tmp_path: Path) -> None:
    write_lines(tmp_path / "one.jsonl", [record("When do you open on Sundays?", "We open at nine and close at four.")])
    said = truetune("check", "one.jsonl").stdout
    assert "there is 1 different example" in said and "1 row, about 1 really different" in said
    assert truetune("data", "curate", "one.jsonl").stdout.startswith("curate    passed: 1 of 1 row kept")


def test_a_locale_without_the_characters_of_the_rows(truetune: Truetune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}.items():
        monkeypatch.setenv(name, value)
    write_lines(tmp_path / "rows.jsonl", [record("Which town is the biggest? 東京?", answer) for answer in ("Köln", "Genève")])
    done = truetune("check", "rows.jsonl")
    assert done.returncode == 0 and "data.contradiction" in done.stdout and "K\\xf6ln" in done.stdout
    assert json.loads(truetune("check", "rows.jsonl", "--json").stdout)["stats"]["rows"] == 2


def test_a_file_whose_name_is_no_utf8(tmp_path: Path, truetune: Truetune) -> None:
    write_lines(tmp_path / "rows.jsonl", labelled(20))
    try:
        named = (tmp_path / "rows.jsonl").rename(tmp_path / os.fsdecode(b"r\xe4.jsonl")).name
    except OSError:
        pytest.skip("this file system takes names of UTF-8 only")
    shown = "r\\xe4.jsonl"
    assert json.loads(truetune("check", named, "--json").stdout)["sources"][0]["path"] == shown
    assert truetune("check", named, "--write", "f.json", "--write", "f.html", "--write", "f.sarif").returncode == 0
    assert shown in json.loads(truetune("data", "curate", named, "--json").stdout)["sources"][0]["path"]
    assert shown in truetune("data", "diff", named, named).stdout
    missing = truetune("check", os.fsdecode(b"no\xe4.jsonl"), "--json")
    assert missing.returncode == 2 and json.loads(missing.stdout)["error"] == "data.file.missing"


def test_files_are_written_though_nobody_reads_what_is_printed(tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [record(f"What of {n}?", "") for n in range(60)])
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "truetune", "check", "rows.jsonl", "--write", "f.json"]
    done = subprocess.run(command, cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, check=False, text=True)
    os.close(writer)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))["stats"]["rows"] == 60
