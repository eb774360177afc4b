"""Prompts and answers of a length that hardly any other has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from truetune.core.records import Finding
from truetune.stages.data.checks.base import NO_ROWS, Check, Threshold
from truetune.stages.data.corpus import Corpus

CODE = "data.balance.length"
_FIX = "look at these rows: a very long one outweighs many others in a batch, a very short one is often cut off or misplaced"

FAR_OUT = 3.0
"""Times the distance between the quartiles, beyond them. Source: Tukey 1977, Exploratory Data Analysis: the outer fences, here on
the logarithm of the length, since lengths are skewed."""
TIMES_MEDIAN = 8.0
"""... and at least so many times the median, or so small a part of it. Source: ours: where all lengths are nearly equal, the
fences lie too close to the median to mean anything."""
_ROWS_MIN = 50
_SHOWN = 50


def _find(corpus: Corpus) -> Iterable[Finding]:
    balance = corpus.balance
    if len(balance.prompt_chars) < _ROWS_MIN:
        return
    yield from _outliers(corpus, "prompt", balance.prompt_chars)
    if corpus.profile.shape in ("text", "json"):
        yield from _outliers(corpus, "answer", balance.answer_chars)


def _outliers(corpus: Corpus, side: str, lengths: npt.NDArray[np.int64]) -> Iterator[Finding]:
    logs = np.log(np.maximum(1, lengths))
    low, middle, high = np.quantile(logs, (0.25, 0.5, 0.75))
    reach = FAR_OUT * (high - low)
    long = logs > max(high + reach, middle + np.log(TIMES_MEDIAN))
    short = logs < min(low - reach, middle - np.log(TIMES_MEDIAN))
    for word, mask in (("long", long), ("short", short)):
        found = np.flatnonzero(mask)
        if len(found):
            furthest = found[np.argsort(-np.abs(logs[found] - middle), kind="stable")][:_SHOWN]
            yield Finding(
                code=CODE,
                severity="note",
                message=f"{len(found)} {side}{'s are' if len(found) > 1 else ' is'} very {word}: the median is "
                f"{round(np.exp(middle))} characters, the furthest has {int(lengths[furthest[0]])}",
                rows=corpus.refs(sorted(int(p) for p in furthest)),
                evidence={
                    "side": side,
                    "rows": len(found),
                    "of": len(lengths),
                    "share_of_characters": round(float(lengths[found].sum() / max(1, lengths.sum())), 4),
                },
                fix=_FIX,
            )


CHECK = Check(
    code=CODE,
    severity="note",
    claim="No prompt or answer is many times longer or shorter than the others.",
    fix=_FIX,
    find=_find,
    ways=NO_ROWS,
    thresholds=(
        Threshold("quartile distances beyond the quartiles, of log length", FAR_OUT, "Tukey 1977: outer fences"),
        Threshold("times the median", TIMES_MEDIAN, "ours"),
    ),
)
