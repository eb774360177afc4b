"""JSON answers that do not have the form that the user declares, or that the other answers show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from truetune.core.records import Finding, Severity
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import DROPPED, Check, Threshold
from truetune.stages.data.checks.records.truncated import how_it_breaks
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.profile import field_text
from truetune.stages.data.reading.answer_schema import violation

CODE = "data.record.schema"
_FIX = "correct the answer, or delete the row"

USUAL_FRAC = 0.97
"""A key that so many answers have is one that an answer must have. Source: stated; see the page of this code."""
RARE_FRAC = 0.03
"""Values outside of a closed set are at most so many of all. Source: the rest of `USUAL_FRAC`."""
GAP = 5
"""The rarest value of a closed set is at least so many times as frequent as the commonest value outside. Source: stated: labels
thin out gradually (of the 157 labels of CLINC150 and SNIPS none is five times rarer than the next), slips do not."""
ROWS_MIN = 50
"""Source: stated: with fewer answers a share of 3 % is a single one, and nothing can be told from it."""
_VALUES_KEPT = 2000
"""A field with more different values is no choice."""


def _find(corpus: Corpus) -> Iterable[Finding]:
    if corpus.profile.answer_schema:
        return _declared(corpus)
    return _inferred(corpus) if corpus.profile.shape == "json" else ()


def _declared(corpus: Corpus) -> Iterator[Finding]:
    """Answers that violate the declared schema, held-out ones too: they are what an output is graded against."""
    for position, row in enumerate(corpus.everyone):
        found = violation(row.answer, corpus.profile.answer_schema)
        if found is not None and row.is_taught:
            path, message = found
            yield _finding(corpus, position, "block", path, f"the answer violates the declared schema at {excerpt(message)}")


def _finding(corpus: Corpus, position: int, severity: Severity, path: str, message: str) -> Finding:
    row = corpus.everyone[position]
    return Finding(
        code=CODE,
        severity=severity,
        message=message,
        rows=(row.ref,),
        evidence={"path": path, "prompt": excerpt(row.prompt), "answer": excerpt(row.answer)},
        fix=_FIX,
    )


@dataclass
class _Usage:
    """What the answers have: how often each key, and under it each kind of value and each short value."""

    answers: int = 0
    keys: Counter[str] = field(default_factory=Counter)
    kinds: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    values: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def count(self, fields: Mapping[str, object]) -> None:
        """One more answer."""
        self.answers += 1
        for name, value in fields.items():
            self.keys[name] += 1
            self.kinds[name][_kind(value)] += 1
            values = self.values[name]
            if isinstance(value, str | int | bool) and (len(values) < _VALUES_KEPT or field_text(value) in values):
                values[field_text(value)] += 1


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names[type(value)]


def _inferred(corpus: Corpus) -> Iterator[Finding]:
    """Answers that lack what nearly all others have, or have what nearly none has."""
    usage = _Usage()
    for fields in _own_answers(corpus):
        if fields is not None:
            usage.count(fields)
    if usage.answers < ROWS_MIN:
        return
    needed = [name for name, count in usage.keys.items() if count >= USUAL_FRAC * usage.answers]
    odd_kinds = {name: outside(usage.kinds[name]) for name in needed}
    odd_values = {name: outside(usage.values[name]) for name in needed}
    for position, fields in enumerate(_own_answers(corpus)):
        said = _told(corpus, position) if fields is None else _odd(fields, needed, odd_kinds, odd_values, usage)
        if said is not None:
            path, message = said
            yield _finding(corpus, position, "warn", path, message)


def _own_answers(corpus: Corpus) -> Iterator[Mapping[str, object] | None]:
    """The fields of each answer of the sources, None where it is no object."""
    answers = corpus.answers
    return (answers[position].fields for position in range(len(corpus.rows)))


def _told(corpus: Corpus, position: int) -> tuple[str, str] | None:
    """An answer that is no JSON object; one that was cut off is another finding."""
    if how_it_breaks(corpus.rows[position].answer):
        return None
    return "$", "the answer is no JSON object, which nearly all others are"


def _odd(
    fields: Mapping[str, object],
    needed: Iterable[str],
    odd_kinds: Mapping[str, frozenset[str]],
    odd_values: Mapping[str, frozenset[str]],
    usage: _Usage,
) -> tuple[str, str] | None:
    for name in needed:
        path = f"$.{name}"
        if name not in fields:
            share = usage.keys[name] / usage.answers
            return path, f"the answer lacks {name!r}, which {share:.0%} of the answers have"
        value = fields[name]
        if _kind(value) in odd_kinds[name]:
            usual = usage.kinds[name].most_common(1)[0][0]
            return path, f"{name!r} is {_kind(value)}; nearly everywhere else it is {usual}"
        if field_text(value) in odd_values[name]:
            known = [excerpt(text) for text, _ in usage.values[name].most_common(6) if text not in odd_values[name]]
            count = usage.values[name][field_text(value)]
            shown = f"{excerpt(field_text(value))!r} is no usual value of {name!r}: {count} of {usage.answers} answers have it"
            return path, f"{shown}; usual are {', '.join(map(repr, known))}"
    return None


def outside(counts: Mapping[str, int]) -> frozenset[str]:
    """The values that do not belong to the closed set of the others: few altogether, and each much rarer than any of the set."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    total = sum(counts.values())
    tail = 0
    for place in range(len(ordered) - 1, 0, -1):
        tail += ordered[place][1]
        if tail > RARE_FRAC * total:
            break
        # A set has more answers a value than values: else it is no choice.
        if ordered[place - 1][1] >= GAP * ordered[place][1] and place <= ordered[place - 1][1]:
            return frozenset(text for text, _ in ordered[place:])
    return frozenset()


CHECK = Check(
    code=CODE,
    severity="block",
    claim="Every JSON answer fits the declared schema; where none is declared, it has the keys and values that the others have.",
    fix=_FIX,
    find=_find,
    ways=DROPPED,
    thresholds=(
        Threshold("share of answers that have a key", USUAL_FRAC, "stated; see the page of this code"),
        Threshold("share of values outside of a closed set", RARE_FRAC, "the rest of the above"),
        Threshold("times that a value of the set is as frequent as one outside", GAP, "stated; see the page of this code"),
        Threshold("answers", ROWS_MIN, "stated: of fewer, 3 % is a single one"),
    ),
)
