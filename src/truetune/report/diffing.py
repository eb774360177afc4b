"""Two texts side by side with the part that differs marked."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_MOST_PAIRS = 100_000
"""Pairs of equal words between the sides, which is what the comparison costs: a model in a loop repeats one word for ever."""


@dataclass(frozen=True)
class Segment:
    """A piece of a text; `differs` where the other side has something else."""

    text: str
    differs: bool = False


@dataclass(frozen=True)
class Field:
    """One field of a JSON answer; `differs` where the other answers have another value, or none."""

    name: str
    value: str
    differs: bool


def word_diff(before: str, after: str) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Both texts cut into pieces that are the same and pieces that differ; joined again, each gives its text back."""
    left, right = _WORDS.findall(before), _WORDS.findall(after)
    if _equal_pairs(left, right) > _MOST_PAIRS:
        same = before == after
        return (Segment(before, not same),), (Segment(after, not same),)
    lefts: list[Segment] = []
    rights: list[Segment] = []
    for kind, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        _add(lefts, "".join(left[a:b]), kind != "equal")
        _add(rights, "".join(right[c:d]), kind != "equal")
    return tuple(lefts), tuple(rights)


def fields_of(answers: list[str]) -> list[tuple[Field, ...]] | None:
    """Each answer as fields with the differing ones marked, or None where an answer is not a JSON object."""
    objects = [_object(answer) for answer in answers]
    whole = [o for o in objects if o is not None]
    if len(whole) < len(answers):
        return None
    names = list(dict.fromkeys(name for o in whole for name in o))
    differing = {name for name in names if len({o.get(name, "(missing)") for o in whole}) > 1}
    return [tuple(Field(n, o.get(n, "(missing)"), n in differing) for n in names) for o in whole]


def _equal_pairs(left: list[str], right: list[str]) -> int:
    counts = Counter(right)
    return sum(n * counts[word] for word, n in Counter(left).items())


def _object(answer: str) -> dict[str, str] | None:
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):  # a model that repeats `[` nests deeper than the parser goes
        return None
    if not isinstance(value, dict):
        return None
    return {str(k): json.dumps(v, ensure_ascii=False) for k, v in value.items()}


def _add(segments: list[Segment], text: str, differs: bool) -> None:
    if text:
        segments.append(Segment(text, differs))
