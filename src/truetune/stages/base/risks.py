"""Known ways in which a model like this goes wrong later."""

from __future__ import annotations

from truetune.core.records import Finding
from truetune.stages.base.checkpoint import Checkpoint
from truetune.stages.base.description import Config, quantised_bits


def check_risks(config: Config, checkpoint: Checkpoint) -> list[Finding]:
    """Warnings about quantised weights, code that ships with the model, and pickles beside the safetensors."""
    return [*_quantised(config), *_own_code(config), *_pickles(checkpoint)]


def _quantised(config: Config) -> list[Finding]:
    bits = quantised_bits(config)
    if bits is None:
        return []
    return [
        Finding(
            code="base.quantised",
            severity="warn",
            message=f"the weights are quantised to {bits} bits: merging an adapter into them changes what it does",
            evidence={"bits": bits},
            fix="tune the unquantised model, and quantise after merging",
        )
    ]


def _own_code(config: Config) -> list[Finding]:
    if not config.get("auto_map"):
        return []
    return [
        Finding(
            code="base.remote_code",
            severity="warn",
            message="the model comes with its own Python code, which truetune does not run",
            fix="if loading fails, use a model whose architecture is part of transformers",
        )
    ]


def _pickles(checkpoint: Checkpoint) -> list[Finding]:
    if not checkpoint.pickles:
        return []
    return [
        Finding(
            code="base.pickle_weights",
            severity="warn",
            message=f"pickled weights lie beside the safetensors and are not opened: {', '.join(checkpoint.pickles[:3])}",
            evidence={"files": [*checkpoint.pickles]},
            fix="delete them from a local copy: opening a pickle runs code",
        )
    ]
