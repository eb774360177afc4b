"""What a contradiction shows: the answers side by side, each with the place that differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.contradictions.json_fields import differing_fields
from truetune.stages.data.checks.contradictions.marks import Span, marked_excerpt
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.substance import differences

_SHOWN_SIDES = 4


@dataclass(frozen=True)
class Shown:
    """The evidence of a finding, and in what the answers differ, in words."""

    evidence: dict[str, JsonValue]
    in_what: str


def shown(corpus: Corpus, firsts: Sequence[int]) -> Shown:
    """The first row of each side with its differing part; `firsts[0]` is what the others are held against."""
    differs_in, spans = _by_field(corpus, firsts) if corpus.profile.shape == "json" else _by_part(corpus, firsts)
    answers: list[str] = []
    marks: list[list[Span]] = []
    for position in firsts[:_SHOWN_SIDES]:
        text, found = marked_excerpt(corpus.rows[position].answer, spans.get(position, ()))
        answers.append(text)
        marks.append(found)
    evidence: dict[str, JsonValue] = {
        "prompts": [excerpt(corpus.rows[p].prompt) for p in firsts[:_SHOWN_SIDES]],
        "answers": list[JsonValue](answers),
        "differs_in": {name: list[JsonValue](values) for name, values in differs_in.items()},
    }
    if any(marks):
        evidence["spans"] = [[list[JsonValue](span) for span in found] for found in marks]
    return Shown(evidence, _in_words(corpus, differs_in))


_Spans = dict[int, tuple[Span, ...]]


def _by_field(corpus: Corpus, firsts: Sequence[int]) -> tuple[dict[str, list[str]], _Spans]:
    values: defaultdict[str, list[str]] = defaultdict(list)
    question = corpus.rows[firsts[0]].prompt
    for other in firsts[1:]:
        for field in differing_fields(corpus.profile, question, corpus.answers[firsts[0]], corpus.answers[other]):
            values[field.name].extend(v for v in map(excerpt, (field.left, field.right)) if v not in values[field.name])
    return dict(values), {}


def _by_part(corpus: Corpus, firsts: Sequence[int]) -> tuple[dict[str, list[str]], _Spans]:
    """The parts by kind, and where they stand; empty where the answers differ as a whole."""
    parts: defaultdict[str, list[str]] = defaultdict(list)
    spans: defaultdict[int, set[Span]] = defaultdict(set)
    first = corpus.rows[firsts[0]]
    for other in firsts[1:]:
        for part in (
            differences(first.prompt, first.answer, corpus.rows[other].answer) if corpus.profile.shape != "labels" else ()
        ):
            for position, span in ((firsts[0], part.left), (other, part.right)):
                spans[position].add(span)
                text = excerpt(corpus.rows[position].answer[slice(*span)])
                if text not in parts[part.kind]:
                    parts[part.kind].append(text)
    return dict(parts), {position: tuple(sorted(found)) for position, found in spans.items()}


def _in_words(corpus: Corpus, differs_in: dict[str, list[str]]) -> str:
    if not differs_in:
        return ""
    if corpus.profile.shape == "json":
        return " in " + ", ".join(repr(name) for name in differs_in)
    return " in " + ", ".join(f"{kind} ({' / '.join(parts[:3])})" for kind, parts in differs_in.items())
