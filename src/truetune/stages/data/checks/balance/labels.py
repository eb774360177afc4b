"""Labels that are given too often to measure the others, or too rarely to be learned or tested."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from truetune.core.records import Finding, Severity
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.balance.measure import Ints, Values
from truetune.stages.data.balance.summary import entropy_bits
from truetune.stages.data.checks.base import Check, Threshold
from truetune.stages.data.corpus import Corpus

CODE = "data.balance.labels"
_FIX = "collect rows of the rare values, or merge them into others; leave out some rows of the commonest one"

DOMINANT_FRAC = 0.9
"""From this share on one value is nearly all of it. Source: arithmetic: always giving it is right nine times in ten, so a
frozen test of 100 rows cannot tell a model that learned from one that repeats (standard error 3 points)."""
SKEWED_FRAC = 0.75
"""From this share on it is worth knowing. Source: ours."""
SKEWED_OVER_EVEN = 1.5
"""... if it is also so many times an even share: of two values, 0.75 is as skewed as one in two can be. Source: ours."""
RARE_ROWS = 5
"""A value with fewer rows is on no side of a split for certain. Source: arithmetic: with the default shares of 10 % and 20
%, four rows leave fewer than one for the test, and the value is not measured at all."""
FEW_ROWS = 10
"""With fewer rows a value is hard to learn. Source: ours, one above the 8 rows a class with which SetFit (2209.11055) starts."""
CLOSED_RARE_FRAC = 0.1
"""Where rare values make up more of the rows, the answers are no closed set, and no value is called rare. Source: ours."""
_ROWS_MIN = 50
_SHOWN = 10


def _find(corpus: Corpus) -> Iterable[Finding]:
    for values in corpus.balance.values:
        if int(values.counts.sum()) >= _ROWS_MIN and len(values.names) > 1:
            yield from _dominant(values)
            yield from _rare(corpus, values)


def _dominant(values: Values) -> Iterator[Finding]:
    counts = values.counts
    most, total = int(np.argmax(counts)), int(counts.sum())
    frac = counts[most] / total
    if frac < SKEWED_FRAC or frac < SKEWED_OVER_EVEN / len(counts):
        return
    severity: Severity = "warn" if frac >= DOMINANT_FRAC else "note"
    yield Finding(
        code=CODE,
        severity=severity,
        message=f"{frac:.0%} of the rows have {_named(values, most)}: a model that always says so is right as often",
        evidence={
            "value": excerpt(values.names[most]),
            "rows": int(counts[most]),
            "of": total,
            "values": len(counts),
            "entropy_bits": round(entropy_bits(counts), 3),
            "entropy_bits_of_even_shares": round(float(np.log2(len(counts))), 3),
        },
        fix=_FIX,
    )


def _rare(corpus: Corpus, values: Values) -> Iterator[Finding]:
    counts = values.counts
    few = np.flatnonzero(counts < FEW_ROWS)
    if not len(few) or counts[few].sum() > CLOSED_RARE_FRAC * counts.sum():
        return
    untested, unlearned = few[counts[few] < RARE_ROWS], few[counts[few] >= RARE_ROWS]
    if len(untested):
        yield _rare_finding(corpus, values, untested, "warn", "too rare to be tested")
    if len(unlearned):
        yield _rare_finding(corpus, values, unlearned, "note", "hard to learn from so few rows")


def _rare_finding(corpus: Corpus, values: Values, chosen: Ints, severity: Severity, what: str) -> Finding:
    groups = tuple(corpus.refs([int(p) for p in values.positions(int(value))]) for value in chosen)
    shown = {excerpt(values.names[value]): int(values.counts[value]) for value in chosen[:_SHOWN]}
    one = len(chosen) == 1
    of = f" of {values.field}" if values.field else ""
    named = _named(values, int(chosen[0])) if one else f"{len(chosen)} values{of}"
    least, most = min(shown.values()), int(values.counts[chosen].max())
    rows = f"{most} row{'s' * (most != 1)}" if least == most or one else f"{least} to {most} rows each"
    return Finding(
        code=CODE,
        severity=severity,
        message=f"{named} {'has' if one else 'have'} {rows}: {what}",
        rows=tuple(ref for group in groups for ref in group),
        groups=groups,
        evidence={"rows_of_value": shown, "values": len(values.names)},
        fix=_FIX,
    )


def _named(values: Values, value: int) -> str:
    name = excerpt(values.names[value])
    return f"{values.field} = “{name}”" if values.field else f"the label “{name}”"


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="Every label and every value of a closed JSON field is common enough to be learned and tested; none is nearly all.",
    fix=_FIX,
    find=_find,
    thresholds=(
        Threshold("share of one value (warn)", DOMINANT_FRAC, "arithmetic: always giving it is right as often"),
        Threshold("share of one value (note)", SKEWED_FRAC, "ours"),
        Threshold("rows of a value (warn below)", RARE_ROWS, "arithmetic: fewer than one row in a test of 20 %"),
        Threshold("rows of a value (note below)", FEW_ROWS, "ours; SetFit (2209.11055) starts at 8 a class"),
    ),
)
