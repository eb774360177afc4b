"""Every command in the docs exists with the options it is shown with; every config in the docs is a config."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from truetune.cli.main import app
from truetune.project.yaml_file import read_yaml

REPOSITORY = Path(__file__).parent.parent.parent
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(truetune [a-z][^`]*)`")


def blocks(kinds: set[str]) -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for kind, body in FENCE.findall(page.read_text(encoding="utf-8")):
            if kind in kinds:
                found.append((page.relative_to(REPOSITORY).as_posix(), body))
    return found


def commands() -> list[tuple[str, str]]:
    found = []
    for page, body in blocks({"sh", "console", "bash"}):
        for line in body.splitlines():
            for part in line.removeprefix("$ ").split("#")[0].split("&&"):
                if part.strip().startswith("truetune "):
                    found.append((page, part.strip()))
    for page in PAGES:
        for inline in INLINE.findall(page.read_text(encoding="utf-8")):
            found += [
                (page.relative_to(REPOSITORY).as_posix(), part.strip()) for part in inline.split("&&") if "truetune " in part
            ]
    return sorted(set(found))


@pytest.mark.parametrize(("page", "command"), commands())
def test_command_exists(page: str, command: str) -> None:
    words = [w for w in shlex.split(command.split("|", maxsplit=1)[0].split(">", maxsplit=1)[0])[1:] if w != "…"]
    if not words or words[0].startswith("-"):
        return
    groups = {group.name: {c.name for c in group.typer_instance.registered_commands} for group in app.registered_groups}
    name = words[:2] if len(words) > 1 and words[1] in groups.get(words[0], ()) else words[:1]
    shown = CliRunner().invoke(app, [*name, "--help"])
    assert shown.exit_code == 0, f"{page}: there is no `truetune {' '.join(name)}`"
    for word in words[len(name) :]:
        if word.startswith("-"):
            assert word.split("=")[0] in shown.output, f"{page}: `truetune {' '.join(name)}` has no {word}"


def test_there_are_commands_to_check() -> None:
    assert len(commands()) > 10


@pytest.mark.parametrize(("page", "body"), [b for b in blocks({"yaml"}) if "base:" in b[1] or "metrics:" in b[1]])
def test_config_is_valid(page: str, body: str, tmp_path: Path) -> None:
    from truetune.core.config import Config
    from truetune.core.contract import Contract

    path = tmp_path / "shown.yaml"
    path.write_text(body, encoding="utf-8")
    read_yaml(path, Contract if "metrics:" in body else Config)


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for page in PAGES:
        for target in re.findall(r"\bmake ([a-z][a-z-]+)\b", page.read_text(encoding="utf-8")):
            if target in {"test", "demo"} or "-" in target:
                assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page.name}: make {target}"
