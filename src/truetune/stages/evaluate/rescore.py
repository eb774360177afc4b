"""Derive a finished evaluation's scores again from its stored answers."""

from __future__ import annotations

from truetune.core.records import EvaluationRecord, Score
from truetune.stages.evaluate import scoring
from truetune.stages.evaluate.outputs import Choice, Output, from_jsonl


def rescore(record: EvaluationRecord, generations_bytes: bytes, choices_bytes: bytes | None) -> tuple[Score, ...]:
    """The scores that these answers give under the record's task and seed; equal to `record.scores` if nothing was changed.

    Raises:
        ValueError: a file is not what an evaluation writes.
    """
    outputs = from_jsonl(generations_bytes, Output)
    choices = from_jsonl(choices_bytes, Choice) if choices_bytes is not None else []
    return scoring.scores(scoring.collect(record.task, outputs, choices), record.seed)
