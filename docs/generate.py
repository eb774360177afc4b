"""Write docs/reference/ from the code: `make docs`. A test fails when a page is not what this script would write."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from typer.testing import CliRunner

from truetune.cli.main import app
from truetune.core.config import BaseConfig, Config, DataConfig, EvaluateConfig, SplitConfig, TrainConfig
from truetune.core.contract import METRIC_DIRECTIONS, Contract, Criterion, HumanReview, ReleaseRule

REFERENCE = Path(__file__).parent / "reference"
_HEAD = "<!-- Written by `make docs`; edit the code it comes from. -->\n\n"


def pages() -> dict[str, str]:
    """Every generated page by file name."""
    return {"config.md": _config_page(), "contract.md": _contract_page(), "cli.md": _cli_page()}


def _config_page() -> str:
    parts = ["# truetune.yaml", "Every key, its type and its default. An unknown key is an error that names the nearest one."]
    for title, model in (
        ("Top level", Config),
        ("`base`", BaseConfig),
        ("`data`", DataConfig),
        ("`data.splits`", SplitConfig),
        ("`train`", TrainConfig),
        ("`evaluate`", EvaluateConfig),
    ):
        parts += [f"## {title}", (model.__doc__ or "").strip(), _table(model)]
    return _HEAD + "\n\n".join(parts) + "\n"


def _contract_page() -> str:
    metrics = "\n".join(f"- `{name}`: {direction.replace('_', ' ')} the bound" for name, direction in METRIC_DIRECTIONS.items())
    parts = ["# evals/contract.yaml", "What must hold before a release, decided line by line: met, broken or not measured."]
    for title, model in (
        ("Top level", Contract),
        ("A metric", Criterion),
        ("`human_review`", HumanReview),
        ("`release_rule`", ReleaseRule),
    ):
        parts += [f"## {title}", (model.__doc__ or "").strip(), _table(model)]
    parts += ["## Metrics", metrics]
    return _HEAD + "\n\n".join(parts) + "\n"


def _table(model: type[BaseModel]) -> str:
    rows = ["| key | type | default |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = "required" if default is PydanticUndefined else f"`{_plain(default)}`"
        kind = str(field.annotation).replace("typing.", "").replace("|", "\\|")
        if isinstance(field.annotation, type):
            kind = field.annotation.__name__
        kind = re.sub(r"truetune\.core\.\w+\.", "", kind)
        # A validator prints with its address in memory, which is another one in each process.
        kind = re.sub(r"Annotated\[(\w+), \w+\(func=<function [^>]*>\)\]", r"\1", kind)
        rows.append(f"| `{name}` | `{kind}` | {shown} |")
    return "\n".join(rows)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return "see below"
    return list(value) if isinstance(value, tuple) else value


def _cli_page() -> str:
    parts = ["# The command line"]
    for name in [None, *(command.name for command in app.registered_commands)]:
        words = [] if name is None else [name]
        shown = CliRunner().invoke(app, [*words, "--help"], prog_name="truetune", env={"COLUMNS": "100", "TERMINAL_WIDTH": "100"})
        body = "\n".join(line.rstrip() for line in shown.output.strip().splitlines())
        parts += [f"## {' '.join(['truetune', *words])}", f"```text\n{body}\n```"]
    return _HEAD + "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    REFERENCE.mkdir(exist_ok=True)
    for file_name, text in pages().items():
        (REFERENCE / file_name).write_text(text, encoding="utf-8")
