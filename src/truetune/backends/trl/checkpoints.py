"""Checkpoints that are either whole or not there.

The trainer's library writes a checkpoint file by file. When all are written, a seal with every file's digest is put beside
them, in one step. A checkpoint without a seal, with a file that is not what the seal says, or of another request, is never
gone on from.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from truetune.evidence import atomic
from truetune.evidence.digests import json_digest, tree_of

_SEAL = "truetune-seal.json"


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint: the steps that are done, and how long they took."""

    path: Path
    step: int
    elapsed_s: float


def seal(path: Path, key: str, step: int, elapsed_s: float) -> None:
    """Declare the checkpoint folder whole; `key` names the request it belongs to.

    Raises:
        EnvironmentFault: the disk is full or read-only.
    """
    (path / _SEAL).unlink(missing_ok=True)
    files = {artifact.path: artifact.digest for artifact in tree_of(path).files}
    content = {"key": key, "step": step, "elapsed_s": elapsed_s, "files": files}
    atomic.write_text(path / _SEAL, json.dumps({**content, "digest": json_digest(content)}))


def newest(work_dir: Path, key: str) -> Checkpoint | None:
    """The whole checkpoint of this request with the most steps, or None where training starts from the beginning."""
    found = [c for path in work_dir.glob("checkpoint-*") if (c := _whole(path, key)) is not None]
    return max(found, key=lambda c: c.step, default=None)


def sweep(work_dir: Path, keep: Checkpoint | None, key: str) -> None:
    """Remove what a killed save or another request left, so that it neither fills the disk nor pushes out a whole one."""
    for path in work_dir.glob("checkpoint-*"):
        whole = _whole(path, key)
        if whole is None or keep is None or whole.step > keep.step:
            shutil.rmtree(path, ignore_errors=True)


def _whole(path: Path, key: str) -> Checkpoint | None:
    try:
        content = json.loads((path / _SEAL).read_text(encoding="utf-8"))
        digest = content.pop("digest")
        files = {a.path: a.digest for a in tree_of(path).files if a.path != _SEAL}
        if digest != json_digest(content) or content["key"] != key or content["files"] != files:
            return None
        return Checkpoint(path, int(content["step"]), float(content["elapsed_s"]))
    except (OSError, ValueError, KeyError, AttributeError):
        return None
