"""`truetune data | plan | train | diagnose | evaluate`: the loop up to one stage."""

from __future__ import annotations

from pathlib import Path

import typer

from truetune.cli.run import PROJECT, finish, run_loop
from truetune.cli.session import JSON, session


def data(project: Path = PROJECT, as_json: bool = JSON) -> None:
    """Check, curate, split and freeze the project's data.

    Example:  truetune data --json | jq .stats
    """
    _until("data", project, as_json)


def plan(project: Path = PROJECT, as_json: bool = JSON) -> None:
    """Memory, disk and time of the training, from the tokenised data and a short probe on this machine.

    Example:  truetune plan
    """
    _until("plan", project, as_json)


def train(project: Path = PROJECT, as_json: bool = JSON) -> None:
    """Train the adapter; what comes before it runs first where it is missing or stale.

    Example:  truetune train
    """
    _until("train", project, as_json)


def diagnose(project: Path = PROJECT, as_json: bool = JSON) -> None:
    """Say what the training curves mean: the cause, the evidence, the next thing to try.

    Example:  truetune diagnose
    """
    _until("diagnose", project, as_json)


def evaluate(project: Path = PROJECT, as_json: bool = JSON) -> None:
    """Evaluate base, few-shot base, adapter and merged model against the contract.

    Example:  truetune evaluate --json | jq '.criteria[] | {name, state, value}'
    """
    _until("evaluate", project, as_json)


def _until(stage: str, project: Path, as_json: bool) -> None:
    with session(as_json) as current:
        result = run_loop(current, project, stage)
        raise typer.Exit(finish(current, result, stage))
