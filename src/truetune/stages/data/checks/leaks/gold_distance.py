"""How far the gold set is from what is trained on, and whether it is large enough to say something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from truetune.core.records import Finding, GoldDistance, RowRef
from truetune.core.sensitive.masking import excerpt
from truetune.core.units import percent, plural
from truetune.stages.data.checks.base import NO_ROWS, Described, Threshold
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.neighbours.prompts import LONG_WORDS, NOMINATE_JACCARD

CLOSE_JACCARD = 0.8
"""From this share of common words on, a gold item asks nearly what a training row asks, where the answer is the same too or both
are long. Source: the near-duplicate of the gate (docs/errors/data.duplicate.near.md)."""
CLOSE_FRAC = 0.1
"""Up to this share of close items the gold set is at a real distance. Source: stated; the shares of random held-out rows of
CLINC150 and SNIPS, which nobody has set apart, stand in docs/log.md."""
FEWEST_ITEMS, MOST_ITEMS = 100, 200
"""What a person can grade by hand, and what a rate can be told from. Source: at 100 items no error at all still allows 3 % of
errors (rule of three, 95 %)."""
_BINS = (1.0, 0.9, 0.8, 0.7, NOMINATE_JACCARD)
_SHOWN = 8

NEAR = Described(
    "data.gold.near",
    "warn",
    "Few gold items ask nearly what a training row asks.",
    NO_ROWS,
    (
        Threshold("share of common words from which an item is close", CLOSE_JACCARD, "as for near-duplicates"),
        Threshold("share of close items up to which the distance is real", CLOSE_FRAC, "stated; natural rates in docs/log.md"),
    ),
)
SIZE = Described(
    "data.gold.size",
    "note",
    "The gold set has enough items to tell a rate from.",
    NO_ROWS,
    (Threshold("fewest items", FEWEST_ITEMS, "stated: at 100 items no error at all still allows 3 % (rule of three)"),),
)
_NEAR_FIX = (
    "grade items that nobody trained on: from other customers, another month, or written anew; or leave the training rows out"
)
_SIZE_FIX = f"grade {FEWEST_ITEMS} to {MOST_ITEMS} items by hand; the claims rest on the frozen test either way"

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Nearest:
    """For each gold item, by its place: the nearest training row and the share of words that they have in common.

    Attributes:
        gold: positions of the items in `corpus.everyone`.
        train: positions of the nearest training rows; -1 where none shares enough words to be compared.
        share: of the words of both that both have, 0 where there is no such row.
        close: items that ask nearly what that row asks.
    """

    gold: Ints
    train: Ints
    share: npt.NDArray[np.float64]
    close: npt.NDArray[np.bool_]


def nearest(corpus: Corpus, gold: Sequence[int], train: Sequence[int]) -> Nearest:
    """Find for each gold item the nearest training row, from the pairs of prompts that the index has verified."""
    index, items, rows = corpus.index, np.asarray(gold, dtype=np.int64), np.asarray(train, dtype=np.int64)
    first = np.full(len(index.members), -1, dtype=np.int64)
    first[index.node_of[rows[::-1]]] = rows[::-1]
    nodes = index.node_of[items]
    pairs = index.pairs.joined([index.near_between(*corpus.both_sides)])
    sides = np.concatenate([pairs.a, pairs.b]), np.concatenate([pairs.b, pairs.a])
    shares = np.concatenate([pairs.jaccard, pairs.jaccard])
    useful = np.isin(sides[0], nodes) & (first[sides[1]] >= 0)
    best, with_row = np.zeros(len(first)), np.full(len(first), -1, dtype=np.int64)
    order = np.argsort(shares[useful], kind="stable")
    best[sides[0][useful][order]] = shares[useful][order]
    with_row[sides[0][useful][order]] = first[sides[1][useful][order]]
    same = first[nodes] >= 0
    found, share = np.where(same, first[nodes], with_row[nodes]), np.where(same, 1.0, best[nodes])
    near = [
        bool(s >= CLOSE_JACCARD) and _same_question(corpus, int(a), int(b)) for a, b, s in zip(items, found, share, strict=True)
    ]
    return Nearest(items, found, share, np.array(near, dtype=bool))


def _same_question(corpus: Corpus, gold: int, train: int) -> bool:
    """Short prompts that share most words ask different things every day: there the answer decides."""
    words = [len(corpus.index.words_of(int(corpus.index.node_of[position]))) for position in (gold, train)]
    return min(words) >= LONG_WORDS or corpus.answers_agree(gold, train)


def distance(found: Nearest, train_rows: int) -> GoldDistance:
    """The distribution and the verdict."""
    items = len(found.gold)
    counts = {f"{low:.1f}": int(np.sum(found.share >= low)) for low in _BINS}
    if not items or not train_rows:
        what = "no gold item could be read" if not items else "there is no row to train on"
        return GoldDistance(items=items, close=0, at_least=counts, verdict="not measured", reason=what)
    close = int(found.close.sum())
    ask = "asks" if close == 1 else "ask"
    said = f"{close:,} of {plural(items, 'gold item')} ({percent(close / items)}) {ask} nearly what a training row asks"
    verdict = "too close" if close > CLOSE_FRAC * items else "real distance"
    return GoldDistance(
        items=items, close=close, at_least=counts, verdict=verdict, reason=f"{said}; {percent(CLOSE_FRAC)} is allowed"
    )


def findings(corpus: Corpus, found: Nearest, measured: GoldDistance) -> list[Finding]:
    """The close pairs, side by side, and a gold set that is too small."""
    made = []
    places = np.flatnonzero(found.close)
    places = places[np.argsort(-found.share[places], kind="stable")].tolist()
    if places:
        gold, train = (corpus.refs([int(side[place]) for place in places]) for side in (found.gold, found.train))
        made.append(_near_finding(corpus, found, measured, places, (gold, train)))
    if 0 < measured.items < FEWEST_ITEMS:
        first = corpus.everyone[int(found.gold[0])].ref
        made.append(
            Finding(
                code=SIZE.code,
                severity="note",
                message=f"the gold set has {plural(measured.items, 'item')}, and {FEWEST_ITEMS} to {MOST_ITEMS} are advised: "
                f"without one error in {measured.items}, {percent(min(1.0, 3 / measured.items))} of errors are still possible",
                rows=(RowRef(file=first.file, line=1),),
                evidence={"items": measured.items},
                fix=_SIZE_FIX,
            )
        )
    return made


def _near_finding(
    corpus: Corpus, found: Nearest, measured: GoldDistance, places: list[int], refs: tuple[tuple[RowRef, ...], ...]
) -> Finding:
    texts = [[excerpt(corpus.everyone[int(side[p])].prompt) for p in places[:_SHOWN]] for side in (found.gold, found.train)]
    return Finding(
        code=NEAR.code,
        severity="warn" if measured.verdict == "too close" else "note",
        message=measured.reason,
        rows=(*refs[0], *refs[1]),
        groups=tuple(zip(*refs, strict=True)),
        evidence={
            "gold": list(texts[0]),
            "train": list(texts[1]),
            "share": [round(float(found.share[p]), 3) for p in places[:_SHOWN]],
            "verdict": measured.verdict,
        },
        fix=_NEAR_FIX,
    )
