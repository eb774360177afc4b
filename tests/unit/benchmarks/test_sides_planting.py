"""The planter of rows on two held-out sides: what it says is there, and the seed decides where."""

from __future__ import annotations

import json

import pytest
from benchmarks.faults.corpora import Corpus, Example
from benchmarks.faults.sides import KINDS, plant

WORDS = ("red", "blue", "green", "old", "new", "tall", "small", "round")
ROWS = tuple(
    Example(f"where is the {WORDS[n % 8]} house number {n} of the long street at hill {n * 7}", "yes") for n in range(200)
)
CORPUS = Corpus("any", "Answer.", ROWS, (), {})


def test_each_fault_is_a_validation_row_made_of_a_test_row() -> None:
    planted = plant(CORPUS, 8, 3)
    rows = [json.loads(line) for line in planted.lines]
    prompts = {row["messages"][-2]["content"] for row in rows if row["split"] == "test"}
    kinds = [fault.kind for fault in planted.faults]
    assert {kind: kinds.count(kind) for kind in KINDS} == dict.fromkeys(KINDS, 8)
    for fault in planted.faults:
        row = rows[fault.line - 1]
        assert row["split"] == "validation"
        assert (row["messages"][-2]["content"] in prompts) is fault.kind.endswith("exact")
    assert len(planted.excused) == 16
    assert plant(CORPUS, 8, 3) == planted
    assert plant(CORPUS, 8, 4).lines != planted.lines


def test_a_corpus_that_is_too_small_is_said() -> None:
    with pytest.raises(ValueError, match="test rows to copy"):
        plant(CORPUS, 100, 3)
