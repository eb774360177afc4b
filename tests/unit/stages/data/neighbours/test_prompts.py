"""The index of similar prompts: what is near, what is a copy, and that no pair is lost."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.core.text import is_blank, normalise, word_features, words
from truetune.stages.data.neighbours.components import components
from truetune.stages.data.neighbours.prompts import NOMINATE_JACCARD, PromptIndex, near_words


def random_text(rng: random.Random, length: int) -> list[str]:
    return [f"w{rng.randrange(5000)}" for _ in range(length)]


def edited(rng: random.Random, tokens: Sequence[str], edits: int) -> list[str]:
    """Words replaced, dropped or added; as many as `edits`."""
    result = list(tokens)
    for place in rng.sample(range(len(tokens)), edits):
        result[place] = rng.choice(["", f"new{rng.randrange(5000)}", f"{result[place]} new{rng.randrange(5000)}"])
    return " ".join(result).split()


@given(st.integers(5, 60), st.randoms(use_true_random=False))
def test_an_edit_of_a_fifth_of_the_words_is_near(length: int, rng: random.Random) -> None:
    tokens = random_text(rng, length)
    assert near_words(tokens, edited(rng, tokens, length // 5))


@pytest.mark.parametrize("length", [6, 12, 30, 120])
def test_every_edited_copy_is_nominated(length: int) -> None:
    rng = random.Random(length)
    originals = [random_text(rng, length) for _ in range(300)]
    copies = [edited(rng, tokens, length // 5) for tokens in originals]
    index = PromptIndex([" ".join(tokens) for tokens in (*originals, *copies)], 0.8)
    near = {(index.members[p.a][0], index.members[p.b][0]) for p in index.pairs if p.is_near}
    assert sum((n, n + 300) in near for n in range(300)) >= 298
    assert all(b == a + 300 for a, b in near)


def test_pairs_do_not_depend_on_the_order_of_rows() -> None:
    rng = random.Random(5)
    texts = [" ".join(edited(rng, tokens, 2)) for tokens in [random_text(rng, 14) for _ in range(40)] for _ in range(4)]
    shuffled = rng.sample(texts, len(texts))

    def pairs(order: list[str]) -> set[tuple[frozenset[str], bool]]:
        index = PromptIndex(order, 0.8)
        return {(frozenset((order[index.members[p.a][0]], order[index.members[p.b][0]])), p.is_copy) for p in index.pairs}

    assert pairs(texts) == pairs(shuffled)


def test_a_lower_threshold_makes_more_copies() -> None:
    texts = ["please turn the kitchen light on at nine", "please turn the garden light on at nine"]
    assert [p.is_copy for p in PromptIndex(texts, 0.8).pairs] == [False]
    assert [p.is_copy for p in PromptIndex(texts, 0.7).pairs] == [True]


def test_a_crowd_of_copies_stays_one_cluster() -> None:
    rng = random.Random(3)
    tokens = random_text(rng, 40)
    texts = [" ".join(edited(rng, tokens, 3)) for _ in range(400)] + [" ".join(random_text(rng, 40)) for _ in range(50)]
    clusters = PromptIndex(texts, 0.8).copy_clusters()
    assert clusters[:400].tolist() == [0] * 400
    assert len(set(clusters.tolist())) == 51


@pytest.mark.parametrize("prompts", [[], ["one"], ["", "", "!!"], ["a"] * 5])
def test_small_and_empty_input(prompts: list[str]) -> None:
    index = PromptIndex(prompts, 0.8)
    assert len(index.copy_clusters()) == len(prompts)


def test_scripts_without_spaces_have_words() -> None:
    assert words("我想取消订单") == list("我想取消订单")
    assert near_words(words("我想取消上周的订单好吗"), words("我想取消上周的订单好么"))


def test_symbols_that_mean_something_are_words() -> None:
    assert words("3 + 4, ok?") != words("3 - 4, ok?") or "+" in words("3 + 4")
    assert words("Hello, world!") == words("hello world")


@given(st.text())
def test_normalise_is_idempotent_and_blank_means_nothing_left(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    if is_blank(text):
        assert not words(text)


@given(st.lists(st.text("ab", min_size=1, max_size=2)))
def test_features_count(tokens: list[str]) -> None:
    features = word_features(tokens)
    assert len(set(features)) == len(tokens)
    assert [feature.split("\t")[0] for feature in features] == tokens


def test_components() -> None:
    labels = components(5, [(0, 1), (3, 4)])
    assert labels[0] == labels[1] != labels[2] != labels[3] == labels[4]
    assert components(0, []) == []
    assert NOMINATE_JACCARD < 0.8 / 1.2


def test_prompts_without_a_word_are_the_same_only_where_their_characters_are() -> None:
    index = PromptIndex(["?!", "hello", "...", " ?! ", ""], 0.8)
    assert index.node_of.tolist() == [0, 1, 2, 0, 3]
    assert list(index.members) == [[0, 3], [1], [2], [4]]


def test_two_questions_on_one_long_passage_are_two_questions() -> None:
    passage = " ".join(" ".join(random_text(random.Random(i), 12)).capitalize() + "." for i in range(8))
    same, other = f"{passage} Who wrote the letter to him?", f"{passage} When does the last ferry leave again?"
    pairs = PromptIndex([f"{passage} Who wrote the long letter to him?", same, other], 0.8).pairs
    assert [(pair.a, pair.b, pair.is_near) for pair in pairs] == [(0, 1, True)]


def test_every_copy_of_a_held_out_prompt_is_found_in_a_crowd_of_copies() -> None:
    rng = random.Random(8)
    tokens = random_text(rng, 40)
    crowd = [" ".join(edited(rng, tokens, 3)) for _ in range(300)]
    index = PromptIndex([*crowd, " ".join(tokens), "something else altogether"], 0.8)
    across = index.near_between(range(300), range(300, 302))
    assert {pair.a for pair in across} == set(index.node_of[:300].tolist()) - {index.node_of[300]}
    assert {pair.b for pair in across} == {index.node_of[300]}


def test_pairs_and_groups_read_like_sequences() -> None:
    index = PromptIndex(["turn the light on at nine", "x", "turn the light on at ten", "x"], 0.8)
    assert index.pairs[0] == next(iter(index.pairs))
    assert index.members[1:] == [[1, 3], [2]]
    with pytest.raises(IndexError):
        index.members[3]
