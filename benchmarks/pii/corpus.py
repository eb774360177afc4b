"""Support-like texts of 60 to 200 words, some with personal data at known places, many with what resembles it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pii.values import CARRIERS, MAKERS, NEGATIVE_CARRIERS, NEGATIVES, Maker

MESSAGES = Path(__file__).parents[1] / "faults" / "support_messages.jsonl"
PERSONAL_FRAC = 0.15
"""So many texts hold personal data, one or two values each."""
RESEMBLING_FRAC = 0.5
"""So many texts hold one to three values that resemble it."""


@dataclass(frozen=True)
class Truth:
    """A planted value: its kind and `[start, end)` in characters."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Text:
    """A text, what is planted in it, and the kinds of look-alikes in it."""

    text: str
    truths: tuple[Truth, ...]
    resembling: tuple[str, ...] = ()


def corpus(rows: int, seed: int) -> list[Text]:
    """That many texts; the same seed gives the same ones."""
    rng = random.Random(seed)
    messages = [json.loads(line)["message"] for line in MESSAGES.read_text(encoding="utf-8").splitlines()]
    return [_text(rng, messages) for _ in range(rows)]


def planted(makers: Mapping[str, Maker], carriers: Mapping[str, Sequence[str]], per_kind: int, seed: int) -> list[Text]:
    """One value a text, `per_kind` of each kind."""
    rng = random.Random(seed)
    messages = [json.loads(line)["message"] for line in MESSAGES.read_text(encoding="utf-8").splitlines()]
    return [_compose(rng, messages, [(kind, carriers[kind], make)], []) for kind, make in makers.items() for _ in range(per_kind)]


def _text(rng: random.Random, messages: Sequence[str]) -> Text:
    kinds = rng.sample(sorted(MAKERS), rng.randrange(1, 3)) if rng.random() < PERSONAL_FRAC else []
    resembling = rng.sample(sorted(NEGATIVES), rng.randrange(1, 4)) if rng.random() < RESEMBLING_FRAC else []
    return _compose(rng, messages, [(kind, CARRIERS[kind], MAKERS[kind]) for kind in kinds], resembling)


def _compose(
    rng: random.Random, messages: Sequence[str], personal: Sequence[tuple[str, Sequence[str], Maker]], resembling: Sequence[str]
) -> Text:
    words = rng.randrange(60, 201)
    pieces: list[tuple[str, str, str]] = []
    while sum(len(piece.split()) for _, piece, _ in pieces) < words:
        pieces.append(("", rng.choice(messages), ""))
    for kind, carriers, make in personal:
        pieces.insert(rng.randrange(len(pieces) + 1), (kind, rng.choice(carriers), make(rng)))
    for name in resembling:
        carrier, value = rng.choice(NEGATIVE_CARRIERS), NEGATIVES[name](rng)
        pieces.insert(rng.randrange(len(pieces) + 1), ("", carrier.format(value), ""))
    text, truths = "", []
    for kind, piece, value in pieces:
        text += rng.choice((" ", " ", " ", "\n")) if text else ""
        if kind:
            start = len(text) + piece.index("{}")
            truths.append(Truth(kind, start, start + len(value)))
        text += piece.replace("{}", value) if kind else piece
    return Text(text, tuple(truths), tuple(resembling))
