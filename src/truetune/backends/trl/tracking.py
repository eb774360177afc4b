"""Trackers: TRL's own `report_to`, kept on this machine and in the project."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from truetune.core.errors import EnvironmentFault

_PACKAGES = {"trackio": "trackio", "wandb": "wandb", "mlflow": "mlflow", "tensorboard": "tensorboard"}
_INSTALL = {"trackio": "pip install 'truetune[train]'"}
_SENDS_AWAY = (
    "TRACKIO_SPACE_ID",
    "TRACKIO_SERVER_URL",
    "TRACKIO_BUCKET_ID",
    "TRACKIO_DATASET_ID",
    "TRACKIO_WEBHOOK_URL",
    "TRACKIO_WRITE_TOKEN",
)


def require_trackers(trackers: Sequence[str]) -> None:
    """Check before anything is loaded that each tracker can be used.

    Raises:
        EnvironmentFault: a tracker's package is not installed.
    """
    for tracker in trackers:
        if importlib.util.find_spec(_PACKAGES[tracker]) is None:
            raise EnvironmentFault(
                "environment.missing_extra",
                f"tracking names {tracker}, which is not installed",
                why=f"no package {_PACKAGES[tracker]} in this environment",
                fix=_INSTALL.get(tracker, f"pip install {_PACKAGES[tracker]}") + ", or remove it from `tracking`",
                where="truetune.yaml: tracking",
            )


@contextmanager
def local_tracking(trackers: Sequence[str], folder: Path) -> Iterator[None]:
    """Keep what trackers write below `folder`, and trackio from sending it anywhere.

    Where a user has set a tracker's own variable (`WANDB_DIR`, `MLFLOW_TRACKING_URI`, `TENSORBOARD_LOGGING_DIR`), it holds.
    """
    defaults = {
        "wandb": {"WANDB_DIR": str(folder), "WANDB_SILENT": "true"},
        "mlflow": {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"},
        "tensorboard": {"TENSORBOARD_LOGGING_DIR": str(folder / "tensorboard")},
    }
    wanted: dict[str, str | None] = {}
    for tracker in trackers:
        wanted.update({k: os.environ.get(k, v) for k, v in defaults.get(tracker, {}).items()})
    if "trackio" in trackers:
        wanted.update({**dict.fromkeys(_SENDS_AWAY), "TRACKIO_DIR": str(folder / "trackio")})
    if trackers:
        folder.mkdir(parents=True, exist_ok=True)
    with _environment(wanted):
        if "trackio" in trackers:
            _forget_other_folder(folder / "trackio")
        yield


def _forget_other_folder(folder: Path) -> None:
    """Trackio reads its folder once, when it is imported; a second project in one process needs it imported again."""
    loaded = sys.modules.get("trackio.utils")
    if loaded is not None and Path(loaded.TRACKIO_DIR) != folder:
        for name in [n for n in sys.modules if n == "trackio" or n.startswith("trackio.")]:
            del sys.modules[name]


@contextmanager
def _environment(values: dict[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    try:
        _set(values)
        yield
    finally:
        _set(before)


def _set(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
