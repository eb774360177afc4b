"""The report's charts: server-side SVG with titles, units and numbers that one can read, in any width.

Nothing is told by colour alone: candidates have shapes, lines have dashes and dots, states have icons and words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from truetune.core.units import plural
from truetune.report import wording
from truetune.report.svg import across, join, picture, share, stretched, tag, ticks

Point = tuple[float, float]
Shape = Literal["circle", "diamond", "square", "triangle"]
SHAPES: dict[str, Shape] = {
    "base_model": "circle",
    "few_shot_base": "diamond",
    "tuned_adapter": "square",
    "merged_model": "triangle",
}
_MOST_POINTS = 300
_FLOW_PX = 230
_SLOT_PX = 23


@dataclass(frozen=True)
class Series:
    """One curve: `line` is drawn through, `dots` is dashed with a mark at each point."""

    name: str
    points: tuple[Point, ...]
    style: Literal["line", "dots"] = "line"


@dataclass(frozen=True)
class Axis:
    """What an axis measures, and how its numbers are written."""

    label: str
    write: Callable[[float], str] = wording.number


@dataclass(frozen=True)
class Dot:
    """One candidate's value with its interval; without a value, `reason` says why."""

    name: str
    candidate: str
    value: float | None
    low: float | None
    high: float | None
    text: str
    reason: str = ""


@dataclass(frozen=True)
class Bar:
    """One bar: its length, what is written beside it, and which of the looks it has."""

    name: str
    value: float
    text: str
    css: str = "bar-a"


@dataclass(frozen=True)
class Margin:
    """A criterion's distance to its bound; positive is on the good side. `own_scale` where its unit is not percent."""

    name: str
    state: str
    value: float | None
    low: float | None
    high: float | None
    text: str


@dataclass(frozen=True)
class Ribbon:
    """So many rows from one file to one place."""

    source: str
    target: str
    rows: int
    dropped: bool


def mark(shape: Shape, x: str, y: float, css: str) -> Markup:
    """A candidate's mark, centred on a position across the picture."""
    paths = {
        "diamond": "M0-7 7 0 0 7-7 0z",
        "square": "M-5.5-5.5h11v11h-11z",
        "triangle": "M0-6.5 6.8 5.5H-6.8z",
        "circle": "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0z",
    }
    return tag("svg", tag("path", d=paths[shape], class_=f"mark {css}"), x=x, y=float(y), overflow="visible")


# --- curves over steps ----------------------------------------------------------------------------------------------


def line_chart(key: str, title: str, series: Sequence[Series], x: Axis, y: Axis) -> Markup:
    """Curves over a common x; values that are not finite are marked at the top edge instead of being left out."""
    finite = [p for s in series for p in s.points if math.isfinite(p[1])]
    height = 190.0
    right = max((p[0] for s in series for p in s.points), default=1.0)
    top = max((p[1] for p in finite), default=1.0) * 1.06 or 1.0
    low = min(0.0, min((p[1] for p in finite), default=0.0))
    body = [
        *_y_grid(low, top, height, y.write),
        *_x_ticks(0.0, right, height, x.write),
        *(_curve(s, i, (right, low, top), height) for i, s in enumerate(series)),
        _not_finite(series, right),
        tag("text", y.label, x="-52", y="-14", class_="axis-label"),
        tag("text", x.label, x="100%", y=height + 36, class_="axis-label", text_anchor="end"),
    ]
    return picture(key, title, _describe_curves(series, x, y), body, height=height, css="lines")


def _y_grid(low: float, high: float, height: float, write: Callable[[float], str]) -> list[Markup]:
    parts = []
    for value in ticks(low, high):
        down = height * (1 - share(value, low, high))
        parts.append(tag("line", x1="0", x2="100%", y1=down, y2=down, class_="grid"))
        parts.append(tag("text", write(value), x="-8", y=down + 4, class_="tick", text_anchor="end"))
    return parts


def _x_ticks(low: float, high: float, height: float, write: Callable[[float], str]) -> list[Markup]:
    return [
        tag("text", write(v), x=across(share(v, low, high)), y=height + 18, class_="tick", text_anchor="middle")
        for v in ticks(low, high)
    ]


