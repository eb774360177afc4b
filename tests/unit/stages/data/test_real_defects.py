"""The known defects of two public data sets are found, each of them, where the data sets lie on this machine."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from benchmarks.real_data import DataAbsentError, LabelledText, data_folder, read_snips
from tests.unit.stages.data.rows_for_tests import Silent, found, record, write_lines

from truetune.core.records import CheckReport
from truetune.stages.data.check import run_check


def plain(text: str) -> str:
    """A text without regard to case and white space."""
    return " ".join(text.lower().split())


def lines(path: Path, texts: Sequence[LabelledText]) -> Path:
    return write_lines(path, [record(text.text, text.intent, system=None) for text in texts])


def rows_named(report: CheckReport, code: str, file: Path, message: str = "") -> set[int]:
    findings = [finding for finding in found(report, code) if message in finding.message]
    return {ref.line for finding in findings for ref in finding.rows if ref.file == str(file)}


def test_snips_has_207_repeated_rows_and_11_leaked_ones(tmp_path: Path) -> None:
    try:
        splits = read_snips(data_folder())
    except DataAbsentError as absent:
        pytest.skip(str(absent))
    train, validate = lines(tmp_path / "train.jsonl", splits["train"]), lines(tmp_path / "validate.jsonl", splits["test"])
    report = run_check([train], [validate], progress=Silent())

    repeated = found(report, "data.duplicate.exact")
    assert sum(len(finding.rows) - 1 for finding in repeated) == 207
    known = {plain(text.text) for text in splits["train"]}
    leaked = {line for line, text in enumerate(splits["test"], 1) if plain(text.text) in known}
    assert len(leaked) == 11
    assert leaked <= rows_named(report, "data.leakage.split", validate, "exactly")
    assert report.gate == "failed"


def test_clinc150_has_2_leaked_texts_and_4_with_two_labels(tmp_path: Path) -> None:
    try:
        document = json.loads((data_folder() / "clinc150_oos" / "data_full.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        pytest.skip(f"clinc150_oos is not in {data_folder()}; set TRUETUNE_SHARED_DATA to the folder that has it")
    splits = {name: [LabelledText(*row) for row in rows] for name, rows in document.items()}
    files = {name: lines(tmp_path / f"{name}.jsonl", texts) for name, texts in splits.items()}

    known = {plain(text.text) for text in splits["train"]}
    leaked = {line for line, text in enumerate(splits["test"], 1) if plain(text.text) in known}
    report = run_check([files["train"]], [files["test"]], progress=Silent())
    assert len(leaked) == 2
    assert leaked <= rows_named(report, "data.leakage.split", files["test"], "exactly")

    labels: defaultdict[str, set[str]] = defaultdict(set)
    for texts in splits.values():
        for text in texts:
            labels[plain(text.text)].add(text.intent)
    doubtful = {text for text, names in labels.items() if len(names) > 1}
    report = run_check(list(files.values()), [], progress=Silent())
    contradicted = {name: rows_named(report, "data.contradiction", file) for name, file in files.items()}
    missed = [
        text.text
        for name, texts in splits.items()
        for line, text in enumerate(texts, 1)
        if plain(text.text) in doubtful and line not in contradicted[name]
    ]
    assert len(doubtful) == 4
    assert missed == []
