"""Flip one byte of any link of the chain and `verify` names it first."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Truetune


@pytest.fixture
def finished(project: Path, truetune: Truetune) -> Path:
    done = truetune("run", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def run_of(project: Path) -> Path:
    return next(p for p in (project / "runs").iterdir() if p.is_dir())


def record(project: Path, stage: str) -> dict:
    return json.loads((run_of(project) / f"{stage}.json").read_text(encoding="utf-8"))


def blob(project: Path, digest: str) -> Path:
    name = digest.removeprefix("sha256:")
    return project / ".truetune" / "objects" / name[:2] / name[2:]


def shard(project: Path, name: str) -> Path:
    files = record(project, "data")["curated"]["files"]
    return blob(project, next(f["digest"] for f in files if f["path"] == name))


def adapter_object(project: Path) -> Path:
    files = record(project, "train")["adapter"]["files"]
    return blob(project, next(f["digest"] for f in files if f["path"].endswith(".safetensors")))


def base_weights(project: Path) -> Path:
    return next((project.parent / "cache").rglob("*.safetensors"))


TARGETS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "source file": ("source data/tickets.jsonl", lambda p: p / "data" / "tickets.jsonl"),
    "train shard": ("curated train.parquet", lambda p: shard(p, "train.parquet")),
    "test shard": ("curated test.parquet", lambda p: shard(p, "test.parquet")),
    "lineage": ("curated lineage.parquet", lambda p: shard(p, "lineage.parquet")),
    "dropped rows": ("curated dropped.parquet", lambda p: shard(p, "dropped.parquet")),
    "config": ("config", lambda p: run_of(p) / "config.json"),
    "base weights": ("base weights", base_weights),
    "template": ("base weights", lambda p: next((p.parent / "cache").rglob("chat_template.jinja"))),
    "adapter in the store": ("adapter adapter_model.safetensors", adapter_object),
    "adapter in the run": ("adapter folder", lambda p: run_of(p) / "adapter" / "adapter_model.safetensors"),
    "metrics": ("metrics", lambda p: blob(p, record(p, "train")["metrics"]["digest"])),
    "generations": ("generations", lambda p: blob(p, record(p, "evaluate")["generations"]["digest"])),
    "test items": ("suite test", lambda p: blob(p, record(p, "evaluate")["suites"][0]["items"]["digest"])),
    "data record": ("record data", lambda p: run_of(p) / "data.json"),
    "train record": ("record train", lambda p: run_of(p) / "train.json"),
    "evaluation record": ("record evaluate", lambda p: run_of(p) / "evaluate.json"),
    "verdict record": ("record verdict", lambda p: run_of(p) / "verdict.json"),
    "ledger": ("ledger", lambda p: run_of(p) / "ledger.jsonl"),
}


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x01
    path.chmod(0o644)
    path.write_bytes(content)


def test_an_untouched_run_verifies(finished: Path, truetune: Truetune) -> None:
    done = truetune("verify", "--json", cwd=finished)
    document = json.loads(done.stdout)
    assert document["gate"] == "passed", document["first_mismatch"]
    assert len(document["checks"]) > 20
    assert done.returncode == 0


def test_each_flipped_byte_is_named(finished: Path, truetune: Truetune) -> None:
    """All targets in turn on one run: flip, verify, flip back."""
    for name, (expected, target) in TARGETS.items():
        path = target(finished)
        flip_a_byte(path)
        document = json.loads(truetune("verify", "--json", cwd=finished).stdout)
        assert document["gate"] == "failed", name
        assert document["first_mismatch"].startswith(expected), (name, document["first_mismatch"])
        flip_a_byte(path)
    assert truetune("verify", cwd=finished).returncode == 0


def test_a_score_changed_with_its_hashes_is_still_found(finished: Path, truetune: Truetune) -> None:
    """Someone edits a score and writes the ledger anew around it: the chain holds, the score does not follow from the outputs."""
    from truetune.evidence.digests import bytes_digest
    from truetune.evidence.ledger import GENESIS, entry_hash

    run = run_of(finished)
    evaluation = record(finished, "evaluate")
    score = next(s for s in evaluation["scores"] if s["value"] is not None and s["metric"] == "task_success")
    score["value"] = 0.123
    content = json.dumps(evaluation, indent=1).encode()
    (run / "evaluate.json").write_bytes(content)
    entries = [json.loads(line) for line in (run / "ledger.jsonl").read_text(encoding="utf-8").splitlines()]
    prev = GENESIS
    for entry in entries:
        if entry["data"].get("stage") == "evaluate":
            entry["data"]["record"] = bytes_digest(content)
        entry["prev"] = prev
        entry["hash"] = prev = entry_hash(entry["seq"], entry["time"], entry["event"], entry["data"], prev)
    (run / "ledger.jsonl").write_text("".join(json.dumps(e) + "\n" for e in entries), encoding="utf-8")
    document = json.loads(truetune("verify", "--json", cwd=finished).stdout)
    assert document["gate"] == "failed"
    assert document["first_mismatch"].startswith("scores")


def test_a_removed_object_is_named(finished: Path, truetune: Truetune) -> None:
    path = shard(finished, "validation.parquet")
    path.unlink()
    document = json.loads(truetune("verify", "--json", cwd=finished).stdout)
    assert document["first_mismatch"].startswith("curated validation.parquet")


def test_a_base_model_that_is_not_here_is_not_measured(finished: Path, truetune: Truetune) -> None:
    config = finished / "truetune.yaml"
    text = config.read_text(encoding="utf-8").replace("fake:tiny", "./no-such-model")
    config.write_text(text, encoding="utf-8")
    done = truetune("verify", "--json", cwd=finished)
    document = json.loads(done.stdout)
    assert document["gate"] == "not_measured"
    assert done.returncode == 4


def test_the_do_not_train_list_is_enforced_and_verified(project: Path, truetune: Truetune) -> None:
    config, listed = project / "truetune.yaml", project / "never.jsonl"
    entry = json.loads((project / "data" / "tickets.jsonl").read_text(encoding="utf-8").splitlines()[3])["messages"][1]
    listed.write_text(json.dumps({"text": entry["content"]}) + "\n", encoding="utf-8")
    text = config.read_text(encoding="utf-8")
    (given,) = re.findall(r"^data: (.+)$", text, re.MULTILINE)
    config.write_text(
        text.replace(f"data: {given}", f"data: {{sources: [{given}], do_not_train: never.jsonl}}"), encoding="utf-8"
    )
    assert truetune("run", cwd=project).returncode == 0
    assert record(project, "data")["do_not_train"] == record(project, "train")["do_not_train"]
    assert record(project, "data")["stats"]["dropped_by_code"]["data.do_not_train"] >= 1
    assert truetune("verify", cwd=project).returncode == 0
    listed.write_text(json.dumps({"id": "another"}) + "\n", encoding="utf-8")
    done = truetune("verify", cwd=project)
    assert done.returncode == 1 and "the list has changed since the run" in done.stdout
