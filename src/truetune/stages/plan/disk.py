"""Disk that the run will take."""

from __future__ import annotations

from truetune.core.config import TrainConfig
from truetune.core.records import Finding
from truetune.core.units import readable_bytes

_CHECKPOINT_BYTES_PER_PARAMETER = 12
"""fp32 adapter weight and AdamW's two moments."""
_ADAPTER_COPIES = 2
"""In the run's folder and in the store."""
_RECORDS_BYTES = 64 << 20
"""Outputs, metrics, tracker and report. Source: ours; a run on the example leaves a few MB."""


def plan_disk(parameters: int, adapter_parameters: int, config: TrainConfig) -> dict[str, int]:
    """Bytes by part. The merged model is written to be evaluated whether it is kept or not, so its room must be there."""
    return {
        "checkpoints": config.checkpoints_per_run * adapter_parameters * _CHECKPOINT_BYTES_PER_PARAMETER,
        "adapter": _ADAPTER_COPIES * adapter_parameters * 4,
        "merged model": parameters * 4,
        "records": _RECORDS_BYTES,
    }


def check_disk(parts_bytes: dict[str, int], free_bytes: int) -> list[Finding]:
    """Blocking where the run would fill the disk."""
    needed = sum(parts_bytes.values())
    if needed <= free_bytes:
        return []
    return [
        Finding(
            code="plan.disk",
            severity="block",
            message=f"this run needs {readable_bytes(needed)} of disk; {readable_bytes(free_bytes)} are free",
            evidence={"needed_bytes": needed, "free_bytes": free_bytes, "parts_bytes": {**parts_bytes}},
            fix="free space (du -xh --max-depth=2 . | sort -h | tail), or lower train.checkpoints_per_run",
        )
    ]
