"""What one row adds to the whole: numbers and keys, so that a million rows fit into a few arrays."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from truetune.core.records import TaskProfile
from truetune.core.text import normalise, words
from truetune.stages.data.profile import EXACT_CHARACTERS, LABEL_CHARACTERS, field_text, json_object
from truetune.stages.data.rows.row import Row

OPENING_WORDS = 4
"""So many words are an answer's opening. Source: the width at which the diversity of outputs is measured after training."""
_OPENING_CHARACTERS = 160
NO_KEY = 0


@dataclass(frozen=True, slots=True)
class Traits:
    """One row in numbers.

    Attributes:
        prompt_chars: characters of the last user turn.
        answer_chars: characters of the answer.
        answer_key: equal where two answers are the same text.
        opening_key: equal where two answers of free text begin with the same words; `NO_KEY` where there is no opening.
        values: the label, or the values of the JSON answer's closed fields in the profile's order; None where one is missing.
        has_shape: the answer is of the kind that the task asks for.
    """

    prompt_chars: int
    answer_chars: int
    answer_key: int
    opening_key: int
    values: tuple[str | None, ...]
    has_shape: bool


def traits(row: Row, profile: TaskProfile) -> Traits:
    """A row's traits; depends on nothing but the row and the kind of task."""
    answer = row.answer.strip()
    values, has_shape = _values(answer, profile)
    return Traits(
        prompt_chars=len(row.prompt),
        answer_chars=len(answer),
        answer_key=_key(answer),
        opening_key=_key(opening_of(answer)) if profile.shape == "text" and row.is_taught else NO_KEY,
        values=values,
        has_shape=has_shape,
    )


def opening_of(answer: str) -> str:
    """The first words of an answer, case folded; empty where the answer has no more words than those."""
    found = words(answer[:_OPENING_CHARACTERS])
    return " ".join(found[:OPENING_WORDS]) if len(found) > OPENING_WORDS else ""


def closed_fields(profile: TaskProfile) -> tuple[str, ...]:
    """The JSON fields whose values are a closed set."""
    return tuple(name for name, values in profile.json_fields.items() if values)


def _values(answer: str, profile: TaskProfile) -> tuple[tuple[str | None, ...], bool]:
    if profile.shape == "labels":
        return (normalise(answer),), len(answer) <= LABEL_CHARACTERS
    if profile.shape == "exact":
        return (), len(answer) <= EXACT_CHARACTERS
    if profile.shape == "text":
        return (), True
    fields = json_object(answer)
    if fields is None:
        return tuple(None for _ in closed_fields(profile)), False
    return tuple(field_text(fields[name]) if name in fields else None for name in closed_fields(profile)), True


def _key(text: str) -> int:
    """64 bits of a digest that is the same in every process; `NO_KEY` for the empty text."""
    if not text:
        return NO_KEY
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
