"""The machine is described as this process may use it: container limits, visible GPUs, packages by metadata alone."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from importlib import metadata
from pathlib import Path

import psutil
import pytest

from truetune.backends import machine
from truetune.backends.machine import SystemClock, SystemProbe

GIB = 1 << 30


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def container(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "proc", tmp_path / "cgroup"


def test_clock_is_utc_and_never_goes_back() -> None:
    clock = SystemClock()
    offset = datetime.fromisoformat(clock.now_iso()).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == 0
    first = clock.monotonic_s()
    assert clock.monotonic_s() >= first


def test_this_machine(tmp_path: Path) -> None:
    environment = SystemProbe().environment(tmp_path / "not" / "there")
    assert 1 <= environment.cores <= (os.cpu_count() or 1)
    assert 0 < environment.memory_available_bytes <= environment.memory_bytes <= psutil.virtual_memory().total
    assert environment.disk_free_bytes > 0
    assert environment.temp_free_bytes
    assert environment.cpu
    assert environment.hub_offline
    assert environment.packages["numpy"] == metadata.version("numpy")


def test_group_v2_limits_count_the_tightest_of_all_levels(container: tuple[Path, Path]) -> None:
    proc, cgroup = container
    write(proc / "self" / "cgroup", "0::/outer/inner\n")
    write(cgroup / "cgroup.controllers", "cpu memory\n")
    write(cgroup / "outer" / "memory.max", f"{2 * GIB}\n")
    write(cgroup / "outer" / "memory.current", f"{GIB}\n")
    write(cgroup / "outer" / "memory.stat", f"anon 5\ninactive_file {GIB // 2}\n")
    write(cgroup / "outer" / "inner" / "memory.max", "max\n")
    write(cgroup / "outer" / "inner" / "cpu.max", "150000 100000\n")
    probe = SystemProbe(proc, cgroup)
    assert probe.memory_bytes() == (2 * GIB, GIB + GIB // 2)
    assert probe.cores() == 1


def test_group_v1_limits(container: tuple[Path, Path]) -> None:
    proc, cgroup = container
    write(proc / "self" / "cgroup", "5:cpu,cpuacct:/job\n4:memory:/job\n0::/\n")
    write(cgroup / "memory" / "job" / "memory.limit_in_bytes", f"{GIB}")
    write(cgroup / "memory" / "job" / "memory.usage_in_bytes", f"{GIB // 4}")
    write(cgroup / "memory" / "job" / "memory.stat", "inactive_file 1\ntotal_inactive_file 0\n")
    write(cgroup / "cpu" / "job" / "cpu.cfs_quota_us", "-1")
    write(cgroup / "cpu" / "job" / "cpu.cfs_period_us", "100000")
    probe = SystemProbe(proc, cgroup)
    assert probe.memory_bytes() == (GIB, GIB - GIB // 4)
    assert probe.cores() == len(os.sched_getaffinity(0))


def test_container_whose_group_path_is_the_hosts(container: tuple[Path, Path]) -> None:
    proc, cgroup = container
    write(proc / "self" / "cgroup", "0::/system.slice/docker-abc.scope\n")
    write(cgroup / "memory.max", f"{GIB}\n")
    assert SystemProbe(proc, cgroup).memory_bytes()[0] == GIB


@pytest.mark.parametrize("limit", ["max\n", f"{1 << 62}\n", "garbage\n", "0\n"])
def test_no_limit_is_the_machines_own_memory(container: tuple[Path, Path], limit: str) -> None:
    proc, cgroup = container
    write(proc / "self" / "cgroup", "0::/\nnot a line\n")
    write(cgroup / "memory.max", limit)
    assert SystemProbe(proc, cgroup).memory_bytes()[0] == psutil.virtual_memory().total


def test_usage_over_the_limit_leaves_nothing(container: tuple[Path, Path]) -> None:
    proc, cgroup = container
    write(proc / "self" / "cgroup", "0::/\n")
    write(cgroup / "memory.max", "1000")
    write(cgroup / "memory.current", "2000")
    assert SystemProbe(proc, cgroup).memory_bytes() == (1000, 0)


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [("processor : 0\nmodel name : Zen 9\nmodel name : Zen 9\n", "Zen 9"), ("Hardware : x\nModel : Board 5\n", "Board 5")],
)
def test_cpu_name(container: tuple[Path, Path], cpuinfo: str, name: str) -> None:
    write(container[0] / "cpuinfo", cpuinfo)
    assert SystemProbe(*container).cpu_name() == name


def test_no_proc_is_no_crash(container: tuple[Path, Path]) -> None:
    probe = SystemProbe(*container)
    assert probe.cpu_name()
    assert probe.cores() >= 1


# --- GPUs, through a command that answers as nvidia-smi does ---------------------------------------------------------


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    return folder / "nvidia-smi"


def answer(smi: Path, body: str) -> None:
    smi.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    smi.chmod(0o755)


TWO = "echo 'NVIDIA A100-SXM4-80GB, 81920, 550.54.15, 8.0'; echo 'NVIDIA L4, 23034, 550.54.15, 8.9'"


def test_gpus_by_smi(smi: Path) -> None:
    answer(smi, TWO)
    first, second = machine.gpus()
    assert (first.name, first.memory_bytes, first.driver, first.compute_capability) == (
        "NVIDIA A100-SXM4-80GB",
        80 * GIB,
        "550.54.15",
        "8.0",
    )
    assert second.compute_capability == "8.9"


@pytest.mark.parametrize(
    ("visible", "names"), [("1", ["NVIDIA L4"]), ("", []), ("-1", []), ("1,0", ["NVIDIA L4", "NVIDIA A100-SXM4-80GB"])]
)
def test_only_visible_gpus_count(smi: Path, monkeypatch: pytest.MonkeyPatch, visible: str, names: list[str]) -> None:
    answer(smi, TWO)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [gpu.name for gpu in machine.gpus()] == names


def test_driver_that_does_not_know_compute_capability(smi: Path) -> None:
    answer(
        smi,
        'case "$1" in *compute_cap*) echo not a valid field; exit 2;; esac\necho "Tesla T4, 15360, 470.1"',
    )
    (gpu,) = machine.gpus()
    assert gpu.name == "Tesla T4"
    assert gpu.compute_capability is None


def test_board_that_shares_memory(smi: Path) -> None:
    answer(smi, "echo 'NVIDIA GB10, [N/A], 580.1, 12.1'")
    assert machine.gpus()[0].memory_bytes == SystemProbe().memory_bytes()[0]


@pytest.mark.parametrize("body", ["exit 9", "echo No devices were found", "echo 'NVIDIA-SMI has failed'; exit 9"])
def test_driver_that_does_not_answer_is_no_gpu(smi: Path, body: str) -> None:
    answer(smi, body)
    assert machine.gpus() == ()


def test_driver_that_hangs_is_no_gpu(smi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_SMI_TIMEOUT_S", 0.2)
    answer(smi, "exec sleep 30")
    assert machine.gpus() == ()


# --- packages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An import path with nothing but the distributions that a test writes."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder)])
    return folder


def install(site: Path, name: str, version: str, *requires: str) -> None:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {r}" for r in requires)]
    write(site / f"{name.replace('-', '_')}-{version}.dist-info" / "METADATA", "\n".join(lines) + "\n")


def test_declared_requirements_are_followed_to_the_end(site: Path) -> None:
    install(
        site, "truetune", "0.1", "typer", 'torch>=2.6; extra == "train"', 'trl>=1; extra == "train"', 'pytest; extra == "dev"'
    )
    install(site, "typer", "1.0")
    install(site, "torch", "2.13.0+cpu", 'ancient; python_version < "3"', "not ! a requirement")
    install(site, "trl", "1.0", "torch==2.13.0", "accelerate>=2,<3", 'vllm; extra == "vllm"')
    install(site, "accelerate", "2.1", "Tokens_Izers<0.5")
    install(site, "tokens-izers", "0.6")
    unmet = machine.unmet_requirements()
    assert [(u.package, u.requires, u.found) for u in unmet] == [("accelerate", "Tokens_Izers<0.5", "0.6")]


def test_missing_extra_and_a_companion_that_wants_another_torch(site: Path) -> None:
    install(site, "truetune", "0.1", 'torch>=2.6; extra == "train"', 'trl>=1; extra == "train"')
    install(site, "torch", "2.6.0")
    install(site, "torchvision", "0.20", "torch==2.5.0")
    found = {(u.package, u.requires, u.found) for u in machine.unmet_requirements()}
    assert found == {("truetune", "trl>=1", None), ("torchvision", "torch==2.5.0", "2.6.0")}


def test_requirements_in_a_circle_end(site: Path) -> None:
    install(site, "truetune", "0.1", "a")
    install(site, "a", "1", "b")
    install(site, "b", "1", "a", "truetune")
    assert machine.unmet_requirements() == ()


@pytest.mark.parametrize(
    ("version", "requires", "build"),
    [
        ("2.13.0+cpu", [], "cpu"),
        ("2.6.0+cu126", [], "12.6"),
        ("2.9.0+cu130", [], "13.0"),
        ("2.6.0+rocm6.2", [], "rocm6.2"),
        ("2.6.0", ['nvidia-cuda-runtime-cu12==12.4.127 ; platform_system == "Linux"'], "12.4"),
        ("2.9.1", ["nvidia-cuda-runtime==13.0.48"], "13.0"),
        ("2.12.0", ["cuda-toolkit[cudart,nvrtc]==13.0.2"], "13.0"),
        ("2.6.0", [], None),
    ],
)
def test_what_torch_was_built_for(site: Path, version: str, requires: list[str], build: str | None) -> None:
    install(site, "torch", version, *requires)
    assert machine.torch_build() == build


def test_no_torch(site: Path) -> None:
    assert machine.torch_build() is None
    assert machine.version_of("torch") is None


def test_looking_imports_none_of_the_packages() -> None:
    code = (
        "import sys; from pathlib import Path; from truetune.backends.machine import SystemProbe;"
        "SystemProbe().environment(Path('.')); print([m for m in ('torch','transformers','numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
