"""Intervals and tests against published values, scipy, and what must hold for any data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from truetune.stages.evaluate import items_needed
from truetune.stages.evaluate.statistics import (
    compare_paired,
    difference_interval,
    graded_interval,
    holm,
    jackknife,
    mcnemar,
    mean,
    rate_interval,
    sign_flip,
    tango,
    wilson,
)

COUNTS = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 200)).map(lambda t: (t[0], t[1], max(1, sum(t))))


@given(st.integers(1, 500), st.data(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_is_scipys(n: int, data: st.DataObject, level: float) -> None:
    right = data.draw(st.integers(0, n))
    reference = stats.binomtest(right, n).proportion_ci(level, method="wilson")
    ours = wilson(right / n, n, level)
    assert ours.low == pytest.approx(reference.low, abs=2e-6)
    assert ours.high == pytest.approx(reference.high, abs=2e-6)


def test_what_150_items_can_certify() -> None:
    """One-sided at 5 %: 0.82 needs 131 of 150, 0.98 needs all of them."""
    assert wilson(131 / 150, 150, 0.9).low >= 0.82 > wilson(130 / 150, 150, 0.9).low
    assert wilson(1.0, 150, 0.9).low >= 0.98 > wilson(149 / 150, 150, 0.9).low


def test_tango_gives_the_published_interval() -> None:
    """Airway reactivity before and after transplantation: 1 and 7 discordant of 21.

    Source: Fagerland, Lydersen and Laake 2014, Stat. Med. 33:2850, table of intervals: (-0.517, -0.026).
    """
    interval = tango(1, 7, 21)
    assert (round(interval.low, 3), round(interval.high, 3)) == (-0.517, -0.026)


@given(COUNTS)
def test_tango_contains_the_estimate_and_mirrors(counts: tuple[int, int, int]) -> None:
    better, worse, n = counts
    forward, backward = tango(better, worse, n), tango(worse, better, n)
    assert -1 <= forward.low <= (better - worse) / n + 1e-6
    assert (better - worse) / n - 1e-6 <= forward.high <= 1
    assert forward.low == pytest.approx(-backward.high, abs=2e-6)
    assert forward.high - forward.low > 0


@given(COUNTS)
def test_tango_is_wider_at_a_higher_level(counts: tuple[int, int, int]) -> None:
    wide, narrow = tango(*counts, level=0.99), tango(*counts, level=0.9)
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


def test_tango_without_a_flip_is_not_certain() -> None:
    z2 = stats.norm.ppf(0.975) ** 2
    assert tango(0, 0, 100).high == pytest.approx(z2 / (100 + z2), abs=1e-6)


def test_tango_covers_as_it_says() -> None:
    """Simulated: the share of intervals that contain the truth is near 95 % at a size that evaluations have."""
    source = np.random.default_rng(1)
    n, up, down = 100, 0.12, 0.05
    draws = source.multinomial(n, [up, down, 1 - up - down], size=800)
    inside = [(i := tango(int(b), int(w), n)).low <= up - down <= i.high for b, w, _ in draws]
    assert 0.93 <= np.mean(inside) <= 0.98


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_test(better: int, worse: int) -> None:
    expected = stats.binomtest(better, better + worse, 0.5).pvalue if better + worse else 1.0
    assert mcnemar(better, worse) == pytest.approx(expected)
    assert mcnemar(better, worse) == pytest.approx(mcnemar(worse, better))


def test_exact_sign_flip_is_scipys_permutation_test() -> None:
    differences = [0.3, -0.1, 0.25, 0.4, 0.0, 0.1, 0.2, -0.05]

    def statistic(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        return np.mean(a - b, axis=axis)

    reference = stats.permutation_test(
        (np.array(differences), np.zeros(8)), statistic, permutation_type="samples", vectorized=True, n_resamples=np.inf
    )
    p_value, name = sign_flip(differences, range(8), seed=1)
    assert p_value == pytest.approx(reference.pvalue)
    assert "exact" in name


def test_drawn_sign_flip_agrees_with_the_exact_one_and_repeats() -> None:
    differences = [0.2, -0.1, 0.3, 0.15, -0.2, 0.1, 0.05, 0.12] * 3
    normal = 2 * stats.norm.sf(abs(sum(differences)) / math.sqrt(sum(d * d for d in differences)))
    p_value, name = sign_flip(differences, range(24), seed=3)
    assert p_value == pytest.approx(normal, abs=0.02)
    assert (p_value, name) == sign_flip(differences, range(24), seed=3)
    assert p_value > 0


def test_no_difference_is_no_evidence() -> None:
    assert sign_flip([0.0] * 10, range(10), seed=1)[0] == 1.0
    assert mcnemar(0, 0) == 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_graded_interval_never_degenerates(values: list[float], seed: int) -> None:
    interval = graded_interval(values, range(len(values)), seed)
    assert interval.high > interval.low or len(set(values)) > 1
    assert 0 <= interval.low <= interval.high <= 1
    assert not math.isnan(interval.low + interval.high)


def test_all_right_is_not_certainty() -> None:
    assert graded_interval([1.0] * 50, range(50), 1).low < 0.95
    assert rate_interval([1.0] * 50, range(50)).low < 0.95


def test_bootstrap_interval_is_near_the_normal_one() -> None:
    values = list(np.random.default_rng(2).beta(2, 2, 400))
    half = 1.96 * np.std(values) / math.sqrt(400)
    interval = graded_interval(values, range(400), 7)
    assert interval.low == pytest.approx(np.mean(values) - half, abs=0.004)
    assert interval.high == pytest.approx(np.mean(values) + half, abs=0.004)
    assert interval == graded_interval(values, range(400), 7)


def test_items_of_one_source_count_less() -> None:
    """Forty clusters of five equal items say no more than forty items."""
    values = [float(cluster % 4 != 0) for cluster in range(40) for _ in range(5)]
    clustered = rate_interval(values, [c for c in range(40) for _ in range(5)])
    alone = wilson(0.75, 40)
    assert clustered.low == pytest.approx(alone.low, abs=0.01)
    assert clustered.high - clustered.low > rate_interval(values, range(200)).high - rate_interval(values, range(200)).low
    assert "effective" in clustered.method


def test_clusters_widen_a_paired_difference() -> None:
    ours = [float(c % 3 != 0) for c in range(40) for _ in range(5)]
    theirs = [float(c % 2 != 0) for c in range(40) for _ in range(5)]
    clusters = [c for c in range(40) for _ in range(5)]
    together, apart = compare_paired(ours, theirs, clusters, 1), compare_paired(ours, theirs, range(200), 1)
    assert together.difference == pytest.approx(apart.difference)
    assert together.interval.high - together.interval.low > apart.interval.high - apart.interval.low
    assert together.p_value > apart.p_value
    assert "cluster" in together.test
    assert apart.test == "exact McNemar"


def test_agreeing_clusters_still_leave_doubt() -> None:
    interval = difference_interval([0.0] * 80, [i // 2 for i in range(80)], 1)
    assert interval.low < 0 < interval.high


def test_no_items_is_an_error_not_a_nan() -> None:
    for call in (
        lambda: mean([]),
        lambda: wilson(0.5, 0),
        lambda: tango(0, 0, 0),
        lambda: rate_interval([], []),
        lambda: graded_interval([], [], 1),
        lambda: compare_paired([], [], [], 1),
        lambda: difference_interval([], [], 1),
        lambda: jackknife(lambda kept: 0.0, 1),
    ):
        with pytest.raises(ValueError, match=r"no items|fewer than two"):
            call()


def test_compare_paired_refuses_unequal_lists() -> None:
    with pytest.raises(ValueError, match="zip"):
        compare_paired([1.0], [1.0, 0.0], [1], 1)


def test_holm_on_a_worked_example() -> None:
    """Holm 1979's step-down: 0.01·3, 0.02·2, 0.04·1, kept rising."""
    adjusted = holm({"a": 0.04, "b": 0.01, "c": 0.03})
    assert adjusted == pytest.approx({"b": 0.03, "c": 0.06, "a": 0.06})
    assert holm({}) == {}


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_raw_and_bonferroni(p_values: dict[str, float]) -> None:
    adjusted = holm(p_values)
    for name, p_value in p_values.items():
        assert p_value <= adjusted[name] <= min(1.0, p_value * len(p_values)) + 1e-12 or adjusted[name] <= 1.0
        assert adjusted[name] >= p_value


