"""Edits that make a text nearly, but not quite, another one."""

from __future__ import annotations

import random
from collections.abc import Sequence

SHARE = (0.05, 0.20)
"""Near duplicates differ in 5-20 % of their tokens."""
SHORTEST = 5
"""The fewest tokens of which one is no more than 20 %."""

_OPENERS = ("Hello,", "Hi,", "Hey,", "Dear all,")
_CLOSERS = ("thanks", "please", "many thanks", "cheers")


def edit_tokens(rng: random.Random, text: str, vocabulary: Sequence[str]) -> str:
    """The text with a share of its tokens dropped, replaced, mistyped, swapped or added, the share drawn from `SHARE`.

    A text of fewer than `SHORTEST` tokens gets one edit, which is more than that share.
    """
    tokens = text.split()
    edits = max(1, int(rng.uniform(*SHARE) * len(tokens)))
    for _ in range(edits):
        rng.choice((_drop, _replace, _mistype, _swap, _insert))(rng, tokens, vocabulary)
    return " ".join(tokens)


def small_slip(rng: random.Random, text: str) -> str:
    """The text as somebody types it a second time: a slip of the fingers, a greeting, a thank-you; the meaning stays."""
    tokens = text.split()
    slip = rng.choice(("mistype", "open", "close"))
    if slip == "open":
        return " ".join([rng.choice(_OPENERS), *tokens])
    if slip == "close":
        return " ".join([*tokens, rng.choice(_CLOSERS)])
    longest = max(range(len(tokens)), key=lambda i: len(tokens[i]))
    tokens[longest] = _with_slip(rng, tokens[longest])
    return " ".join(tokens)


def _drop(rng: random.Random, tokens: list[str], vocabulary: Sequence[str]) -> None:
    if len(tokens) > 1:
        del tokens[rng.randrange(len(tokens))]


def _replace(rng: random.Random, tokens: list[str], vocabulary: Sequence[str]) -> None:
    tokens[rng.randrange(len(tokens))] = rng.choice(vocabulary)


def _mistype(rng: random.Random, tokens: list[str], vocabulary: Sequence[str]) -> None:
    place = rng.randrange(len(tokens))
    tokens[place] = _with_slip(rng, tokens[place])


def _swap(rng: random.Random, tokens: list[str], vocabulary: Sequence[str]) -> None:
    if len(tokens) > 1:
        place = rng.randrange(len(tokens) - 1)
        tokens[place], tokens[place + 1] = tokens[place + 1], tokens[place]


def _insert(rng: random.Random, tokens: list[str], vocabulary: Sequence[str]) -> None:
    tokens.insert(rng.randrange(len(tokens) + 1), rng.choice(vocabulary))


def _with_slip(rng: random.Random, word: str) -> str:
    """The word with two neighbouring letters exchanged, or one doubled where it is too short for that."""
    pairs = [i for i in range(len(word) - 1) if word[i].isalpha() and word[i + 1].isalpha() and word[i] != word[i + 1]]
    if len(word) < 4 or not pairs:
        return word + word[-1]
    place = rng.choice(pairs)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
