"""Text as the checks compare it; its one home is `truetune.core.text`."""

from __future__ import annotations

from truetune.core.text import is_blank, normalise, text_key, word_features, words

__all__ = ["is_blank", "normalise", "text_key", "word_features", "words"]
