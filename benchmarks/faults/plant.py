"""Plants faults of known kinds at known lines into clean rows.

Seeded, and separate from the checks: it imports nothing of truetune and knows none of its patterns. What it planted is
returned beside the text and is written, if at all, where the checks are never pointed at.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.faults import breakage, samples
from benchmarks.faults.corpora import Corpus, Example, plain_text
from benchmarks.faults.edits import SHORTEST, edit_tokens, small_slip

Origin = Literal["row", "copy", "held_out"]
Make = Callable[[random.Random, Example, Corpus], str | tuple[str, ...]]
"""The line of a fault, or the lines of one that takes several."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    `code` is the finding expected on the planted line. `origin` says what it is made of: a clean row that it replaces,
    a clean row that stays (and becomes its partner), or a held-out row. `partner_codes` are the findings that a partner may
    rightly get because of it. `min_words` is the shortest prompt of which such a fault can be made; `fits` says whether it would
    be one in a row.
    """

    name: str
    code: str
    origin: Origin
    make: Make
    partner_codes: tuple[str, ...] = ()
    min_words: int = 1
    fits: Callable[[Example], bool] = field(default=lambda _: True)


@dataclass(frozen=True)
class Fault:
    """A planted fault: its line counts from 1.

    `partner` is the line of the clean row that it resembles, `held_out` the line of the held-out row that it leaks.
    """

    kind: str
    code: str
    line: int
    partner: int | None = None
    held_out: int | None = None


@dataclass(frozen=True)
class Planted:
    """Lines with faults among them, and the truth about them.

    `clean` maps the line of every unplanted row to its text's identity in the corpus, so that several plantings into the
    same corpus can be counted without counting a row twice. `excused` are findings that a line may rightly get.
    """

    lines: tuple[str, ...]
    held_out: tuple[str, ...]
    faults: tuple[Fault, ...]
    clean: dict[int, Example]
    excused: dict[int, tuple[str, ...]]


@dataclass(frozen=True)
class _Slot:
    text: str
    example: Example
    kind: Kind | None = None
    partner: _Slot | None = None


def as_line(system: str, example: Example) -> str:
    """The row as one line of its file."""
    return example.line(system)


def plant(corpus: Corpus, counts: Mapping[Kind, int], seed: int) -> Planted:
    """The corpus with that many faults of each kind at scattered lines; every clean row is used for one fault at most.

    Raises:
        ValueError: the corpus has too few rows for that many faults.
    """
    rng = random.Random(seed)
    rows, held_out = list(corpus.rows), list(corpus.held_out)
    rng.shuffle(rows)
    rng.shuffle(held_out)
    slots: list[_Slot] = []
    for kind, count in counts.items():
        pile = held_out if kind.origin == "held_out" else rows
        for _ in range(count):
            slots += _planted(rng, kind, _take(pile, kind), corpus)
    slots += [_Slot(as_line(corpus.system, example), example) for example in rows]
    rng.shuffle(slots)
    return _numbered(slots, corpus)


def _take(pile: list[Example], kind: Kind) -> Example:
    for place in range(len(pile) - 1, -1, -1):
        if len(pile[place].prompt.split()) >= kind.min_words and kind.fits(pile[place]):
            return pile.pop(place)
    raise ValueError(f"no rows left to plant {kind.name}")


def _planted(rng: random.Random, kind: Kind, example: Example, corpus: Corpus) -> list[_Slot]:
    made = kind.make(rng, example, corpus)
    texts = (made,) if isinstance(made, str) else made
    if kind.origin != "copy":
        return [_Slot(text, example, kind) for text in texts]
    partner = _Slot(as_line(corpus.system, example), example)
    return [partner, *(_Slot(text, example, kind, partner) for text in texts)]


def _numbered(slots: Sequence[_Slot], corpus: Corpus) -> Planted:
    line_of = {id(slot): number for number, slot in enumerate(slots, 1)}
    faults, excused = [], {}
    for slot in slots:
        if slot.kind is None:
            continue
        partner = line_of[id(slot.partner)] if slot.partner else None
        leaked = corpus.held_out.index(slot.example) + 1 if slot.kind.origin == "held_out" else None
        faults.append(Fault(slot.kind.name, slot.kind.code, line_of[id(slot)], partner, leaked))
        if partner is not None:
            excused[partner] = slot.kind.partner_codes
    clean = {line_of[id(slot)]: slot.example for slot in slots if slot.kind is None}
    held_out = tuple(as_line(corpus.system, example) for example in corpus.held_out)
    return Planted(tuple(slot.text for slot in slots), held_out, tuple(faults), clean, excused)


def _dumped(corpus: Corpus, prompt: str, answer: str) -> str:
    return as_line(corpus.system, Example(prompt, answer))


def _broken(break_line: Callable[[random.Random, list[breakage.Turn]], str]) -> Make:
    return lambda rng, example, corpus: break_line(rng, breakage.turns(corpus.system, example.prompt, example.answer))


def _exact_copy(rng: random.Random, example: Example, corpus: Corpus) -> str:
    """The row again: byte for byte, or with other spacing or capitals that make it no other row."""
    line = as_line(corpus.system, example)
    row = json.loads(line)
    spaced = _dumped(corpus, f" {example.prompt.replace(' ', '  ', 1)}\n", example.answer)
    capitals = _dumped(corpus, example.prompt.upper(), example.answer)
    return rng.choice((line, json.dumps(row, separators=(",", ":")), json.dumps(row, sort_keys=True), spaced, capitals))


def _near_copy(rng: random.Random, example: Example, corpus: Corpus) -> str:
    """The row with 5-20 % of its prompt's tokens edited."""
    return _dumped(corpus, _edited(rng, example.prompt, corpus), example.answer)


