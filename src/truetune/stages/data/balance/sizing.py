"""How much data the job needs, and whether that is there: counted in really different examples, not in rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from truetune.core.records import DataSizing, TaskShape
from truetune.stages.data.balance.measure import Ints, Values

Job = Literal["classification", "extraction", "short answers", "free text", "preference"]

GAIN, DISCORDANT_FRAC = 0.05, 0.15
_POWER_FACTOR = (1.959964 + 0.841621) ** 2
"""Two-sided 5 % and 80 % power. Source: the normal approximation to McNemar's test, n = (z_a + z_b)^2 d / gain^2."""
_CURVE_SHARES = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Need:
    """What a job needs, of which unit, and where the three numbers are from."""

    job: Job
    unit: str
    floor: int
    enough: int
    plenty: int
    sources: tuple[str, str, str]


_NEEDS: dict[TaskShape, Need] = {
    "labels": Need(
        "classification",
        "different examples a class",
        8,
        50,
        1000,
        (
            "8 a class is where few-shot classifiers start (SetFit, 2209.11055)",
            "50 a class is the small variant of CLINC150 (1909.02027), on which its authors trained classifiers",
            "beyond 1,000 a class: our figure",
        ),
    ),
    "json": Need(
        "extraction",
        "different examples",
        50,
        500,
        10_000,
        (
            "OpenAI's fine-tuning guide starts at 50 well-made examples",
            "500 for a format with several fields: our figure",
            "beyond 10,000: our figure",
        ),
    ),
    "exact": Need(
        "short answers",
        "different examples",
        50,
        500,
        10_000,
        ("OpenAI's fine-tuning guide starts at 50 well-made examples", "500: our figure", "beyond 10,000: our figure"),
    ),
    "text": Need(
        "free text",
        "different examples",
        50,
        1000,
        30_000,
        (
            "OpenAI's fine-tuning guide starts at 50 well-made examples",
            "1,000 carefully chosen examples taught style and format (LIMA, 2305.11206); no number of examples is known to teach "
            "new facts reliably: retrieval does (2312.05934)",
            "beyond 30,000: our figure; a thousand good rows did more than tens of thousands of ordinary ones (LIMA)",
        ),
    ),
}
_PREFERENCE = Need(
    "preference",
    "different pairs",
    200,
    2000,
    60_000,
    (
        "200 pairs: our figure",
        "2,000 pairs: our figure",
        "beyond 60,000 pairs: our figure, about the size of the set that Zephyr was aligned on (2310.16944)",
    ),
)


def size_up(shape: TaskShape, is_preference: bool, clusters: tuple[Ints, Ints], values: Sequence[Values]) -> DataSizing | None:
    """What there is against what the job needs; None where there are no rows.

    Args:
        shape: of the answers.
        is_preference: the rows say which of two answers is better.
        clusters: for each row its question, with rephrasings counted once and then with copies alone counted once, (rows,) each.
        values: the labels, where the answers are labels.
    """
    if not len(clusters[0]):
        return None
    need = _PREFERENCE if is_preference else _NEEDS[shape]
    by_class = need.job == "classification"
    low, high = (_a_class(values[0], part) if by_class else len(np.unique(part)) for part in clusters)
    verdict, why = _judged(need, low, high)
    unique = len(np.unique(clusters[1]))
    return DataSizing(
        job=need.job,
        unit=need.unit,
        have_low=low,
        have_high=high,
        floor=need.floor,
        enough=need.enough,
        plenty=need.plenty,
        verdict=verdict,
        reasons=(f"{amount(low, high, need.unit)} for {need.job}: {verdict}", why, _curve_reason(unique)),
        learning_curve=learning_curve(unique),
    )


def amount(low: int, high: int, unit: str) -> str:
    """Two counts of a unit in words, or one where they are equal: `1 different pair`, `8 to 10 different pairs`."""
    said = unit if high != 1 else unit.replace("examples", "example").replace("pairs", "pair")
    return f"{low:,} {said}" if low == high else f"{low:,} to {high:,} {said}"


def learning_curve(examples: int) -> tuple[int, ...]:
    """Training sizes whose scores show what doubling the data brings."""
    return tuple(dict.fromkeys(max(1, round(share * examples)) for share in _CURVE_SHARES))


def items_to_see(gain: float, discordant_frac: float) -> int:
    """Test items from which a gain is seen in four of five cases, where that share of the items changes sides.

    Source: the normal approximation to McNemar's test at 5 % two-sided.
    """
    return math.ceil(_POWER_FACTOR * discordant_frac / gain**2)


def _judged(need: Need, low: int, high: int) -> tuple[Literal["too little", "a start", "enough", "more than needed"], str]:
    """Too little only where even the higher count is; enough only where the lower one is."""
    floor, enough, plenty = need.sources
    if high < need.floor:
        return "too little", floor
    if low < need.enough:
        return "a start", enough
    return ("more than needed", plenty) if low > need.plenty else ("enough", enough)


def _a_class(values: Values, clusters: Ints) -> int:
    """Different examples of the class in the middle; rare classes are judged one by one by `data.balance.labels`."""
    pairs = np.unique(np.stack([values.codes.astype(np.int64), clusters]), axis=1)
    return int(np.median(np.bincount(pairs[0], minlength=len(values.names))))


def _curve_reason(unique: int) -> str:
    sizes = ", ".join(f"{n:,}" for n in learning_curve(unique))
    items = items_to_see(GAIN, DISCORDANT_FRAC)
    return (
        f"whether more would help shows a learning curve: train on {sizes} of them against one frozen test; about {items} "
        f"test items show a gain of {round(100 * GAIN)} points"
    )
