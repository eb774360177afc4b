"""Is there memory enough, on the GPU where one will be used, else in the machine?"""

from __future__ import annotations

from truetune.core.records import Environment, Finding
from truetune.core.units import readable_bytes

FIRST_RUN_BYTES = 4 << 30
"""Asked for where the need is not known yet. Source: LoRA on the embedded 135M model peaked at 3.5 to 7.6 GB in five trainers
(docs: speed, measured on 2 cores at batch 8); batch 1, the default, takes less."""


def check_memory(environment: Environment, needed_bytes: int | None) -> list[Finding]:
    """Blocking where a known need does not fit; a warning where there is less than a first run usually takes."""
    gpu, available = environment.training_gpu, environment.training_memory_bytes
    place = f"on the {gpu.name}" if gpu else "in this machine"
    wanted = FIRST_RUN_BYTES if needed_bytes is None else needed_bytes
    if available >= wanted:
        return []
    subject = "a first run takes about" if needed_bytes is None else "this run needs"
    return [
        Finding(
            code="doctor.memory.low",
            severity="warn" if needed_bytes is None else "block",
            message=f"{subject} {readable_bytes(wanted)} of memory; {readable_bytes(available)} are available {place}",
            evidence={"available_bytes": available, "needed_bytes": wanted, "measured_need": needed_bytes is not None},
            fix="lower train.batch_size or train.max_length in truetune.yaml, or free some: ps aux --sort=-rss | head",
        )
    ]
