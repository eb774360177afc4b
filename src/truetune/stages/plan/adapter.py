"""How large the adapter will be."""

from __future__ import annotations

import re

from truetune.core.config import TrainConfig
from truetune.core.records import ModelShape


def adapter_parameters(config: TrainConfig, shape: ModelShape) -> int:
    """Parameters of a LoRA adapter: rank × (inputs + outputs) of each layer it is put on.

    Source: Hu et al. 2106.09685, section 4.1: two matrices, rank × inputs and outputs × rank.
    """
    return config.lora_r * sum(size for name, size in shape.linear_in_plus_out.items() if _is_target(name, config.target_modules))


def _is_target(name: str, targets: str | tuple[str, ...]) -> bool:
    if isinstance(targets, str):
        return targets == "all-linear" or re.search(targets, name) is not None
    return any(target.split(".")[-1] == name for target in targets)
