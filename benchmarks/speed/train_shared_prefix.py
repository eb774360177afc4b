"""Plain TRL beside ours: rows trained per second on rows that share a system prompt.

    python benchmarks/speed/train_shared_prefix.py MODEL_DIR [--rows 64] [--batch 8] [--repeats 1]

Both train the same LoRA (r = 16, all linear layers, fp32) on the same tokenised rows in one process, in turns. A row is a
system prompt of about 100 tokens, a short message and a label. Wall time suffers from whatever else the machine does, so
CPU time is printed beside it; the ratio of either is the result.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig, SFTTrainer

from truetune.backends.tokenizer import HfTokenizer
from truetune.backends.trl.quiet import quiet_libraries
from truetune.backends.trl.run import train
from truetune.core.chat import mask_conversations
from truetune.core.config import TrainConfig
from truetune.core.ports import TrainingExample, TrainRequest

SYSTEM = (
    "You sort messages that customers send to a furniture shop. Read the message and answer with exactly one word, the queue "
    "that should handle it. Choose billing for charges, invoices, vouchers and payments; delivery for parcels that are late, "
    "lost or in transit; returns for refunds, exchanges and broken items; account for passwords, logins and personal data; "
    "stock for questions about availability and sizes; other for everything else. Never explain your choice and never add "
    "punctuation."
)
LABELS = ("billing", "delivery", "returns", "account", "stock", "other")
WORDS = "my the order chair lamp kettle shelf was late again please check why card charged login email size blue broken"


def rows(model_dir: Path, count: int) -> list[TrainingExample]:
    """Masked rows with a shared system prompt and messages of 8 to 24 words."""
    dice = random.Random(0)
    conversations = [
        [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": " ".join(dice.choices(WORDS.split(), k=dice.randrange(8, 25))) + f" {at}"},
            {"role": "assistant", "content": dice.choice(LABELS)},
        ]
        for at in range(count)
    ]
    masked = mask_conversations(HfTokenizer(model_dir), conversations)
    return [TrainingExample(str(at), m.ids, m.trained) for at, m in enumerate(masked)]


def plain_trl(model_dir: Path, examples: Sequence[TrainingExample], batch: int, folder: Path) -> tuple[float, float]:
    """Seconds of wall and CPU time for one epoch of TRL as it comes, loading included, without activation checkpointing."""
    wall, cpu = time.perf_counter(), time.process_time()
    model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32)
    model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"))
    labels = [[t if on else -100 for t, on in zip(e.input_ids, e.trained, strict=True)] for e in examples]
    data = Dataset.from_dict({"input_ids": [list(e.input_ids) for e in examples], "labels": labels})
    arguments = SFTConfig(
        output_dir=str(folder),
        num_train_epochs=1,
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=1,
        learning_rate=1e-4,
        bf16=False,
        gradient_checkpointing=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        logging_strategy="no",
        use_cpu=not torch.accelerator.is_available(),
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
    )
    trainer = SFTTrainer(
        model=model, args=arguments, train_dataset=data, processing_class=AutoTokenizer.from_pretrained(model_dir)
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return time.perf_counter() - wall, time.process_time() - cpu


def ours(model_dir: Path, examples: Sequence[TrainingExample], batch: int, folder: Path) -> tuple[float, float]:
    """Seconds of wall and CPU time for one epoch of ours, loading included; ends with the last step."""
    marks: list[tuple[float, float]] = []
    request = TrainRequest(
        model_dir=model_dir,
        train=examples,
        validation=(),
        hyperparameters=TrainConfig(learning_rate=1e-4, epochs=1, batch_size=batch, gradient_accumulation=1),
        seed=1,
        precision="fp32",
        work_dir=folder,
        trackers=(),
        project="bench",
        run_name="bench",
        on_step=lambda step: marks.append((time.perf_counter(), time.process_time())),
    )
    wall, cpu = time.perf_counter(), time.process_time()
    train(request)
    return marks[-1][0] - wall, marks[-1][1] - cpu


def main() -> None:
    """Run both in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model_dir", type=Path)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    examples = rows(options.model_dir, options.rows)
    tokens = sum(len(e.input_ids) for e in examples)
    trained = sum(sum(e.trained) for e in examples)
    print(f"{len(examples)} rows, {tokens / len(examples):.0f} tokens a row, {trained / len(examples):.1f} of them trained")
    print(f"{'':12}{'wall s':>10}{'rows/s':>10}{'CPU s':>10}{'rows/CPU s':>12}")
    best: dict[str, tuple[float, float]] = {}
    for _ in range(options.repeats):
        for name, work in (("plain TRL", plain_trl), ("truetune", ours)):
            with tempfile.TemporaryDirectory() as folder, quiet_libraries():
                wall, cpu = work(options.model_dir, examples, options.batch, Path(folder) / "work")
            print(f"{name:12}{wall:10.1f}{len(examples) / wall:10.2f}{cpu:10.1f}{len(examples) / cpu:12.2f}")
            before = best.get(name, (wall, cpu))
            best[name] = (min(wall, before[0]), min(cpu, before[1]))
    wall, cpu = (best["plain TRL"][at] / best["truetune"][at] for at in (0, 1))
    print(f"truetune is {wall:.1f} times as fast by wall time, {cpu:.1f} times by CPU time (best of {options.repeats})")


if __name__ == "__main__":
    main()
