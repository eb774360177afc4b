"""Corpora of free text, large enough to cut sets from and with answers long enough to have a language."""

from __future__ import annotations

import random

from benchmarks.faults.corpora import Corpus, Example, without_twins
from benchmarks.real_data import data_folder, read_alpaca_seeds, read_snips

SEEDS = "seed instructions"
"""The texts of the corpora that are made of Alpaca's seed tasks."""
_FIRST_WORDS = 5
_SHORTEST_WORDS = 11


def all_instructions() -> Corpus:
    """The hand-written general instructions with answers of any form and more than a few words.

    Raises:
        DataAbsentError: the data set is not on this machine.
    """
    pairs = [Example(prompt, answer) for prompt, answer in read_alpaca_seeds() if len(answer.split()) > 6]
    kept, excluded = without_twins(pairs)
    return Corpus("general instructions, all forms", "Follow the instruction.", tuple(kept), (), excluded, SEEDS)


def messages_continued(rows: int = 600, seed: int = 17) -> Corpus:
    """The rest of a SNIPS message, asked for by its first words.

    Raises:
        DataAbsentError: the data set is not on this machine.
    """
    long = [words for text in read_snips(data_folder())["train"] if len(words := text.text.split()) >= _SHORTEST_WORDS]
    drawn = random.Random(seed).sample(long, rows)
    kept, excluded = without_twins([Example(" ".join(w[:_FIRST_WORDS]), " ".join(w[_FIRST_WORDS:])) for w in drawn])
    return Corpus("messages continued", "Continue the message.", tuple(kept), (), excluded, "SNIPS")
