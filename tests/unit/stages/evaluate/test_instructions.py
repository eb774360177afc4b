"""Rules that a machine can check; an output that was cut off decides only what more text could not change."""

from __future__ import annotations

import pytest

from truetune.stages.evaluate.instructions import followed
from truetune.stages.evaluate.suites import Rule


@pytest.mark.parametrize(
    ("kind", "value", "output", "whole", "cut"),
    [
        ("max_words", 3, "one two three", True, None),
        ("max_words", 3, "one two three four", False, False),
        ("min_words", 3, "one two three", True, True),
        ("min_words", 3, "one two", False, None),
        ("contains", "yeast", "The Yeast works", True, True),
        ("contains", "42", "It is 142", False, None),
        ("not_contains", "big", "A large dog", True, None),
        ("not_contains", "big", "A big dog", False, False),
        ("starts_with", "Dear Sam", "dear sam, hello", True, True),
        ("starts_with", "Dear Sam", "Hello Sam, dear", False, False),
        ("starts_with", "Dear Sam", "De", False, None),
        ("ends_with", "The end.", "So it was. The end.", True, None),
        ("ends_with", "The end.", "So it was.", False, None),
        ("bullet_count", 2, "- a\n- b", True, None),
        ("bullet_count", 2, "- a\n- b\n- c", False, False),
        ("numbered_count", 2, "1. a\n2) b", True, None),
        ("uppercase", None, "LOUD", True, None),
        ("uppercase", None, "Loud", False, False),
        ("uppercase", None, "42", False, False),
        ("lowercase", None, "quiet words.", True, None),
        ("max_words", 3, "", False, None),
        ("not_contains", "big", "  ", False, None),
    ],
)
def test_rule(kind: str, value: int | str | None, output: str, whole: bool, cut: bool | None) -> None:
    rule = Rule(type=kind, value=value)  # type: ignore[arg-type]
    assert followed(rule, output, True) is whole
    assert followed(rule, output, False) is cut
