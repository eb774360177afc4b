"""What a finding shows beside its message: its rows, side by side where they belong together, and the rest in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from truetune.core.records import Finding, RowRef

_PAIRS = (("train", "held_out"), ("first", "second"))
_TOLD = ("text", "mark", "prompt", "answer", "prompts", "answers", "spans", "places", "train", "held_out", "first", "second")


@dataclass(frozen=True)
class Side:
    """One of the rows that a finding sets against each other: where it stands, and its words as far as the check kept them.

    `marks` are the places in the last text that the check itself found to differ; without them the words are compared.
    """

    place: str
    texts: tuple[str, ...]
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class EvidenceText:
    """A finding's evidence as it is read.

    Attributes:
        lines: of one row, or of rows that are the same.
        mark: the character of the first line at which the fault stands; None where the place is not known.
        sides: rows that are to be compared; empty, or two and more.
        facts: everything else that convinced the check, by name.
    """

    lines: tuple[str, ...]
    mark: int | None
    sides: tuple[Side, ...]
    facts: Mapping[str, JsonValue]


def evidence_text(finding: Finding) -> EvidenceText:
    """The evidence of any finding, told apart by the names that the checks use."""
    evidence = finding.evidence
    sides = _sides(finding)
    lines = [] if sides else [*_texts(evidence, "text"), *_texts(evidence, "prompt")]
    shared = [f"answer: {text}" for text in _texts(evidence, "answer")]
    listed = evidence.get("places")
    places = [str(place) for place in listed] if isinstance(listed, list) else []
    mark = evidence.get("mark")
    facts = {key: value for key, value in evidence.items() if key not in _TOLD and value not in (None, "", [], {})}
    return EvidenceText((*lines, *shared, *places), mark if isinstance(mark, int) and lines else None, sides, facts)


def _sides(finding: Finding) -> tuple[Side, ...]:
    evidence = finding.evidence
    prompts, answers = evidence.get("prompts"), evidence.get("answers")
    if isinstance(prompts, list) and isinstance(answers, list) and len(prompts) > 1:
        texts = [(str(prompt), str(answer)) for prompt, answer in zip(prompts, answers, strict=False)]
        places = _places(finding, len(texts))
        marks = marks_of(finding, len(texts))
        return tuple(Side(place, pair, spans) for place, pair, spans in zip(places, texts, marks, strict=True))
    for names in _PAIRS:
        pair = [text for name in names for text in _texts(evidence, name)]
        if len(pair) == 2:
            return tuple(Side(place, (text,)) for place, text in zip(_places(finding, 2), pair, strict=True))
    return ()


def marks_of(finding: Finding, sides: int) -> list[tuple[tuple[int, int], ...]]:
    """The places in each side's answer that the check found to differ, as start and end; empty where it named none."""
    spans = finding.evidence.get("spans")
    if not isinstance(spans, list) or len(spans) != sides:
        return [()] * sides
    return [tuple(_span(span) for span in side) if isinstance(side, list) else () for side in spans]


def _span(value: JsonValue) -> tuple[int, int]:
    match value:
        case [int() as start, int() as end]:
            return start, end
        case _:
            return 0, 0


def _places(finding: Finding, count: int) -> list[str]:
    """Where the sides stand: one group each, or the rows of the one group in turn. Empty where that group has more rows than
    are shown: which of them the texts are is not known.
    """
    groups: Sequence[Sequence[RowRef]] = finding.groups
    if len(groups) == 1:
        groups = [[row] for row in groups[0]] if len(groups[0]) == count else []
    named = [place_of(g[0], finding) + (f" (+{len(g) - 1})" if len(g) > 1 else "") for g in groups if g]
    return [*named[:count], *[""] * (count - len(named))]


def place_of(row: RowRef, finding: Finding) -> str:
    """A row of a finding by its line, where it is in the file that the finding is about."""
    here = finding.rows[0].file if finding.rows else ""
    return f"line {row.line}" if row.file == here else f"{row.file}:{row.line}"


def other_places(finding: Finding, sides: Sequence[Side], most: int) -> str:
    """Where the other rows of a finding stand, where no side says so: `line 9, line 12 and 3 more`."""
    others = finding.rows[1:]
    if not others or any(side.place for side in sides):
        return ""
    named = ", ".join(place_of(row, finding) for row in others[:most])
    return named + (f" and {len(others) - most} more" if len(others) > most else "")


def _texts(evidence: dict[str, JsonValue], name: str) -> list[str]:
    value = evidence.get(name)
    return [value] if isinstance(value, str) and value else []
