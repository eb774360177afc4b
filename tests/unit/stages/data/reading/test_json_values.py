"""The fast parser reads and says what the strict one reads and says."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from truetune.stages.data.reading.json_values import parse, parse_strictly

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=4), inside, max_size=4),
    max_leaves=20,
)
_MARKS = list('{}[]:,"\\ \n\x00é\ufeff')
_PARTS = ['"a"', '"b"', '"\\\\"', '"\\"', '\\"', "\\\\", "\\u0041", "\\ud83d", "\\ude00", "null", "true", "NaN", "Infinity"]
_NUMBERS = ["1", "-0", "-0.0", "1e5", "1e400", "0.1", "9" * 17, "9" * 25]
pieces = st.sampled_from([*_MARKS, *_PARTS, *_NUMBERS])


def same(text: str) -> bool:
    fast, strict = parse(text, 3), parse_strictly(text, 3)
    # `repr` tells 1 from 1.0 and from True, and -0.0 from 0.
    return repr(fast) == repr(strict)


@given(values, st.booleans(), st.sampled_from([None, 1]))
def test_sound_json(value: object, ensure_ascii: bool, indent: int | None) -> None:
    assert same(json.dumps(value, ensure_ascii=ensure_ascii, indent=indent))


@given(st.lists(pieces, max_size=12).map("".join))
@example('{"a": 1, "a": 1}')
@example('{"a": "\\\\", "a": "\\\\"}')
@example('{"a": {"b": [{"c": {"d": 1, "d": 2}}]}}')
@example("[18446744073709551616, -9223372036854775809, 9007199254740993.0]")
def test_anything_like_json(text: str) -> None:
    assert same(text)


@given(st.text(st.characters(), max_size=200))
def test_any_text(text: str) -> None:
    assert same(text)


@pytest.mark.parametrize("depth", [10, 63, 64, 65, 200, 900, 2_000, 200_000])
def test_any_depth(depth: int) -> None:
    for text in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "[" * depth):
        assert same(text)
