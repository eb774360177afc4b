"""The kind of answer that the data asks for, found from the answers themselves."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from truetune.core.records import TaskProfile, TaskShape
from truetune.core.text import normalise, words
from truetune.stages.data.rows.row import Row

JSON_FRAC = 0.9
"""Share of answers that must be JSON objects for a JSON task; leaves room for the broken answers that the gate is to find."""
SHORT_FRAC = 0.95
LABEL_WORDS, LABEL_CHARACTERS = 6, 60
"""A label is at most this long. Source: the longest of the 157 labels of CLINC150 and SNIPS has 4 words, 25 characters."""
EXACT_WORDS, EXACT_CHARACTERS = 8, 80
REPEATED_FRAC = 0.7
"""Share of rows whose answer another row gives too. Source: Poisson: 2 rows a label at random leave 14 % alone."""
REST_ROWS_MIN, REST_REPEATED_FRAC = 20, 0.3
"""One answer that is given very often makes no labels of the others: of so many rows without it, this share must repeat too.
Source: measured: 0.49 of 100 rows of CLINC150, which are fewer than its 150 labels; free answers of SNIPS 0.02."""
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
    fields = json_object(text) if shape == "json" else None
    if fields is None:
        return Answer(normalise(text))
    return Answer(json.dumps(fields, sort_keys=True, ensure_ascii=False), fields)


def profile(rows: Iterable[Row], shape: TaskShape | None = None, answer_schema: str = "") -> TaskProfile:
    """What the rows' answers are: JSON objects, a closed set of labels, short exact answers, or text.

    Args:
        rows: readable rows, looked at several times; none at all is `text`.
        shape: the shape where the user named it; labels and fields are still found from the rows.
        answer_schema: the JSON schema that the user declares, empty where there is none; it makes a JSON task.
    """
    if any(row.negatives or row.desirable is not None for row in rows):
        return TaskProfile(shape="text", reason="the rows compare or judge texts: no single answer is asked for")
    if shape is None and answer_schema:
        shape, reason = "json", "a JSON schema is declared"
    elif shape is None:
        shape, reason = _shape(row.answer.strip() for row in rows)
    else:
        reason = "named in the config"
    if shape == "labels":
        return TaskProfile(shape=shape, labels=tuple(sorted({row.answer.strip() for row in rows})), reason=reason)
    fields = _json_fields(row.answer.strip() for row in rows) if shape == "json" else {}
    return TaskProfile(shape=shape, json_fields=fields, reason=reason, answer_schema=answer_schema)


def _shape(answers: Iterable[str]) -> tuple[TaskShape, str]:
    total = objects = as_label = as_exact = 0
    keys = array("q")
    for answer in answers:
        total += 1
        objects += answer.startswith("{") and json_object(answer) is not None
        as_label += _is_short(answer, LABEL_WORDS, LABEL_CHARACTERS)
        as_exact += _is_short(answer, EXACT_WORDS, EXACT_CHARACTERS)
        # A number an answer: only how many are equal counts, and not even that for long ones in other spelling.
        keys.append(hash(normalise(answer) if len(answer) <= EXACT_CHARACTERS else answer))
    if not total:
        return "text", "there is no answer to tell by"
    if objects >= JSON_FRAC * total:
        return "json", f"{objects} of {total} answers are JSON objects"
    counts = np.unique(np.frombuffer(keys, dtype=np.int64), return_counts=True)[1]
    if as_label >= SHORT_FRAC * total and _is_repeated(counts):
        return "labels", f"{total} short answers are {len(counts)} different ones"
    if as_exact >= SHORT_FRAC * total:
        return "exact", f"the answers are short and {len(counts)} of {total} are different"
    return "text", "the answers are free text"


def _is_repeated(counts: npt.NDArray[np.int64]) -> bool:
    """Are most answers given by several rows, the commonest one aside?"""
    rest = np.delete(counts, counts.argmax())
    repeats = [int(of[of > 1].sum()) for of in (counts, rest)]
    few = rest.sum() < REST_ROWS_MIN
    return repeats[0] >= REPEATED_FRAC * counts.sum() and bool(few or repeats[1] >= REST_REPEATED_FRAC * rest.sum())


def _is_short(answer: str, most_words: int, most_characters: int) -> bool:
    return len(answer) <= most_characters and len(words(answer)) <= most_words


def json_object(text: str) -> dict[str, object] | None:
    """The JSON object that a text is; None where it is anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class _Field:
    """The values of one field, as far as it takes to tell a closed set from free text."""

    def __init__(self) -> None:
        self.count = 0
        self._written: set[str] | None = set()

    def see(self, value: object) -> None:
        """One more value."""
        self.count += 1
        if self._written is not None:
            self._written.add(field_text(value))
            if isinstance(value, dict | list | float) or len(self._written) > CLOSED_VALUES_MAX:
                self._written = None

    def closed_values(self) -> tuple[str, ...]:
        """All values, where they are a choice; else none."""
        if self._written is None or self.count < CLOSED_ROWS_PER_VALUE * len(self._written):
            return ()
        return tuple(sorted(self._written))


def _json_fields(answers: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Fields that most objects have, in their order; with their values where these are a closed set, else empty."""
    objects = 0
    fields: dict[str, _Field] = {}
    for value in map(json_object, answers):
        if value is not None:
            objects += 1
            for name, content in value.items():
                fields.setdefault(name, _Field()).see(content)
    return {name: field.closed_values() for name, field in fields.items() if field.count >= objects / 2}


def field_text(value: object) -> str:
    """A field's value as people write it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
