"""This machine as it is: time, memory, disk, accelerators, and installed packages read from their metadata, never imported.

A container's limits count: what the kernel grants this process is what a run can use, not what the host has.
"""

from __future__ import annotations

import csv
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from truetune.core.compiled import COMPILED
from truetune.core.records import Environment, Gpu, UnmetRequirement

CHAIN = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "safetensors", "huggingface_hub")
"""What a training step goes through; their versions must fit each other."""
COMPANIONS = ("torchvision", "torchaudio", "bitsandbytes", "triton", "flash-attn", "xformers", "deepspeed", "unsloth", "vllm")
"""Not needed, but where one is installed and does not fit torch, importing the chain fails.

Source: Axolotl #1180, #3005 and LLaMA-Factory on a plain CPU machine (docs: what users of other tools suffer).
"""
OTHERS = ("trackio", "gguf", "numpy", "pyarrow", "scipy", "pydantic")

_SMI_TIMEOUT_S = 5.0
_SMI_FIELDS = ("name", "memory.total", "driver_version", "compute_cap")
_MIB = 1 << 20
_TRUE = {"1", "ON", "YES", "TRUE"}
"""What huggingface_hub reads as true. Source: huggingface_hub.constants.ENV_VARS_TRUE_VALUES."""


class SystemClock:
    """The system's time."""

    def now_iso(self) -> str:
        """UTC wall time, ISO 8601 with seconds."""
        return datetime.now(UTC).isoformat(timespec="seconds")

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()