def _curve(series: Series, index: int, box: tuple[float, float, float], height: float) -> Markup:
    right, low, top = box
    points = [p for p in _thinned(series.points) if math.isfinite(p[1])]
    places = [(share(x, 0.0, right), height * (1 - share(y, low, top))) for x, y in points]
    path = " ".join(f"{1000 * a:.1f},{b:.1f}" for a, b in places)
    line = stretched(
        height, tag("polyline", points=path, class_=f"curve curve-{index} {series.style}", vector_effect="non-scaling-stroke")
    )
    few = series.style == "dots" or len(places) == 1
    dots = [tag("circle", cx=across(a), cy=b, r=4, class_=f"dot dot-{index}") for a, b in places] if few else []
    return join([line, *dots])


def _thinned(points: tuple[Point, ...]) -> list[Point]:
    """At most a few hundred points: the mean of each run of neighbours, so that no step is left out of sight."""
    width = math.ceil(len(points) / _MOST_POINTS)
    if width <= 1:
        return list(points)
    runs = [points[i : i + width] for i in range(0, len(points), width)]
    return [(run[-1][0], sum(p[1] for p in run) / len(run)) for run in runs]


def _not_finite(series: Sequence[Series], right: float) -> Markup:
    bad = [p for s in series for p in s.points if not math.isfinite(p[1])][:40]
    return join(tag("text", "✕", x=across(share(p[0], 0.0, right)), y=12, class_="bad-point", text_anchor="middle") for p in bad)


def _describe_curves(series: Sequence[Series], x: Axis, y: Axis) -> str:
    parts = [f"{y.label} over {x.label}."]
    for s in series:
        if s.points:
            lowest = min((p[1] for p in s.points if math.isfinite(p[1])), default=math.nan)
            ends = f"{y.write(s.points[0][1])} at first, {y.write(s.points[-1][1])} at last"
            parts.append(f"{s.name}: {ends}, lowest {y.write(lowest)}, {plural(len(s.points), 'point')}.")
    return " ".join(parts)


# --- values with intervals ------------------------------------------------------------------------------------------


def dot_plot(key: str, title: str, dots: Sequence[Dot], axis: Axis, domain: tuple[float, float] = (0.0, 1.0)) -> Markup:
    """One line a candidate: its name, its value in words, and its mark with the interval on a common scale."""
    row, height = 46.0, 46.0 * len(dots)
    grid = []
    for value in ticks(*domain, about=4):
        place = across(share(value, *domain))
        anchor = "start" if value <= domain[0] else "end" if value >= domain[1] else "middle"
        grid.append(tag("line", x1=place, x2=place, y1=0, y2=height, class_="grid"))
        grid.append(tag("text", axis.write(value), x=place, y=height + 16, class_="tick", text_anchor=anchor))
    lines = [_dot_line(dot, row * i, domain) for i, dot in enumerate(dots)]
    label = tag("text", axis.label, x="0", y=height + 33, class_="axis-label")
    words = " ".join(f"{d.name}: {d.text if d.value is not None else 'not measured, ' + d.reason}." for d in dots)
    return picture(key, title, f"{axis.label}. {words}", [*grid, *lines, label], height=height + 38, css="dots")


def _dot_line(dot: Dot, top: float, domain: tuple[float, float]) -> Markup:
    css = f"c-{dot.candidate}"
    head = tag("text", dot.name, x="0", y=top + 16, class_="name")
    if dot.value is None:
        band = tag("rect", x="0", y=top + 24, width="100%", height=12, rx=3, class_="unmeasured")
        return join([head, tag("text", "not measured", x="100%", y=top + 16, class_="value", text_anchor="end"), band])
    value = tag("text", dot.text, x="100%", y=top + 16, class_="value", text_anchor="end")
    low = share(dot.low if dot.low is not None else dot.value, *domain)
    high = share(dot.high if dot.high is not None else dot.value, *domain)
    y = top + 30
    whisker = [
        tag("line", x1=across(low), x2=across(high), y1=y, y2=y, class_=f"whisker {css}"),
        *(tag("line", x1=across(e), x2=across(e), y1=y - 5, y2=y + 5, class_=f"whisker cap {css}") for e in (low, high)),
    ]
    return join([head, value, *whisker, mark(SHAPES.get(dot.candidate, "circle"), across(share(dot.value, *domain)), y, css)])


