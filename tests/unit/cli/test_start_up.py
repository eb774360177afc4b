"""What starts without torch must stay without torch."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from truetune.cli.main import app

COMMANDS = [command.name for command in app.registered_commands] + [
    " ".join(filter(None, (group.name, command)))
    for group in app.registered_groups
    for command in (None, *(c.name for c in group.typer_instance.registered_commands))
]
HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "accelerate"}


def modules_after(arguments: list[str], cwd: Path) -> set[str]:
    code = (
        "import sys, json\n"
        "from truetune.__main__ import main\n"
        f"sys.argv = ['truetune', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write('MODULES' + json.dumps(sorted(m.split('.')[0] for m in sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(done.stderr.split("MODULES")[1]))


@pytest.mark.parametrize("command", ["check", "doctor", "init"])
def test_starts_without_torch(command: str, tickets: Path, tmp_path: Path) -> None:
    arguments = {"check": ["check", str(tickets)], "doctor": ["doctor"], "init": ["init", "new", "--data", str(tickets)]}[command]
    assert not modules_after(arguments, tmp_path) & HEAVY


def test_help_needs_neither_pydantic_nor_numpy(tmp_path: Path) -> None:
    assert not modules_after(["--help"], tmp_path) & (HEAVY | {"pydantic", "numpy", "pyarrow", "scipy"})


def test_help_is_quick(tmp_path: Path) -> None:
    """The bound is loose, since machines are shared; docs/log.md has the measured figure."""
    best = min(_seconds([sys.executable, "-m", "truetune", "--help"], tmp_path) for _ in range(5))
    assert best < 0.6


def _seconds(command: list[str], cwd: Path) -> float:
    begun = time.perf_counter()
    subprocess.run(command, cwd=cwd, capture_output=True, check=True)
    return time.perf_counter() - begun


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_and_json(command: str) -> None:
    shown = CliRunner().invoke(app, [*command.split(), "--help"])
    assert shown.exit_code == 0
    assert f"truetune {command}" in shown.output
    assert "Example:" in shown.output
    assert "--json" in shown.output


def test_an_interruption_while_it_loads_ends_without_a_traceback() -> None:
    code = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'truetune.cli.session':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from truetune.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
