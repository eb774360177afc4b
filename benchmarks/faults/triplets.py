"""Faults of embedding triplets, and the corpora that they are planted into."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence

from benchmarks.faults.corpora import Corpus, Example, Triplet, clinc150, snips
from benchmarks.faults.edits import small_slip
from benchmarks.faults.plant import Kind
from benchmarks.real_data import DataAbsentError

_HELD_OUT = 40


def plantings() -> Iterator[tuple[Corpus, tuple[Kind, ...]] | str]:
    """Each corpus with the kinds that it can carry, or the reason why it cannot be had here."""
    makers: tuple[Callable[[], Corpus], ...] = (snips, clinc150)
    for make in makers:
        try:
            yield _triplets(make()), tuple(KINDS.values())
        except DataAbsentError as absent:
            yield f"skipped: {absent}"


def _triplets(base: Corpus) -> Corpus:
    """Utterances of one intent as query and positive, one of another intent as negative; each utterance is used once."""
    rng = random.Random(17)
    rows = list(base.rows)
    rng.shuffle(rows)
    by_intent: dict[str, list[str]] = {}
    for row in rows:
        by_intent.setdefault(row.answer, []).append(row.prompt)
    triplets = []
    while True:
        enough = [intent for intent, texts in by_intent.items() if len(texts) >= 2]
        if len(enough) < 2:
            break
        intent = rng.choice(enough)
        other = rng.choice([name for name, texts in by_intent.items() if name != intent and texts])
        texts = by_intent[intent]
        triplets.append(Triplet(texts.pop(), texts.pop(), (by_intent[other].pop(),)))
    held_out, rows_left = triplets[:_HELD_OUT], triplets[_HELD_OUT:]
    return Corpus(f"{base.name} triplets", "", tuple(rows_left), tuple(held_out), base.excluded, base.name)


def _triplet(example: Example) -> Triplet:
    assert isinstance(example, Triplet)
    return example


def _line(query: str, positive: str, negatives: Sequence[str], rng: random.Random) -> str:
    """One line; a single negative as text or as a list of one."""
    negative = negatives[0] if len(negatives) == 1 and rng.random() < 0.8 else list(negatives)
    return json.dumps({"query": query, "positive": positive, "negative": negative}, ensure_ascii=False)


def _rewritten(rng: random.Random, text: str) -> str:
    """The same words, as they are or with other capitals, spacing or end."""
    return rng.choice((text, text.upper(), text.capitalize(), f" {text}", f"{text}?", f"{text}.", text.replace(" ", "  ", 1)))


def _is_query(rng: random.Random, example: Example, corpus: Corpus) -> str:
    row = _triplet(example)
    return _line(row.prompt, _rewritten(rng, row.prompt), row.negatives, rng)


def _among(rng: random.Random, example: Triplet, wrong: str) -> str:
    """The row with a wrong negative, alone or among others."""
    negatives = rng.choice(([wrong], [wrong, *example.negatives], [*example.negatives, wrong]))
    return _line(example.prompt, example.answer, negatives, rng)


def _negative_is_positive(rng: random.Random, example: Example, corpus: Corpus) -> str:
    return _among(rng, _triplet(example), _rewritten(rng, example.answer))


def _negative_is_query(rng: random.Random, example: Example, corpus: Corpus) -> str:
    return _among(rng, _triplet(example), _rewritten(rng, example.prompt))


def _negative_is_near(rng: random.Random, example: Example, corpus: Corpus) -> str:
    """A slip or a courtesy away from the positive or the query."""
    return _among(rng, _triplet(example), small_slip(rng, rng.choice((example.answer, example.prompt))))


def _fresh(rng: random.Random, corpus: Corpus) -> Triplet:
    return _triplet(rng.choice(corpus.held_out))


def _same_positive(rng: random.Random, example: Example, corpus: Corpus) -> str:
    """Another query with the positive of a row, word for word or with a slip."""
    other = _fresh(rng, corpus)
    positive = rng.choice((_rewritten, small_slip))(rng, example.answer)
    return _line(other.prompt, positive, other.negatives, rng)


def _same_query(rng: random.Random, example: Example, corpus: Corpus) -> str:
    other = _fresh(rng, corpus)
    return _line(_rewritten(rng, example.prompt), other.answer, other.negatives, rng)


def _crossed(rng: random.Random, example: Example, corpus: Corpus) -> str:
    """A row's query as the positive of another, or its positive as another's query."""
    other = _fresh(rng, corpus)
    if rng.random() < 0.5:
        return _line(other.prompt, _rewritten(rng, example.prompt), other.negatives, rng)
    return _line(_rewritten(rng, example.answer), other.answer, other.negatives, rng)


def _copy(rng: random.Random, example: Example, corpus: Corpus) -> str:
    row = _triplet(example)
    spaced = f" {row.prompt.upper()}\n"
    return _line(rng.choice((row.prompt, spaced)), row.answer, row.negatives, rng)


_FALSE = "data.triplet.false_negative"
_TWICE = ("data.duplicate", _FALSE)
KINDS = {
    kind.name: kind
    for kind in (
        Kind("triplet, positive is the query", "data.triplet.positive", "row", _is_query),
        Kind("triplet, negative is the positive", "data.triplet.negative", "row", _negative_is_positive),
        Kind("triplet, negative is the query", "data.triplet.negative", "row", _negative_is_query),
        Kind("triplet, negative a slip away", "data.triplet.negative", "row", _negative_is_near),
        Kind("triplet, positive of two rows", _FALSE, "copy", _same_positive, (_FALSE,)),
        Kind("triplet, query of two rows", _FALSE, "copy", _same_query, (_FALSE,)),
        Kind("triplet, query of one, positive of another", _FALSE, "copy", _crossed, (_FALSE,)),
        Kind("triplet, twice", "data.duplicate.exact", "copy", _copy, _TWICE),
    )
}
"""Every kind that can be planted into triplets."""
