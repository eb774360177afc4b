"""The nouns of Open English WordNet as a tree, in the few kilobytes that a comparison of answers needs.

    python -m benchmarks.wordnet CHECKOUT > src/truetune/stages/data/substance/nouns.txt

CHECKOUT is a clone of https://github.com/globalwordnet/english-wordnet. Needs PyYAML and wordfreq, which nothing else here does.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

import yaml
from wordfreq import zipf_frequency

LEAST_ZIPF = 2.35
"""A noun is as frequent as one word in five million, or it is left out."""
COMMON_SENSES = 3
"""The first senses of a noun, which WordNet orders by frequency, count where two things are to be of one kind."""
MOST_SENSES = 6
"""The senses up to this one, marked with "~", count where a word is to be another name of a thing."""
FILES = frozenset(
    "act animal artifact attribute body communication event food group location object person plant possession shape "  # noqa: SIM905
    "substance time".split()
)
"""Of the files of nouns those of things that somebody may ask for; feelings, thoughts and states are left out."""
_HEAD = """\
# Kinds of things: nouns of Open English WordNet (https://en-word.net, its repository at commit d94538a). Each line is a kind of
# what the nearest line above it says that begins with a smaller figure (0 to 9, a to z). Words on one line say the same; "-" is a
# kind that is no noun of one word; "~" marks a rarer sense. Nouns of one word, at least as frequent as one word in five million
# (wordfreq 3.1, Zipf 2.35). Made by `benchmarks/wordnet.py`. Open English WordNet is licensed under CC BY 4.0; it derives from
# Princeton WordNet 3.0 (WordNet licence)."""


def main(checkout: str) -> None:
    """Print the tree."""
    above: dict[str, str] = {}
    also_above: dict[str, list[str]] = {}
    wanted = set()
    for name, synsets in _read(checkout, "noun.*.yaml"):
        for key, synset in synsets.items():
            above[key], *also_above[key] = synset.get("hypernym", ()) or ("",)
            if name.split(".")[1] in FILES and "instance_hypernym" not in synset:
                wanted.add(key)
    words = _words(checkout, wanted)
    for key in list(words):
        for n, other in enumerate(also_above[key]):
            above[f"{key} {n}"] = other
            words[f"{key} {n}"] = [f"~{word.lstrip('~')}" for word in words[key]]
    print(_HEAD)
    print("\n".join(_lines(above, words)))


def _read(checkout: str, pattern: str) -> Iterator[tuple[str, dict[str, dict]]]:
    for path in sorted(Path(checkout, "src/yaml").glob(pattern)):
        yield path.name, yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _words(checkout: str, wanted: AbstractSet[str]) -> defaultdict[str, list[str]]:
    """The nouns of each synset, the rarer senses marked."""
    words: defaultdict[str, list[str]] = defaultdict(list)
    for _, entries in _read(checkout, "entries-*.yaml"):
        for lemma, by_part in entries.items():
            if not re.fullmatch(r"[a-z]{3,}", lemma) or zipf_frequency(lemma, "en") < LEAST_ZIPF:
                continue
            senses = [sense["synset"] for part, entry in by_part.items() if part[0] == "n" for sense in entry["sense"]]
            for rank, synset in enumerate(senses[:MOST_SENSES]):
                if synset in wanted:
                    words[synset].append("~" * (rank >= COMMON_SENSES) + lemma)
    return words


def _lines(above: dict[str, str], words: dict[str, list[str]]) -> Iterator[str]:
    """The synsets that have words, and those above them where they part."""
    below: defaultdict[str, list[str]] = defaultdict(list)
    seen = set(words)
    todo = list(words)
    while todo:
        key = todo.pop()
        below[above[key]].append(key)
        if above[key] and above[key] not in seen:
            seen.add(above[key])
            todo.append(above[key])

    def out(key: str, depth: int) -> Iterator[str]:
        named = sorted(words.get(key, ()))
        if not named and len(below[key]) == 1:
            yield from out(below[key][0], depth)
            return
        yield f"{'0123456789abcdefghijklmnopqrstuvwxyz'[depth]} {' '.join(named) or '-'}"
        for other in sorted(below[key], key=lambda k: (min(words.get(k, ["~~"])), k)):
            yield from out(other, depth + 1)

    for root in sorted(below[""]):
        yield from out(root, 0)


if __name__ == "__main__":
    main(sys.argv[1])
