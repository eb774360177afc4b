"""Where a project's things lie, and which of its runs is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from truetune.core.config import CHECKS_CONTEXT, CheckChoices, Config
from truetune.core.contract import Contract
from truetune.core.errors import EnvironmentFault, UsageError
from truetune.core.ports import Clock
from truetune.project.text_file import shown_path
from truetune.project.yaml_file import read_yaml

CONFIG_NAME = "truetune.yaml"
_RUN_ID = re.compile(r"(?P<number>\d{4,})-\d{8}-\d{6}")
_SHOWN_RUNS = 5


@dataclass(frozen=True)
class Project:
    """A folder with a config and a contract that both make sense."""

    root: Path
    config: Config
    contract: Contract

    @classmethod
    def load(cls, root: Path, checks: Mapping[str, CheckChoices]) -> Project:
        """The project in `root`, or in the nearest folder above it; `checks` are those that `data.checks` may name.

        Raises:
            UsageError: `usage.no_project`, there is none.
            ConfigError: truetune.yaml or the contract does not say something that can be done.
            EnvironmentFault: a file may not be read.
        """
        found = find_root(root)
        config = read_config(found / CONFIG_NAME, checks)
        return cls(found, config, read_yaml(found / config.contract, Contract))

    @property
    def config_path(self) -> Path:
        """truetune.yaml."""
        return self.root / CONFIG_NAME

    @property
    def contract_path(self) -> Path:
        """The contract that the config names."""
        return self.root / self.config.contract

    @property
    def runs_dir(self) -> Path:
        """One folder a run."""
        return self.root / "runs"

    @property
    def state_dir(self) -> Path:
        """What truetune keeps for itself: lock, objects, generations, log."""
        return self.root / ".truetune"

    @property
    def objects_dir(self) -> Path:
        """The content-addressed store, shared by the runs."""
        return self.state_dir / "objects"

    @property
    def generations_dir(self) -> Path:
        """Outputs already generated, by what they depend on."""
        return self.state_dir / "generations"

    def resolve_data_path(self, name: str) -> Path:
        """The file that the config or the contract calls `name`: relative to the project, or absolute, or below `~`."""
        return self.root / Path(name).expanduser()

    def run_ids(self) -> list[str]:
        """All runs, oldest first.

        Raises:
            EnvironmentFault: the folder may not be read.
        """
        try:
            names = [p.name for p in self.runs_dir.iterdir() if p.is_dir() and _RUN_ID.fullmatch(p.name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise EnvironmentFault(
                "environment.unreadable",
                f"could not read {shown_path(self.runs_dir)}",
                why=error.strerror or str(error),
                fix=f"ls -ld {shown_path(self.runs_dir)}",
                where=shown_path(self.runs_dir),
            ) from error
        return sorted(names, key=_order)

    def find_run(self, name: str) -> str:
        """The run's id, from the id, its number (`3`), the start of it, its folder's path, or `latest`.

        Raises:
            UsageError: `usage.no_runs`, `usage.run_not_found`, or `usage.run_ambiguous`.
        """
        runs = self.run_ids()
        if not runs:
            raise UsageError("usage.no_runs", "this project has no runs yet", fix="truetune run", where=shown_path(self.runs_dir))
        wanted = Path(name).name if name.strip("/") else name
        if wanted == "latest":
            return runs[-1]
        matches = _matching(runs, wanted)
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise UsageError(
                "usage.run_ambiguous",
                f"{name!r} is the start of {len(matches)} runs",
                why=", ".join(matches),
                fix=f"give more of the name, e.g. {matches[-1]}",
            )
        raise UsageError(
            "usage.run_not_found",
            f"this project has no run {name!r}",
            why=f"its newest runs are {', '.join(runs[-_SHOWN_RUNS:])}",
            fix="name one of them, or `latest`",
            where=shown_path(self.runs_dir),
        )


def read_config(path: Path, checks: Mapping[str, CheckChoices]) -> Config:
    """A config alone, whatever the file is called.

    Raises:
        ConfigError: it does not say something that can be done.
        EnvironmentFault: the file may not be read.
    """
    return read_yaml(path, Config, {CHECKS_CONTEXT: checks})


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` that has a truetune.yaml.

    Raises:
        UsageError: `usage.no_project`.
    """
    absolute = start.absolute()
    for folder in (absolute, *absolute.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder
    raise UsageError(
        "usage.no_project",
        f"there is no {CONFIG_NAME} in {absolute} or above it",
        why="the command needs a project",
        fix="make one: truetune init my-project --data FILE && cd my-project",
        where=str(absolute),
    )


def new_run_id(clock: Clock, existing: Iterable[str]) -> str:
    """The next run's id: a number that counts up, then the UTC time, e.g. `0003-20261122-031502`."""
    newest = max((_order(name)[0] for name in existing), default=0)
    now = datetime.fromisoformat(clock.now_iso()).astimezone(UTC)
    return f"{newest + 1:04d}-{now:%Y%m%d-%H%M%S}"


def _order(run_id: str) -> tuple[int, str]:
    match = _RUN_ID.fullmatch(run_id)
    return (int(match["number"]) if match else 0, run_id)


def _matching(runs: list[str], wanted: str) -> list[str]:
    if wanted in runs:
        return [wanted]
    if wanted.isascii() and wanted.isdigit():
        numbered = [run for run in runs if _order(run)[0] == int(wanted)]
        if numbered:
            return numbered
    return [run for run in runs if wanted and run.startswith(wanted)]
