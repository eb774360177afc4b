"""Intervals and tests for small, paired evaluation sets.

Every function either returns a number that was measured or raises `ValueError` on no items; none returns NaN. Bounds are
rounded to six decimals, so that another machine's last floating-point bits give the same record.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from truetune.core.records import Interval

LEVEL = 0.95
"""Level of the intervals that are shown; gates use one-sided bounds of their own level."""

BOOTSTRAP_RESAMPLES = 10_000
SIGN_FLIPS = 20_000
EXACT_SIGN_FLIP_UNITS = 16
"""Up to this many non-zero differences all 2^n sign patterns are enumerated."""

FEW_GRADED_UNITS = 30
"""Below this many units a percentile bootstrap covers too little (Efron and Tibshirani 1993, ch. 13), so graded means use the
conservative Wilson interval instead."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Paired:
    """A paired difference on the same items: the estimate, its interval, whether it is real, and the flips."""

    n: int
    difference: float
    interval: Interval
    p_value: float
    test: str
    better: int
    worse: int


def z_two_sided(level: float) -> float:
    """The normal quantile that leaves `(1 - level) / 2` in each tail."""
    return float(norm.ppf(0.5 + level / 2))


def mean(values: Sequence[float]) -> float:
    """The mean, summed exactly, so that the order of the items does not matter.

    Raises:
        ValueError: there are no items, so there is nothing to say.
    """
    if not values:
        raise ValueError("no items: the mean is not measured")
    return math.fsum(values) / len(values)


# --- rates ----------------------------------------------------------------------------------------------------------


def wilson(rate: float, n: float, level: float = LEVEL) -> Interval:
    """Wilson's score interval for a rate over `n` items (`n` may be an effective number).

    For a mean of values in [0, 1] it is conservative, because their variance is at most that of a rate: var ≤ m(1 - m).

    Source: Wilson 1927, J. Am. Stat. Assoc. 22:209; recommended for small n by Brown, Cai and DasGupta 2001, Stat. Sci. 16:101.

    Raises:
        ValueError: no items.
    """
    if n <= 0:
        raise ValueError("no items: the interval is not measured")
    z2 = z_two_sided(level) ** 2
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return _interval(max(0.0, centre - half), min(1.0, centre + half), level, "Wilson score")


def rate_interval(values: Sequence[float], clusters: Sequence[Hashable], level: float = LEVEL) -> Interval:
    """Interval of the mean of right/wrong values; where items share a source, at their effective number.

    Source: effective number n / design effect as in Korn and Graubard 1998, Survey Methodology 24:193; clustered variance as in
    Miller 2024, arXiv:2411.00640, section 2.2.

    Raises:
        ValueError: no items.
    """
    rate = mean(values)
    effective = _effective_n(values, clusters)
    interval = wilson(rate, effective, level)
    if effective < len(values):
        return interval.model_copy(
            update={"method": f"Wilson score, {effective:.0f} effective items of {len(values)} in clusters"}
        )
    return interval


def graded_interval(values: Sequence[float], clusters: Sequence[Hashable], seed: int, level: float = LEVEL) -> Interval:
    """Interval of the mean of graded values in [0, 1]: cluster bootstrap, or conservative Wilson where that cannot cover.

    Source: percentile bootstrap, Efron and Tibshirani 1993, ch. 13; whole clusters resampled, Field and Welsh 2007.

    Raises:
        ValueError: no items.
    """
    sums, sizes = _by_cluster(values, clusters)
    if len(sums) < FEW_GRADED_UNITS or len(set(values)) == 1:
        interval = wilson(mean(values), len(sums), level)
        return interval.model_copy(update={"method": "Wilson score, conservative for graded values"})
    return _bootstrap(sums, sizes, seed, level)


def _effective_n(values: Sequence[float], clusters: Sequence[Hashable]) -> float:
    sums, sizes = _by_cluster(values, clusters)
    n, groups = len(values), len(sums)
    if groups == n:
        return float(n)
    rate = mean(values)
    if groups == 1 or rate in (0.0, 1.0):
        return float(groups)
    residuals = sums - rate * sizes
    clustered = groups / (groups - 1) * float(np.sum(residuals**2)) / n**2
    independent = rate * (1 - rate) / n
    return float(min(n, max(groups / 2, n * independent / clustered))) if clustered > 0 else float(groups)


# --- paired differences ---------------------------------------------------------------------------------------------


