"""Rows of the test that stand among the validation rows too: what is chosen on the one side is then tested on the same rows.

The clean rows of a corpus get a `split` column; a fault is one more validation row, a copy of a test row.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.faults.corpora import Corpus, Example
from benchmarks.faults.edits import SHORTEST, edit_tokens
from benchmarks.faults.plant import Fault, Planted, as_line

CODE = "data.leakage.held_out"
TRAIN_FRAC, VALIDATION_FRAC = 0.6, 0.2
SHARE = 0.03
"""Of a corpus's rows, so many are copied in one planting for each kind."""


@dataclass(frozen=True)
class _Slot:
    line: str
    example: Example
    kind: str = ""
    partner: Example | None = None


def _again(_rng: random.Random, example: Example, _corpus: Corpus) -> Example:
    return example


def _edited(rng: random.Random, example: Example, corpus: Corpus) -> Example:
    """5 to 20 % of the prompt's tokens edited, the answer as it was."""
    return Example(edit_tokens(rng, example.prompt, rng.choice(corpus.rows).prompt.split()), example.answer)


KINDS: dict[str, Callable[[random.Random, Example, Corpus], Example]] = {
    "leak, validation in test, exact": _again,
    "leak, validation in test, near": _edited,
}
"""Every kind that is planted."""


def plant(corpus: Corpus, each: int, seed: int) -> Planted:
    """The corpus with a split of its own and so many faults of each kind at scattered lines; no test row is used twice.

    Raises:
        ValueError: the corpus has too few test rows for that many faults.
    """
    rng = random.Random(seed)
    examples = list(corpus.rows)
    rng.shuffle(examples)
    ends = [int(TRAIN_FRAC * len(examples)), int((TRAIN_FRAC + VALIDATION_FRAC) * len(examples))]
    sides = {"train": examples[: ends[0]], "validation": examples[ends[0] : ends[1]], "test": examples[ends[1] :]}
    free = [example for example in sides["test"] if len(example.prompt.split()) >= SHORTEST]
    if len(free) < each * len(KINDS):
        raise ValueError(f"{corpus.name} has {len(free)} test rows to copy, not {each * len(KINDS)}")
    slots = [_Slot(_line(corpus, example, side), example) for side, some in sides.items() for example in some]
    for kind, make in KINDS.items():
        for _ in range(each):
            partner = free.pop()
            copy = make(rng, partner, corpus)
            slots.append(_Slot(_line(corpus, copy, "validation"), copy, kind, partner))
    rng.shuffle(slots)
    faults = tuple(Fault(slot.kind, CODE, n) for n, slot in enumerate(slots, 1) if slot.kind)
    copied = {slot.partner for slot in slots if slot.partner is not None}
    clean = {n: slot.example for n, slot in enumerate(slots, 1) if not slot.kind}
    excused = {n: (CODE,) for n, example in clean.items() if example in copied}
    return Planted(tuple(slot.line for slot in slots), (), faults, clean, excused)


def _line(corpus: Corpus, example: Example, side: str) -> str:
    return json.dumps({"split": side, **json.loads(as_line(corpus.system, example))}, ensure_ascii=False)
