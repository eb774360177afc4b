"""Which rows are trained in which step, and which of them share a forward pass.

A pure function of the rows, the config and the seed: a run that goes on after a kill, and anybody who checks the evidence,
gets the same order. The rows of a step are the same however they are cut into forward passes, and the loss is normalised
over the whole step, so the cut changes speed and memory and never the result.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from truetune.core.config import TrainConfig
from truetune.core.ports import TrainingExample

MIN_SHARED_TOKENS = 16
"""Below this many common tokens a second forward pass costs more than it saves.

Source: ours; on 2 CPU cores a pass of the 135M model costs as much as 20 to 40 more tokens in an existing one.
"""

PASS_OVERHEAD_TOKENS = 64
"""Padding that is tolerated before a row gets a pass of its own. Source: as above, rounded up to spare small batches."""

PASS_TOKENS = 2048
"""A forward pass grows to this many tokens where the user's own allowance (`batch_size` × `max_length`) permits it.

Source: ours; matrix products on a CPU gain nothing beyond, and the allowance was planned for anyway.
"""

_BUCKET_STEPS = 8
"""Rows are sorted by length within this many steps' worth of shuffled rows: short padding, and still a random order."""


@dataclass(frozen=True)
class Pass:
    """Rows (as indexes) that go through the model together; their first `shared_tokens` tokens are the same."""

    rows: tuple[int, ...]
    shared_tokens: int


@dataclass(frozen=True)
class Step:
    """One optimizer step."""

    passes: tuple[Pass, ...]

    @property
    def rows(self) -> tuple[int, ...]:
        """All rows of the step, in the order they are computed."""
        return tuple(row for one in self.passes for row in one.rows)


@dataclass(frozen=True)
class Plan:
    """All optimizer steps of a run."""

    steps: tuple[Step, ...]
    steps_per_epoch: int

    def epoch_at(self, step: int) -> float:
        """How many times the data was seen after `step` steps."""
        return step / self.steps_per_epoch


def plan_run(examples: Sequence[TrainingExample], config: TrainConfig, seed: int) -> Plan:
    """The steps of a run. Every epoch sees every row once, in an order of its own; part of an epoch is rounded up to steps."""
    rows_per_step = config.batch_size * config.gradient_accumulation
    steps_per_epoch = math.ceil(len(examples) / rows_per_step)
    total = max(1, math.ceil(round(config.epochs * steps_per_epoch, 6)))
    budget = pass_budget_tokens(examples, config)
    steps: list[Step] = []
    for epoch in range(math.ceil(total / steps_per_epoch)):
        for rows in _epoch(examples, rows_per_step, f"{seed}:{epoch}"):
            steps.append(Step(passes_of(examples, rows, budget)))
    return Plan(tuple(steps[:total]), steps_per_epoch)


def pass_budget_tokens(examples: Sequence[TrainingExample], config: TrainConfig) -> int:
    """How many tokens one forward pass may hold: never more than `batch_size` rows of `max_length`, which the user allowed."""
    longest = max(len(e.input_ids) for e in examples)
    return max(longest, min(config.batch_size * config.max_length, max(config.batch_size * longest, PASS_TOKENS)))


def passes_of(examples: Sequence[TrainingExample], rows: Sequence[int], budget_tokens: int) -> tuple[Pass, ...]:
    """Cut rows into passes within the budget, so that rows with a common beginning sit together and padding is short."""
    ordered = sorted(rows, key=lambda row: (examples[row].input_ids, row))
    common = [_common(examples[a], examples[b]) for a, b in pairwise(ordered)]
    families: list[tuple[list[int], int]] = []
    single: list[int] = []
    for start, end, shared in _families(common, 0, len(ordered)):
        if shared:
            families.append((ordered[start:end], shared))
        else:
            single.extend(ordered[start:end])
    pieces = [piece for members, shared in families for piece in _cut(examples, members, shared, budget_tokens)]
    return tuple(pieces + _cut(examples, single, 0, budget_tokens))


