"""The honest baseline: the base model with examples in its prompt."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from truetune.core.ports import Message
from truetune.core.records import TaskProfile
from truetune.evidence.curated import CuratedRow
from truetune.stages.evaluate.metrics import normalised_label, strict_json
from truetune.stages.evaluate.suites import Item

Feature = tuple[str, str]


@dataclass(frozen=True)
class Selection:
    """The examples that are shown, and how many were asked for."""

    rows: tuple[CuratedRow, ...]
    asked_for: int

    @property
    def reduced(self) -> bool:
        """Are there fewer than were asked for?"""
        return len(self.rows) < self.asked_for


def choose(rows: Sequence[CuratedRow], task: TaskProfile, count: int, seed: int) -> tuple[CuratedRow, ...]:
    """`count` training rows: chosen by the seed, but so that as many labels or field values as possible are shown.

    Each pick adds the most values not yet shown; when all are shown, it starts over.
    """
    pool = sorted(rows, key=lambda row: row.row_id)
    random.Random(seed).shuffle(pool)
    chosen: list[CuratedRow] = []
    shown: set[Feature] = set()
    while pool and len(chosen) < count:
        best = max(pool, key=lambda row: len(_features(row, task) - shown))
        if not _features(best, task) - shown:
            shown.clear()
            best = max(pool, key=lambda row: len(_features(row, task)))
        shown |= _features(best, task)
        pool.remove(best)
        chosen.append(best)
    return tuple(chosen)


def fit(
    rows: Sequence[CuratedRow], items: Sequence[Item], length: Callable[[Sequence[Message]], int], room_tokens: int
) -> Selection:
    """As many of the chosen examples, from the first, as leave every item's prompt within `room_tokens`."""
    for count in range(len(rows), 0, -1):
        if all(length(with_examples(rows[:count], item)) <= room_tokens for item in items):
            return Selection(tuple(rows[:count]), len(rows))
    return Selection((), len(rows))


def with_examples(rows: Sequence[CuratedRow], item: Item) -> tuple[Message, ...]:
    """The item's messages with the examples as turns between its system prompt and its first user turn.

    Every item begins with the same turns, which a backend can compute once.
    """
    system = [message for message in item.messages[:1] if message["role"] == "system"]
    examples = [
        turn for row in rows for turn in ({"role": "user", "content": row.prompt}, {"role": "assistant", "content": row.answer})
    ]
    return (*system, *examples, *item.messages[len(system) :])


def _features(row: CuratedRow, task: TaskProfile) -> frozenset[Feature]:
    if task.shape == "labels":
        return frozenset({("label", normalised_label(row.answer))})
    value = strict_json(row.answer) if task.shape == "json" else None
    if not isinstance(value, dict):
        return frozenset()
    closed = {name for name, known in task.json_fields.items() if known}
    return frozenset((name, str(field)) for name, field in value.items() if name in closed)
