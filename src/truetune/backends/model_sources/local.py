"""A model folder of the user's: read, never written."""

from __future__ import annotations

from pathlib import Path

from truetune.backends.model_sources.licence import read_licence
from truetune.backends.model_sources.weights import model_files, require_loadable
from truetune.core.errors import UsageError
from truetune.core.ports import LocalModel, Progress
from truetune.core.records import Artifact
from truetune.evidence.digests import file_digest, tree_digest


def fetch_local(spec: str, folder: Path, revision: str | None, progress: Progress) -> LocalModel:
    """The folder as it is; its revision is the digest of its model files, so an edited model is another model.

    Raises:
        UsageError: not a loadable model, or not the revision that was asked for.
    """
    directory = folder.resolve()
    require_loadable(directory, spec)
    digest = _digest(directory, progress)
    if revision is not None and revision != digest:
        raise UsageError(
            "base.revision",
            f"{spec} is not at the revision that truetune.yaml names",
            why=f"its files hash to {digest}, not {revision}",
            fix="restore the folder, or remove `revision` from truetune.yaml",
            where=str(directory),
        )
    licence, source = read_licence(directory)
    return LocalModel(directory=directory, spec=spec, revision=digest, licence=licence, licence_source=source)


def _digest(directory: Path, progress: Progress) -> str:
    files = model_files(directory)
    total, done, artifacts = sum(path.stat().st_size for path in files), 0, []
    for path in files:
        progress.update(done, total, f"hashing {path.name}")
        size = path.stat().st_size
        artifacts.append(Artifact(path=path.name, digest=file_digest(path), size_bytes=size))
        done += size
    progress.update(total, total, f"{len(files)} files")
    return tree_digest(artifacts)
