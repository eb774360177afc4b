"""Words that say the contrary of each other: "open" and "closed", "cheaper" and "more expensive", "brighten" and "dim"."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from itertools import combinations, product

from truetune.stages.data.substance.words import bare, stem

_NOTHING: frozenset[str] = frozenset()
_ENDINGS = ("er", "est", "en")
"""What makes a comparative, a superlative or a verb ("shorten") of an adjective."""


def opposites(stemmed: str) -> frozenset[str]:
    """The stems that say the contrary of one, or of the adjective that it is made of.

    Source: `opposites.txt`, and `scales.txt` for what that lacks.
    """
    known = _table()
    return known.get(stemmed, _NOTHING) | known.get(plain(stemmed), _NOTHING)


def are_opposites(a: str, b: str) -> bool:
    """Do two stems say the contrary of each other, in whatever degree ("cheaper", "expensive")?"""
    return bool({a, plain(a)} & opposites(b)) and plain(a) != plain(b)


@lru_cache(maxsize=4096)
def plain(stemmed: str) -> str:
    """The stem of "heavy" for that of "heavier", that of "short" for "shorten"; itself where no such adjective is known."""
    for ending in _ENDINGS if stemmed != "latest" else ():
        rest = stemmed.removesuffix(ending)
        if rest != stemmed and len(rest) >= _LETTERS:
            found = next(
                (form for form in (bare(rest), rest, f"{rest[:-1]}y" if rest[-1] == "i" else "") if form in _table()), ""
            )
            if found:
                return found
    return stemmed


_LETTERS = 3
"""What is left of a shorter word is another word."""


@cache
def _table() -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for a, b in (*_pairs(), *_scales()):
        found[a].add(b)
        found[b].add(a)
    return {word: frozenset(others - {word}) for word, others in found.items()}


def _pairs() -> Iterator[tuple[str, str]]:
    for line in _lines("opposites.txt"):
        for pair in line.split():
            a, b = pair.split("/")
            yield stem(a), stem(b)


def _scales() -> Iterator[tuple[str, str]]:
    for line in _lines("scales.txt"):
        ends = [[stem(word) for word in end.split()] for end in line.split("/")]
        for one, other in combinations(ends, 2):
            yield from product(one, other)


def _lines(name: str) -> list[str]:
    text = files("truetune.stages.data.substance").joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]
