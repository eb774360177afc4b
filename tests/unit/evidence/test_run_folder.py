"""A stage's record is there once the ledger says so, and nothing that is no record is taken for one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truetune.core.errors import EvidenceError
from truetune.core.records import SCHEMA_VERSION, DiagnosisRecord
from truetune.evidence.digests import file_digest
from truetune.evidence.run_folder import RunFolder, load_record
from truetune.evidence.store import ObjectStore

RECORD = DiagnosisRecord(gate="passed", findings=(), summary="fine")


class _Clock:
    def now_iso(self) -> str:
        return "2026-11-22T03:15:02+00:00"

    def monotonic_s(self) -> float:
        return 0.0


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "runs" / "0001", ObjectStore(tmp_path / "objects"), _Clock())


def test_nothing_is_made_before_something_is_written(folder: RunFolder) -> None:
    assert folder.read_record("diagnose", DiagnosisRecord) is None
    assert folder.stage_entry("diagnose") is None
    assert not folder.path.exists()
    assert folder.run_id == "0001"


def test_record_and_ledger_name_each_other(folder: RunFolder) -> None:
    folder.write_record("diagnose", RECORD, "sha256:key", seconds=1.5)
    assert folder.read_record("diagnose", DiagnosisRecord) == RECORD
    entry = folder.stage_entry("diagnose")
    assert entry is not None
    assert entry["record"] == file_digest(folder.record_path("diagnose"))
    assert (entry["key"], entry["seconds"]) == ("sha256:key", 1.5)


def test_newest_entry_counts(folder: RunFolder) -> None:
    folder.write_record("diagnose", RECORD, "first")
    folder.write_record("diagnose", RECORD.model_copy(update={"summary": "other"}), "second")
    entry = folder.stage_entry("diagnose")
    assert entry is not None
    assert entry["key"] == "second"


def test_record_of_a_newer_version_asks_for_an_upgrade(folder: RunFolder, tmp_path: Path) -> None:
    path = tmp_path / "diagnose.json"
    path.write_text(json.dumps({"schema_version": SCHEMA_VERSION + 1, "new": True}), encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        load_record(path, DiagnosisRecord)
    assert caught.value.code == "evidence.schema"
    assert "upgrade" in caught.value.fix


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b'{"stage": "plan"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"gate": "maybe", "findings": [], "summary": "x"}',
        RECORD.model_dump_json().encode().replace(b'"summary"', b'"extra": 1, "summary"'),
    ],
)
def test_what_is_no_record(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "diagnose.json"
    path.write_bytes(content)
    with pytest.raises(EvidenceError) as caught:
        load_record(path, DiagnosisRecord)
    assert (caught.value.code, caught.value.where) == ("evidence.record", str(path))
    assert caught.value.why
    assert caught.value.fix
