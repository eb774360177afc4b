"""JSON answers that do not have the form of the others, and the corpora that they are planted into."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator

from benchmarks.faults.corpora import Corpus, Example, snips, support_triage
from benchmarks.faults.plant import Kind, as_line
from benchmarks.real_data import DataAbsentError

_STRANGE = ("other", "misc", "urgent!!", "see text", "unsure", "-", "2nd line", "VIP")


def plantings() -> Iterator[tuple[Corpus, tuple[Kind, ...]] | str]:
    """Each corpus with the kinds that it can carry, or the reason why it cannot be had here."""
    yield support_triage(), tuple(KINDS.values())
    try:
        yield as_json(snips()), tuple(KINDS.values())
    except DataAbsentError as absent:
        yield f"skipped: {absent}"


def as_json(base: Corpus) -> Corpus:
    """The labels as JSON objects, with what can be counted in the text."""
    rows, held_out = (tuple(map(_object, examples)) for examples in (base.rows, base.held_out))
    return Corpus(f"{base.name} as JSON", "Name the intent as JSON.", rows, held_out, base.excluded, base.name)


def _object(example: Example) -> Example:
    words = example.prompt.split()
    has_digit = any(c.isdigit() for c in example.prompt)
    return Example(example.prompt, json.dumps({"intent": example.answer, "words": len(words), "has_number": has_digit}))


def _changed(change: Callable[[random.Random, dict[str, object]], object]) -> Callable[[random.Random, Example, Corpus], str]:
    def make(rng: random.Random, example: Example, corpus: Corpus) -> str:
        made = change(rng, json.loads(example.answer))
        return as_line(corpus.system, Example(example.prompt, made if isinstance(made, str) else json.dumps(made)))

    return make


def _without_key(rng: random.Random, fields: dict[str, object]) -> object:
    """A key is gone, or its name is spelt in another way."""
    name = rng.choice(sorted(fields))
    value = fields.pop(name)
    return fields if rng.random() < 0.6 else {**fields, rng.choice((name.upper(), name.capitalize(), f"{name}s")): value}


def _strange_value(rng: random.Random, fields: dict[str, object]) -> object:
    """A text is none of those that belong there: misspelt, in other capitals, or another word."""
    name = rng.choice([name for name, value in fields.items() if isinstance(value, str)])
    value = str(fields[name])
    place = rng.randrange(1, len(value))
    misspelt = value[:place] + value[place - 1 :]
    return {**fields, name: rng.choice((misspelt, value.upper(), f"{value} ", rng.choice(_STRANGE)))}


def _other_kind(rng: random.Random, fields: dict[str, object]) -> object:
    """A value is of another kind: text for true or false, a list for text, null."""
    name = rng.choice(sorted(fields))
    value = fields[name]
    return {**fields, name: rng.choice((None, [value], {"value": value}, str(value) if not isinstance(value, str) else 1))}


def _no_object(rng: random.Random, fields: dict[str, object]) -> object:
    """The answer in words, as a list, or in another notation."""
    words = ", ".join(f"{name}: {value}" for name, value in fields.items())
    return rng.choice((words, json.dumps(list(fields.values())), repr(fields), f"The answer is {json.dumps(fields)}"))


_CODE = "data.record.schema"
KINDS = {
    kind.name: kind
    for kind in (
        Kind("JSON answer, key missing", _CODE, "row", _changed(_without_key)),
        Kind("JSON answer, value outside the set", _CODE, "row", _changed(_strange_value)),
        Kind("JSON answer, other kind of value", _CODE, "row", _changed(_other_kind)),
        Kind("JSON answer, no object", _CODE, "row", _changed(_no_object)),
    )
}
"""Every kind that can be planted into JSON answers."""
