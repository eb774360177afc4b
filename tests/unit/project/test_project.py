"""A project is found as git finds a repository; a run is found by anything that names exactly one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.core.errors import ConfigError, UsageError
from truetune.project.project import Project, new_run_id
from truetune.project.schema import config_schema, contract_schema

RUNS = ["0001-20261120-101500", "0002-20261121-101500", "0010-20261122-031502"]


class _Clock:
    def __init__(self, now: str = "2026-11-22T03:15:02+00:00") -> None:
        self._now = now

    def now_iso(self) -> str:
        return self._now

    def monotonic_s(self) -> float:
        return 0.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "evals").mkdir(parents=True)
    (folder / "truetune.yaml").write_text("task: sort\nbase: some/model\ndata: data/tickets.jsonl\n", encoding="utf-8")
    (folder / "evals" / "contract.yaml").write_text("metrics: {task_success_min: 0.8}\n", encoding="utf-8")
    return folder


@pytest.fixture
def with_runs(root: Path) -> Project:
    for name in [*RUNS, "notes", ".partial"]:
        (root / "runs" / name).mkdir(parents=True)
    (root / "runs" / "0099-20261122-031502").write_text("a file, not a run", encoding="utf-8")
    return Project.load(root, {})


def test_found_from_a_folder_inside(root: Path) -> None:
    inside = root / "data" / "raw"
    inside.mkdir(parents=True)
    assert Project.load(inside, {}).root == Project.load(root, {}).root == root


def test_found_from_the_current_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "evals")
    assert Project.load(Path(), {}).root == root


def test_no_project_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Project.load(tmp_path, {})
    assert caught.value.code == "usage.no_project"
    assert "truetune init" in caught.value.fix


def test_missing_contract_is_named(root: Path) -> None:
    (root / "evals" / "contract.yaml").unlink()
    with pytest.raises(ConfigError) as caught:
        Project.load(root, {})
    assert caught.value.code == "config.missing_file"
    assert "contract.yaml" in caught.value.what


def test_paths_are_relative_to_the_project(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project.load(root, {})
    monkeypatch.setenv("HOME", "/home/someone")
    assert project.resolve_data_path("data/tickets.jsonl") == root / "data" / "tickets.jsonl"
    assert project.resolve_data_path("/elsewhere/rows.csv") == Path("/elsewhere/rows.csv")
    assert project.resolve_data_path("~/rows.csv") == Path("/home/someone/rows.csv")
    assert project.objects_dir == root / ".truetune" / "objects"


def test_run_ids_are_runs_only_oldest_first(with_runs: Project) -> None:
    assert with_runs.run_ids() == RUNS


@pytest.mark.parametrize("name", ["latest", "10", "0010", RUNS[2], f"runs/{RUNS[2]}", f"runs/{RUNS[2]}/", "0010-2026"])
def test_run_found_by_what_names_exactly_one(with_runs: Project, name: str) -> None:
    assert with_runs.find_run(name) == RUNS[2]


def test_number_is_not_a_prefix_when_it_is_a_number(with_runs: Project) -> None:
    assert with_runs.find_run("1") == RUNS[0]


@pytest.mark.parametrize(
    ("name", "code"), [("00", "usage.run_ambiguous"), ("7", "usage.run_not_found"), ("", "usage.run_not_found")]
)
def test_run_that_is_not_one_run(with_runs: Project, name: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        with_runs.find_run(name)
    assert caught.value.code == code
    assert RUNS[2] in caught.value.why
    assert caught.value.fix


def test_no_runs_yet(root: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Project.load(root, {}).find_run("latest")
    assert caught.value.code == "usage.no_runs"


def test_new_run_id_counts_up_and_tells_the_time_in_utc() -> None:
    assert new_run_id(_Clock(), []) == "0001-20261122-031502"
    assert new_run_id(_Clock("2026-11-22T03:15:02+02:00"), RUNS) == "0011-20261122-011502"
    assert new_run_id(_Clock("2026-11-22T03:15:02Z"), ["9999-20261122-031502"]) == "10000-20261122-031502"


@given(st.sets(st.integers(1, 20_000), max_size=20))
def test_new_run_id_is_always_the_newest(numbers: set[int]) -> None:
    existing = [f"{n:04d}-20261122-031502" for n in numbers]
    made = new_run_id(_Clock("2020-01-01T00:00:00Z"), existing)
    assert made not in existing
    assert int(made.split("-")[0]) == max(numbers, default=0) + 1


def test_schemas_accept_the_short_forms() -> None:
    properties = config_schema()["properties"]
    assert isinstance(properties, dict)
    assert {"type": "string"} in properties["base"]["anyOf"]  # type: ignore[index,call-overload]
    assert "metrics" in str(contract_schema()["required"])
    assert config_schema()["additionalProperties"] is False
