"""Texts that were edited and still are the same: which of the listed ones stands in a text, whole or nearly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from truetune.core.text import words, words_in_order

NEAR_WORDS_FRAC = 0.75
"""So many of a listed text's words must stand in a text in their order. Source: edits of a fifth of the words leave four fifths;
one edit more for rounding in texts of a dozen words. Unrelated English texts of a support desk share less than half."""
NEAR_WORDS_MIN = 8
"""Shorter texts count only as a whole turn, word for word: of six words two say what it is about. Source: SNIPS, where requests
of up to seven words differ in one or two from requests for something else."""
_GRAM = 3
_SURVIVING_FRAC = 0.25
"""Edits of a fifth of the words, however they are spread, leave at least a quarter of the runs of three in texts of ten words and
more (each edit breaks three)."""
_WINDOW_FRAC = 1.5

Gram = tuple[str, str, str]


class Wordings:
    """The listed texts, ready to be looked for."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Cut them into words, and note which runs of three words belong to which."""
        self._texts = [words(text) for text in texts]
        self._short = {
            tuple(text): number for number, text in reversed(list(enumerate(self._texts))) if 0 < len(text) < NEAR_WORDS_MIN
        }
        self._owners: defaultdict[Gram, list[int]] = defaultdict(list)
        for number, text in enumerate(self._texts):
            if len(text) >= NEAR_WORDS_MIN:
                for gram in dict.fromkeys(_grams(text)):
                    self._owners[gram].append(number)

    def first_in(self, turns: Sequence[str]) -> int | None:
        """The number of the first listed text that the turns hold, None where they hold none."""
        cut = [words(turn) for turn in turns]
        found = [self._short[key] for turn in cut if (key := tuple(turn)) in self._short]
        everything = [word for turn in cut for word in turn]
        if not self._owners.keys().isdisjoint(_grams(everything)):
            found.extend(self._near(everything))
        return min(found, default=None)

    def _near(self, text: list[str]) -> Iterable[int]:
        places: defaultdict[int, list[int]] = defaultdict(list)
        for place, gram in enumerate(_grams(text)):
            for number in self._owners.get(gram, ()):
                places[number].append(place)
        for number, met in places.items():
            listed = self._texts[number]
            if len(met) >= max(1, int(_SURVIVING_FRAC * (len(listed) - _GRAM + 1))) and self._stands_in(listed, text, met):
                yield number

    def _stands_in(self, listed: list[str], text: list[str], met: list[int]) -> bool:
        """Compare with the stretch of the text that has most of the listed text's runs of words."""
        width = int(_WINDOW_FRAC * len(listed))
        last, best, start = 0, 0, met[0]
        for first, place in enumerate(met):
            while last < len(met) and met[last] < place + width:
                last += 1
            if last - first > best:
                best, start = last - first, place
        stretch = text[max(0, start - len(listed) // 2) : start + width]
        return words_in_order(listed, stretch) >= NEAR_WORDS_FRAC * len(listed)


def _grams(text: Sequence[str]) -> Iterable[Gram]:
    return zip(text, text[1:], text[2:], strict=False)
