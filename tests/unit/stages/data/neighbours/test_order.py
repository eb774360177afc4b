"""Words in common in the same order: many pairs in step give what each pair alone gives."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.stages.data.neighbours.order import in_order, words_in_order
from truetune.stages.data.neighbours.words import read_texts

texts = st.lists(st.sampled_from("abcdefg"), max_size=150)


def longest_common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """The textbook table."""
    rows = [[0] * (len(b) + 1)]
    for word in a:
        row = [0]
        for j, other in enumerate(b):
            row.append(rows[-1][j] + 1 if word == other else max(rows[-1][j + 1], row[j]))
        rows.append(row)
    return rows[-1][-1]


@given(st.lists(st.sampled_from("abcde"), max_size=12), st.lists(st.sampled_from("abcde"), max_size=12))
def test_words_in_order_is_the_longest_common_subsequence(a: list[str], b: list[str]) -> None:
    assert words_in_order(a, b) == longest_common_subsequence(a, b)


@settings(deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
def test_pairs_in_step_give_what_each_alone_gives(pairs: list[tuple[list[str], list[str]]]) -> None:
    table, _ = read_texts([" ".join(text) for pair in pairs for text in pair])
    block = table.take(np.arange(2 * len(pairs)))
    counts = in_order(block, block, np.arange(0, 2 * len(pairs), 2), np.arange(1, 2 * len(pairs), 2))

    assert counts.tolist() == [words_in_order(a, b) for a, b in pairs]


@pytest.mark.parametrize("words", [64, 128, 1_024, 1_025, 3_000])
def test_texts_of_any_length(words: int) -> None:
    rng = random.Random(words)
    a = [f"w{rng.randrange(500)}" for _ in range(words)]
    b = [word for word in a if rng.random() < 0.9]
    table, _ = read_texts([" ".join(a), " ".join(b)])
    block = table.take(np.arange(2))

    assert in_order(block, block, np.array([0]), np.array([1])).tolist() == [len(b)]