class SystemProbe:
    """This machine."""

    def __init__(self, proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> None:
        """Other roots are for looking at a container's files from outside."""
        self._proc = proc
        self._cgroup = cgroup

    def environment(self, folder: Path) -> Environment:
        """Facts about this machine; disk is that of `folder`, or of the nearest folder above it that exists."""
        total_bytes, available_bytes = self.memory_bytes()
        return Environment(
            python=platform.python_version(),
            platform=platform.platform(),
            cpu=self.cpu_name(),
            cores=self.cores(),
            memory_bytes=total_bytes,
            memory_available_bytes=available_bytes,
            disk_free_bytes=free_bytes(folder),
            temp_free_bytes=free_bytes(Path(tempfile.gettempdir())),
            gpus=gpus(),
            packages={name: version_of(name) for name in (*CHAIN, *COMPANIONS, *OTHERS)},
            torch_build=torch_build(),
            unmet_requirements=unmet_requirements(),
            hub_offline=any(os.environ.get(name, "").upper() in _TRUE for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")),
            compiled_part=COMPILED is not None,
        )

    def cpu_name(self) -> str:
        """The processor as the kernel names it."""
        try:
            text = (self._proc / "cpuinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        named = re.search(r"^(?:model name|Model|cpu model)\s*:\s*(.+)$", text, re.MULTILINE)
        return named[1].strip() if named else (platform.processor() or platform.machine())

    def cores(self) -> int:
        """Cores this process may use: the affinity mask and the container's quota, whichever is less, at least 1."""
        allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        quotas = [quota for folder in self._groups("cpu") if (quota := _cpu_quota(folder)) is not None]
        return max(1, int(min([float(allowed), *quotas])))

    def memory_bytes(self) -> tuple[int, int]:
        """All memory, and what is available now, in bytes; a container's limit counts as all there is."""
        import psutil

        machine = psutil.virtual_memory()
        total, available = int(machine.total), int(machine.available)
        for folder in self._groups("memory"):
            limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
            if limit is not None and limit < machine.total:
                total = min(total, limit)
                available = min(available, max(0, limit - _used_bytes(folder)))
        return total, available

    def _groups(self, controller: str) -> Iterator[Path]:
        """The control groups this process is in, innermost first; each of them may set a limit."""
        try:
            lines = (self._proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
        except OSError:
            return
        for line in lines:
            _, controllers, path = [*line.split(":", 2), "", ""][:3]
            if controllers and controller not in controllers.split(","):
                continue
            root = self._cgroup / controller if controllers else self._cgroup
            relative = Path(path.lstrip("/"))
            # Inside a container the path may be the host's, which is not mounted there: the root then is our group.
            yield from (root / p for p in (relative, *relative.parents) if ".." not in p.parts and (root / p).is_dir())


def free_bytes(folder: Path) -> int:
    """Free space of the file system on which `folder` lies or would lie."""
    for candidate in (folder.absolute(), *folder.absolute().parents):
        if candidate.is_dir():
            return shutil.disk_usage(candidate).free
    return 0


def _number(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _cpu_quota(group: Path) -> float | None:
    """Cores the group may use on average, from `cpu.max` (v2) or `cpu.cfs_quota_us` (v1); None without a limit."""
    try:
        quota, period = (group / "cpu.max").read_text(encoding="utf-8").split()[:2]
    except (OSError, ValueError):
        quota, period = str(_number(group / "cpu.cfs_quota_us")), str(_number(group / "cpu.cfs_period_us"))
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) > 0 else None


def _used_bytes(group: Path) -> int:
    """What the group holds and cannot give back at once: usage without the file cache that is not in use."""
    used = _number(group / "memory.current") or _number(group / "memory.usage_in_bytes") or 0
    try:
        text = (group / "memory.stat").read_text(encoding="utf-8")
    except OSError:
        text = ""
    cache = re.search(r"^total_inactive_file (\d+)$", text, re.MULTILINE) or re.search(
        r"^inactive_file (\d+)$", text, re.MULTILINE
    )
    return max(0, used - (int(cache[1]) if cache else 0))


# --- accelerators ---------------------------------------------------------------------------------------------------


def gpus() -> tuple[Gpu, ...]:
    """The NVIDIA GPUs that a process started now would see, through the driver's library or `nvidia-smi`."""
    found = _gpus_by_nvml()
    return _visible(_gpus_by_smi() if found is None else found)


def _visible(found: list[Gpu]) -> tuple[Gpu, ...]:
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return tuple(found)
    names = [name.strip() for name in chosen.split(",")]
    if all(name.isdigit() for name in names):
        return tuple(found[int(name)] for name in names if int(name) < len(found))
    # UUIDs (`GPU-…`, `MIG-…`) say how many, an empty text or -1 says none.
    return tuple(found[: sum(name.startswith(("GPU-", "MIG-")) for name in names)])


def _gpus_by_nvml() -> list[Gpu] | None:
    """None where nvidia-ml-py is not installed or finds no driver."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:
        return None
    try:
        driver = _text(pynvml.nvmlSystemGetDriverVersion())
        return [_gpu_by_nvml(pynvml, index, driver) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()


def _gpu_by_nvml(nvml: Any, index: int, driver: str) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    major, minor = nvml.nvmlDeviceGetCudaComputeCapability(handle)
    memory_bytes = int(nvml.nvmlDeviceGetMemoryInfo(handle).total)
    name = _text(nvml.nvmlDeviceGetName(handle))
    return Gpu(name=name, memory_bytes=memory_bytes, driver=driver, compute_capability=f"{major}.{minor}")


def _text(value: Any) -> str:
    """nvidia-ml-py before version 12 gives bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _gpus_by_smi() -> list[Gpu]:
    # Drivers before 510 do not know compute_cap and refuse the whole query for it.
    for fields in (_SMI_FIELDS, _SMI_FIELDS[:-1]):
        rows = _smi(fields)
        if rows is not None:
            return [_gpu_by_smi(row) for row in rows]
    return []


def _smi(fields: Iterable[str]) -> list[list[str]] | None:
    command = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SMI_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    rows = [[cell.strip() for cell in row] for row in csv.reader(done.stdout.splitlines()) if len(row) >= 3]
    return rows if done.returncode == 0 else None


def _gpu_by_smi(row: list[str]) -> Gpu:
    name, memory, driver, *rest = row
    capability = rest[0] if rest and re.fullmatch(r"\d+\.\d+", rest[0]) else None
    # Boards that share the machine's memory answer [N/A].
    memory_bytes = int(memory) * _MIB if memory.isdigit() else SystemProbe().memory_bytes()[0]
    return Gpu(name=name, memory_bytes=memory_bytes, driver=driver, compute_capability=capability)


# --- packages -------------------------------------------------------------------------------------------------------


def version_of(package: str) -> str | None:
    """The installed version, from metadata; None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def torch_build() -> str | None:
    """`cpu`, the CUDA version such as `12.6`, or `rocm…`, from torch's metadata; None where that does not tell."""
    version = version_of("torch")
    if version is None:
        return None
    local = version.partition("+")[2]
    if cuda := re.fullmatch(r"cu(\d+)(\d)", local):
        return f"{cuda[1]}.{cuda[2]}"
    if local.startswith(("cpu", "rocm")):
        return "cpu" if local.startswith("cpu") else local
    for requirement in metadata.requires("torch") or []:
        # The wheels on PyPI carry no local version, but they require the CUDA runtime that they were built for.
        if named := re.match(r"(?:nvidia-cuda-runtime|cuda-toolkit)\S*?\s*\(?==\s*(\d+\.\d+)", requirement):
            return named[1]
    return None


def unmet_requirements() -> tuple[UnmetRequirement, ...]:
    """What truetune's training extra and everything below it declare to need, where the installed packages do not do.

    Source: each installed distribution's own `Requires-Dist`, the same that `pip check` reads.
    """
    version = cache(version_of)
    waiting = ["truetune", *(name for name in COMPANIONS if version(name))]
    seen: set[str] = set()
    unmet = []
    while waiting:
        package = waiting.pop(0)
        if canonicalize_name(package) in seen:
            continue
        seen.add(canonicalize_name(package))
        for requirement in _requirements(package, extra="train" if package == "truetune" else ""):
            found = version(requirement.name)
            if found is None or not requirement.specifier.contains(found, prereleases=True):
                wanted = f"{requirement.name}{requirement.specifier}"
                unmet.append(UnmetRequirement(package=package, requires=wanted, found=found))
            if found is not None:
                waiting.append(requirement.name)
    return tuple(unmet)


def _requirements(package: str, extra: str) -> list[Requirement]:
    """What the installed package needs on this machine; lines that no longer parse are left out, as pip does."""
    try:
        lines = metadata.requires(package) or []
    except metadata.PackageNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            found.append(requirement)
    return found
