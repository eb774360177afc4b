"""Does the compiled part run, or NumPy in its place?"""

from __future__ import annotations

from truetune.core.compiled import SWITCH
from truetune.core.records import Environment, Finding


def check_compiled(environment: Environment) -> list[Finding]:
    """A note where NumPy does the work: the data gate finds the same, and takes about twice as long to compare prompts."""
    if environment.compiled_part is not False:
        return []
    return [
        Finding(
            code="doctor.compiled.absent",
            severity="note",
            message="the compiled part is not in use, so NumPy compares prompts: the same findings, later",
            evidence={"variable": SWITCH},
            fix=f"unset {SWITCH}; install a C compiler, then: pip install --force-reinstall --no-deps truetune",
        )
    ]
