"""Digests: `sha256:` + hex, over bytes, files, canonical JSON and folders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from truetune.core.records import Artifact, Tree

_CHUNK_BYTES = 1 << 20


def bytes_digest(content: bytes) -> str:
    """SHA-256 of bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, read in pieces, so that a model of many gigabytes fits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return "sha256:" + digest.hexdigest()


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes on every machine.

    Raises:
        ValueError: a NaN or an infinity, which JSON cannot say.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode(
        "utf-8", "surrogatepass"
    )


def json_digest(value: object) -> str:
    """SHA-256 of the canonical JSON."""
    return bytes_digest(canonical_json(value))


def tree_digest(files: Iterable[Artifact]) -> str:
    """Digest of a folder: over the sorted (path, digest) pairs, so that neither order nor timestamps matter."""
    return json_digest(sorted([f.path, f.digest] for f in files))


def tree_of(folder: Path) -> Tree:
    """Hash every file below a folder, hidden files included.

    Raises:
        FileNotFoundError: the folder is not there.
    """
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    files = tuple(
        Artifact(path=p.relative_to(folder).as_posix(), digest=file_digest(p), size_bytes=p.stat().st_size)
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    )
    return Tree(digest=tree_digest(files), files=files)
