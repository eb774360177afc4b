"""Numbers as people read them, the same in every sentence, report and terminal line."""

from __future__ import annotations


def percent(frac: float) -> str:
    """A share in percent, without decimals that say nothing: `91 %`, `0.4 %`."""
    value = round(frac * 100, 1)
    return f"{value + 0.0:.0f} %" if value == round(value) else f"{value:.1f} %"


def points(difference: float) -> str:
    """A difference of two shares in percentage points, with its sign: `+12.5 points`."""
    return f"{_signed(difference)} points"


def points_between(low: float, high: float) -> str:
    """An interval of differences: `-1 to +12.5 points`."""
    return f"{_signed(low)} to {_signed(high)} points"


def p_value(value: float) -> str:
    """A p-value, never as 0: `p = 0.034`, `p < 0.001`."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def readable_bytes(size_bytes: float) -> str:
    """A size in GiB, or in MiB below half a GiB: `3.2 GiB`, `140 MiB`."""
    gib = size_bytes / (1 << 30)
    return f"{gib:.1f} GiB" if abs(gib) >= 0.5 else f"{size_bytes / (1 << 20):.0f} MiB"


def _signed(difference: float) -> str:
    value = round(difference * 100, 1) + 0.0
    return f"{value:+.0f}" if value == round(value) else f"{value:+.1f}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 row`, `2 rows`, `1,200 rows`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
