"""Two runs side by side: what changed, what moved on the items that both answered, and is it real?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.stages.evaluate import world

from truetune.compare import compare
from truetune.core.errors import EvidenceError, UsageError
from truetune.core.records import EvaluationRecord, RunComparison, RunDifference
from truetune.evidence import atomic
from truetune.evidence.curated import CuratedRow
from truetune.evidence.digests import canonical_json
from truetune.evidence.run_folder import RunFolder


def finished_run(
    folder: Path, learning_rate: float = 1e-3, test: list[CuratedRow] | None = None, settings: dict[str, object] | None = None
) -> RunFolder:
    """A run with config, records and ledger as the loop leaves them."""
    made = world.make(folder, learning_rate=learning_rate, test=test or world.rows("test", 60))
    run = made.run
    config = made.request.config.model_dump(mode="json") | (settings or {})
    value = {"config": config, "contract": made.request.contract.model_dump(mode="json"), "files": {"tickets.jsonl": None}}
    atomic.write_bytes(run.path / "config.json", canonical_json(value))
    run.write_record("base", made.request.base, "sha256:" + "1" * 64, seconds=1.0)
    run.write_record("data", made.request.data, "sha256:" + "1" * 64, seconds=2.0)
    run.write_record("train", made.request.train, "sha256:" + "1" * 64, seconds=30.0)
    run.write_record("evaluate", made.evaluate(), "sha256:" + "1" * 64, seconds=40.0)
    return run


def on(comparison: RunComparison, suite: str = "test") -> RunDifference:
    return next(d for d in comparison.differences if d.comparison.suite == suite)


def test_a_learning_rate_that_learns_less_is_seen_and_real(tmp_path: Path) -> None:
    found = compare(finished_run(tmp_path / "a"), finished_run(tmp_path / "b", learning_rate=2e-5))
    changes = {c.key: (c.a, c.b) for c in found.config_changes}
    assert changes == {"config.train.learning_rate": (1e-3, 2e-5)}
    assert found.data_same is True
    assert found.base_same is True
    assert found.splits_same == {"train": True, "test": True, "validation": True}
    assert found.adapter_same is False
    moved = on(found)
    assert moved.real == "yes"
    assert moved.b < moved.a
    assert moved.comparison.n == 60
    assert moved.comparison.difference == pytest.approx(moved.b - moved.a)
    assert "learning_rate" in found.summary
    assert "a real difference" in found.summary


def test_the_order_of_the_runs_turns_the_sign(tmp_path: Path) -> None:
    a, b = finished_run(tmp_path / "a"), finished_run(tmp_path / "b", learning_rate=2e-5)
    assert on(compare(a, b)).comparison.difference == -on(compare(b, a)).comparison.difference


def test_the_same_settings_do_not_differ(tmp_path: Path) -> None:
    found = compare(finished_run(tmp_path / "a"), finished_run(tmp_path / "b"))
    assert found.config_changes == ()
    assert found.adapter_same is True
    assert on(found).comparison.difference == 0
    assert on(found).real == "cannot tell"
    assert on(found, "general_knowledge").real == "no"
    assert "no setting" in found.summary


def test_only_shared_items_are_compared(tmp_path: Path) -> None:
    rows = world.rows("test", 60)
    found = compare(finished_run(tmp_path / "a", test=rows[:40]), finished_run(tmp_path / "b", test=rows[15:]))
    assert on(found).comparison.n == 25
    assert (found.only_a, found.only_b) == (15, 20)
    assert found.splits_same["test"] is False
    assert found.data_same is False


def test_an_item_that_means_something_else_is_not_shared(tmp_path: Path) -> None:
    rows = world.rows("test", 40)
    other = [
        r if n else CuratedRow(r.row_id, r.file, r.line, r.cluster, r.messages, r.prompt, "account") for n, r in enumerate(rows)
    ]
    found = compare(finished_run(tmp_path / "a", test=rows), finished_run(tmp_path / "b", test=other))
    assert on(found).comparison.n == 39


def test_no_shared_item_is_refused(tmp_path: Path) -> None:
    a = finished_run(tmp_path / "a", test=world.rows("test", 30))
    b = finished_run(tmp_path / "b", test=world.rows("other", 30))
    with pytest.raises(UsageError) as caught:
        compare(a, b)
    assert caught.value.code == "usage.no_shared_items"
    assert "data.test" in caught.value.fix


def test_a_run_without_evaluation_is_refused(tmp_path: Path) -> None:
    a, b = finished_run(tmp_path / "a"), finished_run(tmp_path / "b")
    b.record_path("evaluate").unlink()
    with pytest.raises(UsageError) as caught:
        compare(a, b)
    assert caught.value.code == "usage.not_evaluated"


def test_damaged_evidence_is_named(tmp_path: Path) -> None:
    a, b = finished_run(tmp_path / "a"), finished_run(tmp_path / "b")
    record = b.read_record("evaluate", EvaluationRecord)
    assert record is not None
    path = b.store.path(record.generations.digest)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(EvidenceError) as caught:
        compare(a, b)
    assert caught.value.where == str(path)
    (a.path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(EvidenceError):
        compare(a, a)


def test_times_stand_side_by_side(tmp_path: Path) -> None:
    found = compare(finished_run(tmp_path / "a"), finished_run(tmp_path / "b"))
    times = {t.what: (t.a_s, t.b_s) for t in found.times}
    assert times["train"] == (30.0, 30.0)
    assert times["evaluating tuned_adapter"][0] is not None


def test_the_record_is_json_and_comes_back(tmp_path: Path) -> None:
    found = compare(finished_run(tmp_path / "a"), finished_run(tmp_path / "b"))
    assert RunComparison.model_validate(json.loads(found.model_dump_json())) == found


def test_settings_that_only_one_run_has_are_named(tmp_path: Path) -> None:
    a, b = finished_run(tmp_path / "a"), finished_run(tmp_path / "b", settings={"tracking": [], "note": "x"})
    changes = {c.key: (c.a, c.b) for c in compare(a, b).config_changes}
    assert changes == {"config.tracking": (["trackio"], []), "config.note": (None, "x")}
