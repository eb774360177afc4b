"""Every row is trained as often as asked, in an order that follows from the seed, in passes that fit."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.backends.trl.plan import MIN_SHARED_TOKENS, measured_rows, pass_budget_tokens, passes_of, plan_run
from truetune.core.config import TrainConfig
from truetune.core.ports import TrainingExample


def row(name: str, ids: list[int], answer: int = 2) -> TrainingExample:
    return TrainingExample(name, tuple(ids), (False,) * (len(ids) - answer) + (True,) * answer)


rows = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(3, 60), st.integers(1, 3), st.integers(0, 99)),
    min_size=1,
    max_size=40,
).map(
    lambda specs: [
        row(str(n), [family] * shared + [(salt + at) % 7 + 3 for at in range(length)], answer)
        for n, (family, shared, length, answer, salt) in enumerate(specs)
    ]
)


@given(rows, st.integers(30, 400))
@settings(max_examples=200, deadline=None)
def test_passes_hold_every_row_once_within_the_budget(examples: list[TrainingExample], budget: int) -> None:
    passes = passes_of(examples, range(len(examples)), budget)
    assert Counter(r for one in passes for r in one.rows) == Counter(range(len(examples)))
    for one in passes:
        members = [examples[r] for r in one.rows]
        longest = max(len(e.input_ids) for e in members)
        assert len(members) == 1 or one.shared_tokens + len(members) * (longest - one.shared_tokens) <= budget


@given(rows)
@settings(max_examples=200, deadline=None)
def test_what_is_shared_is_common_untrained_and_leaves_a_token_to_predict_from(examples: list[TrainingExample]) -> None:
    for one in passes_of(examples, range(len(examples)), 4096):
        members = [examples[r] for r in one.rows]
        assert len({e.input_ids[: one.shared_tokens] for e in members}) == 1
        assert one.shared_tokens == 0 or one.shared_tokens >= MIN_SHARED_TOKENS
        for e in members:
            assert one.shared_tokens == 0 or one.shared_tokens < e.trained.index(True)


def test_two_system_prompts_do_not_spoil_each_other() -> None:
    start = list(range(100, 120))
    first = [row(f"a{n}", [*start, *range(200, 300), n, n + 1, 5, 6]) for n in range(8)]
    second = [row(f"b{n}", [*start, *range(400, 500), n, n + 1, 5, 6]) for n in range(8)]
    passes = passes_of([*first, *second], range(16), 4096)
    assert sorted((len(p.rows), p.shared_tokens) for p in passes) == [(8, 120), (8, 120)]


@given(rows, st.integers(0, 5), st.sampled_from([0.3, 1.0, 2.0, 2.5]))
@settings(max_examples=100, deadline=None)
def test_order_follows_from_the_seed(examples: list[TrainingExample], seed: int, epochs: float) -> None:
    config = TrainConfig(batch_size=2, gradient_accumulation=3, epochs=epochs, max_length=128)
    plan = plan_run(examples, config, seed)
    assert plan == plan_run(examples, config, seed)
    for start in range(0, len(plan.steps) - plan.steps_per_epoch + 1, plan.steps_per_epoch):
        epoch = plan.steps[start : start + plan.steps_per_epoch]
        assert Counter(r for step in epoch for r in step.rows) == Counter(range(len(examples)))
        assert all(len(step.rows) <= 6 for step in epoch)


def test_another_seed_gives_another_order() -> None:
    examples = [row(str(n), [n + 3] * 10) for n in range(40)]
    config = TrainConfig(batch_size=4, gradient_accumulation=1)
    orders = {tuple(r for s in plan_run(examples, config, seed).steps for r in s.rows) for seed in range(5)}
    assert len(orders) == 5


@pytest.mark.parametrize(("batch_size", "max_length", "budget"), [(1, 512, 512), (1, 4096, 2048), (64, 4096, 6400)])
def test_budget_never_exceeds_what_the_user_allowed(batch_size: int, max_length: int, budget: int) -> None:
    examples = [row(str(n), [n + 3] * 100) for n in range(4)]
    assert pass_budget_tokens(examples, TrainConfig(batch_size=batch_size, max_length=max_length)) == budget


def test_doubted_rows_are_measured_first_but_not_alone() -> None:
    examples = [row(str(n), [5, 6, 7]) for n in range(1000)]
    doubted = ["900", "no training row", "3", "900", *map(str, range(500, 600))]
    measured = [example.row_id for example in measured_rows(examples, doubted, 20, 1)]
    assert measured[:4] == ["900", "3", "500", "501"]
    assert len(set(measured)) == 20 and len(set(measured) & set(doubted)) in (10, 11, 12)
    assert {example.row_id for example in measured_rows(examples[:15], doubted, 20, 1)} == {str(n) for n in range(15)}
