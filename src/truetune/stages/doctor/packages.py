"""Are the packages that training goes through there, and do their versions fit each other?"""

from __future__ import annotations

from truetune.core.records import Environment, Finding, UnmetRequirement

_BREAKS_IMPORT = {
    "truetune", "torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "safetensors",
    "huggingface_hub", "huggingface-hub", "torchvision", "torchaudio", "bitsandbytes",
}  # fmt: skip
"""Packages that training imports, or that transformers imports when they are installed: a misfit there stops the run.
A misfit further down (`vllm` wants another torch) is only reported."""


def check_packages(environment: Environment) -> list[Finding]:
    """What is missing, in one finding with one command; then each pair of packages that do not fit."""
    missing = [u for u in environment.unmet_requirements if u.package == "truetune" and u.found is None]
    conflicts = [u for u in environment.unmet_requirements if u not in missing]
    return [*_missing(missing), *(_conflict(u) for u in conflicts)]


def _missing(unmet: list[UnmetRequirement]) -> list[Finding]:
    if not unmet:
        return []
    names = [u.requires for u in unmet]
    return [
        Finding(
            code="doctor.packages.missing",
            severity="block",
            message=f"training needs packages that are not installed: {', '.join(names)}",
            evidence={"missing": [*names]},
            fix="pip install 'truetune[train]'",
        )
    ]


def _conflict(unmet: UnmetRequirement) -> Finding:
    found = f"{unmet.found} is installed" if unmet.found else "it is not installed"
    return Finding(
        code="doctor.packages.conflict",
        severity="block" if unmet.package in _BREAKS_IMPORT else "warn",
        message=f"{unmet.package} needs {unmet.requires}, but {found}",
        evidence={"package": unmet.package, "requires": unmet.requires, "found": unmet.found},
        fix=f"pip install --upgrade {unmet.package} '{unmet.requires}'",
    )
