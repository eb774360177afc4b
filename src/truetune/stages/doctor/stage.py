"""The doctor stage: every check looks at one thing; one blocking finding fails the gate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from truetune.core.ports import MachineProbe
from truetune.core.records import DoctorRecord
from truetune.evidence.run_folder import RunFolder
from truetune.stages.doctor.accelerator import check_accelerator
from truetune.stages.doctor.compiled import check_compiled
from truetune.stages.doctor.hub import check_hub
from truetune.stages.doctor.memory import check_memory
from truetune.stages.doctor.packages import check_packages
from truetune.stages.doctor.permission import check_permission
from truetune.stages.doctor.precision import choose_precision
from truetune.stages.doctor.python import check_python
from truetune.stages.doctor.space import check_space


@dataclass(frozen=True)
class Request:
    """Where the run will live, and what it needs where that is known; None asks for what any first run needs."""

    project_dir: Path
    disk_needed_bytes: int | None
    memory_needed_bytes: int | None
    cache_dir: Path


@dataclass(frozen=True)
class Ports:
    """What tells about the machine."""

    probe: MachineProbe


def run(request: Request, ports: Ports, evidence: RunFolder | None) -> DoctorRecord:
    """Look at the machine and say whether it can do the run.

    Args:
        request: where and how much.
        ports: the probe.
        evidence: the run this belongs to, or None where the command runs outside a project; all that is found is in the record.
    """
    environment = ports.probe.environment(request.project_dir)
    findings = (
        *check_python(environment),
        *check_packages(environment),
        *check_compiled(environment),
        *check_accelerator(environment),
        *check_permission(request.project_dir, request.cache_dir),
        *check_space(environment, request.disk_needed_bytes),
        *check_memory(environment, request.memory_needed_bytes),
        *check_hub(environment),
    )
    precision, reason = choose_precision(environment)
    gate = "failed" if any(f.severity == "block" for f in findings) else "passed"
    return DoctorRecord(gate=gate, findings=findings, environment=environment, precision=precision, precision_reason=reason)
