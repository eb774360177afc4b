"""A text as a finding shows it, with the places that matter still marked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from truetune.stages.data.checks.contradictions.marks import marked_excerpt


def parts(text: str, *marked: str, limit: int = 160) -> tuple[str, list[str]]:
    spans = [(text.index(part), text.index(part) + len(part)) for part in marked]
    shown, places = marked_excerpt(text, spans, limit)
    return shown, [shown[start:end] for start, end in places]


def test_a_short_text_is_shown_on_one_line_and_its_places_move_along() -> None:
    assert parts("one\n\n two  three", "two", "three") == ("one two three", ["two", "three"])


def test_a_long_text_is_cut_around_the_first_place() -> None:
    shown, marked = parts("word " * 200 + "HERE " + "more " * 200, "HERE", limit=80)
    assert marked == ["HERE"] and len(shown) < 90 and shown.startswith("… ") and shown.endswith(" …")


def test_of_equal_parts_the_right_one_is_marked() -> None:
    text = "9 of 9 and 9 again"
    shown, places = marked_excerpt(text, [(5, 6)])
    assert shown == text and places == [(5, 6)]


def test_a_masked_place_is_not_marked() -> None:
    shown, marked = parts("please write to someone@example.org today", "someone@example.org")
    assert "someone@" not in shown and marked == []


@given(st.text(max_size=400), st.data())
def test_marks_always_lie_in_what_is_shown(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    shown, places = marked_excerpt(text, [(start, end)], 60)
    assert all(0 <= a < b <= len(shown) for a, b in places)
