"""Personal data of the kinds that `samples` does not make, put into real requests."""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.faults.corpora import Corpus, Example, available
from benchmarks.faults.plant import Kind, Make, as_line
from benchmarks.pii.values import CARRIERS, MAKERS

NAMES = ("itin", "uk_nino", "de_tax_id", "mac_address", "crypto_address", "vin")


def _with_value(name: str) -> Make:
    def make(rng: random.Random, example: Example, corpus: Corpus) -> str:
        said = rng.choice(CARRIERS[name]).format(MAKERS[name](rng))
        pieces = [example.prompt, said]
        rng.shuffle(pieces)
        return as_line(corpus.system, Example(" ".join(pieces), example.answer))

    return make


KINDS = {kind.name: kind for kind in (Kind(f"pii, {name}", f"data.pii.{name}", "row", _with_value(name)) for name in NAMES)}


_FIRST = ("Ottilie", "Marcus", "Priya", "Henrik", "Samira", "Tobias", "Chiara", "Duncan", "Mei", "Rafael", "Ingrid", "Patrick")
_LAST = ("Brandvold", "Oyelaran", "Castellano", "Whitcombe", "Lindqvist", "Ferreira", "Novak", "Ashdown", "Tanaka", "Keller")
_PERSON_CARRIERS = (
    "My name is {}.",
    "Please ask for {} at the desk.",
    "{} told me about it yesterday.",
    "It was written by {}, who lives next door.",
    "I am writing on behalf of {}.",
)


def _with_name(rng: random.Random, example: Example, corpus: Corpus) -> str:
    """A first name and a last name, drawn apart: of nobody in particular."""
    said = rng.choice(_PERSON_CARRIERS).format(f"{rng.choice(_FIRST)} {rng.choice(_LAST)}")
    pieces = [example.prompt, said]
    rng.shuffle(pieces)
    return as_line(corpus.system, Example(" ".join(pieces), example.answer))


PERSON = Kind("pii, name of a person", "data.pii.person", "row", _with_name)


def named() -> Iterator[Corpus | str]:
    """The corpora in which people are seldom named: in SNIPS singers and authors are."""
    for corpus in available():
        if isinstance(corpus, str) or corpus.name != "SNIPS":
            yield corpus


def plantings() -> Iterator[tuple[Corpus, tuple[Kind, ...]] | str]:
    """Each corpus with all kinds, or the reason why it cannot be had here."""
    for corpus in available():
        yield corpus if isinstance(corpus, str) else (corpus, tuple(KINDS.values()))
