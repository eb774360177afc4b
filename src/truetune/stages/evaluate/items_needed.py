"""How many items would settle a question, if they fell out as the ones so far: what `not measured` should be followed by."""

from __future__ import annotations

from collections.abc import Callable

from truetune.core.records import Interval
from truetune.stages.evaluate.statistics import tango, wilson

MOST_ITEMS = 100_000
"""Beyond this nobody will collect items; the answer is then None."""


def for_rate(rate: float, n: int, bound: float, level: float) -> int | None:
    """Items in all until a rate of `rate` is certified to be at least `bound`; None where no number would do.

    Source: Wilson's lower bound at the two-sided `level`.
    """
    return _smallest(n, lambda items: wilson(rate, items, level).low >= bound)


def for_damage(better: int, worse: int, n: int, bound: float, level: float) -> int | None:
    """Items in all until the damage `(worse - better) / n` is certified to lie on one side of `bound`.

    Source: Tango's interval at the two-sided `level`, with the share of pairs that disagree held.
    """

    def settled(items: int) -> bool:
        interval = _scaled(worse, better, n, items, level)
        return interval.high <= bound or interval.low > bound

    return _smallest(n, settled)


def for_gain(better: int, worse: int, n: int, level: float) -> int | None:
    """Items in all until the gain `(better - worse) / n` is real, that is, its interval leaves 0 out."""

    def settled(items: int) -> bool:
        interval = _scaled(better, worse, n, items, level)
        return interval.low > 0 or interval.high < 0

    return _smallest(n, settled)


def for_spread(distance: float, half_width: float, n: int) -> int | None:
    """Items in all until an interval that now reaches `half_width` to that side reaches no farther than `distance`.

    Source: widths shrink with the square root of n.
    """
    if distance <= 0 or half_width <= 0:
        return None
    items = max(n + 1, round(n * (half_width / distance) ** 2))
    return items if items <= MOST_ITEMS else None


def _scaled(plus: int, minus: int, n: int, items: int, level: float) -> Interval:
    return tango(plus * items / n, minus * items / n, items, level)


def _smallest(n: int, settled: Callable[[int], bool]) -> int | None:
    """The smallest number above `n` at which `settled` holds, by doubling and halving."""
    low, high = n, max(2, 2 * n)
    while not settled(high):
        if high >= MOST_ITEMS:
            return None
        low, high = high, min(MOST_ITEMS, 2 * high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if settled(middle) else (middle, high)
    return high
