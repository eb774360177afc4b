"""A run's folder becomes a bundle, wherever the run stopped and whatever is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
import sample

from truetune.core.errors import EvidenceError
from truetune.evidence.run_folder import RunFolder
from truetune.report.bundle import ReportBundle
from truetune.report.load import load_bundle
from truetune.report.render import render


@pytest.mark.parametrize("until", ["", *sample.STAGES])
def test_a_run_that_stopped_anywhere_has_a_report_that_says_so(tmp_path: Path, until: str) -> None:
    page = render(load_bundle(sample.write_run(tmp_path, until)))
    not_run = page.count("<strong>Not run.</strong>")
    assert (not_run == 0) == (until in {"verdict", "evaluate"})
    assert ("No verdict yet" in page) == (until != "verdict")
    assert "missing" not in page.split("<main>")[1].split("<section")[0]


def test_every_row_of_the_sources_is_in_the_flow(bundle: ReportBundle) -> None:
    assert bundle.data is not None
    assert sum(flow.rows for flow in bundle.flows) == bundle.data.stats.rows
    assert {f.target for f in bundle.flows} >= {"train", "validation", "test", "dropped:data.contradiction"}
    assert sum(f.rows for f in bundle.flows if f.target == "dropped:data.duplicate.exact") == 24


def test_rows_that_findings_name_have_their_words(bundle: ReportBundle) -> None:
    assert bundle.rows[sample.TICKETS, 22].raw.startswith("The kettle smells of burning when it is on.")
    assert bundle.rows[sample.TICKETS, 4].raw == sample.MALFORMED
    assert bundle.rows[bundle.row_ids["row-t0042"]].fate == "train"


def test_times_and_ledger_head_come_from_the_ledger(finished: RunFolder, bundle: ReportBundle) -> None:
    assert {t.stage: t.seconds for t in bundle.times} == sample.SECONDS
    assert bundle.ledger_head == finished.ledger.read()[-1].hash


def test_a_stage_taken_from_another_run_says_which(fresh: RunFolder) -> None:
    fresh.write_record("data", sample.data_record(fresh.store), sample.digest("k"), reused_from="2026-11-13-c")
    page = render(load_bundle(fresh))
    assert "Data was taken from run 2026-11-13-c" in page


@pytest.mark.parametrize("what", ["generations", "metrics", "curated"])
def test_an_object_that_is_gone_is_named_and_the_rest_is_shown(fresh: RunFolder, what: str) -> None:
    whole = load_bundle(fresh)
    assert whole.evaluation and whole.train and whole.data
    gone = {"generations": whole.evaluation.generations, "metrics": whole.train.metrics, "curated": whole.data.curated.files[0]}[
        what
    ]
    fresh.store.path(gone.digest).unlink()
    damaged = load_bundle(fresh)
    assert len(damaged.notices) == 1
    assert "not in the store" in damaged.notices[0]
    page = render(damaged)
    assert "not in the store" in page
    assert "Hold" in page


def test_a_broken_ledger_is_said_and_does_not_hide_the_verdict(fresh: RunFolder) -> None:
    text = fresh.ledger.path.read_text(encoding="utf-8")
    fresh.ledger.path.write_text(text.replace('"seconds":132.0', '"seconds":13.20'), encoding="utf-8")
    damaged = load_bundle(fresh)
    assert damaged.times == ()
    assert "the ledger is broken at line 6" in damaged.notices[0]
    assert "Hold" in render(damaged)


def test_curves_of_a_training_that_was_killed_come_from_the_running_file(tmp_path: Path) -> None:
    run = sample.write_run(tmp_path, "plan")
    lines = "".join(m.model_dump_json() + "\n" for m in sample.metrics()[:20])
    (run.path / "metrics.jsonl").write_text(lines + '{"kind": "train", "st', encoding="utf-8")
    bundle = load_bundle(run)
    assert len(bundle.metrics) == 20
    assert "The curves show the steps it came to." in render(bundle)


def test_a_record_that_is_no_record_is_an_error(fresh: RunFolder) -> None:
    fresh.record_path("plan").write_text("{}", encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"plan\.json"):
        load_bundle(fresh)


def test_a_config_that_was_edited_into_nonsense_is_said(fresh: RunFolder) -> None:
    (fresh.path / "config.json").write_text('{"config": 3}', encoding="utf-8")
    damaged = load_bundle(fresh)
    assert damaged.config is None
    assert "config.json" in damaged.notices[0]
