"""One small training for both trainers, built the same in every process; run as a module it can kill itself.

python -m tests.training_case KIND FOLDER [KILL_AT_STEP]
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.tiny_llama import LABELS, SYSTEM, write_model
from truetune.core.chat import mask_conversations
from truetune.core.config import TrainConfig
from truetune.core.ports import ChatTokenizer, Message, Trainer, TrainingExample, TrainRequest
from truetune.core.records import StepMetrics

KINDS = ("fake", "trl")
CONFIG = TrainConfig(
    learning_rate=3e-3,
    epochs=3,
    batch_size=2,
    gradient_accumulation=2,
    lora_r=4,
    lora_dropout=0.1,
    max_length=256,
    checkpoints_per_run=4,
)


def trainer(kind: str) -> Trainer:
    if kind == "fake":
        from truetune.backends.fake import FakeTrainer

        return FakeTrainer()
    from truetune.backends.trl import TrlTrainer

    return TrlTrainer()


def tokenizer(kind: str, model_dir: Path) -> ChatTokenizer:
    if kind == "fake":
        from truetune.backends.fake import FakeTokenizer

        return FakeTokenizer(model_dir)
    from truetune.backends.tokenizer import HfTokenizer

    return HfTokenizer(model_dir)


def model_dir(kind: str, folder: Path) -> Path:
    """The model, made once."""
    path = folder / f"model-{kind}"
    if not path.exists():
        if kind == "fake":
            path.mkdir(parents=True)
        else:
            write_model(path)
    return path


def conversation(at: int) -> list[Message]:
    label = LABELS[at % 4]
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": f"{label[:3]} {'ab' * (at % 5)} {at}"},
        {"role": "assistant", "content": label},
    ]


def rows(kind: str, folder: Path, numbers: range) -> list[TrainingExample]:
    masked = mask_conversations(tokenizer(kind, model_dir(kind, folder)), [conversation(at) for at in numbers])
    return [TrainingExample(f"row-{at:03d}", m.ids, m.trained) for at, m in zip(numbers, masked, strict=True)]


def request(kind: str, folder: Path, on_step: Callable[[StepMetrics], None], work: str = "work") -> TrainRequest:
    """22 rows, 4 a step, 3 epochs: 18 steps with a short one at each epoch's end."""
    return TrainRequest(
        model_dir=model_dir(kind, folder),
        train=rows(kind, folder, range(22)),
        validation=rows(kind, folder, range(100, 106)),
        hyperparameters=CONFIG,
        seed=17,
        precision="fp32",
        work_dir=folder / work,
        trackers=(),
        project="case",
        run_name="r1",
        on_step=on_step,
    )


def main(kind: str, folder: Path, kill_at: int | None) -> None:
    """Train; at step `kill_at` die as a process does that gets no warning."""

    def tell(step: StepMetrics) -> None:
        sys.stderr.write(f"told {step.kind} {step.step}\n")
        if step.kind == "train" and step.step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    trainer(kind).train(replace(request(kind, folder, tell), work_dir=folder / "killed"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
