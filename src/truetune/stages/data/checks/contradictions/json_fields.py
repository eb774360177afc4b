"""The fields in which two JSON answers to one question disagree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from truetune.core.records import Severity, TaskProfile
from truetune.stages.data.profile import Answer, field_text
from truetune.stages.data.substance import differences, says_the_same

_OPEN_TEXT_WORDS = 6
"""A JSON text of more words is prose, which may be put in two ways."""


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field with its two values as people write them; `severity` is "block" where it is a choice or a fact and no prose."""

    name: str
    left: str
    right: str
    severity: Severity


def differing_fields(
    profile: TaskProfile, question: str, left: Answer, right: Answer, *, closed_only: bool = False
) -> list[FieldDifference]:
    """The fields in which two JSON answers disagree in substance.

    Args:
        profile: which fields are a choice from few values.
        question: what was asked.
        left: an answer.
        right: another one.
        closed_only: only look at those choices: the questions are not quite the same.
    """
    if left.fields is None or right.fields is None:
        return []
    found = []
    for name in [*left.fields, *(key for key in right.fields if key not in left.fields)]:
        x, y = (field_text(side[name]) if name in side else "(missing)" for side in (left.fields, right.fields))
        closed = bool(profile.json_fields.get(name))
        if x == y or (closed_only and not closed):
            continue
        prose = not closed and max(len(x.split()), len(y.split())) > _OPEN_TEXT_WORDS
        severity = prose_differs(question, x, y) if prose else _fact_differs(x, y, closed=closed)
        if severity:
            found.append(FieldDifference(name, x, y, severity))
    return found


def _fact_differs(x: str, y: str, *, closed: bool) -> Severity | None:
    return "block" if closed or not says_the_same(x, y) else None


def prose_differs(question: str, a: str, b: str) -> Severity | None:
    """How sure it is that two free texts differ: "warn" in something plain, "note" where it may be wording, None if not."""
    return surest("warn" if difference.plain else "note" for difference in differences(question, a, b))


def surest(severities: Iterable[Severity]) -> Severity | None:
    """The gravest of them; None where there is none."""
    return min(severities, key=_GRAVEST_FIRST.index, default=None)


_GRAVEST_FIRST: tuple[Severity, ...] = ("block", "warn", "note")
