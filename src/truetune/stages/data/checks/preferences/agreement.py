"""People who judge the same pairs and hardly agree: what they say is then mostly chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from truetune.core.records import Finding, TaskProfile
from truetune.core.text import normalise, text_key
from truetune.core.units import plural
from truetune.stages.data.checks.base import NO_ROWS, RowCheck, Sightings, Threshold
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row

CODE = "data.preference.agreement"
_FIX = "write down what makes an answer better and have the pairs that are named judged again, or keep those on which all agree"

ALPHA_MIN = 0.4
"""Source: Landis and Koch 1977: from 0.41 on agreement is moderate, below it fair at best. The same bound as for human review."""
PAIRS_MIN = 20
"""Source: stated: of fewer pairs the interval of the coefficient is wider than 0.4."""

_Pair = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Opinion:
    """What one person says of a pair; `first_is_better` of the one that comes first in the order of their keys."""

    pair: _Pair
    person: str
    first_is_better: bool


def _look(row: Row, task: TaskProfile) -> _Opinion | None:
    if row.rejected is None or row.meta.reviewed_by is None:
        return None
    better, worse = text_key(normalise(row.answer)), text_key(normalise(row.rejected))
    if better == worse:
        return None
    question = text_key(f"{normalise(row.system)}\n{normalise(row.context)}")
    return _Opinion((question, min(better, worse), max(better, worse)), row.meta.reviewed_by, better < worse)


def _conclude(corpus: Corpus, opinions: Sightings[_Opinion]) -> Iterable[Finding]:
    judged: defaultdict[_Pair, dict[str, tuple[int, bool]]] = defaultdict(dict)
    for position, opinion in opinions:
        # Of what one person says twice the first counts.
        judged[opinion.pair].setdefault(opinion.person, (position, opinion.first_is_better))
    units = [people for people in judged.values() if len(people) > 1]
    if len(units) < PAIRS_MIN:
        return
    alpha = krippendorff_alpha([[better for _, better in people.values()] for people in units])
    if alpha < ALPHA_MIN:
        yield _finding(corpus, units, alpha)


def _finding(corpus: Corpus, units: Sequence[Mapping[str, tuple[int, bool]]], alpha: float) -> Finding:
    split = [sorted(position for position, _ in people.values()) for people in units if _is_split(people)]
    persons = {person for people in units for person in people}
    return Finding(
        code=CODE,
        severity="warn",
        message=f"{len(persons)} people judged {len(units)} pairs together and hardly agree (Krippendorff's alpha {alpha:.2f}, "
        f"where 1 is full agreement and 0 is chance): on {plural(len(split), 'pair')} they differ",
        rows=corpus.refs(sorted(position for group in split for position in group)),
        groups=tuple(corpus.refs(group) for group in split),
        evidence={"alpha": round(alpha, 3), "pairs": len(units), "people": len(persons), "pairs_in_dispute": len(split)},
        fix=_FIX,
    )


def _is_split(people: Mapping[str, tuple[int, bool]]) -> bool:
    return len({better for _, better in people.values()}) > 1


def krippendorff_alpha(units: Sequence[Sequence[bool]]) -> float:
    """Agreement beyond chance on two values; each unit has the judgements of two people or more, not always the same people.

    1 is full agreement, 0 what chance gives. Where all judgements are the same value there is no disagreement to be had: 1.

    Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", nominal data, any number of observers.
    """
    counts = [(sum(unit), len(unit) - sum(unit)) for unit in units]
    total = sum(map(sum, counts))
    yes, no = (sum(side) for side in zip(*counts, strict=True))
    expected = 2 * yes * no / (total - 1)
    observed = sum(2 * a * b / (a + b - 1) for a, b in counts)
    return 1.0 - observed / expected if expected else 1.0


CHECK = RowCheck(
    code=CODE,
    severity="warn",
    claim="People who judge the same preference pairs agree more than by chance.",
    fix=_FIX,
    look=_look,
    conclude=_conclude,
    ways=NO_ROWS,
    thresholds=(
        Threshold("Krippendorff's alpha", ALPHA_MIN, "Landis and Koch 1977: moderate agreement begins there"),
        Threshold("pairs that several people judged", PAIRS_MIN, "stated: of fewer the coefficient is too wide"),
    ),
)
