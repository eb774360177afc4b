"""Doctor says whether this machine can do the run, and gives a command for everything that stands in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from truetune.core.records import DoctorRecord, Environment, Finding, Gpu, UnmetRequirement
from truetune.stages.doctor import stage

GIB = 1 << 30
GOOD = Environment(
    python="3.11.9",
    platform="Linux",
    cpu="some cpu",
    cores=4,
    memory_bytes=16 * GIB,
    memory_available_bytes=12 * GIB,
    disk_free_bytes=100 * GIB,
    temp_free_bytes=50 * GIB,
    packages={"torch": "2.13.0+cpu"},
    torch_build="cpu",
)


@dataclass
class _Probe:
    known: Environment

    def environment(self, folder: Path) -> Environment:
        return self.known


def gpu(name: str = "NVIDIA A100-SXM4-80GB", capability: str | None = "8.0", driver: str = "580.65.06", gib: int = 80) -> Gpu:
    return Gpu(name=name, memory_bytes=gib * GIB, driver=driver, compute_capability=capability)


def doctor(folder: Path, disk: int | None = None, memory: int | None = None, **facts: object) -> DoctorRecord:
    known = GOOD.model_copy(update=facts)
    return stage.run(stage.Request(folder, disk, memory, folder / "cache"), stage.Ports(_Probe(known)), None)


def only(record: DoctorRecord) -> Finding:
    (finding,) = record.findings
    assert finding.fix
    return finding


def test_a_good_machine_passes_without_a_word(tmp_path: Path) -> None:
    record = doctor(tmp_path)
    assert record.gate == "passed"
    assert record.findings == ()
    assert record.environment == GOOD


@pytest.mark.parametrize(
    ("version", "passes"), [("3.10.14", False), ("2.7.18", False), ("3.11.0", True), ("3.12.0rc1", True), ("4.0.0", True)]
)
def test_python(tmp_path: Path, version: str, passes: bool) -> None:
    record = doctor(tmp_path, python=version)
    assert (record.gate == "passed") is passes
    if not passes:
        assert only(record).code == "doctor.python.unsupported"


def test_missing_packages_are_one_finding_with_one_command(tmp_path: Path) -> None:
    unmet = tuple(UnmetRequirement(package="truetune", requires=r, found=None) for r in ("torch>=2.6", "trl>=1.0"))
    finding = only(doctor(tmp_path, unmet_requirements=unmet, torch_build=None))
    assert (finding.code, finding.severity) == ("doctor.packages.missing", "block")
    assert "torch>=2.6" in finding.message
    assert finding.fix == "pip install 'truetune[train]'"


@pytest.mark.parametrize(
    ("package", "found", "severity"),
    [
        ("transformers", "0.25", "block"),
        ("torchvision", "2.6.0", "block"),
        ("truetune", "2.0", "block"),
        ("vllm", "2.6.0", "warn"),
        ("peft", None, "block"),
    ],
)
def test_packages_that_do_not_fit(tmp_path: Path, package: str, found: str | None, severity: str) -> None:
    unmet = (UnmetRequirement(package=package, requires="other<0.24", found=found),)
    finding = only(doctor(tmp_path, unmet_requirements=unmet))
    assert (finding.code, finding.severity) == ("doctor.packages.conflict", severity)
    assert package in finding.message
    assert (found or "not installed") in finding.message
    assert "'other<0.24'" in finding.fix


@pytest.mark.parametrize(
    ("build", "driver", "blocked"),
    [
        ("13.0", "550.54.15", True),
        ("13.0", "580.65.06", False),
        ("12.6", "525.60.13", False),
        ("12.6", "470.1", True),
        ("11.8", "450.80.02", False),
        ("12.6", "580.1", False),
        ("99.0", "1.0", False),
        ("rocm6.2", "1.0", False),
        (None, "1.0", False),
        ("12.6", "unknown", False),
    ],
)
def test_driver_and_cuda(tmp_path: Path, build: str | None, driver: str, blocked: bool) -> None:
    record = doctor(tmp_path, gpus=(gpu(driver=driver),), torch_build=build)
    assert [f.code for f in record.findings] == (["doctor.driver.too_old"] if blocked else [])
    assert (record.gate == "failed") is blocked


def test_driver_too_old_offers_the_torch_that_fits(tmp_path: Path) -> None:
    finding = only(doctor(tmp_path, gpus=(gpu(driver="550.54.15"),), torch_build="13.0"))
    assert "580" in finding.message
    assert "CUDA 12.x" in finding.fix


def test_gpu_that_torch_cannot_use(tmp_path: Path) -> None:
    record = doctor(tmp_path, gpus=(gpu(),), torch_build="cpu")
    assert (only(record).code, only(record).severity, record.gate) == ("doctor.torch.cpu_build", "warn", "passed")
    assert record.precision == "fp32"


# --- room ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("needed", "free", "severity"),
    [
        (None, 1 * GIB, "warn"),
        (None, 2 * GIB, None),
        (50 * GIB, 49 * GIB, "block"),
        (50 * GIB, 50 * GIB, None),
        (1 * GIB, 1 * GIB, None),
    ],
)
def test_disk(tmp_path: Path, needed: int | None, free: int, severity: str | None) -> None:
    record = doctor(tmp_path, disk=needed, disk_free_bytes=free)
    assert [(f.code, f.severity) for f in record.findings] == ([("doctor.disk.space", severity)] if severity else [])
    assert (record.gate == "failed") is (severity == "block")


@pytest.mark.parametrize(("free", "said"), [(100 << 20, True), (512 << 20, False), (None, False)])
def test_temporary_files(tmp_path: Path, free: int | None, said: bool) -> None:
    record = doctor(tmp_path, temp_free_bytes=free)
    assert [f.code for f in record.findings] == (["doctor.temp.space"] if said else [])


@pytest.mark.parametrize(
    ("needed", "available", "severity"),
    [(None, 3 * GIB, "warn"), (None, 4 * GIB, None), (10 * GIB, 9 * GIB, "block"), (3 * GIB, 3 * GIB, None)],
)
def test_memory(tmp_path: Path, needed: int | None, available: int, severity: str | None) -> None:
    record = doctor(tmp_path, memory=needed, memory_available_bytes=available)
    assert [(f.code, f.severity) for f in record.findings] == ([("doctor.memory.low", severity)] if severity else [])


def test_memory_of_the_gpu_counts_where_one_is_used(tmp_path: Path) -> None:
    facts = {"memory_available_bytes": 1 * GIB, "gpus": (gpu(gib=24),), "torch_build": "12.6"}
    assert doctor(tmp_path, memory=20 * GIB, **facts).gate == "passed"
    short = doctor(tmp_path, memory=30 * GIB, **facts)
    assert "A100" in only(short).message


# --- writing ---------------------------------------------------------------------------------------------------------


def test_writing_is_tried_and_leaves_nothing(tmp_path: Path) -> None:
    doctor(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_file_in_place_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "project").write_text("x", encoding="utf-8")
    record = stage.run(stage.Request(tmp_path / "project", None, None, tmp_path), stage.Ports(_Probe(GOOD)), None)
    assert (only(record).code, record.gate) == ("doctor.write.refused", "failed")


def test_place_that_the_system_does_not_let_one_write(tmp_path: Path) -> None:
    """/proc refuses everyone, root too."""
    refused = Path("/proc/self")
    record = stage.run(stage.Request(refused, None, None, tmp_path), stage.Ports(_Probe(GOOD)), None)
    assert (only(record).code, record.gate) == ("doctor.write.refused", "failed")
    cache = stage.run(stage.Request(tmp_path, None, None, refused), stage.Ports(_Probe(GOOD)), None)
    assert (only(cache).severity, cache.gate) == ("warn", "passed")
    assert "TRUETUNE_CACHE" in only(cache).fix


def test_numpy_in_place_of_the_compiled_part_is_a_note(tmp_path: Path) -> None:
    record = doctor(tmp_path, compiled_part=False)
    assert record.gate == "passed"
    assert (only(record).code, only(record).severity) == ("doctor.compiled.absent", "note")
    assert doctor(tmp_path, compiled_part=True).findings == ()


def test_hub_switched_off_is_a_note(tmp_path: Path) -> None:
    record = doctor(tmp_path, hub_offline=True)
    assert (only(record).code, only(record).severity, record.gate) == ("doctor.hub.offline", "note", "passed")


# --- precision -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "capability", "precision"),
    [
        ("NVIDIA A100-SXM4-80GB", "8.0", "bf16"),
        ("NVIDIA H100 80GB HBM3", "9.0", "bf16"),
        ("NVIDIA L4", "8.9", "bf16"),
        ("NVIDIA A10G", "8.6", "bf16"),
        ("NVIDIA L40S", "8.9", "bf16"),
        ("NVIDIA GeForce RTX 4090", "8.9", "fp16"),
        ("NVIDIA GeForce RTX 3060", "8.6", "fp16"),
        ("NVIDIA RTX A4000", "8.6", "fp16"),
        ("Tesla T4", "7.5", "fp16"),
        ("Tesla V100-SXM2-16GB", "7.0", "fp16"),
        ("Tesla P100-PCIE-16GB", "6.0", "fp32"),
        ("NVIDIA GeForce GTX 1080", "6.1", "fp32"),
        ("NVIDIA something", None, "fp32"),
    ],
)
def test_precision_by_gpu_with_the_reason(tmp_path: Path, name: str, capability: str | None, precision: str) -> None:
    record = doctor(tmp_path, gpus=(gpu(name, capability),), torch_build="12.6")
    assert record.precision == precision
    assert record.precision_reason.startswith(precision)
    assert name in record.precision_reason


def test_precision_is_what_all_gpus_can_do(tmp_path: Path) -> None:
    record = doctor(tmp_path, gpus=(gpu(), gpu("Tesla T4", "7.5")), torch_build="12.6")
    assert record.precision == "fp16"


def test_precision_on_cpu(tmp_path: Path) -> None:
    assert doctor(tmp_path).precision == "fp32"


# --- as users meet it ------------------------------------------------------------------------------------------------


def test_no_heavy_library_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from truetune.backends.machine import SystemProbe;"
        "from truetune.stages.doctor import stage; here = Path(sys.argv[1]);"
        "record = stage.run(stage.Request(here, None, None, here), stage.Ports(SystemProbe()), None);"
        "heavy = {'torch', 'transformers', 'trl', 'peft', 'datasets', 'numpy', 'pyarrow'} & set(sys.modules);"
        "print(record.stage, sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TMPDIR": tempfile.gettempdir()},
    )
    assert done.stdout.strip() == "doctor []"
