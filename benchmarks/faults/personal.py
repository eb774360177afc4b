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


def plantings() -> Iterator[tuple[Corpus, tuple[Kind, ...]] | str]:
    """Each corpus with all kinds, or the reason why it cannot be had here."""
    for corpus in available():
        yield corpus if isinstance(corpus, str) else (corpus, tuple(KINDS.values()))
