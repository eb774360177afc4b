"""The kind of answer that the data asks for, found from the answers themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from truetune.core.records import TaskProfile, TaskShape
from truetune.stages.data.formats import detect_format
from truetune.stages.data.rows import Row
from truetune.stages.data.text import normalise, words

__all__ = ["Answer", "detect_format", "profile", "read_answer"]

JSON_FRAC = 0.9
"""Share of answers that must be JSON objects for a JSON task; leaves room for the broken answers that the gate is to find."""
SHORT_FRAC = 0.95
LABEL_WORDS, LABEL_CHARACTERS = 6, 60
"""A label is at most this long. Source: the longest of the 157 labels of CLINC150 and SNIPS has 4 words, 25 characters."""
EXACT_WORDS, EXACT_CHARACTERS = 8, 80
REPEATED_FRAC = 0.7
"""Share of rows whose answer another row gives too. Source: Poisson: 2 rows a label at random leave 14 % alone."""
CLOSED_VALUES_MAX = 50
CLOSED_ROWS_PER_VALUE = 3.0
"""A JSON field is closed (a choice, not free text) with at most so many values, each in so many rows on average."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in comparable form: `key` is equal where two answers are the same; `fields` where it is a JSON object."""

    key: str
    fields: Mapping[str, object] | None = None


def read_answer(text: str, shape: TaskShape) -> Answer:
    """An answer as it is compared: JSON by value, everything else by normalised text."""
    fields = _json_object(text) if shape == "json" else None
    if fields is None:
        return Answer(normalise(text))
    return Answer(json.dumps(fields, sort_keys=True, ensure_ascii=False), fields)


def profile(rows: Sequence[Row], shape: TaskShape | None = None) -> TaskProfile:
    """What the rows' answers are: JSON objects, a closed set of labels, short exact answers, or text.

    Args:
        rows: readable rows; none at all is `text`.
        shape: the shape where the user named it; labels and fields are still found from the rows.
    """
    answers = [row.answer.strip() for row in rows]
    if shape is None:
        shape, reason = _shape(answers)
    else:
        reason = "named in the config"
    if shape == "labels":
        return TaskProfile(shape=shape, labels=tuple(sorted(set(answers))), reason=reason)
    if shape == "json":
        return TaskProfile(shape=shape, json_fields=_json_fields(answers), reason=reason)
    return TaskProfile(shape=shape, reason=reason)


def _shape(answers: Sequence[str]) -> tuple[TaskShape, str]:
    total = len(answers)
    if not total:
        return "text", "there is no answer to tell by"
    objects = sum(answer.startswith("{") and _json_object(answer) is not None for answer in answers)
    if objects >= JSON_FRAC * total:
        return "json", f"{objects} of {total} answers are JSON objects"
    counts = Counter(map(normalise, answers))
    repeated = sum(n for n in counts.values() if n > 1)
    if _short_frac(answers, LABEL_WORDS, LABEL_CHARACTERS) >= SHORT_FRAC and repeated >= REPEATED_FRAC * total:
        return "labels", f"{total} short answers are {len(counts)} different ones"
    if _short_frac(answers, EXACT_WORDS, EXACT_CHARACTERS) >= SHORT_FRAC:
        return "exact", f"the answers are short and {len(counts)} of {total} are different"
    return "text", "the answers are free text"


def _short_frac(answers: Sequence[str], most_words: int, most_characters: int) -> float:
    return sum(len(a) <= most_characters and len(words(a)) <= most_words for a in answers) / len(answers)


def _json_object(text: str) -> dict[str, object] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _json_fields(answers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Fields that most objects have, in their order; with their values where these are a closed set, else empty."""
    objects = [value for value in map(_json_object, answers) if value is not None]
    names = Counter(name for value in objects for name in value)
    fields = {}
    for name in names:
        if names[name] >= len(objects) / 2:
            values = [value[name] for value in objects if name in value]
            fields[name] = _closed_values(values)
    return fields


def _closed_values(values: Sequence[object]) -> tuple[str, ...]:
    if any(isinstance(value, dict | list | float) for value in values):
        return ()
    written = {field_text(value) for value in values}
    closed = len(written) <= CLOSED_VALUES_MAX and len(values) >= CLOSED_ROWS_PER_VALUE * len(written)
    return tuple(sorted(written)) if closed else ()


def field_text(value: object) -> str:
    """A field's value as people write it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