def _edited(rng: random.Random, prompt: str, corpus: Corpus) -> str:
    vocabulary = rng.choice(corpus.rows).prompt.split()
    while plain_text(edited := edit_tokens(rng, prompt, vocabulary)) == plain_text(prompt):
        vocabulary = rng.choice(corpus.rows).prompt.split()
    return edited


def _slipped_copy(rng: random.Random, example: Example, corpus: Corpus) -> str:
    """The row as if typed a second time: a slip or two that change no meaning; for rows that people will read."""
    return _dumped(corpus, small_slip(rng, example.prompt), example.answer)


def _contradiction(rng: random.Random, example: Example, corpus: Corpus) -> str:
    """The same question, or one with a slip that changes no meaning, and another answer of the corpus."""
    others = sorted({e.answer for e in corpus.rows} - {example.answer})
    prompt = example.prompt if rng.random() < 0.5 else small_slip(rng, example.prompt)
    return _dumped(corpus, prompt, rng.choice(others))


def _leak_exact(rng: random.Random, example: Example, corpus: Corpus) -> str:
    return as_line(corpus.system, example)


_GIVEAWAYS = (
    "{prompt}\n\nExpected answer: {answer}",
    "{prompt} (correct answer: {answer})",
    "[label: {answer}] {prompt}",
    "{prompt}\nThe answer to give is {answer}",
    "{prompt} => {answer}",
)


def _leak_answer(rng: random.Random, example: Example, corpus: Corpus) -> str:
    """The answer, word for word, inside the prompt, with a cue that it is one."""
    prompt = rng.choice(_GIVEAWAYS).format(prompt=example.prompt, answer=example.answer)
    return _dumped(corpus, prompt, example.answer)


_CARRIERS: dict[str, tuple[str, ...]] = {
    "email": ("{prompt} Please write to {item}.", "{prompt} My address is {item}, thanks", "From {item}: {prompt}"),
    "phone": ("{prompt} My number is {item}.", "{prompt} Tel. {item}", "Phone: {item}. {prompt}"),
    "credit_card": ("{prompt} The card is {item}.", "{prompt} I paid with {item}", "Card number {item}. {prompt}"),
    "iban": ("{prompt} The bank account is {item}.", "{prompt} My account: {item}", "IBAN {item}. {prompt}"),
    "ip_address": ("{prompt} My address on the network is {item}.", "{prompt} Logged in from {item}", "Host {item}: {prompt}"),
    "ssn": ("{prompt} My social security number is {item}.", "{prompt} SSN {item}", "SSN: {item}. {prompt}"),
    "secret": ("{prompt} The key is {item}", "{prompt} I set it up with {item} as the manual says.", "key={item} {prompt}"),
    "lookalike": ("{prompt} It says {item}.", "{prompt} I noted {item}", "About {item}: {prompt}"),
}


def with_item(carrier: str, maker: samples.Maker) -> Make:
    """Puts what `maker` makes into the prompt, in a sentence that carries such a thing."""

    def make(rng: random.Random, example: Example, corpus: Corpus) -> str:
        prompt = rng.choice(_CARRIERS[carrier]).format(prompt=example.prompt, item=maker(rng))
        return _dumped(corpus, prompt, example.answer)

    return make


_TWINS = ("data.duplicate", "data.contradiction", "data.label")

_ALL = (
    Kind("malformed", "data.record.malformed", "row", _broken(breakage.malformed)),
    Kind("type", "data.record.type", "row", _broken(breakage.wrong_type)),
    Kind("role", "data.record.role", "row", _broken(breakage.wrong_role)),
    Kind("empty", "data.record.empty", "row", _broken(breakage.empty)),
    Kind("duplicate, exact", "data.duplicate.exact", "copy", _exact_copy, _TWINS),
    Kind("duplicate, near", "data.duplicate.near", "copy", _near_copy, _TWINS, SHORTEST),
    Kind("duplicate, slip", "data.duplicate.near", "copy", _slipped_copy, _TWINS),
    Kind("contradiction", "data.contradiction", "copy", _contradiction, _TWINS),
    Kind("leak, exact", "data.leakage.split", "held_out", _leak_exact),
    Kind("leak, near", "data.leakage.split", "held_out", _near_copy, min_words=SHORTEST),
    Kind("leak, answer in prompt", "data.leakage.answer", "row", _leak_answer),
    *(Kind(f"pii, {name}", f"data.pii.{name}", "row", with_item(name, make)) for name, make in samples.ENTITIES.items()),
    Kind("secret", "data.secret", "row", with_item("secret", samples.secret)),
    Kind("look-alike", "", "row", with_item("lookalike", samples.lookalike)),
)
KINDS = {kind.name: kind for kind in _ALL}
"""Every kind that can be planted. A look-alike is no fault: it has no code, and a finding on it is a false alarm."""
