"""Faults of preference pairs: of single pairs, and of what a whole set of pairs says."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.faults import damage, styling
from benchmarks.faults.corpora import Corpus, Example, Pair, support_triage
from benchmarks.faults.plant import Kind
from benchmarks.faults.prose import SEEDS
from benchmarks.faults.replies import REPLIES
from benchmarks.real_data import DataAbsentError, read_alpaca_seeds

_CYCLE = 5
"""Answers change places within so many of nearly equal length: no side is longer, and no two pairs are each other's mirror."""
_HELD_OUT = 8
PAIRS = 110
"""Pairs of one planting of a fault of the whole set."""

Change = Callable[[random.Random, list[Pair]], list[str]]


@dataclass(frozen=True)
class Whole:
    """A fault of a whole set of pairs: the finding expected, and how the lines of such a set are made of sound pairs."""

    name: str
    code: str
    make: Change


def support_pairs() -> Corpus:
    """Each support message with a reply of its own queue, preferred to a reply of another."""
    base = support_triage()
    rng = random.Random(17)
    return Corpus(
        "support replies", "", _with_replies(rng, base.rows), _with_replies(rng, base.held_out), base.excluded, base.name
    )


def _with_replies(rng: random.Random, examples: Sequence[Example]) -> tuple[Pair, ...]:
    pairs = []
    for example in examples:
        queue = json.loads(example.answer)["queue"]
        other = rng.choice([name for name in REPLIES if name != queue])
        pairs.append(Pair(example.prompt, rng.choice(REPLIES[queue]), rng.choice(REPLIES[other])))
    return tuple(pairs)


def instruction_pairs() -> Corpus:
    """Hand-written instructions with their answer, preferred to the answer of another instruction of nearly the same length.

    Raises:
        DataAbsentError: the data set is not on this machine.
    """
    examples = sorted(read_alpaca_seeds(), key=lambda pair: len(pair[1]))
    told = [(asked, answer) for asked, answer in examples if len(answer.split()) >= 4]
    pairs = []
    for start in range(0, len(told) - _CYCLE + 1, _CYCLE):
        group = told[start : start + _CYCLE]
        pairs += [Pair(asked, answer, group[(n + 2) % _CYCLE][1]) for n, (asked, answer) in enumerate(group)]
    random.Random(17).shuffle(pairs)
    return Corpus("instructions, answers of others", "", tuple(pairs[_HELD_OUT:]), tuple(pairs[:_HELD_OUT]), {}, SEEDS)


def plantings() -> Iterator[tuple[Corpus, tuple[Kind, ...]] | str]:
    """Each corpus with the faults of single pairs that it can carry, or the reason why it cannot be had here."""
    for corpus in corpora():
        yield corpus if isinstance(corpus, str) else (corpus, tuple(KINDS.values()))


def corpora() -> Iterator[Corpus | str]:
    """The sets of sound pairs."""
    yield support_pairs()
    try:
        yield instruction_pairs()
    except DataAbsentError as absent:
        yield f"skipped: {absent}"


def _pair(example: Example) -> Pair:
    assert isinstance(example, Pair)
    return example


def _line(prompt: str, chosen: object, rejected: object, **more: object) -> str:
    return json.dumps({"prompt": prompt, "chosen": chosen, "rejected": rejected, **more}, ensure_ascii=False)


def _respaced(rng: random.Random, text: str) -> str:
    """The text, as it is or with other spacing or capitals."""
    return rng.choice((text, f" {text}\n", text.replace(" ", "  ", 1), text.upper()))


def _same(rng: random.Random, example: Example, corpus: Corpus) -> str:
    pair = _pair(example)
    side = rng.choice((pair.answer, pair.rejected))
    return _line(pair.prompt, side, _respaced(rng, side))


