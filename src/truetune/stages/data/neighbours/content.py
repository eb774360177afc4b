"""What texts are about: the beginnings of their content words, each with a weight that falls with how many texts have it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import sparse

from truetune.stages.data.neighbours.sorting import distinct
from truetune.stages.data.neighbours.words import Flags, Hashes, Ints, Words, cut_words, mix, parts, spans

STEM_BYTES = 5
"""Of a word its first five letters count: "cancel", "cancelled" and "cancellation" are one. Words with a digit count whole."""

_SMOOTHED_TEXTS = 50
"""Added to the number of texts, so that a word which all of very few texts have still says something."""

_COUNT_BUCKETS = 1 << 20

_FUNCTION_WORDS = (
    "a an the this that these those i me my mine we us our ours you your yours he him his she her it its they them their "
    "one oneself myself yourself itself ourselves themselves who whom whose which what how while when where why am is are was "
    "were be been being do does did done doing have has had having will would shall should can could may might must ought "
    "to of in on at by for from with about into onto over under up down out off as and or but if then so than because not no "
    "nor please pls plz kindly tell show give let know want wants wanted need needs needed like help explain wonder wondering "
    "way ways best easiest some any someone somebody something anything there here get got getting go going take takes make "
    "just really very also too hi hello hey dear thanks thank thx cheers ok okay um uh question ask asked asking possible able "
    "idea clue mind again now ever never i'm i'd i've i'll it's what's how's that's there's who's where's don't doesn't didn't "
    "can't couldn't won't isn't aren't wasn't you'd you're"
)
"""English words that say how something is asked and not what. Texts in other languages have only the weights to go by."""


@dataclass(frozen=True, slots=True)
class Content:
    """The content words of some texts.

    Attributes:
        stems: hashes of word beginnings, each once a text, (stems,).
        starts: (texts + 1,); the stems of text `i` are `stems[starts[i]:starts[i + 1]]`.
        numbers: one number for all words with a digit in a text, in any order; 0 where there are none, (texts,).
    """

    stems: Words
    starts: Ints
    numbers: Hashes

    def only(self, texts: Ints) -> Content:
        """Some of the texts, in the order given."""
        lengths = np.diff(self.starts)[texts]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        return Content(self.stems[spans(self.starts[texts], lengths)], starts, self.numbers[texts])


class Weights:
    """How much a word says, learnt from a sample of texts."""

    def __init__(self, content: Content) -> None:
        """Count in how many texts each word stands."""
        self._texts = len(content.starts) - 1
        self._counts = np.bincount(_bucket(content.stems), minlength=_COUNT_BUCKETS)

    def matrix(self, content: Content, salt: Ints) -> sparse.csr_array:
        """Texts as rows of unit length; only rows of equal `salt`, (texts,), have columns in common."""
        count = np.maximum(self._counts[_bucket(content.stems)], 1)
        weight = np.log(np.maximum((self._texts + _SMOOTHED_TEXTS) / count, 1.0))
        text = np.repeat(np.arange(len(content.starts) - 1), np.diff(content.starts))
        keys = (salt[text].astype(np.uint64) << np.uint64(32)) | content.stems
        columns = np.unique(keys, return_inverse=True)[1]
        norm = np.sqrt(np.bincount(text, weights=weight**2, minlength=len(salt)))
        values = weight / np.maximum(norm, 1e-9)[text]
        shape = (len(salt), int(columns.max(initial=0)) + 1)
        return sparse.csr_array((values, columns, content.starts), shape=shape)


def _bucket(stems: Words) -> Ints:
    return (stems & np.uint32(_COUNT_BUCKETS - 1)).astype(np.int64)


def content_of(texts: Iterable[str]) -> Content:
    """The content words of texts, read once."""
    stems, lengths, numbers = [], [], []
    for part in parts(texts):
        cut = cut_words(part)
        counted = cut.holding("0", "9")
        text = np.repeat(np.arange(len(part)), np.diff(cut.rows))
        whole = cut.hashes(cut.ends)
        sums = np.zeros(len(part), dtype=np.uint64)
        np.add.at(sums, text[counted], mix(whole[counted]))
        short = cut.hashes(np.where(counted, cut.ends, np.minimum(cut.ends, cut.starts + STEM_BYTES)))
        said = ~_of_function_words(whole)
        keys = distinct((text[said].astype(np.uint64) << np.uint64(32)) | (short[said] >> np.uint64(32)))
        stems.append(keys.astype(np.uint32))
        lengths.append(np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=len(part)))
        numbers.append(sums)
    starts = np.concatenate([[0], np.cumsum(np.concatenate([np.empty(0, dtype=np.int64), *lengths]))]).astype(np.int64)
    empty: npt.NDArray[np.uint32] = np.empty(0, dtype=np.uint32)
    return Content(np.concatenate([empty, *stems]), starts, np.concatenate([empty.astype(np.uint64), *numbers]))


def _of_function_words(words: Hashes) -> Flags:
    return np.isin(words, _function_words())


@lru_cache(maxsize=1)
def _function_words() -> Hashes:
    cut = cut_words([_FUNCTION_WORDS])
    return cut.hashes(cut.ends)
