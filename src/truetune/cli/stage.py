"""`truetune plan | train | diagnose | evaluate`: the loop up to one stage."""

from __future__ import annotations

from pathlib import Path

import typer

from truetune.cli.run import finish, run_loop
from truetune.cli.session import JSON, PROJECT, session


def plan(project: Path = PROJECT, as_json: bool = JSON) -> None:
    """Memory, disk and time of the training, from the tokenised data and a short probe on this machine.

    Example:  truetune plan
    """
    until("plan", project, as_json)


def train(project: Path = PROJECT, as_json: bool = JSON) -> None:
    """Train the adapter; what comes before it runs first where it is missing or stale.

    Example:  truetune train
    """
    until("train", project, as_json)


def diagnose(project: Path = PROJECT, as_json: bool = JSON) -> None:
    """Say what the training curves mean: the cause, the evidence, the next thing to try.

    Example:  truetune diagnose
    """
    until("diagnose", project, as_json)


def evaluate(project: Path = PROJECT, as_json: bool = JSON) -> None:
    """Evaluate base, few-shot base, adapter and merged model against the contract.

    Example:  truetune evaluate --json | jq '.criteria[] | {name, state, value}'
    """
    until("evaluate", project, as_json)


def until(stage: str, project: Path, as_json: bool) -> None:
    """Run the loop up to a stage, and say how that ended.

    Raises:
        typer.Exit: always, with the code that the last record calls for.
    """
    with session(as_json) as current:
        result = run_loop(current, project, stage)
        raise typer.Exit(finish(current, result, stage))