def _other_prompt(rng: random.Random, example: Example, corpus: Corpus) -> str:
    """Both sides as whole conversations, of which one answers another question."""
    pair = _pair(example)
    other = rng.choice([row.prompt for row in corpus.rows if row.prompt != pair.prompt])
    asked = [pair.prompt, other]
    rng.shuffle(asked)
    sides = [
        [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
        for prompt, answer in zip(asked, (pair.answer, pair.rejected), strict=True)
    ]
    return json.dumps({"chosen": sides[0], "rejected": sides[1]}, ensure_ascii=False)


def _empty(rng: random.Random, example: Example, corpus: Corpus) -> str:
    pair = _pair(example)
    sides = [pair.answer, pair.rejected]
    sides[rng.randrange(2)] = rng.choice(("", " ", "\n", "\u200b", " \t\n", "\u00a0"))
    return _line(pair.prompt, *sides)


def _flipped(rng: random.Random, example: Example, corpus: Corpus) -> str:
    pair = _pair(example)
    return _line(_respaced(rng, pair.prompt), _respaced(rng, pair.rejected), _respaced(rng, pair.answer))


def _circle(rng: random.Random, example: Example, corpus: Corpus) -> tuple[str, ...]:
    """With the pair itself, a circle of three to five answers."""
    pair = _pair(example)
    others = [row.answer for row in corpus.rows if row.answer not in (pair.answer, pair.rejected)]
    ring = [pair.rejected, *rng.sample(sorted(set(others)), rng.randrange(1, 4)), pair.answer]
    return tuple(_line(pair.prompt, ring[n], ring[n + 1]) for n in range(len(ring) - 1))


_FLIPPED_CODE, _CYCLE_CODE = "data.preference.flipped", "data.preference.cycle"
KINDS = {
    kind.name: kind
    for kind in (
        Kind("preference, same sides", "data.preference.same", "row", _same),
        Kind("preference, two prompts", "data.preference.prompt", "row", _other_prompt),
        Kind("preference, empty side", "data.record.empty", "row", _empty),
        Kind("preference, both orders", _FLIPPED_CODE, "copy", _flipped, (_FLIPPED_CODE,)),
        Kind("preference, circle", _CYCLE_CODE, "copy", _circle, (_CYCLE_CODE,)),
    )
}
"""Every fault of a single pair."""


def _as_lines(pairs: Sequence[Pair]) -> list[str]:
    return [_line(pair.prompt, pair.answer, pair.rejected) for pair in pairs]


def drawn(rng: random.Random, corpus: Corpus) -> list[Pair]:
    """Sound pairs of a corpus, as many as a set has."""
    return [_pair(example) for example in rng.sample(corpus.rows, PAIRS)]


def _length(rng: random.Random, pairs: list[Pair]) -> list[str]:
    """One side is longer in most pairs: it goes on, in the words of other answers."""
    share, longer_chosen = rng.uniform(0.8, 1.0), rng.random() < 0.7
    made = []
    for pair in pairs:
        sides = [pair.answer, pair.rejected]
        wanted = 0 if longer_chosen == (rng.random() < share) else 1
        while len(sides[wanted]) <= len(sides[1 - wanted]):
            sides[wanted] += f" {rng.choice(pairs).answer}"
        made.append(Pair(pair.prompt, *sides))
    return _as_lines(made)


def _style(rng: random.Random, pairs: list[Pair]) -> list[str]:
    """Most chosen answers, or most rejected ones, are in a style of their own."""
    share, on_chosen, restyle = rng.uniform(0.8, 1.0), rng.random() < 0.6, styling.style(rng)
    made = []
    for pair in pairs:
        changed = rng.random() < share
        answer = restyle(rng, pair.answer) if changed and on_chosen else pair.answer
        rejected = restyle(rng, pair.rejected) if changed and not on_chosen else pair.rejected
        made.append(Pair(pair.prompt, answer, rejected))
    return _as_lines(made)


def _refusals(rng: random.Random, pairs: list[Pair]) -> list[str]:
    """One side refuses in a fifth of the pairs or more."""
    share, on_chosen = rng.uniform(0.2, 0.5), rng.random() < 0.4
    made = []
    for pair in pairs:
        refusal = damage.refusal(rng)
        if rng.random() >= share:
            made.append(pair)
        else:
            made.append(Pair(pair.prompt, refusal, pair.rejected) if on_chosen else Pair(pair.prompt, pair.answer, refusal))
    return _as_lines(made)


def judged(rng: random.Random, pairs: Sequence[Pair], right_frac: float) -> list[str]:
    """Each pair as three people judge it, each of them with the pair's own opinion in that share of the cases."""
    lines = []
    for pair in pairs[: PAIRS // 2]:
        for person in rng.sample(("ann_1", "ann_2", "ann_3", "ann_4"), 3):
            sides = [pair.answer, pair.rejected]
            if rng.random() >= right_frac:
                sides.reverse()
            lines.append(_line(pair.prompt, *sides, annotator=person))
    rng.shuffle(lines)
    return lines


def _disagreement(rng: random.Random, pairs: list[Pair]) -> list[str]:
    """Opinions that are little better than a coin: right in 50 to 68 of 100 cases, so that kappa is 0.13 at most."""
    return judged(rng, pairs, rng.uniform(0.5, 0.68))


def sound(rng: random.Random, pairs: list[Pair]) -> list[str]:
    """The pairs as they are; in one of three sets as three people judge them who mostly agree (kappa above 0.6)."""
    return judged(rng, pairs, rng.uniform(0.92, 1.0)) if rng.random() < 1 / 3 else _as_lines(pairs)


WHOLES = {
    whole.name: whole
    for whole in (
        Whole("preference set, length decides", "data.preference.length_bias", _length),
        Whole("preference set, style decides", "data.preference.style", _style),
        Whole("preference set, refusals on one side", "data.preference.refusals", _refusals),
        Whole("preference set, annotators disagree", "data.preference.agreement", _disagreement),
    )
}
"""Every fault of a whole set of pairs."""
