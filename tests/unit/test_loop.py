"""The loop on the fake model: to a verdict, resumed after a kill at any stage, nothing repeated that need not be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.conftest import Truetune

STAGES = ["doctor", "base", "data", "plan", "train", "diagnose", "evaluate", "verdict"]


def runs(project: Path) -> list[Path]:
    return sorted(p for p in (project / "runs").iterdir() if p.is_dir())


def ledger(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "ledger.jsonl").read_text(encoding="utf-8").splitlines()]


def set_learning_rate(project: Path, rate: str) -> None:
    config = project / "truetune.yaml"
    text = config.read_text(encoding="utf-8")
    lines = [f"  learning_rate: {rate}" if "learning_rate" in line else line for line in text.splitlines()]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_goes_to_a_verdict_with_a_record_per_stage(project: Path, truetune: Truetune) -> None:
    done = truetune("run", "--json", cwd=project)
    verdict = json.loads(done.stdout)
    assert verdict["verdict"] == "release", done.stderr
    assert done.returncode == verdict["exit_code"] == 0
    (run,) = runs(project)
    assert [s for s in STAGES if (run / f"{s}.json").exists()] == STAGES
    assert (run / "report.html").stat().st_size > 10_000
    assert (run / "adapter" / "adapter_model.safetensors").exists()


def test_config_stays_within_ten_lines(project: Path) -> None:
    assert len((project / "truetune.yaml").read_text(encoding="utf-8").splitlines()) <= 10


def test_second_run_repeats_nothing(project: Path, truetune: Truetune) -> None:
    truetune("run", cwd=project)
    done = truetune("run", cwd=project)
    assert done.returncode == 0
    for stage in STAGES[1:]:
        line = next(line for line in done.stdout.splitlines() if line.startswith(f"{stage} "))
        assert "unchanged" in line or stage == "verdict", line
    assert len(runs(project)) == 1


def test_changed_learning_rate_repeats_training_only(project: Path, truetune: Truetune) -> None:
    truetune("run", cwd=project)
    set_learning_rate(project, "5.0e-4")
    done = truetune("run", cwd=project)
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line}
    assert "unchanged" in lines["data"]
    assert "unchanged" in lines["base"]
    assert "unchanged" not in lines["train"]
    assert len(runs(project)) == 2


def test_changed_data_repeats_the_gate(project: Path, truetune: Truetune) -> None:
    truetune("run", cwd=project)
    data = project / "data" / "tickets.jsonl"
    data.write_text("".join(data.read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")
    done = truetune("run", cwd=project)
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line}
    assert "unchanged" not in lines["data"]
    assert "unchanged" in lines["base"]


def test_replay_is_mixed_in_and_goes_through_to_the_verdict(project: Path, truetune: Truetune) -> None:
    rows = [
        {
            "instruction": f"Ask{n} of thing{n * 3} by reader{n * 7} near place{n}",
            "output": f"Told{n} slowly, with part{n * 5} and care.",
        }
        for n in range(200)
    ]
    leak = {"instruction": "Explain in a few sentences why the sky looks blue on a clear day.", "output": "Light is scattered."}
    source = project / "data" / "general.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in [leak, *rows]), encoding="utf-8")
    config = project / "truetune.yaml"
    text = config.read_text(encoding="utf-8")
    replay = "data:\n  sources: [data/tickets.jsonl]\n  replay: {source: data/general.jsonl, share: 0.1, licence: CC0-1.0}"
    lines = [replay if line.startswith("data:") else line for line in text.splitlines()]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = truetune("run", cwd=project)
    (run,) = runs(project)
    data, train, plan = (json.loads((run / f"{name}.json").read_text(encoding="utf-8")) for name in ("data", "train", "plan"))
    mixed = data["replay"]
    assert abs(mixed["share_tokens"] - 0.1) < 0.005
    assert mixed["dropped_by_code"] == {"data.replay.leak": 1}
    assert train["examples"] == data["splits"]["train"]["rows"]
    tokens = mixed["tokens"] + mixed["task_tokens"]
    assert (
        abs(plan["tokens"] / json.loads((run / "config.json").read_text())["config"]["train"]["epochs"] - tokens) < 0.05 * tokens
    )
    assert "replay rows, 10" in done.stdout or "replay rows, 9" in done.stdout
    assert "Replay: general rows mixed into training" in (run / "report.html").read_text(encoding="utf-8")
    source.write_text("".join(json.dumps(row) + "\n" for row in rows[5:]), encoding="utf-8")
    again = truetune("run", cwd=project)
    assert "unchanged" not in next(line for line in again.stdout.splitlines() if line.startswith("data "))


def test_new_repeats_everything(project: Path, truetune: Truetune) -> None:
    truetune("run", cwd=project)
    done = truetune("run", "--new", cwd=project)
    assert "unchanged" not in done.stdout
    assert len(runs(project)) == 2


def test_tampered_record_is_not_taken_over(project: Path, truetune: Truetune) -> None:
    truetune("run", cwd=project)
    record = runs(project)[0] / "train.json"
    record.write_text(record.read_text(encoding="utf-8").replace('"steps":', '"steps" :'), encoding="utf-8")
    done = truetune("run", cwd=project)
    line = next(line for line in done.stdout.splitlines() if line.startswith("train"))
    assert "unchanged" not in line


@pytest.mark.parametrize("stage", STAGES[1:7])
def test_killed_at_a_stage_goes_on(stage: str, project: Path, truetune: Truetune) -> None:
    """SIGKILL as soon as the stage before has its record; the next start ends with the same verdict and a whole ledger."""
    _kill_when(project, lambda run: (run / f"{STAGES[STAGES.index(stage) - 1]}.json").exists())
    done = truetune("run", "--json", cwd=project)
    assert json.loads(done.stdout)["verdict"] == "release", done.stderr
    (run,) = runs(project)
    assert [entry["seq"] for entry in ledger(run)] == list(range(len(ledger(run))))
    assert truetune("verify", cwd=project).returncode == 0
    assert not list(project.rglob("*.partial"))


def _kill_when(project: Path, ready: object) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "truetune", "run"], cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        found = runs(project) if (project / "runs").exists() else []
        if found and ready(found[0]):  # type: ignore[operator]
            break
        time.sleep(0.002)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_ctrl_c_says_how_to_go_on(project: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "truetune", "run"], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not (project / "runs").exists() and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode in {130, 0}
    if process.returncode == 130:
        assert "goes on from there" in stderr
        assert "Traceback" not in stderr


def test_two_at_once_is_refused(project: Path, truetune: Truetune) -> None:
    from filelock import FileLock

    (project / ".truetune").mkdir(exist_ok=True)
    with FileLock(project / ".truetune" / "lock"):
        done = truetune("run", cwd=project)
    assert done.returncode == 2
    assert "another truetune" in done.stderr


def test_failed_data_gate_holds_before_training(project: Path, truetune: Truetune) -> None:
    data = project / "data" / "tickets.jsonl"
    lines = data.read_text(encoding="utf-8").splitlines(keepends=True)
    data.write_text("".join(lines[:100] + ["{broken\n"] * 140), encoding="utf-8")
    done = truetune("run", "--json", cwd=project)
    verdict = json.loads(done.stdout)
    assert verdict["verdict"] == "hold"
    assert done.returncode == 1
    assert "train" not in {p.stem for p in runs(project)[0].glob("*.json")}
    assert (runs(project)[0] / "report.html").exists()


def test_metric_that_cannot_be_measured_holds(project: Path, truetune: Truetune) -> None:
    contract = project / "evals" / "contract.yaml"
    text = contract.read_text(encoding="utf-8").replace("metrics:\n", "metrics:\n  refusal_regression_max: 0.0\n")
    contract.write_text(text, encoding="utf-8")
    done = truetune("run", "--json", cwd=project)
    verdict = json.loads(done.stdout)
    assert verdict["verdict"] == "hold"
    assert done.returncode == 4
    assert any("refusal" in reason for reason in verdict["reasons"])


def test_user_files_are_never_changed(project: Path, truetune: Truetune) -> None:
    names = ["truetune.yaml", "evals/contract.yaml", "data/tickets.jsonl"]
    before = {name: ((project / name).read_bytes(), (project / name).stat().st_mtime_ns) for name in names}
    truetune("run", cwd=project)
    assert {name: ((project / name).read_bytes(), (project / name).stat().st_mtime_ns) for name in names} == before


def test_compare_says_what_changed_and_whether_it_is_real(project: Path, truetune: Truetune) -> None:
    truetune("run", cwd=project)
    set_learning_rate(project, "2.0e-4")
    truetune("run", cwd=project)
    first, second = (run.name for run in runs(project))
    done = truetune("compare", first, second, cwd=project)
    assert "learning_rate" in done.stdout
    assert "real" in done.stdout
    assert json.loads(truetune("compare", first, second, "--json", cwd=project).stdout)["schema_version"] == 1


def test_every_stage_command_prints_one_document(project: Path, truetune: Truetune) -> None:
    for command in ("doctor", "data", "plan", "train", "diagnose", "evaluate"):
        done = truetune(command, "--json", cwd=project)
        document = json.loads(done.stdout)
        assert document["stage"] == command
    assert json.loads(truetune("verify", "--json", cwd=project).stdout)["gate"] == "passed"
    assert json.loads(truetune("report", "--json", cwd=project).stdout)["digest"].startswith("sha256:")


def test_read_only_project(project: Path, truetune: Truetune) -> None:
    if os.geteuid() == 0:
        pytest.skip(
            "root may write anywhere; the read-only case is covered by tests/unit/evidence with a read-only file system error"
        )
    project.chmod(0o500)
    try:
        done = truetune("run", cwd=project)
    finally:
        project.chmod(0o700)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_full_disk_is_said_and_nothing_is_lost(project: Path, truetune: Truetune, tmp_path: Path) -> None:
    """A process that may write no file over 4 kB meets the same refusal as on a full disk; afterwards the run goes on."""
    truetune("run", "--until", "base", cwd=project)
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))\n"
        "sys.argv = ['truetune', 'run']\n"
        "from truetune.__main__ import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    again = truetune("run", cwd=project)
    assert again.returncode == 0, again.stderr