def forest_row(key: str, margin: Margin, domain: tuple[float, float]) -> Markup:
    """One criterion against its bound: the bound is the vertical line, right of it is the good side."""
    height, middle = 34.0, 17.0
    bound = share(0.0, *domain)
    parts = [
        tag("rect", x=across(bound), y=3, width=across(1 - bound), height=height - 6, class_="good-side"),
        tag("line", x1=across(bound), x2=across(bound), y1=0, y2=height, class_="bound"),
    ]
    if margin.value is None:
        parts.insert(0, tag("rect", x="0", y=11, width="100%", height=12, rx=3, class_="unmeasured"))
    else:
        low, high = (share(v if v is not None else margin.value, *domain) for v in (margin.low, margin.high))
        css = f"s-{margin.state}"
        parts.append(tag("line", x1=across(low), x2=across(high), y1=middle, y2=middle, class_=f"whisker {css}"))
        parts.append(_state_mark(margin.state, across(share(margin.value, *domain)), middle))
    return picture(key, margin.name, margin.text, parts, height=height, css="forest")


def forest_axis(domain: tuple[float, float]) -> Markup:
    """The scale of all forest rows: distance to the bound in percentage points."""
    parts = []
    for value in ticks(*domain, about=4):
        text = "bound" if value == 0 else wording.points(value, 0).replace(f"{wording.THIN}pt", "")
        at = share(value, *domain)
        anchor = "start" if at < 0.06 else "end" if at > 0.94 else "middle"
        parts.append(tag("text", text, x=across(at), y=12, class_="tick", text_anchor=anchor))
    return tag("svg", *parts, width="100%", height=16, class_="chart forest-axis", aria_hidden="true")


def _state_mark(state: str, x: str, y: float) -> Markup:
    shapes = {
        "met": tag("circle", r=6, class_="mark s-met"),
        "broken": tag("path", d="M-5-5 5 5M5-5-5 5", class_="cross s-broken"),
    }
    shape = shapes.get(state, tag("circle", r=5.5, class_="ring s-not_measured"))
    return tag("svg", shape, x=x, y=float(y), overflow="visible")


# --- bars -----------------------------------------------------------------------------------------------------------


def bars(key: str, title: str, rows: Sequence[Bar], axis: str) -> Markup:
    """Horizontal bars from a common zero, with the name and the value written above each."""
    longest = max((r.value for r in rows), default=0.0)
    parts = []
    for i, bar in enumerate(rows):
        top = 38.0 * i
        parts.append(tag("text", bar.name, x="0", y=top + 14, class_="name"))
        parts.append(tag("text", bar.text, x="100%", y=top + 14, class_="value", text_anchor="end"))
        parts.append(tag("rect", x="0", y=top + 21, width="100%", height=8, rx=2, class_="track"))
        parts.append(tag("rect", x="0", y=top + 21, width=across(share(bar.value, 0.0, longest)), height=8, rx=2, class_=bar.css))
    words = " ".join(f"{r.name}: {r.text}." for r in rows)
    return picture(key, title, f"{axis}. {words}", parts, height=38.0 * len(rows), css="bars")


