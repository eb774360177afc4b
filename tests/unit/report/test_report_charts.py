"""Charts draw what they are given, in any width, and say it in words too."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from truetune.report import charts
from truetune.report.charts import Axis, Bar, Dot, Margin, Ribbon, Series
from truetune.report.svg import share, tag, ticks

finite = st.floats(-1e9, 1e9, allow_nan=False)


@given(finite, st.floats(1e-6, 1e9), st.integers(1, 10))
def test_ticks_are_round_ordered_and_within(low: float, width: float, about: int) -> None:
    high = low + width
    if high <= low:
        return
    values = ticks(low, high, about)
    assert values == sorted(values)
    assert len(values) <= 2 * about + 3
    slack = 1e-6 * max(1.0, width, abs(low))
    assert all(low - slack <= v <= high + slack for v in values)


@given(finite, finite, finite)
def test_a_share_never_leaves_the_picture(value: float, one: float, other: float) -> None:
    assert 0.0 <= share(value, min(one, other), max(one, other)) <= 1.0


@given(st.text(), st.text())
def test_svg_text_and_attributes_are_data_only(text: str, attribute: str) -> None:
    assert re.fullmatch(r'<text data-x="[^"<>]*">[^<>]*</text>', str(tag("text", text, data_x=attribute)), re.DOTALL)


def test_a_curve_passes_through_its_points_and_says_its_ends() -> None:
    svg = charts.line_chart("k", "Loss", [Series("training", ((0, 2.0), (10, 1.0)))], Axis("step"), Axis("loss, nats"))
    root = ElementTree.fromstring(svg)
    points = next(e.get("points") for e in root.iter("polyline"))
    (x0, y0), (x1, y1) = ([float(n) for n in p.split(",")] for p in str(points).split())
    assert (x0, x1) == (0, 1000) and y0 < y1
    assert "2 at first, 1 at last" in root[1].text  # type: ignore[operator]
    assert {"loss, nats", "step"} <= {e.text for e in root.iter("text")}


def test_losses_that_are_not_finite_are_marked_not_dropped() -> None:
    svg = charts.line_chart(
        "k", "Loss", [Series("training", ((0, 2.0), (1, math.nan), (2, math.inf)))], Axis("step"), Axis("loss")
    )
    assert svg.count("✕") == 2
    assert "nan" not in str(next(ElementTree.fromstring(svg).iter("polyline")).get("points"))


def test_a_long_training_is_thinned_without_losing_its_end() -> None:
    points = tuple((float(i), 1.0) for i in range(10_001))
    svg = charts.line_chart("k", "Loss", [Series("training", points)], Axis("step"), Axis("loss"))
    drawn = str(next(ElementTree.fromstring(svg).iter("polyline")).get("points")).split()
    assert len(drawn) <= 300 and drawn[-1].startswith("1000.0,")


def test_a_value_that_was_not_measured_is_a_hatched_band_and_never_a_zero() -> None:
    svg = charts.dot_plot("k", "Score", [Dot("Base", "base_model", None, None, None, "–", "no suite")], Axis("share"))
    assert "unmeasured" in svg and "not measured, no suite" in svg and "mark" not in svg


def test_candidates_differ_in_shape_not_only_in_colour() -> None:
    dots = [Dot(name, name, 0.5, 0.4, 0.6, "50 %") for name in charts.SHAPES]
    root = ElementTree.fromstring(charts.dot_plot("k", "Score", dots, Axis("share")))
    assert len({e.get("d") for e in root.iter("path")}) == 4


def test_forest_marks_differ_by_state() -> None:
    rows = {
        s: charts.forest_row("k", Margin("x", s, 0.1, 0.05, 0.2, "words"), (-0.5, 0.5)) for s in ("met", "broken", "not_measured")
    }
    shapes = {s: re.search(r'class="(mark|cross|ring) ', svg).group(1) for s, svg in rows.items()}  # type: ignore[union-attr]
    assert shapes == {"met": "mark", "broken": "cross", "not_measured": "ring"}


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=200))
def test_a_histogram_counts_every_value(values: list[int]) -> None:
    root = ElementTree.fromstring(charts.histogram("k", "Lengths", values, "characters"))
    counts = [int(str(e[0].text).rsplit(": ", 1)[1].replace(",", "")) for e in root.iter("rect")]
    assert sum(counts) == len(values)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["train", "test", "dup"]), st.integers(1, 10_000)),
        min_size=1,
        max_size=6,
    )
)
def test_a_flow_labels_never_lie_on_each_other(edges: list[tuple[str, str, int]]) -> None:
    root = ElementTree.fromstring(charts.flow("k", "Rows", [Ribbon(s, t, n, t == "dup") for s, t, n in edges]))
    labels = [(e.get("text-anchor"), float(str(e.get("y")))) for e in root.iter("text")]
    for side in ("start", "end"):
        places = sorted(y for anchor, y in labels if anchor == side)
        assert all(b - a >= 16 for a, b in pairwise(places))
        assert all(0 <= y <= float(str(root.get("height"))) for y in places)


def test_bars_start_at_zero_and_the_longest_fills_the_width() -> None:
    root = ElementTree.fromstring(charts.bars("k", "Time", [Bar("a", 1, "1 s"), Bar("b", 4, "4 s")], "seconds"))
    widths = [e.get("width") for e in root.iter("rect") if e.get("class") == "bar-a"]
    assert widths == ["25.00%", "100.00%"]
