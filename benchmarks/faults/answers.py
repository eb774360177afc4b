"""Faults of answers and encodings, and the corpora with free text that they are planted into.

They are planted a few at a time: the checks compare an answer with its peers, so a fault must be rarer than what is normal.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from benchmarks.faults import damage, schemas
from benchmarks.faults.corpora import Corpus, Example, snips, support_triage, without_twins
from benchmarks.faults.plant import Kind, as_line
from benchmarks.faults.preferences import support_pairs
from benchmarks.faults.prose import SEEDS
from benchmarks.real_data import DataAbsentError, read_alpaca_seeds

SHARE = 0.02
"""Of a corpus's rows, so many carry a fault of one kind in one planting."""
PER_KIND = 60


def _cut(rng: random.Random, example: Example, corpus: Corpus) -> str:
    return as_line(corpus.system, Example(example.prompt, damage.cut_text(rng, example.answer)))


def _cut_json(rng: random.Random, example: Example, corpus: Corpus) -> str:
    return as_line(corpus.system, Example(example.prompt, damage.cut_json(rng, example.answer)))


def _open_fence(rng: random.Random, example: Example, corpus: Corpus) -> str:
    return as_line(corpus.system, Example(example.prompt, damage.open_fence(rng, example.answer)))


def _refusal(rng: random.Random, example: Example, corpus: Corpus) -> str:
    return as_line(corpus.system, Example(example.prompt, damage.refusal(rng)))


def _free_refusal(rng: random.Random, example: Example, corpus: Corpus) -> str:
    return as_line(corpus.system, Example(example.prompt, damage.free_refusal(rng)))


def _unwritten(rng: random.Random, example: Example, corpus: Corpus) -> str:
    return as_line(corpus.system, Example(example.prompt, damage.unwritten(rng)))


def _misread(rng: random.Random, example: Example, corpus: Corpus) -> str:
    return as_line(corpus.system, Example(damage.misread(rng, example.prompt), example.answer))


def _control(rng: random.Random, example: Example, corpus: Corpus) -> str:
    return as_line(corpus.system, Example(damage.with_control(rng, example.prompt), example.answer))


_CUT = Kind("answer, cut off", "data.record.truncated", "row", _cut)
_CUT_JSON = Kind("answer, cut-off JSON", "data.record.truncated", "row", _cut_json)
_FENCE = Kind("answer, open code block", "data.record.truncated", "row", _open_fence)
_REFUSAL = Kind("answer, refusal", "data.record.boilerplate", "row", _refusal)
_FREE_REFUSAL = Kind("answer, refusal in free wording", "data.record.boilerplate", "row", _free_refusal)
_UNWRITTEN = Kind("answer, never written", "data.record.boilerplate", "row", _unwritten)
_MISREAD = Kind("encoding, misread", "data.encoding.mojibake", "row", _misread)
_CONTROL = Kind("encoding, control character", "data.encoding.control", "row", _control)
_EVERYWHERE = (_REFUSAL, _FREE_REFUSAL, _UNWRITTEN, _MISREAD, _CONTROL)
KINDS = {kind.name: kind for kind in (_CUT, _CUT_JSON, _FENCE, *_EVERYWHERE)}
"""Every kind that can be planted into some of these corpora."""


def plantings() -> Iterator[tuple[Corpus, tuple[Kind, ...]] | str]:
    """Each corpus with the kinds that it can carry, or the reason why it cannot be had here."""
    yield support_triage(), (_CUT_JSON, *_EVERYWHERE)
    makers: tuple[tuple[Callable[[], Corpus], tuple[Kind, ...]], ...] = (
        (snips, _EVERYWHERE),
        (lambda: schemas.as_json(snips()), (_CUT_JSON,)),
        (replies, (_CUT, _FENCE, *_EVERYWHERE)),
        (instructions, (_CUT, _FENCE, *_EVERYWHERE)),
    )
    for make, kinds in makers:
        try:
            yield make(), kinds
        except DataAbsentError as absent:
            yield f"skipped: {absent}"


def replies() -> Corpus:
    """The support messages, each with a reply in prose."""
    pairs = support_pairs()
    rows, held_out = (tuple(Example(pair.prompt, pair.answer) for pair in side) for side in (pairs.rows, pairs.held_out))
    return Corpus(pairs.name, "Answer the customer.", rows, held_out, pairs.excluded, pairs.texts)


def instructions() -> Corpus:
    """The hand-written general instructions whose answers are prose.

    Raises:
        DataAbsentError: the data set is not on this machine.
    """
    examples = []
    for asked, answer in read_alpaca_seeds():
        if len(answer.split()) >= 12 and "\n" not in answer and answer.endswith((".", "!", "?")):
            examples.append(Example(asked, answer))
    return _corpus("general instructions", "Follow the instruction.", examples, held_out=5)


def _corpus(name: str, system: str, examples: list[Example], held_out: int) -> Corpus:
    kept, excluded = without_twins(examples)
    random.Random(17).shuffle(kept)
    return Corpus(name, system, tuple(kept[held_out:]), tuple(kept[:held_out]), excluded, SEEDS)
