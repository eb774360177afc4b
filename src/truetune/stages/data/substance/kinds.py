"""What kind of thing a noun names: whether two are one thing, one a kind of the other, or two of a kind.

Source: `nouns.txt`, which `benchmarks/wordnet.py` makes of Open English WordNet.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import product


@dataclass(frozen=True)
class _Tree:
    """The senses by number: the one above each (-1 at the top), how many nouns are below it, and those of each word."""

    above: list[int]
    nouns: list[int]
    common: dict[str, list[int]]
    rare: dict[str, list[int]]

    def of(self, word: str) -> list[int]:
        """All senses of a word, the common ones first."""
        return [*self.common.get(word, ()), *self.rare.get(word, ())]

    def line(self, sense: int) -> Iterator[int]:
        """A sense and all above it, from below."""
        while sense >= 0:
            yield sense
            sense = self.above[sense]


@cache
def _tree() -> _Tree:
    above: list[int] = []
    nouns: list[int] = []
    path: list[int] = []
    common: defaultdict[str, list[int]] = defaultdict(list)
    rare: defaultdict[str, list[int]] = defaultdict(list)
    for line in files("truetune.stages.data.substance").joinpath("nouns.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        del path[int(line[0], 36) :]
        above.append(path[-1] if path else -1)
        path.append(len(nouns))
        words = line[2:].split() if line[2] != "-" else []
        nouns.append(len(words))
        for word in words:
            if word[0] == "~":
                rare[word[1:]].append(path[-1])
            else:
                common[word].append(path[-1])
    for sense in range(len(above) - 1, 0, -1):
        if above[sense] >= 0:
            nouns[above[sense]] += nouns[sense]
    return _Tree(above, nouns, common, rare)


def _singular(word: str) -> str:
    """The noun as it stands in the tree, where it or what it may be the plural of does; otherwise empty."""
    tree = _tree()
    forms = (
        word,
        word[:-1] * word.endswith("s"),
        word[:-2] * word.endswith("es"),
        word[:-3] + "y" if word.endswith("ies") else "",
    )
    return next((form for form in forms if form in tree.common or form in tree.rare), "")


def is_noun(word: str) -> bool:
    """Does it name a thing, whatever else it may be?"""
    return bool(_singular(word))


@lru_cache(maxsize=4096)
def is_kind_of(word: str, kind: str) -> bool:
    """Does the one noun name a kind of what the other names ("oak", "wood"), or the same?"""
    tree = _tree()
    kinds = set(tree.of(_singular(kind)))
    return any(not kinds.isdisjoint(tree.line(sense)) for sense in tree.of(_singular(word)))


def are_related(a: str, b: str) -> bool:
    """May two nouns name one thing: do they say the same in some sense, or does one name a kind of the other?"""
    return a == b or is_kind_of(a, b) or is_kind_of(b, a)


@lru_cache(maxsize=4096)
def nouns_between(a: str, b: str) -> float:
    """How many nouns name things of the narrowest kind that both belong to; infinite where there is none."""
    tree = _tree()
    found = math.inf
    for x, y in product(tree.common.get(_singular(a), ()), tree.common.get(_singular(b), ())):
        others = set(tree.line(y))
        kind = next((sense for sense in tree.line(x) if sense in others), None)
        if kind is not None and tree.above[kind] >= 0:
            found = min(found, tree.nouns[kind])
    return found
