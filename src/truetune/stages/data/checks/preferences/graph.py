"""Preference pairs against each other: both orders, circles, and pairs that only say that longer is better."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from truetune.core.records import Finding, TaskProfile
from truetune.core.sensitive.masking import excerpt
from truetune.core.text import normalise, text_key
from truetune.stages.data.checks.base import NO_ROWS, RowCheck, Sightings, Threshold
from truetune.stages.data.checks.preferences.sign_test import sign_test_p
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row

FLIPPED_CODE = "data.preference.flipped"
CYCLE_CODE = "data.preference.cycle"
LENGTH_CODE = "data.preference.length_bias"
_FLIPPED_FIX = "decide which of the two answers is better and delete the rows that say the opposite"
_CYCLE_FIX = "judge the answers of the circle again, and delete the row that is wrong"
_LENGTH_FIX = "add pairs in which the shorter answer is the better one, or choose between answers of similar length"

LENGTH_AUC_OFF_HALF = 0.15
"""Source: stated, as the place from which length alone tells the sides apart; see the page of this code."""
LENGTH_PAIRS_MIN = 50
"""Source: stated: with fewer pairs the 95 % interval of the AUC is wider than 0.15 to each side."""
LENGTH_P_MAX = 0.01
"""Source: stated: a sign test, so that fifty pairs do not warn by chance (3 % of such sets would, by the AUC alone)."""
_SHOWN_PAIRS = 10

_Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Preferred:
    """A preference row as keys of its texts: the system prompt and all turns asked, the better answer, the worse."""

    question: int
    better: int
    worse: int


@dataclass(frozen=True, slots=True)
class _Preferences:
    """What is preferred to what under one question: (better, worse) → positions of the rows that say so."""

    rows_of: Mapping[_Pair, Sequence[int]]

    def flips(self) -> set[_Pair]:
        """The pairs that are there in both orders, the one that comes first in the file of each."""
        both = (pair for pair in self.rows_of if pair[::-1] in self.rows_of)
        return {pair for pair in both if self.rows_of[pair][0] < self.rows_of[pair[::-1]][0]}

    def circles(self) -> list[list[int]]:
        """Positions of the rows along circles of three answers or more; flips, which are circles of two, left aside."""
        edges = [pair for pair in self.rows_of if pair[::-1] not in self.rows_of]
        answers = {answer: node for node, answer in enumerate(dict.fromkeys(answer for edge in edges for answer in edge))}
        if len(edges) < 3:
            return []
        ends = np.array([[answers[better], answers[worse]] for better, worse in edges])
        graph = sparse.coo_matrix((np.ones(len(edges)), (ends[:, 0], ends[:, 1])), shape=(len(answers), len(answers)))
        _, component = csgraph.connected_components(graph, directed=True, connection="strong")
        circles: defaultdict[int, list[int]] = defaultdict(list)
        for edge, (better, worse) in zip(edges, ends, strict=True):
            if component[better] == component[worse]:
                circles[int(component[better])].extend(self.rows_of[edge])
        return [sorted(positions) for positions in circles.values()]


def _look(row: Row, _: TaskProfile) -> _Preferred | None:
    if row.rejected is None:
        return None
    better, worse = text_key(normalise(row.answer)), text_key(normalise(row.rejected))
    question = text_key(f"{normalise(row.system)}\n{normalise(row.context)}")
    return _Preferred(question, better, worse) if better != worse else None


def _by_question(preferred: Sightings[_Preferred]) -> list[_Preferences]:
    questions: defaultdict[int, defaultdict[_Pair, list[int]]] = defaultdict(lambda: defaultdict(list))
    for position, row in preferred:
        questions[row.question][(row.better, row.worse)].append(position)
    return [_Preferences(rows_of) for rows_of in questions.values()]


def _conclude_flipped(corpus: Corpus, preferred: Sightings[_Preferred]) -> Iterable[Finding]:
    for preferences in _by_question(preferred):
        for pair in sorted(preferences.flips(), key=lambda pair: preferences.rows_of[pair][0]):
            sides = [corpus.refs(preferences.rows_of[side]) for side in (pair, pair[::-1])]
            row = corpus.rows[preferences.rows_of[pair][0]]
            yield Finding(
                code=FLIPPED_CODE,
                severity="warn",
                message="the same two answers are preferred in both orders",
                rows=(*sides[0], *sides[1]),
                groups=tuple(sides),
                evidence={"prompt": excerpt(row.prompt), "first": excerpt(row.answer), "second": excerpt(row.rejected or "")},
                fix=_FLIPPED_FIX,
            )


def _conclude_cycles(corpus: Corpus, preferred: Sightings[_Preferred]) -> Iterable[Finding]:
    for preferences in _by_question(preferred):
        for positions in preferences.circles():
            rows = [corpus.rows[position] for position in positions]
            yield Finding(
                code=CYCLE_CODE,
                severity="warn",
                message=f"{len(rows)} rows prefer answers in a circle: each is better than the next and the last than the first",
                rows=corpus.refs(positions),
                groups=(corpus.refs(positions),),
                evidence={"prompt": excerpt(rows[0].prompt), "preferred": [excerpt(row.answer) for row in rows[:5]]},
                fix=_CYCLE_FIX,
            )


def _conclude_length_bias(corpus: Corpus, seen: Sightings[int]) -> Iterable[Finding]:
    gaps = seen.values()
    if len(gaps) < LENGTH_PAIRS_MIN:
        return
    longer, shorter = sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)
    auc = (longer + (len(gaps) - longer - shorter) / 2) / len(gaps)
    if abs(auc - 0.5) <= LENGTH_AUC_OFF_HALF or sign_test_p(longer, shorter) > LENGTH_P_MAX:
        return
    sign = 1 if auc > 0.5 else -1
    extreme = heapq.nsmallest(_SHOWN_PAIRS, seen, key=lambda pair: (-sign * pair[1], pair[0]))
    yield Finding(
        code=LENGTH_CODE,
        severity="warn",
        message=f"the {'longer' if sign > 0 else 'shorter'} answer is preferred in {max(longer, shorter)} of {len(gaps)} pairs: "
        f"length alone tells the sides apart (AUC {auc:.2f})",
        rows=corpus.refs(sorted(position for position, _ in extreme)),
        evidence={"pairs": len(gaps), "longer_chosen": longer, "shorter_chosen": shorter, "auc": round(auc, 3)},
        fix=_LENGTH_FIX,
    )


def _look_at_length(row: Row, _: TaskProfile) -> int | None:
    """Characters that the chosen answer has more than the rejected one."""
    return None if row.rejected is None else len(row.answer.strip()) - len(row.rejected.strip())


FLIPPED = RowCheck(
    code=FLIPPED_CODE,
    severity="warn",
    claim="No two answers to one prompt are preferred in both orders.",
    fix=_FLIPPED_FIX,
    look=_look,
    conclude=_conclude_flipped,
)

CYCLE = RowCheck(
    code=CYCLE_CODE,
    severity="warn",
    claim="The preferences under one prompt can be put in an order: no answer is better than itself through others.",
    fix=_CYCLE_FIX,
    look=_look,
    conclude=_conclude_cycles,
)

LENGTH = RowCheck(
    code=LENGTH_CODE,
    severity="warn",
    claim="The length of the answers alone does not tell which one was preferred.",
    fix=_LENGTH_FIX,
    look=_look_at_length,
    conclude=_conclude_length_bias,
    ways=NO_ROWS,
    thresholds=(
        Threshold("distance of the length-only AUC from 0.5", LENGTH_AUC_OFF_HALF, "stated; see the page of this code"),
        Threshold("pairs", LENGTH_PAIRS_MIN, "stated: fewer leave the interval of the AUC wider than the distance"),
        Threshold("largest p of a sign test", LENGTH_P_MAX, "stated: fifty pairs must not warn by chance"),
    ),
)