def test_jackknife_of_a_mean_is_the_standard_error() -> None:
    values = list(np.random.default_rng(3).normal(size=50))
    interval = jackknife(lambda kept: float(np.mean([values[i] for i in kept])), 50, 0.95)
    half = 1.959964 * np.std(values, ddof=1) / math.sqrt(50)
    assert interval.high - interval.low == pytest.approx(2 * half, abs=1e-5)


def test_items_needed_are_enough_and_no_more() -> None:
    needed = items_needed.for_rate(0.85, 130, 0.82, 0.9)
    assert needed is not None
    assert wilson(0.85, needed, 0.9).low >= 0.82 > wilson(0.85, needed - 1, 0.9).low
    assert items_needed.for_rate(0.80, 130, 0.82, 0.9) is None
    settled = items_needed.for_damage(3, 6, 130, 0.05, 0.9)
    assert settled is not None
    assert tango(6 * settled / 130, 3 * settled / 130, settled, 0.9).high <= 0.05
    assert tango(6 * (settled - 1) / 130, 3 * (settled - 1) / 130, settled - 1, 0.9).high > 0.05
    real = items_needed.for_gain(10, 5, 130, 0.95)
    assert real is not None
    assert tango(10 * real / 130, 5 * real / 130, real).low > 0
    assert items_needed.for_gain(5, 5, 130, 0.95) is None
    assert items_needed.for_damage(0, 0, 64, 0.0, 0.9) is None


def test_items_needed_of_a_spread_follow_the_square_root() -> None:
    assert items_needed.for_spread(0.05, 0.10, 64) == 256
    assert items_needed.for_spread(0.0, 0.10, 64) is None
