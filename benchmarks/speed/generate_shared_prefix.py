"""Greedy generation with the prompts' common beginning computed once, against plain `model.generate` in batches of 8.

    python benchmarks/speed/generate_shared_prefix.py MODEL_FOLDER [--prompts 64] [--shots 0 8] [--new-tokens 20] [--threads 2]

Two cases: a shared system prompt of about 100 tokens, and the same with eight examples (about 700 tokens). Both sides run
in one process on the same weights, plain side second. The ratio of processor time is printed beside that of wall time,
because on a busy machine only the former means much. Outputs are compared text by text.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from truetune.backends.tokenizer import HfTokenizer
from truetune.backends.transformers_host import TransformersHost
from truetune.core.chat import prompt_ids
from truetune.core.ports import CandidateRef, Decoding, Message

SYSTEM = (
    "You sort the messages that customers of a shop for kitchen and garden goods write. Answer with one JSON object with the "
    "keys queue, priority and needs_human. queue is one of billing, delivery, returns, account, technical, sales; priority is "
    "high for danger, fraud or a deadline, low where nothing is wrong, else normal; needs_human is true where a person asks for "
    "one, and for fraud, danger and threats of law. Write nothing else."
)
OPENINGS = ["Hello,", "Good morning.", "Hi there,", "To whom it may concern:", "Please help.", "Third time I write."]
THINGS = ["kettle", "garden hose", "reading lamp", "toaster", "bird table", "smart plug", "coffee grinder", "rug", "mower"]
TROUBLES = [
    "arrived with a crack along the base and one part is missing from the box",
    "was charged twice on my card although I ordered a single one last Tuesday",
    "has not come yet and the tracking page has shown the same line for nine days",
    "will not pair with the app after the last update, whatever I try",
    "is the wrong colour; how do I send it back, and who pays for that?",
    "looks lovely. Does it also come in a larger size?",
]
ANSWER = '{"queue": "returns", "priority": "normal", "needs_human": false}'


@dataclass(frozen=True)
class Timed:
    """What a side took, and what it wrote."""

    wall_s: float
    processor_s: float
    texts: list[str]


def message(chooser: random.Random) -> str:
    """A message of 15 to 60 tokens."""
    parts = [chooser.choice(OPENINGS), f"The {chooser.choice(THINGS)} from order {chooser.randrange(1000, 99999)}"]
    parts += chooser.sample(TROUBLES, chooser.randrange(1, 3))
    return " ".join(parts)


def conversations(count: int, shots: int) -> list[list[Message]]:
    """Conversations that share the system prompt and the examples."""
    chooser = random.Random(7)
    shown = [turn for _ in range(shots) for turn in (("user", message(chooser)), ("assistant", ANSWER))]
    before = [{"role": "system", "content": SYSTEM}, *({"role": role, "content": text} for role, text in shown)]
    return [[*before, {"role": "user", "content": message(chooser)}] for _ in range(count)]


def timed(work: Callable[[], list[str]]) -> Timed:
    """Run once and measure."""
    wall, processor = time.perf_counter(), time.process_time()
    texts = work()
    return Timed(time.perf_counter() - wall, time.process_time() - processor, texts)


def plain(model: Any, tokenizer: HfTokenizer, prompts: Sequence[Sequence[int]], new_tokens: int, batch: int = 8) -> list[str]:
    """`model.generate` over batches in order, padded on the left."""
    texts = []
    for start in range(0, len(prompts), batch):
        rows = prompts[start : start + batch]
        width = max(len(row) for row in rows)
        ids = torch.tensor([[0] * (width - len(row)) + list(row) for row in rows])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        ends = list(tokenizer.eos_token_ids)
        with torch.inference_mode():
            found = model.generate(
                input_ids=ids, attention_mask=mask, do_sample=False, max_new_tokens=new_tokens, pad_token_id=ends[0]
            )
        for row in found[:, width:].tolist():
            cut = next((i for i, token in enumerate(row) if token in ends), len(row))
            texts.append(tokenizer.decode(row[:cut]))
    return texts


def compare(folder: Path, count: int, shots: int, new_tokens: int) -> str:
    """A line of the table."""
    tokenizer = HfTokenizer(folder)
    prompts = prompt_ids(tokenizer, conversations(count, shots))
    decoding = Decoding(max_new_tokens=new_tokens, temperature=0.0, seed=0)
    with TransformersHost(HfTokenizer).open(CandidateRef(folder)) as candidate:
        candidate.generate(prompts[:2], Decoding(2, 0.0, 0), lambda *_: None)  # warm up
        ours = timed(lambda: [g.text for g in candidate.generate(prompts, decoding, lambda *_: None)])
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    plain(model, tokenizer, prompts[:2], 2)
    theirs = timed(lambda: plain(model, tokenizer, prompts, new_tokens))
    lengths = [len(p) for p in prompts]
    shared = next(i for i, column in enumerate(zip(*prompts, strict=False)) if len(set(column)) > 1)
    same = sum(a == b for a, b in zip(ours.texts, theirs.texts, strict=True))
    return (
        f"{shots:5d}  {shared:6d}  {min(lengths):4d}–{max(lengths):<4d}  {count / theirs.wall_s:7.2f}  {count / ours.wall_s:7.2f}"
        f"  {theirs.wall_s / ours.wall_s:6.2f}  {theirs.processor_s / ours.processor_s:9.2f}  {same:4d} of {count}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--shots", type=int, nargs="+", default=[0, 8], help="examples in the prompt, a line of the table each")
    parser.add_argument("--new-tokens", type=int, default=20)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print("shots  shared  prompt     plain/s   ours/s   ratio  ratio(cpu)  same text")
    for shots in arguments.shots:
        print(compare(arguments.model, arguments.prompts, shots, arguments.new_tokens), flush=True)


if __name__ == "__main__":
    main()
