"""Builds the compiled part into the wheel; without a C compiler the wheel is made without it, and NumPy does its work.

It is built beside the package's sources, so an editable installation finds it too. `CC=/bin/false pip install .` leaves it out.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags
from setuptools import Distribution, Extension

SOURCES = Path("src", "truetune")
OLDEST_PYTHON = "cp311"
"""The limited API that the C file asks for: one file serves this Python and all later ones."""


class CompiledPart(BuildHookInterface):  # type: ignore[misc]
    """Compile before the files of the wheel are gathered."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the compiled part to a wheel, which then is for this platform; keep the wheel pure where it cannot be built."""
        if self.target_name != "wheel":
            return
        built = compiled(Path(self.root))
        if built is None:
            self.app.display_warning("the compiled part was not built; truetune will use NumPy in its place")
            return
        platform = next(tag.platform for tag in sys_tags() if not tag.platform.startswith(("manylinux", "musllinux")))
        build_data["pure_python"] = False
        build_data["tag"] = f"{OLDEST_PYTHON}-abi3-{platform}"
        build_data["artifacts"].append(f"/{built.relative_to(self.root).as_posix()}")


def compiled(root: Path) -> Path | None:
    """The compiled part, made anew from its C file; None where there is no compiler that can."""
    folder = root / SOURCES
    for stale in _built(folder):
        stale.unlink()
    extension = Extension("_compiled", [str(SOURCES / "_compiled.c")], py_limited_api=True, optional=True)
    with tempfile.TemporaryDirectory() as scratch:
        command = Distribution({"ext_modules": [extension]}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(folder), scratch
        before = Path.cwd()
        os.chdir(root)
        try:
            command.ensure_finalized()
            command.run()
        finally:
            os.chdir(before)
    return next(iter(_built(folder)), None)


def _built(folder: Path) -> list[Path]:
    return [path for path in folder.glob("_compiled.*") if path.suffix in {".so", ".pyd"}]
