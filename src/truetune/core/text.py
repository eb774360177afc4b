"""Text as the checks compare it: what counts as the same text, and what counts as a word."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Hashable, Sequence
from pathlib import Path

# Scripts that are written without spaces: one character is one word, or a whole sentence would be a single word.
_UNSPACED = "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
# Ordinary punctuation never tells two texts apart; `+`, `<`, `%` do.
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|[^\w\s.,;:!?'\"()\[\]{{}}`´’‘“”…–—-]")
_INVISIBLE = str.maketrans("", "", "\u200b\u200c\u200d\u2060\ufeff\u00ad")


def file_name(path: Path) -> str:
    """A path as it is shown and written: a byte that is no UTF-8 stands as an escape, for no JSON document could hold it."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def normalise(text: str) -> str:
    """The text with unicode composed (NFC), case folded and runs of white space made one space."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).translate(_INVISIBLE)
    return " ".join(text.casefold().split())


def ends(text: str, characters: int) -> str:
    """Of a longer text the first and the last half of so many characters: a question is asked at either end."""
    half = characters // 2
    return text if len(text) <= characters else f"{text[:half]} {text[-half:]}"


def text_key(text: str) -> int:
    """A 64-bit number that stands for a text: two of a million texts share one with a probability of 3 in 100 million."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def words(text: str) -> list[str]:
    """The words of a text, case folded, without ordinary punctuation; symbols that change a meaning are words."""
    return _WORD.findall(normalise(text))


def is_blank(text: str) -> bool:
    """Is there nothing to read: no characters, or only white space and invisible ones?"""
    return not text.strip() if text.isascii() else not text.translate(_INVISIBLE).strip()


def word_features(tokens: Sequence[str]) -> list[str]:
    """The words as a set that still counts: the second `the` becomes another feature than the first."""
    seen: dict[str, int] = {}
    features = []
    for token in tokens:
        count = seen.get(token, 0)
        seen[token] = count + 1
        features.append(f"{token}\t{count}" if count else token)
    return features


def words_in_order(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """How many words two texts have in common in the same order: the length of their longest common subsequence.

    Source: Hyyrö 2004, "Bit-parallel LCS-length computation revisited", with a machine word as long as the text.
    """
    masks: dict[Hashable, int] = {}
    for place, word in enumerate(a):
        masks[word] = masks.get(word, 0) | 1 << place
    full = (1 << len(a)) - 1
    unmatched = full
    for word in b:
        matched = unmatched & masks.get(word, 0)
        unmatched = ((unmatched + matched) | (unmatched - matched)) & full
    return len(a) - unmatched.bit_count()
