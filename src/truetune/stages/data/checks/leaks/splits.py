"""Training rows whose prompt also stands in a file that training must not see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from truetune.core.records import Finding, Severity
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import DROPPED, Check, Threshold
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.neighbours.prompts import LONG_WORDS, NEAR_WORDS_FRAC

CODE = "data.leakage.split"
_FIX = "delete the training row (`truetune run` leaves it out); the held-out row stays where it is"


How = Literal["exactly", "nearly", "reworded"]


_SAID = {
    "exactly": ("stands exactly in", "stand exactly in"),
    "nearly": ("stands nearly in", "stand nearly in"),
    "exactly or nearly": ("stands exactly or nearly in", "stand exactly or nearly in"),
    "reworded": ("asks in other words what is asked in", "ask in other words what is asked in"),
}


@dataclass(frozen=True, slots=True)
class _Leak:
    train: int
    held_out: int
    jaccard: float
    severity: Severity
    how: How


def _leaks(corpus: Corpus) -> Iterator[_Leak]:
    border = len(corpus.rows)
    index = corpus.index
    for positions in index.members:
        if positions[0] < border <= positions[-1]:
            held = next(p for p in positions if p >= border)
            yield from (_Leak(p, held, 1.0, "block", "exactly") for p in positions if p < border)
    for pair in index.near_across(border):
        a, b = index.members[pair.a], index.members[pair.b]
        for left, right in ((a, b), (b, a)):
            held = next((p for p in right if p >= border), -1)
            for train in left if held >= 0 else ():
                if train < border and (severity := _near_severity(corpus, train, held, pair.is_copy)):
                    yield _Leak(train, held, pair.jaccard, severity, "nearly")
    for cluster in corpus.rephrased:
        held = next((p for p in cluster.positions if p >= border), -1)
        if held >= 0 and cluster.is_certain:
            yield from (_Leak(p, held, 0.0, "warn", "reworded") for p in cluster.positions if p < border)


def _near_severity(corpus: Corpus, train: int, held: int, is_copy: bool) -> Severity | None:
    """A copy blocks. A short prompt that is only similar is worth a look where the answer is the same, else not."""
    if corpus.answers_agree(train, held):
        return "block" if is_copy else "warn"
    long = min(len(corpus.index.words_of(corpus.index.node_of[p])) for p in (train, held)) >= LONG_WORDS
    return "block" if is_copy and long else None


def _find(corpus: Corpus) -> Iterable[Finding]:
    if not corpus.held_out:
        return
    best: dict[int, _Leak] = {}
    for leak in _leaks(corpus):
        known = best.get(leak.train)
        if known is None or (leak.how == "exactly", leak.jaccard) > (known.how == "exactly", known.jaccard):
            best[leak.train] = leak
    groups: defaultdict[tuple[int, Severity, bool], list[_Leak]] = defaultdict(list)
    for leak in best.values():
        groups[leak.held_out, leak.severity, leak.how == "reworded"].append(leak)
    for leaks in groups.values():
        yield _finding(corpus, sorted(leaks, key=lambda leak: leak.train))


def _finding(corpus: Corpus, leaks: list[_Leak]) -> Finding:
    held = leaks[0].held_out
    how = " or ".join(sorted({leak.how for leak in leaks}))
    train = corpus.refs([leak.train for leak in leaks])
    held_row = corpus.everyone[held]
    same = corpus.index.members[int(corpus.index.node_of[held])]
    held_refs = corpus.refs([position for position in same if position >= len(corpus.rows)])
    count = f"{len(train)} training rows" if len(train) > 1 else "a training row"
    return Finding(
        code=CODE,
        severity=leaks[0].severity,
        message=f"{count} {_SAID[how][len(train) > 1]} {held_row.file}, line {held_row.line}",
        rows=(*train, *held_refs),
        groups=(train, held_refs),
        evidence={
            "train": excerpt(corpus.rows[leaks[0].train].prompt),
            "held_out": excerpt(held_row.prompt),
            "jaccard": [round(leak.jaccard, 3) for leak in leaks[:8]],
        },
        fix=_FIX,
    )


CHECK = Check(
    code=CODE,
    severity="block",
    claim="No training row asks what a held-out row asks, in the same words, nearly, or in other words.",
    fix=_FIX,
    find=_find,
    ways=DROPPED,
    thresholds=(
        Threshold("share of the longer prompt's words kept in order", NEAR_WORDS_FRAC, "as for near-duplicates"),
        Threshold("a near copy blocks from so many words on", LONG_WORDS, "as for near-duplicates"),
    ),
)
