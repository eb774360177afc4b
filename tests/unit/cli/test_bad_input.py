"""Whatever a user gives, they get file, line, cause and fix, an exit code, and never a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.conftest import Truetune, ticket

GOOD = json.dumps(ticket("billing", 1)) + "\n"

BAD_FILES: dict[str, bytes] = {
    "empty.jsonl": b"",
    "blank.jsonl": b"\n\n  \n",
    "nul.jsonl": b"\x00\x01\x02\x00" * 100,
    "gzip.jsonl": b"\x1f\x8b\x08\x00" + b"\x00" * 64,
    "utf16.jsonl": GOOD.encode("utf-16"),
    "latin1.jsonl": GOOD.replace("kettle", "caf\u00e9").encode("latin-1"),
    "malformed.jsonl": (GOOD + '{"messages": [}\n' + GOOD).encode(),
    "not-an-object.jsonl": b'[1, 2]\n"text"\n42\nnull\n',
    "nan.jsonl": b'{"prompt": NaN, "completion": 1e999}\n',
    "huge-integer.jsonl": b'{"prompt": ' + b"9" * 6000 + b', "completion": "x"}\n',
    "deep.jsonl": b"[" * 100_000 + b"\n",
    "lone-surrogate.jsonl": b'{"prompt": "\\ud800", "completion": "x"}\n',
    "duplicate-keys.jsonl": b'{"prompt": "a", "prompt": "b", "completion": "c"}\n',
    "roles.jsonl": b'{"messages": [{"role": "assistant", "content": "x"}, {"role": "user", "content": "y"}]}\n',
    "types.jsonl": b'{"messages": [{"role": "user", "content": 5}, {"role": "assistant", "content": ["y"]}]}\n',
    "unknown-columns.jsonl": b'{"a": 1}\n{"b": 2}\n',
    "broken.parquet": b"PAR1" + b"\x00" * 40,
    "broken.csv": b'prompt,completion\n"unclosed,1\n',
    "array.json": b'{"rows": [{"prompt": "a"}',
    "no-suffix": GOOD.encode(),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_check_never_fails_with_a_traceback(name: str, truetune: Truetune, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(BAD_FILES[name])
    done = truetune("check", name, "--json")
    assert done.returncode in {0, 1, 2, 4}, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    document = json.loads(done.stdout)
    assert name in json.dumps(document)


def test_malformed_line_names_file_line_column_and_fix(truetune: Truetune, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text(GOOD + '{"messages": [}\n' + GOOD, encoding="utf-8")
    done = truetune("check", "bad.jsonl")
    assert done.returncode == 1
    assert "bad.jsonl:2:15" in done.stdout
    assert "data.record.malformed" in done.stdout
    assert "fix:" in done.stdout


@pytest.mark.parametrize("kind", ["directory", "fifo", "missing", "unreadable"])
def test_what_is_not_a_file(kind: str, truetune: Truetune, tmp_path: Path) -> None:
    target = tmp_path / "thing.jsonl"
    if kind == "directory":
        target.mkdir()
    elif kind == "fifo":
        os.mkfifo(target)
    elif kind == "unreadable":
        if os.geteuid() == 0:
            target = Path("/proc/1/mem")
        else:
            target.write_text(GOOD)
            target.chmod(0)
    done = truetune("check", target, timeout=30)
    assert done.returncode in {2, 3}
    assert "Traceback" not in done.stderr
    assert "fix:" in done.stderr


BAD_CONFIGS = {
    "unknown key": ("learning_rte: 1\n", "learning_rate", ":"),
    "wrong type": ("train: {epochs: many}\n", "epochs", ":"),
    "negative": ("train: {epochs: -1}\n", "epochs", ":"),
    "not yaml": ("train: {epochs: 1\n", "", ":"),
    "tabs": ("train:\n\tepochs: 1\n", "", ":"),
    "override": ("train: {trainer_overides: {}}\n", "trainer_overrides", ":"),
}


@pytest.mark.parametrize("name", BAD_CONFIGS)
def test_bad_config_names_the_place(name: str, project: Path, truetune: Truetune) -> None:
    extra, said, _ = BAD_CONFIGS[name]
    config = project / "truetune.yaml"
    lines = [line for line in config.read_text(encoding="utf-8").splitlines() if not line.startswith((" ", "train:"))]
    config.write_text("\n".join(lines) + "\n" + extra, encoding="utf-8")
    done = truetune("run", cwd=project)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "truetune.yaml:" in done.stderr
    assert said in done.stderr


def test_no_project(truetune: Truetune, tmp_path: Path) -> None:
    done = truetune("run", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"] == "usage.no_project"
    assert "truetune init" in done.stderr


def test_init_never_overwrites(project: Path, tickets: Path, truetune: Truetune, tmp_path: Path) -> None:
    before = {p: p.read_bytes() for p in project.rglob("*") if p.is_file()}
    done = truetune("init", "project", "--data", tickets)
    assert done.returncode == 2
    assert {p: p.read_bytes() for p in project.rglob("*") if p.is_file()} == before


def test_unknown_stage_run_and_format(project: Path, truetune: Truetune, tickets: Path) -> None:
    for arguments in (["run", "--until", "nowhere"], ["verify", "9999"], ["compare", "1", "2"], ["report", "nope"]):
        done = truetune(*arguments, cwd=project)
        assert done.returncode == 2, arguments
        assert "fix:" in done.stderr
    assert truetune("check", tickets, "--format", "xml").returncode == 2


def test_data_file_that_vanished(project: Path, truetune: Truetune) -> None:
    (project / "data" / "tickets.jsonl").unlink()
    done = truetune("run", cwd=project)
    assert done.returncode == 2
    assert "tickets.jsonl" in done.stderr
    assert "Traceback" not in done.stderr
