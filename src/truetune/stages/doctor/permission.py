"""Can truetune write where it must? Asked by writing, because permissions, quotas and read-only mounts all answer differently."""

from __future__ import annotations

import tempfile
from pathlib import Path

from truetune.core.records import Finding, Severity


def check_permission(project_dir: Path, cache_dir: Path) -> list[Finding]:
    """Findings where the project (blocking) or the cache (a warning: a model may be in it already) cannot be written."""
    places: tuple[tuple[Path, Severity, str, str], ...] = (
        (project_dir, "block", "the project folder", "use a folder you can write to: truetune run --project FOLDER"),
        (cache_dir, "warn", "the model cache", "export TRUETUNE_CACHE=$HOME/truetune-cache"),
    )
    found = []
    for folder, severity, what, fix in places:
        why = _refusal(folder)
        if why:
            evidence = {"folder": str(folder), "why": why}
            message = f"cannot write to {what} {folder}: {why}"
            found.append(Finding(code="doctor.write.refused", severity=severity, message=message, evidence={**evidence}, fix=fix))
    return found


def _refusal(folder: Path) -> str:
    """Why a byte cannot be written there, or nothing; a folder that is not there yet is judged by where it would be made."""
    existing = next((f for f in (folder.absolute(), *folder.absolute().parents) if f.exists()), None)
    if existing is None or not existing.is_dir():
        return f"{existing} is not a folder"
    try:
        with tempfile.TemporaryFile(dir=existing, buffering=0) as stream:
            stream.write(b"1")
    except OSError as error:
        return error.strerror or str(error)
    return ""
