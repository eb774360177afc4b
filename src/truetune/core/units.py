"""Numbers as people read them, the same in every sentence, report and terminal line."""

from __future__ import annotations


def percent(frac: float) -> str:
    """A share in percent, without decimals that say nothing: `91 %`, `0.4 %`."""
    value = round(frac * 100, 1)
    return f"{value + 0.0:.0f} %" if value == round(value) else f"{value:.1f} %"


def points(difference: float) -> str:
    """A difference of two shares in percentage points, with its sign: `+12.5 points`."""
    value = round(difference * 100, 1) + 0.0
    return f"{value:+.0f} points" if value == round(value) else f"{value:+.1f} points"