def compare_paired(
    candidate: Sequence[float], reference: Sequence[float], clusters: Sequence[Hashable], seed: int, level: float = LEVEL
) -> Paired:
    """The paired difference `candidate - reference`, by the method that the values and their clusters ask for.

    Right/wrong without clusters: Tango's interval and exact McNemar. Graded, or in clusters: cluster bootstrap and sign-flip
    permutation of whole clusters.

    Raises:
        ValueError: no items, or lists of different lengths.
    """
    differences = [a - b for a, b in zip(candidate, reference, strict=True)]
    better, worse = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    difference = mean(differences)
    binary = all(value in (0.0, 1.0) for value in (*candidate, *reference))
    if binary and len(set(clusters)) == len(differences):
        interval, p_value, test = tango(better, worse, len(differences), level), mcnemar(better, worse), "exact McNemar"
    else:
        interval = difference_interval(differences, clusters, seed, level)
        p_value, test = sign_flip(differences, clusters, seed)
    return Paired(len(differences), difference, interval, p_value, test, better, worse)


def tango(better: float, worse: float, n: float, level: float = LEVEL) -> Interval:
    """Tango's score interval for a difference of paired proportions, `(better - worse) / n`.

    It stays inside [-1, 1], has width where no pair disagrees, and its one-sided bound is the score test of non-inferiority.
    Counts may be fractions, for planning.

    Source: Tango 1998, Stat. Med. 17:891; recommended by Fagerland, Lydersen and Laake 2014, Stat. Med. 33:2850.

    Raises:
        ValueError: no items.
    """
    if n <= 0:
        raise ValueError("no items: the interval is not measured")
    z = z_two_sided(level)
    low = _descend(lambda d: _tango_score(better, worse, n, d) - z, -1.0, (better - worse) / n)
    high = _descend(lambda d: _tango_score(better, worse, n, d) + z, (better - worse) / n, 1.0)
    return _interval(low, high, level, "Tango score, paired")


def _tango_score(better: float, worse: float, n: float, delta: float) -> float:
    """The score statistic for the hypothesis that the difference is `delta`; it falls as `delta` grows."""
    b = (2 * n - better + worse) * delta - better - worse
    c = -worse * delta * (1 - delta)
    q = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
    variance = n * (2 * q + delta * (1 - delta))
    numerator = better - worse - n * delta
    if variance <= 0:
        return 0.0 if numerator == 0 else math.copysign(math.inf, numerator)
    return numerator / math.sqrt(variance)