def _epoch(examples: Sequence[TrainingExample], rows_per_step: int, seed: str) -> list[list[int]]:
    shuffler = random.Random(seed)
    order = list(range(len(examples)))
    shuffler.shuffle(order)
    bucket = rows_per_step * _BUCKET_STEPS
    steps = []
    for start in range(0, len(order), bucket):
        rows = sorted(order[start : start + bucket], key=lambda row: len(examples[row].input_ids))
        steps += [rows[at : at + rows_per_step] for at in range(0, len(rows), rows_per_step)]
    shuffler.shuffle(steps)
    return steps


def _common(a: TrainingExample, b: TrainingExample) -> int:
    """Common first tokens of two rows, ending before the token that predicts either row's first trained one."""
    limit = min(len(a.input_ids), len(b.input_ids), _first_trained(a) - 1, _first_trained(b) - 1)
    for at in range(limit):
        if a.input_ids[at] != b.input_ids[at]:
            return at
    return max(0, limit)


def _first_trained(example: TrainingExample) -> int:
    return example.trained.index(True) if any(example.trained) else len(example.trained)


def _families(common: list[int], start: int, end: int) -> list[tuple[int, int, int]]:
    """Cut sorted rows `[start, end)` into families `(start, end, shared tokens)` so that the most tokens are computed once.

    A family of n rows with S common tokens saves (n - 1) · S. Either all rows are one family, or they part where the
    common beginning is shortest; rows that share nothing useful come out with 0.
    """
    if end - start < 2:
        return [(start, end, 0)] if end > start else []
    edges = common[start : end - 1]
    shared = min(edges)
    together = len(edges) * shared if shared >= MIN_SHARED_TOKENS else 0
    if together and together >= sum(edges) - shared:
        return [(start, end, shared)]
    cuts = [start + at + 1 for at, edge in enumerate(edges) if edge == shared]
    apart = [f for a, b in zip([start, *cuts], [*cuts, end], strict=True) for f in _families(common, a, b)]
    saved = sum((b - a - 1) * s for a, b, s in apart)
    return apart if saved > together else [(start, end, shared if together else 0)]


def _cut(examples: Sequence[TrainingExample], rows: list[int], shared: int, budget_tokens: int) -> list[Pass]:
    pieces: list[Pass] = []
    piece: list[int] = []
    longest = 0
    for row in sorted(rows, key=lambda r: (len(examples[r].input_ids), r)):
        rest = len(examples[row].input_ids) - shared
        too_big = shared + (len(piece) + 1) * rest > budget_tokens
        too_much_padding = len(piece) * (rest - longest) > PASS_OVERHEAD_TOKENS + shared
        if piece and (too_big or too_much_padding):
            pieces.append(Pass(tuple(piece), shared if len(piece) > 1 else 0))
            piece = []
        piece.append(row)
        longest = rest
    return [*pieces, Pass(tuple(piece), shared if len(piece) > 1 else 0)] if piece else pieces


def sample(examples: Sequence[TrainingExample], most: int, seed: int) -> list[TrainingExample]:
    """At most `most` rows in their own order, chosen by the seed."""
    if len(examples) <= most:
        return list(examples)
    chosen = sorted(random.Random(seed).sample(range(len(examples)), most))
    return [examples[at] for at in chosen]


def measured_rows(examples: Sequence[TrainingExample], doubted: Sequence[str], most: int, seed: int) -> list[TrainingExample]:
    """At most `most` rows: of those in doubt up to half as many, the surest first, and rows chosen by the seed beside them.

    A sample alone would hardly meet a doubted row where there are many others, and what is hard and doubted could not be told.
    """
    by_id = {example.row_id: example for example in examples}
    first = [by_id[row_id] for row_id in dict.fromkeys(doubted) if row_id in by_id][: most // 2]
    taken = {example.row_id for example in first}
    return [*first, *sample([e for e in examples if e.row_id not in taken], most - len(first), seed)]
