"""Looks at the frozen test by commands that read files: wherever its rows come from, who reads them has seen the test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from truetune.core.ports import Message


def count_look(folder: Path, command: str, conversations: Iterable[Sequence[Message]]) -> None:
    """Count a look where one of these conversations is a row of the frozen test; outside a project nothing is frozen."""
    from truetune import loop, wiring
    from truetune.cli.project import load_project
    from truetune.core.errors import UsageError

    with suppress(UsageError):
        loop.count_look(load_project(folder), wiring.clock(), command, conversations)
