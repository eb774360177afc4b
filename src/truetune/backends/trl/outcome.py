"""What a finished training leaves: the adapter, the hardest rows, the figures."""

from __future__ import annotations

import importlib.metadata
import json
import resource
import sys
from pathlib import Path
from typing import Any

import torch

from truetune.backends.trl.checkpoints import Checkpoint
from truetune.backends.trl.plan import measured_rows
from truetune.backends.trl.sft import MaskedSFTTrainer
from truetune.core.ports import TrainOutcome, TrainRequest
from truetune.core.records import HardRow
from truetune.evidence import atomic

HARDEST_OF_ROWS = 256
HARDEST_KEPT = 50


def outcome(request: TrainRequest, trainer: MaskedSFTTrainer, wall_s: float, resume: Checkpoint | None) -> TrainOutcome:
    """Write the adapter, measure the hardest rows, and gather what there is to say."""
    plan = trainer.course.plan
    hardest = _hardest(request, trainer)
    adapter = request.work_dir / "adapter"
    with atomic.new_folder(adapter) as folder:
        _write_adapter(trainer.model, folder)
    versions = {name: importlib.metadata.version(name) for name in ("torch", "transformers", "trl", "peft", "accelerate")}
    return TrainOutcome(
        adapter_dir=adapter,
        trainer=f"trl {versions['trl']} SFTTrainer (loss: {trainer.path})",
        versions=versions,
        steps=len(plan.steps),
        epochs=plan.epoch_at(len(plan.steps)),
        tokens_seen=trainer.tokens_seen,
        trained_tokens=trainer.trained_tokens,
        wall_s=wall_s,
        peak_memory_bytes=_peak_memory_bytes(),
        resumed_from_step=resume.step if resume else None,
        data_order=tuple(trainer.order),
        hardest=hardest,
    )


def _hardest(request: TrainRequest, trainer: MaskedSFTTrainer) -> tuple[HardRow, ...]:
    rows = measured_rows(request.train, request.doubted, HARDEST_OF_ROWS, request.seed)
    losses = [total / count for total, count in trainer.row_losses(rows)]
    worst = sorted(zip(rows, losses, strict=True), key=lambda pair: (-pair[1], pair[0].row_id))[:HARDEST_KEPT]
    return tuple(HardRow(row_id=row.row_id, loss=loss) for row, loss in worst)


def _write_adapter(model: Any, folder: Path) -> None:
    """The adapter in PEFT layout; equal weights give equal bytes, and no path of this machine is in it."""
    model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = None
    targets = config["target_modules"]
    config["target_modules"] = sorted(targets) if isinstance(targets, list) else targets
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _peak_memory_bytes() -> int:
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