def histogram(key: str, title: str, values: Sequence[int], axis: str) -> Markup:
    """How many of the values lie in each of at most 24 equal ranges; the last also holds the longest hundredth."""
    ordered = sorted(values)
    low, high = ordered[0], max(ordered[0] + 1, ordered[max(0, math.ceil(0.99 * len(ordered)) - 1)])
    bins = _binned(ordered, low, high)
    height, top = 190.0, float(max(bins)) * 1.05
    median = ordered[len(ordered) // 2]
    at = share(median, low, high)
    near_end = at > 0.7
    words = f"Median {median:,}, 99 of 100 at most {high:,}, longest {ordered[-1]:,}."
    body = [
        *_y_grid(0.0, top, height, lambda v: f"{v:,.0f}" if v == int(v) else ""),
        *_x_ticks(float(low), float(high), height, wording.number),
        *_columns(bins, (low, high), top, height),
        tag("line", x1=across(at), x2=across(at), y1=-8, y2=height, class_="median"),
        tag(
            "text",
            f"median {median:,}",
            x=across(at),
            dx=-6 if near_end else 6,
            y=0,
            class_="tick strong",
            text_anchor="end" if near_end else "start",
        ),
        tag("text", "rows", x="-52", y="-14", class_="axis-label"),
        tag("text", axis, x="100%", y=height + 36, class_="axis-label", text_anchor="end"),
    ]
    return picture(key, title, f"{axis}, {plural(len(ordered), 'row')}. {words}", body, height=height, css="lines")


def _binned(ordered: Sequence[int], low: int, high: int) -> list[int]:
    bins = [0] * min(24, max(4, len(set(ordered))))
    for value in ordered:
        bins[min(len(bins) - 1, int(len(bins) * (value - low) / (high - low)))] += 1
    return bins


def _columns(bins: Sequence[int], ends: tuple[int, int], top: float, height: float) -> list[Markup]:
    count, (low, high) = len(bins), ends
    columns = []
    for i, rows in enumerate(bins):
        tall = height * rows / top
        reach = f"{low + (high - low) * i / count:.0f} to {low + (high - low) * (i + 1) / count:.0f}: {rows:,}"
        x, width = across(i / count + 0.002), across(1 / count - 0.004)
        columns.append(tag("rect", tag("title", reach), x=x, y=height - tall, width=width, height=tall, class_="bar-a"))
    return columns


# --- flow of rows ---------------------------------------------------------------------------------------------------


def flow(key: str, title: str, ribbons: Sequence[Ribbon]) -> Markup:
    """Rows from files on the left to where each went on the right; a ribbon is as thick as it has rows."""
    sources = list(dict.fromkeys(r.source for r in ribbons))
    targets = list(dict.fromkeys(r.target for r in ribbons))
    total = sum(r.rows for r in ribbons)
    into = {t: sum(r.rows for r in ribbons if r.target == t) for t in targets}
    out = {s: sum(r.rows for r in ribbons if r.source == s) for s in sources}
    scale = _FLOW_PX / max(1, total)
    right, height = _stack(targets, into, scale)
    left, left_height = _stack(sources, out, scale)
    height = max(height, left_height)
    left = {name: y + (height - left_height) / 2 for name, y in left.items()}
    dropped = {r.target for r in ribbons if r.dropped}
    body = [
        stretched(height, *_ribbons(ribbons, left, right, scale)),
        *(_node(s, out[s], left[s], scale, "source") for s in sources),
        *(_node(t, into[t], right[t], scale, "dropped" if t in dropped else "kept") for t in targets),
    ]
    words = " ".join(f"{r.rows:,} from {r.source} to {r.target}." for r in ribbons)
    return picture(key, title, f"{total:,} rows in. {words}", body, height=height, css="flow")


def _stack(names: Sequence[str], rows: dict[str, int], scale: float) -> tuple[dict[str, float], float]:
    tops, y = {}, 0.0
    for name in names:
        tops[name] = y
        y += max(_SLOT_PX, rows[name] * scale + 6)
    return tops, y


def _ribbons(ribbons: Sequence[Ribbon], left: dict[str, float], right: dict[str, float], scale: float) -> list[Markup]:
    left, right = dict(left), dict(right)
    parts = []
    for r in ribbons:
        thick = max(1.2, r.rows * scale)
        a, b = left[r.source], right[r.target]
        left[r.source] += r.rows * scale
        right[r.target] += r.rows * scale
        there = f"M0 {a:.1f}C420 {a:.1f} 580 {b:.1f} 1000 {b:.1f}"
        back = f"V{b + thick:.1f}C580 {b + thick:.1f} 420 {a + thick:.1f} 0 {a + thick:.1f}z"
        parts.append(
            tag(
                "path",
                tag("title", f"{r.rows:,} rows: {r.source} → {r.target}"),
                d=there + back,
                class_=f"ribbon {'dropped' if r.dropped else 'kept'}",
            )
        )
    return parts


def _node(name: str, rows: int, top: float, scale: float, kind: str) -> Markup:
    thick = max(3.0, rows * scale)
    is_source = kind == "source"
    x, anchor, dx = ("0", "start", 12) if is_source else ("100%", "end", -12)
    bar = tag(
        "rect",
        x="0" if is_source else "100%",
        transform=None if is_source else "translate(-5)",
        y=top,
        width=5,
        height=thick,
        class_=f"node {kind}",
    )
    label = tag(
        "text",
        tag("tspan", name),
        " ",
        tag("tspan", f"{rows:,}", class_="strong"),
        x=x,
        dx=dx,
        y=top + max(thick, 22) / 2 + 4,
        text_anchor=anchor,
        class_="node-label",
    )
    return join([bar, label])
