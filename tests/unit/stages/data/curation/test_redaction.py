"""Redaction in the gate: the curated rows carry placeholders, lineage says so, the user's files stay."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.unit.stages.data.rows_for_tests import Silent, labelled, record, write_lines

from truetune.backends.fake import FakeClock, FakeTokenizer
from truetune.core.config import DataConfig
from truetune.core.records import DataRecord
from truetune.core.sensitive.masking import find_sensitive
from truetune.evidence.curated import CuratedRow, read_split
from truetune.evidence.digests import file_digest
from truetune.evidence.run_folder import RunFolder
from truetune.evidence.store import ObjectStore
from truetune.stages.data.curation import curate as curate_module
from truetune.stages.data.curation.redaction import redact_row
from truetune.stages.data.rows.row import row_of
from truetune.stages.data.stage import Ports, Request, run

MAIL, PHONE, KEY = "ann.lee@example.com", "(212) 555-0147", "AKIA" + "Q3EXAMPLE7Z2KLMN"
ALL = {"data.pii.*": {"policy": "redact"}, "data.secret": {"policy": "redact"}}


def curated(tmp_path: Path, checks: dict[str, object]) -> tuple[DataRecord, list[CuratedRow], dict[str, str]]:
    """The record, all kept rows, and what lineage says was changed, by row id."""
    rows = [*labelled(40), record(f"Write to {MAIL} or {PHONE} about {KEY}, {MAIL} is best", "calm")]
    write_lines(tmp_path / "rows.jsonl", rows)
    store = ObjectStore(tmp_path / "objects")
    config = DataConfig.model_validate({"sources": ["rows.jsonl"], "min_train_rows": 10, "checks": checks})
    folder = RunFolder(tmp_path / "runs" / "one", store, FakeClock())
    data = run(Request(config, tmp_path, 17, 4096), Ports(FakeTokenizer(), Silent()), folder)
    kept = [row for side in ("train", "validation", "test") for row in read_split(store, data.curated, side)]
    artifact = next(a for a in data.curated.files if a.path == "lineage.parquet")
    lineage = pq.read_table(BytesIO(store.get_bytes(artifact.digest))).to_pylist()
    return data, kept, {row["row_id"]: row["change"] for row in lineage}


def test_the_curated_row_has_placeholders_and_its_lineage_says_which(tmp_path: Path) -> None:
    write_lines(tmp_path / "rows.jsonl", [])
    data, kept, changes = curated(tmp_path, ALL)
    (row,) = (row for row in kept if row.line == 41)
    assert row.prompt == "Write to [EMAIL_1] or [PHONE_1] about [AWS_ACCESS_KEY_1], [EMAIL_1] is best"
    assert row.messages[-2]["content"] == row.prompt
    assert changes[row.row_id] == "redacted: [EMAIL_1] 2 times, [AWS_ACCESS_KEY_1], [PHONE_1]"
    assert data.stats.redacted == 1 and "1 row redacted" in data.gate_reason
    assert [c for c in changes.values() if c] == [changes[row.row_id]]


def test_only_what_the_rules_name_is_replaced(tmp_path: Path) -> None:
    _, kept, _ = curated(tmp_path, {"data.pii.email": {"policy": "redact"}, "data.secret": {"policy": "keep"}})
    (row,) = (row for row in kept if row.line == 41)
    assert MAIL not in row.prompt and PHONE in row.prompt and KEY in row.prompt


def test_without_a_rule_nothing_is_replaced_and_the_secret_goes(tmp_path: Path) -> None:
    data, kept, changes = curated(tmp_path, {})
    assert 41 not in {row.line for row in kept} and set(changes.values()) == {""}
    assert data.stats.redacted == 0 and data.stats.dropped_by_code == {"data.secret": 1}


def test_system_prompt_answer_rejected_answer_and_negatives_share_placeholders() -> None:
    turns = [("system", f"You write for {MAIL}"), ("user", f"call {PHONE}"), ("assistant", f"{MAIL}, {PHONE}")]
    row = row_of("f", 1, [{"role": r, "content": c} for r, c in turns], rejected=f"no {MAIL}", negatives=(f"not {PHONE}",))
    redacted = redact_row(row, find_sensitive)
    assert redacted.row.system == "You write for [EMAIL_1]" and redacted.row.answer == "[EMAIL_1], [PHONE_1]"
    assert redacted.row.rejected == "no [EMAIL_1]" and redacted.row.negatives == ("not [PHONE_1]",)
    assert redact_row(redacted.row, find_sensitive).row == redacted.row
    assert row.answer == f"{MAIL}, {PHONE}"


@pytest.mark.parametrize("suffix", ["messages", "alpaca"])
def test_curated_files_keep_their_format_and_the_users_file_its_bytes(tmp_path: Path, suffix: str) -> None:
    alpaca = [{"instruction": f"Name colour {n} of the rainbow", "input": f"from {MAIL}", "output": f"red {n}"} for n in range(5)]
    rows = alpaca if suffix == "alpaca" else [*labelled(5), record(f"Write to {MAIL}", "calm")]
    source = write_lines(tmp_path / "rows.jsonl", rows)
    before = file_digest(source)
    config = DataConfig.model_validate({"sources": [], "checks": ALL})
    request = curate_module.Request([(source, "rows.jsonl")], [], config, tmp_path / "out")
    version = Path(curate_module.curate(request, Silent()).record.version)
    written = (version / "rows.jsonl").read_text(encoding="utf-8")
    assert MAIL not in written and "[EMAIL_1]" in written
    assert [list(json.loads(line)) for line in written.splitlines()][-1] == list(rows[-1])
    assert "## Placeholders: " in (version / "changes.md").read_text(encoding="utf-8")
    assert file_digest(source) == before
