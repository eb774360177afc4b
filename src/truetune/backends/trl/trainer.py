"""The trainer port, kept by TRL and PEFT. Starts without torch; loads it when training starts."""

from __future__ import annotations

import os
from types import ModuleType

from truetune.backends.trl.errors import all_masked
from truetune.backends.trl.tracking import require_trackers
from truetune.core.errors import EnvironmentFault
from truetune.core.ports import TrainOutcome, TrainRequest


class TrlTrainer:
    """SFT of a LoRA adapter with TRL's `SFTTrainer`, answers only, in an order that follows from the seed."""

    def train(self, request: TrainRequest) -> TrainOutcome:
        """Train to the end, or go on from the newest whole checkpoint in `work_dir`.

        Raises:
            ConfigError: an entry of `trainer_overrides`, or of `target_modules`, that cannot work.
            DataError: a row has no trained token.
            EnvironmentFault: out of memory or disk, or a package is missing.
            UpstreamError: the loss is not a number any more, or the model cannot be loaded.
        """
        require_trackers(request.trackers)
        _require_trained_tokens(request)
        outcome: TrainOutcome = _libraries().train(request)
        return outcome

    def probe(self, request: TrainRequest, steps: int) -> float:
        """Seconds per token of a short real training step on this machine, leaving nothing behind.

        Raises:
            as `train`.
        """
        _require_trained_tokens(request)
        return float(_libraries().probe(request, steps))


def _require_trained_tokens(request: TrainRequest) -> None:
    for example in request.train:
        if not any(example.trained[1:]):
            raise all_masked(f"row {example.row_id}")


def _libraries() -> ModuleType:
    """The module that drives TRL; importing it takes seconds."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        from truetune.backends.trl import run
    except ImportError as error:
        raise EnvironmentFault(
            "environment.missing_extra",
            "training needs packages that are not installed",
            why=str(error),
            fix="pip install 'truetune[train]'",
        ) from error
    return run
