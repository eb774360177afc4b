"""Prompts and answers that are many times longer or shorter than the others of their corpus, planted a few at a time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from benchmarks.faults import answers, prose
from benchmarks.faults.corpora import Corpus, Example, snips, support_triage
from benchmarks.faults.plant import Kind, as_line
from benchmarks.real_data import DataAbsentError

CODE = "data.balance.length"
_JOINED = (15, 40)
"""A long text is so many others of its corpus, one after another."""
_SHORT = ("Yes.", "No.", "Ok.", "Sure", "Done", "7", "Maybe.", "None")


def _joined(rng: random.Random, texts: list[str]) -> str:
    return " ".join(rng.sample(texts, rng.randint(*_JOINED)))


def _long_prompt(rng: random.Random, example: Example, corpus: Corpus) -> str:
    more = _joined(rng, [row.prompt for row in corpus.rows])
    return as_line(corpus.system, Example(f"{example.prompt} {more}", example.answer))


def _long_answer(rng: random.Random, example: Example, corpus: Corpus) -> str:
    more = _joined(rng, sorted({row.answer for row in corpus.rows}))
    return as_line(corpus.system, Example(example.prompt, f"{example.answer} {more}"))


def _short_answer(rng: random.Random, example: Example, corpus: Corpus) -> str:
    return as_line(corpus.system, Example(example.prompt, rng.choice(_SHORT)))


_PROMPT = Kind("length, prompt many times longer", CODE, "row", _long_prompt)
_ANSWER = Kind("length, answer many times longer", CODE, "row", _long_answer)
_WORD = Kind("length, one word for an answer", CODE, "row", _short_answer)


def plantings() -> Iterator[tuple[Corpus, tuple[Kind, ...]] | str]:
    """Each corpus with the kinds that it can carry, or the reason why it cannot be had here."""
    yield support_triage(), (_PROMPT,)
    yield answers.replies(), (_PROMPT, _ANSWER, _WORD)
    makers: tuple[tuple[Callable[[], Corpus], tuple[Kind, ...]], ...] = (
        (snips, (_PROMPT,)),
        (prose.messages_continued, (_ANSWER,)),
    )
    for make, kinds in makers:
        try:
            yield make(), kinds
        except DataAbsentError as absent:
            yield f"skipped: {absent}"
