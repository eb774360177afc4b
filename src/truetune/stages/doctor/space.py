"""Is there room on the disk for this run, and in the folder for temporary files?"""

from __future__ import annotations

import tempfile

from truetune.core.records import Environment, Finding
from truetune.core.units import readable_bytes

FIRST_RUN_BYTES = 2 << 30
"""Asked for where the need is not known yet. Source: ours; the embedded model takes 0.6 GB in the cache, its merged copy 0.5 GB,
eight checkpoints with optimizer state 0.5 GB."""
TEMP_BYTES = 512 << 20
"""Source: ours; the embedded model's package (0.1 GB) is downloaded through it, and libraries spill there."""


def check_space(environment: Environment, needed_bytes: int | None) -> list[Finding]:
    """Blocking where a known need does not fit; a warning where there is less than a first run usually takes."""
    return [*_disk(environment, needed_bytes), *_temp(environment)]


def _disk(environment: Environment, needed_bytes: int | None) -> list[Finding]:
    wanted = FIRST_RUN_BYTES if needed_bytes is None else needed_bytes
    if environment.disk_free_bytes >= wanted:
        return []
    subject = "a first run takes about" if needed_bytes is None else "this run needs"
    free = readable_bytes(environment.disk_free_bytes)
    return [
        Finding(
            code="doctor.disk.space",
            severity="warn" if needed_bytes is None else "block",
            message=f"{subject} {readable_bytes(wanted)} of disk; {free} are free",
            evidence={
                "free_bytes": environment.disk_free_bytes,
                "needed_bytes": wanted,
                "measured_need": needed_bytes is not None,
            },
            fix="du -xh --max-depth=2 ~/.cache . | sort -h | tail   # shows what takes the space",
        )
    ]


def _temp(environment: Environment) -> list[Finding]:
    free = environment.temp_free_bytes
    if free is None or free >= TEMP_BYTES:
        return []
    folder = tempfile.gettempdir()
    return [
        Finding(
            code="doctor.temp.space",
            severity="warn",
            message=f"{readable_bytes(free)} are free for temporary files in {folder}; {readable_bytes(TEMP_BYTES)} are safe",
            evidence={"folder": folder, "free_bytes": free, "wanted_bytes": TEMP_BYTES},
            fix="mkdir -p $HOME/tmp && export TMPDIR=$HOME/tmp",
        )
    ]
