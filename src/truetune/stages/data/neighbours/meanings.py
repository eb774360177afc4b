"""What prompts mean, as vectors: asked for when they are needed, and kept for the next check that needs them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from truetune.core.ports import SentenceEncoder
from truetune.core.text import ends

Floats = npt.NDArray[np.float32]

CHARACTERS = 1024
"""Of a longer prompt the first and the last half of so many are read. Source: sentence models read a few hundred tokens."""

_KEPT = 1 << 16
"""Vectors that are kept: 50 MB where they have 384 dimensions."""


class Meanings:
    """The vectors of prompts, each of length one."""

    def __init__(self, encoder: SentenceEncoder, contexts: Sequence[str]) -> None:
        """`contexts` are the prompts, by position."""
        self._encoder, self._contexts = encoder, contexts
        self._kept: dict[int, npt.NDArray[np.float16]] = {}

    @property
    def name(self) -> str:
        """The model that gives them."""
        return self._encoder.name

    def of(self, positions: Sequence[int]) -> Floats:
        """What the prompts at these positions mean, (positions, dimensions)."""
        new = [position for position in dict.fromkeys(positions) if position not in self._kept]
        fresh: dict[int, npt.NDArray[np.float16]] = {}
        if new:
            vectors = self._encoder.encode([_readable(self._contexts[position]) for position in new]).astype(np.float16)
            fresh = dict(zip(new, vectors, strict=True))
        found = np.stack([fresh[p] if p in fresh else self._kept[p] for p in positions]).astype(np.float32)
        if len(self._kept) + len(fresh) <= _KEPT:
            self._kept.update(fresh)
        return found


def _readable(text: str) -> str:
    return ends(text, CHARACTERS).encode("utf-8", "replace").decode("utf-8")
