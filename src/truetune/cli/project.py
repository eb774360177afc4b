"""The project that a command is about, its config held against the checks that there are."""

from __future__ import annotations

from pathlib import Path

from truetune.core.config import Config, DataConfig
from truetune.project.project import CONFIG_NAME, Project, find_root, read_config
from truetune.stages.data.checks.registry import choices


def load_project(folder: Path) -> Project:
    """The project in `folder` or above it.

    Raises:
        UsageError: there is none.
        ConfigError: its config or contract does not say something that can be done.
    """
    return Project.load(folder, choices())


def load_config(path: Path) -> Config:
    """The config that `path` is, or that of the project in or above the folder that `path` is; metadata and lists by full path.

    Raises:
        UsageError: the folder belongs to no project.
        ConfigError: the config does not say something that can be done.
    """
    file = find_root(path) / CONFIG_NAME if path.is_dir() else path
    config = read_config(file, choices())
    return config.model_copy(update={"data": with_full_path(config.data, file.parent)})


def with_full_path(data: DataConfig, root: Path) -> DataConfig:
    """The same, with metadata, schema and do-not-train list by full path: for work outside the project's folder."""
    listed = data.do_not_train if isinstance(data.do_not_train, str) else None
    named = {"metadata": data.metadata, "answer_schema": data.answer_schema, "do_not_train": listed}
    full = {key: str((root / Path(name).expanduser()).absolute()) for key, name in named.items() if name is not None}
    return data.model_copy(update=full)
