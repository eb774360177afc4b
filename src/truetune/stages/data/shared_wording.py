"""Wording that many prompts share ("Classify the following message into one of …") is left out of the comparison.

Otherwise every two rows of an instruction data set would be near-duplicates of each other. Wording is told from a cluster of
copies by what remains when it is taken away: after an instruction the rest differs, in copies the rest is the same too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from truetune.stages.data.text import word_features

_LONG_WORDS, _LONG_ROWS = 12, 10
"""Twelve equal words at the start or end of ten different prompts: measured: never by chance in the 28,000 questions of CLINC150
and SNIPS."""
_SHORT_WORDS, _SHORT_FRAC, _SHORT_ROWS_MIN = 4, 0.5, 20
"""Four equal words are wording only where at least half of all prompts have them."""
_IN_GROUP_FRAC = 0.95
_REST_WORDS_MIN = 3
_REST_JACCARD_MAX = 0.3
_CONTAINED_FRAC = 0.8
"""A prompt that has most of a wording's words has that wording, edited."""
_SAMPLE = 200
_MOST_WORDINGS = 24


class SharedWordings:
    """The wordings that many of some texts share, found from the texts themselves."""

    def __init__(self, texts: Sequence[str]) -> None:
        """`texts` are words joined by one space."""
        self._wordings = _wordings(texts)

    def which(self, tokens: Sequence[str]) -> int:
        """The number of the wording that a text has, whole or edited; -1 where it has none, or nothing else."""
        if self._wordings:
            present = set(word_features(tokens))
            for number, wording in enumerate(self._wordings):
                if len(present & wording) >= _CONTAINED_FRAC * len(wording) and len(present - wording) > 0:
                    return number
        return -1

    def rest_of(self, tokens: list[str], number: int) -> list[str]:
        """The text's words without that wording; all of them for -1."""
        if number < 0:
            return tokens
        pairs = zip(tokens, word_features(tokens), strict=True)
        return [token for token, feature in pairs if feature not in self._wordings[number]]


def _wordings(texts: Sequence[str]) -> list[frozenset[str]]:
    """The shared wordings, those with the most words first."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    ends = [(_LONG_WORDS, _LONG_ROWS)]
    if len(texts) >= _SHORT_ROWS_MIN:
        ends.append((_SHORT_WORDS, int(_SHORT_FRAC * len(texts))))
    found = set()
    for count, enough in ends:
        groups.clear()
        for position, text in enumerate(texts):
            start, end = text.split(" ", count), text.rsplit(" ", count)
            if len(start) > count and start[count].count(" ") >= _REST_WORDS_MIN - 1:
                groups["start " + " ".join(start[:count])].append(position)
                groups["end " + " ".join(end[1:])].append(position)
        for positions in groups.values():
            if len(positions) >= enough:
                sample = positions[:: max(1, len(positions) // _SAMPLE)]
                found.add(_wording([word_features(texts[p].split(" ")) for p in sample]))
    found.discard(frozenset())
    return sorted(found, key=lambda wording: (-len(wording), sorted(wording)))[:_MOST_WORDINGS]


def _wording(group: Sequence[list[str]]) -> frozenset[str]:
    """What a group of texts has in common, or nothing where they are copies of each other."""
    counts = Counter(feature for row in group for feature in row)
    common = frozenset(feature for feature, n in counts.items() if n >= _IN_GROUP_FRAC * len(group))
    rests = [set(row) - common for row in group]
    if median(map(len, rests)) < _REST_WORDS_MIN:
        return frozenset()
    overlaps = [len(a & b) / len(a | b) if a | b else 1.0 for a, b in pairwise(rests)]
    return common if median(overlaps) < _REST_JACCARD_MAX else frozenset()