def _descend(function: Callable[[float], float], low: float, high: float) -> float:
    """Root of a falling function by bisection: 60 halvings leave nothing of an interval of length 2."""
    for _ in range(60):
        middle = (low + high) / 2
        if function(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def mcnemar(better: int, worse: int) -> float:
    """Exact two-sided p that the flips are a fair coin's; 1 where nothing flipped.

    Source: McNemar 1947; exact form as in Fagerland, Lydersen and Laake 2013, BMC Med. Res. Methodol. 13:91.
    """
    return float(binomtest(better, better + worse, 0.5).pvalue) if better + worse else 1.0


def difference_interval(differences: Sequence[float], clusters: Sequence[Hashable], seed: int, level: float = LEVEL) -> Interval:
    """Interval of a mean paired difference in [-1, 1]: cluster bootstrap, or a conservative one where that would be too narrow.

    Few clusters, or clusters that all agree, make a bootstrap too narrow. Then flips are counted as if a cluster were one
    item; where nothing differs that bounds graded differences too, because |E d| ≤ P(d ≠ 0).

    Raises:
        ValueError: no items.
    """
    sums, sizes = _by_cluster(differences, clusters)
    groups, n = len(sums), len(differences)
    if groups >= FEW_GRADED_UNITS and len(set((sums / sizes).tolist())) > 1:
        return _bootstrap(sums, sizes, seed, level)
    if all(d in (-1.0, 0.0, 1.0) for d in differences):
        better, worse = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
        interval = tango(better * groups / max(1, n), worse * groups / max(1, n), groups, level)
        return interval.model_copy(update={"method": f"Tango score, paired, {groups} clusters counted as items"})
    half = wilson((mean(differences) + 1) / 2, groups, level)
    return _interval(2 * half.low - 1, 2 * half.high - 1, level, "Wilson score on (1 + difference) / 2, conservative")


def sign_flip(differences: Sequence[float], clusters: Sequence[Hashable], seed: int) -> tuple[float, str]:
    """Two-sided p of a sign-flip permutation test on the mean, and the name of the test; clusters flip as one.

    All patterns are enumerated for up to 16 non-zero units, else 20,000 are drawn and the observed one counts.

    Source: Fisher 1935, The Design of Experiments, section 21; the added one as in Phipson and Smyth 2010.
    """
    sums, sizes = _by_cluster(differences, clusters)
    name = "sign-flip permutation" if np.all(sizes == 1) else "sign-flip permutation, by cluster"
    units = sums[sums != 0]
    if not len(units):
        return 1.0, name
    exact = len(units) <= EXACT_SIGN_FLIP_UNITS
    signs = _all_signs(len(units)) if exact else _drawn_signs(len(units), seed)
    extreme = int(np.sum(np.abs(signs @ units) >= abs(units.sum()) - 1e-9))
    p_value = extreme / len(signs) if exact else (extreme + 1) / (len(signs) + 1)
    return round(min(1.0, p_value), 9), f"{name} ({'exact' if exact else f'{SIGN_FLIPS} draws'})"


def _all_signs(units: int) -> NDArray[np.int8]:
    patterns = np.arange(2**units, dtype=np.uint32)
    return (((patterns[:, None] >> np.arange(units, dtype=np.uint32)) & 1).astype(np.int8) * 2 - 1).astype(np.int8)


def _drawn_signs(units: int, seed: int) -> NDArray[np.int8]:
    return (np.random.default_rng(seed).integers(0, 2, size=(SIGN_FLIPS, units), dtype=np.int8) * 2 - 1).astype(np.int8)


# --- shared ---------------------------------------------------------------------------------------------------------


def _by_cluster(values: Sequence[float], clusters: Sequence[Hashable]) -> tuple[Floats, Floats]:
    """Sum and number of the values of each cluster, clusters in order of appearance."""
    groups: dict[Hashable, list[float]] = defaultdict(list)
    for value, cluster in zip(values, clusters, strict=True):
        groups[cluster].append(value)
    sums = np.array([math.fsum(group) for group in groups.values()], dtype=np.float64)
    return sums, np.array([len(group) for group in groups.values()], dtype=np.float64)


def _bootstrap(sums: Floats, sizes: Floats, seed: int, level: float) -> Interval:
    source = np.random.default_rng(seed)
    means = np.empty(BOOTSTRAP_RESAMPLES)
    # In blocks, so that a test set of many thousands does not need a matrix of gigabytes.
    block = max(1, min(BOOTSTRAP_RESAMPLES, 4_000_000 // len(sums)))
    for start in range(0, BOOTSTRAP_RESAMPLES, block):
        drawn = source.integers(0, len(sums), size=(min(block, BOOTSTRAP_RESAMPLES - start), len(sums)))
        means[start : start + len(drawn)] = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    unit = "bootstrap" if np.all(sizes == 1) else "cluster bootstrap"
    return _interval(float(low), float(high), level, f"{unit}, {BOOTSTRAP_RESAMPLES} resamples, seed {seed}")


def jackknife(statistic: Callable[[Sequence[int]], float], n: int, level: float = LEVEL) -> Interval:
    """Interval of a statistic of `n` items from leaving out one at a time.

    For statistics that count distinct things: resampling with replacement draws an item twice and so looks less varied than
    the items are; leaving one out does not.

    Source: Quenouille 1956, Tukey 1958; normal interval as in Efron and Tibshirani 1993, ch. 11.

    Raises:
        ValueError: fewer than two items.
    """
    if n < 2:
        raise ValueError("fewer than two items: the interval is not measured")
    everything = range(n)
    estimate = statistic(everything)
    left_out = [statistic([i for i in everything if i != k]) for k in everything]
    centre = mean(left_out)
    error = math.sqrt((n - 1) / n * math.fsum((value - centre) ** 2 for value in left_out))
    half = z_two_sided(level) * error
    return _interval(estimate - half, estimate + half, level, "jackknife over prompts")


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjusted p-values: rejecting those below alpha keeps the chance of any false claim below alpha.

    Source: Holm 1979, Scand. J. Stat. 6:65.
    """
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, (name, p_value) in enumerate(sorted(p_values.items(), key=lambda item: (item[1], item[0]))):
        highest = max(highest, min(1.0, p_value * (len(p_values) - rank)))
        adjusted[name] = highest
    return adjusted


def _interval(low: float, high: float, level: float, method: str) -> Interval:
    return Interval(low=round(low, 6) + 0.0, high=round(high, 6) + 0.0, level=level, method=method)
