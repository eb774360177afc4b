"""Wording that many prompts share ("Classify the following message into one of …") is left out of the comparison.

Otherwise every two rows of an instruction data set would be near-duplicates of each other. Wording is told from a cluster of
copies by what remains when it is taken away: after an instruction the rest differs, in copies the rest is the same too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import numpy as np
import numpy.typing as npt

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


def without_shared_wording(texts: Sequence[list[str]]) -> tuple[list[list[str]], npt.NDArray[np.int64]]:
    """Each text's features without shared wording, and which wording it was (-1 for none). A text keeps at least one feature."""
    features = [word_features(tokens) for tokens in texts]
    wordings = _wordings(texts, features)
    which = np.full(len(texts), -1, dtype=np.int64)
    for position, row in enumerate(features if wordings else ()):
        present = set(row)
        for number, wording in enumerate(wordings):
            if len(present & wording) >= _CONTAINED_FRAC * len(wording) and len(present - wording) > 0:
                features[position] = [feature for feature in row if feature not in wording]
                which[position] = number
                break
    return features, which


def _wordings(texts: Sequence[list[str]], features: Sequence[list[str]]) -> list[frozenset[str]]:
    """The shared wordings, those with the most words first."""
    groups: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for position, tokens in enumerate(texts):
        if len(tokens) >= _LONG_WORDS + _REST_WORDS_MIN:
            groups[("start", *tokens[:_LONG_WORDS])].append(position)
            groups[("end", *tokens[-_LONG_WORDS:])].append(position)
        if len(tokens) >= _SHORT_WORDS + _REST_WORDS_MIN and len(texts) >= _SHORT_ROWS_MIN:
            groups[("start", *tokens[:_SHORT_WORDS])].append(position)
            groups[("end", *tokens[-_SHORT_WORDS:])].append(position)
    found = set()
    for key, positions in groups.items():
        enough = _LONG_ROWS if len(key) > _LONG_WORDS else _SHORT_FRAC * len(texts)
        if len(positions) >= enough:
            found.add(_wording([features[p] for p in positions[:: max(1, len(positions) // _SAMPLE)]]))
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
