"""A model of the hub, through huggingface_hub and its own cache. Pickled weights are not even downloaded."""

from __future__ import annotations

import re
from pathlib import Path

from truetune.backends.model_sources.licence import read_licence
from truetune.backends.model_sources.weights import MODEL_FILES, require_loadable
from truetune.core.errors import EnvironmentFault, TruetuneError, UpstreamError, UsageError
from truetune.core.ports import LocalModel, Progress
from truetune.evidence import atomic

_COMMIT = re.compile(r"[0-9a-f]{40}")
_IGNORED = ["*/*"]
"""Other formats and checkpoints lie in folders below; a model's own files are at the top."""


class HubModel:
    """Downloads `org/name` once; later calls and `HF_HUB_OFFLINE=1` are served from the cache."""

    def __init__(self, cache_dir: Path | None = None) -> None:
        """`cache_dir` is for tests; None is the cache that huggingface_hub is configured for."""
        self._cache_dir = cache_dir

    def here(self, spec: str, revision: str | None) -> Path | None:
        """The snapshot in the cache; None where there is none, or huggingface_hub is not installed. Nothing is downloaded."""
        try:
            from huggingface_hub import try_to_load_from_cache
        except ImportError:
            return None
        found = try_to_load_from_cache(spec, "tokenizer.json", cache_dir=self._cache_dir, revision=revision)
        return Path(found).parent if isinstance(found, str) else None

    def fetch(self, spec: str, revision: str | None, progress: Progress) -> LocalModel:
        """The snapshot's files; `revision` of the result is the commit.

        Raises:
            UsageError: no such repository or revision, no access to it, or no safetensors in it.
            EnvironmentFault: no network and not in the cache; no disk; a missing extra.
            UpstreamError: the hub answers with an error.
        """
        progress.update(0, 1, f"looking for {spec}")
        with atomic.writing(self._cache_dir or Path(spec)):
            folder = self._snapshot(spec, revision)
        require_loadable(folder, spec)
        progress.update(1, 1, spec)
        licence, source = read_licence(folder)
        commit = folder.name if _COMMIT.fullmatch(folder.name) else (revision or folder.name)
        return LocalModel(directory=folder, spec=spec, revision=commit, licence=licence, licence_source=f"{spec}: {source}")

    def _snapshot(self, spec: str, revision: str | None) -> Path:
        try:
            from huggingface_hub import snapshot_download
            from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
        except ImportError as error:
            raise EnvironmentFault(
                "environment.missing_extra",
                "models of the hub need the package `huggingface_hub`",
                why="it comes with the extra `train`, which is not installed",
                fix="pip install 'truetune[train]'",
            ) from error
        shown = not are_progress_bars_disabled()
        disable_progress_bars()
        try:
            found = snapshot_download(
                spec, revision=revision, cache_dir=self._cache_dir, allow_patterns=list(MODEL_FILES), ignore_patterns=_IGNORED
            )
        except Exception as error:
            raise _explained(error, spec, revision) from error
        finally:
            if shown:
                enable_progress_bars()
        return Path(found)


def _explained(error: Exception, spec: str, revision: str | None) -> TruetuneError | Exception:
    """The hub's error in terms of what the user can do; an error that has nothing to do with the hub stays as it is."""
    from huggingface_hub import errors

    why = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    if isinstance(error, errors.GatedRepoError):
        fix = "accept the model's terms on its page, then: hf auth login"
        return UsageError("base.gated", f"{spec} is gated", why=why, fix=fix, where=spec)
    if isinstance(error, errors.RepositoryNotFoundError | errors.HFValidationError):
        fix = "check the spelling; for a private model: hf auth login"
        return UsageError("base.unknown_model", f"there is no model {spec} on the hub", why=why, fix=fix, where=spec)
    if isinstance(error, errors.RevisionNotFoundError):
        fix = "name a branch, tag or commit of that model as `revision`, or remove it"
        return UsageError("base.revision", f"{spec} has no revision {revision}", why=why, fix=fix, where=spec)
    if isinstance(error, errors.HfHubHTTPError):
        fix = "run the same command again in a while"
        return UpstreamError("upstream.hub", f"the hub could not give {spec}", why=why, fix=fix, where=spec)
    if _is_network(error):
        fix = "connect to the network (and unset HF_HUB_OFFLINE), or name a local model folder as `base` in truetune.yaml"
        what = f"{spec} is not in the cache and the hub cannot be reached"
        return EnvironmentFault("environment.network", what, why=why, fix=fix, where=spec)
    return error


def _is_network(error: Exception) -> bool:
    from huggingface_hub import errors

    if isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled | ConnectionError | TimeoutError):
        return True
    # The HTTP library's own transport errors; which library that is changed between versions of huggingface_hub.
    return type(error).__module__.split(".")[0] in {"httpx", "httpx2", "httpcore", "requests", "urllib3"}
