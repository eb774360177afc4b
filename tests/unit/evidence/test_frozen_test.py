"""The seal and the ledger of looks: every look is counted, nothing can be counted away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truetune.backends.fake import FakeClock
from truetune.core.errors import EvidenceError
from truetune.core.records import SealedRow, SealRecord
from truetune.evidence.digests import bytes_digest
from truetune.evidence.frozen_test import FrozenTest

ONE, OTHER = bytes_digest(b"one"), bytes_digest(b"other")


def seal(digest: str = ONE) -> SealRecord:
    rows = (SealedRow(row_id="a", id="t-1", file="rows.jsonl", line=3),)
    return SealRecord(sealed_at="2026-11-24T10:00:00Z", digest=digest, inputs=digest, chosen_by="cut", rows=rows)


@pytest.fixture
def frozen(tmp_path: Path) -> FrozenTest:
    return FrozenTest(tmp_path, FakeClock())


def test_nothing_is_frozen_before_the_first_seal(frozen: FrozenTest) -> None:
    assert frozen.seal() is None and frozen.info(ONE) is None and frozen.look("evaluate", "0001", ONE) is None
    assert not frozen.ledger.path.exists()


def test_each_look_counts_with_its_command_and_run(frozen: FrozenTest) -> None:
    frozen.put_seal(seal(), "0001")
    assert frozen.seal() == seal()
    looks = [frozen.look("evaluate", run, ONE) for run in ("0001", "0002", "0002")]
    assert [info.looks for info in looks if info is not None] == [1, 2, 3]
    entries = [entry.data for entry in frozen.ledger.read() if entry.event == "test.looked"]
    assert [(data["command"], data["run"]) for data in entries] == [
        ("evaluate", "0001"),
        ("evaluate", "0002"),
        ("evaluate", "0002"),
    ]


def test_rows_that_are_not_the_sealed_ones_are_no_look(frozen: FrozenTest) -> None:
    frozen.put_seal(seal(), "0001")
    assert frozen.look("evaluate", "0001", OTHER) is None
    info = frozen.info(ONE)
    assert info is not None and info.looks == 0


def test_a_second_seal_shows_and_the_looks_at_the_first_stay_on_record(frozen: FrozenTest) -> None:
    frozen.put_seal(seal(), "0001")
    frozen.look("evaluate", "0001", ONE)
    assert frozen.break_seal("wrong labels") == seal()
    assert frozen.seal() is None and frozen.break_seal("again") is None
    frozen.put_seal(seal(OTHER), "0002")
    first, second = frozen.info(ONE), frozen.info(OTHER)
    assert first is not None and second is not None
    assert (first.looks, second.looks, second.seals) == (1, 0, 2)
    (broken,) = [entry for entry in frozen.ledger.read() if entry.event == "test.seal_broken"]
    assert broken.data["why"] == "wrong labels"


def test_a_ledger_that_lost_a_look_or_was_replaced_is_refused(frozen: FrozenTest) -> None:
    frozen.put_seal(seal(), "0001")
    for _ in range(3):
        frozen.look("evaluate", "0001", ONE)
    lines = frozen.ledger.path.read_text().splitlines(keepends=True)
    frozen.ledger.path.write_text("".join(lines[:1] + lines[2:]))
    with pytest.raises(EvidenceError):
        frozen.info(ONE)
    frozen.ledger.path.write_text("")
    with pytest.raises(EvidenceError) as caught:
        frozen.look("evaluate", "0001", ONE)
    assert caught.value.code == "evidence.ledger"


def test_a_seal_that_is_none_is_named(frozen: FrozenTest) -> None:
    frozen.seal_path.parent.mkdir(exist_ok=True)
    frozen.seal_path.write_text(json.dumps({"stage": "seal"}))
    with pytest.raises(EvidenceError):
        frozen.seal()
