"""SVG by hand: elements whose text and attributes are always escaped, and scales with round ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable

from markupsafe import Markup, escape

Attribute = str | float | None


def tag(name: str, *children: str | Markup, **attributes: Attribute) -> Markup:
    """One element. Children that are not Markup are escaped; `_` in attribute names is `-`; None leaves one out."""
    parts = [
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"' for key, value in attributes.items() if value is not None
    ]
    inner = "".join(escape(child) for child in children)
    return Markup(f"<{name}{''.join(parts)}>{inner}</{name}>")


def join(parts: Iterable[Markup]) -> Markup:
    """Elements one after the other."""
    return Markup("").join(parts)


def picture(key: str, title: str, description: str, body: Iterable[Markup], *, height: float, css: str = "") -> Markup:
    """A whole picture with its title and description for those who do not see it.

    Positions inside are percent across and pixels down, so that it fills any width with text of one size.
    """
    return tag(
        "svg",
        tag("title", title, id=f"{key}-title"),
        tag("desc", description, id=f"{key}-desc"),
        *body,
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        class_=f"chart {css}".strip(),
        width="100%",
        height=height,
    )


def stretched(height: float, *body: Markup) -> Markup:
    """A part whose x runs from 0 to 1000 over the whole width; for shapes, not for text."""
    return tag(
        "svg", *body, x="0", y="0", width="100%", height=height, viewBox=f"0 0 1000 {height:g}", preserveAspectRatio="none"
    )


def share(value: float, low: float, high: float) -> float:
    """Where a value lies between two ends, as 0 to 1; beyond them it stays at the end."""
    if high <= low:
        return 0.5
    return min(1.0, max(0.0, (value - low) / (high - low)))


def across(fraction: float) -> str:
    """A position across the picture."""
    return f"{100 * fraction:.2f}%"


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) from `low` to `high`, about so many."""
    if high <= low:
        return [low]
    raw = (high - low) / max(1, about)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _text(value: str | float | None) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
