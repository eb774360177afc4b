"""The whole loop on the real small model: a short training, so that it ends in minutes on two cores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.conftest import Truetune

pytestmark = pytest.mark.real_model
EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "support-triage"


def test_support_triage_to_a_verdict(truetune: Truetune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRUETUNE_CACHE")  # the converted model is kept between test runs
    lines = (EXAMPLE / "data" / "tickets.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "tickets.jsonl").write_text("".join(lines[:240]), encoding="utf-8")
    made = truetune("init", "small", "--data", "tickets.jsonl")
    assert made.returncode == 0, made.stderr
    project = tmp_path / "small"
    config = project / "truetune.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("epochs: 3", "epochs: 2"), encoding="utf-8")

    done = truetune("run", "--json", cwd=project, timeout=1200)

    verdict = json.loads(done.stdout)
    assert verdict["verdict"] in {"release", "hold", "do not fine-tune"}, done.stderr
    run = next(p for p in (project / "runs").iterdir() if p.is_dir())
    evaluation = json.loads((run / "evaluate.json").read_text(encoding="utf-8"))
    success = {(s["candidate"], s["metric"]): s["value"] for s in evaluation["scores"] if s["suite"] == "test"}
    assert success["tuned_adapter", "task_success"] > success["base_model", "task_success"]
    assert success["tuned_adapter", "schema_validity"] > 0.9
    drift = next(d for d in evaluation["drift"] if d["candidate"] == "merged_model")
    assert drift["within_tolerance"]
    verified = truetune("verify", "--json", cwd=project, timeout=300)
    assert json.loads(verified.stdout)["gate"] == "passed", verified.stdout
    assert (run / "report.html").exists()
