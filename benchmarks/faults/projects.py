"""Faults of whole projects: of the gold set beside the training rows, of a test that was sealed, of the use that is stated.

A project is a file of rows, a gold set, and what is done to the rows after its test was sealed; each fault is a project of its
own, and a sound project is made beside it. Every row has a customer, and no customer is in the rows and in the gold set.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.faults.corpora import Corpus, Example, snips, support_triage
from benchmarks.faults.edits import small_slip
from benchmarks.faults.plant import as_line
from benchmarks.real_data import DataAbsentError

ROWS, GOLD, ADDED = 100, 110, 12
_FREE = ("CC-BY-4.0", "Apache-2.0", "CC0-1.0", "MIT")
_NOT_COMMERCIAL = ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "cc-by-nc-3.0", "CC-BY-NC-ND-4.0", "PolyForm-Noncommercial-1.0.0")

Record = dict[str, object]
Later = Callable[[random.Random, list[Record], Sequence[int], Sequence[Record]], list[Record]]
"""The rows after the test was sealed, from those before, the numbers (from 0) of the rows in the test, and new ones."""


@dataclass(frozen=True)
class Project:
    """Rows and gold items as records; what is done later to a project that seals its test; whether leaks are kept."""

    rows: list[Record]
    gold: list[Record]
    new: list[Record]
    later: Later | None = None
    keeps_leaks: bool = False


@dataclass(frozen=True)
class ProjectKind:
    """A fault of a project: what is expected, at which severity, and how a sound project gets it."""

    name: str
    code: str
    severity: str
    make: Callable[[random.Random, Project], Project]


def _near_gold(rng: random.Random, project: Project) -> Project:
    """A third to two thirds of the gold items are training rows, word for word or with a slip; the project keeps leaks."""
    share = rng.uniform(0.35, 0.65)
    copied = rng.sample(project.rows, int(share * len(project.rows)))
    close = [_asked(small_slip(rng, _prompt(row)) if rng.random() < 0.7 else _prompt(row), row) for row in copied]
    gold = [*close, *project.gold[len(close) :]]
    rng.shuffle(gold)
    return replace(project, gold=gold, keeps_leaks=True)


def _small_gold(rng: random.Random, project: Project) -> Project:
    return replace(project, gold=project.gold[: rng.randint(5, 90)])


def _gone(rng: random.Random, rows: list[Record], test: Sequence[int], new: Sequence[Record]) -> list[Record]:
    gone = set(rng.sample(list(test), rng.randint(1, 3)))
    return [row for n, row in enumerate(rows) if n not in gone]


def _changed(rng: random.Random, rows: list[Record], test: Sequence[int], new: Sequence[Record]) -> list[Record]:
    """A word of the question is another one, or the answer is that of another row."""
    changed = list(rows)
    for place in rng.sample(list(test), rng.randint(1, 3)):
        row = rows[place]
        if rng.random() < 0.5:
            words = _prompt(row).split()
            words[rng.randrange(len(words))] = rng.choice(_prompt(rng.choice(list(new))).split())
            changed[place] = _asked(" ".join(["By the way,", *words]), row)
        else:
            other = rng.choice([r for r in rows if _answer(r) != _answer(row)])
            changed[place] = _asked(_prompt(row), {**other, "customer_id": row["customer_id"]})
    return changed


def _mate(rng: random.Random, rows: list[Record], test: Sequence[int], new: Sequence[Record]) -> list[Record]:
    """New rows, of which some are of customers of the test."""
    mates = [{**row, "customer_id": rows[rng.choice(list(test))]["customer_id"]} for row in new[: rng.randint(1, 4)]]
    return [*rows, *mates, *new[len(mates) :]]


def _grown(rng: random.Random, rows: list[Record], test: Sequence[int], new: Sequence[Record]) -> list[Record]:
    """Nothing but new rows of new customers, in any order."""
    grown = [*rows, *new]
    rng.shuffle(grown)
    return grown


def _not_commercial(rng: random.Random, project: Project) -> Project:
    licence, rows = rng.choice(_NOT_COMMERCIAL), list(project.rows)
    for place in rng.sample(range(len(rows)), rng.randint(1, 5)):
        rows[place] = {**rows[place], "license": licence}
    return replace(project, rows=rows)


def _then(later: Later) -> Callable[[random.Random, Project], Project]:
    return lambda _rng, project: replace(project, later=later)


KINDS = {
    kind.name: kind
    for kind in (
        ProjectKind("gold set, close to training", "data.gold.near", "warn", _near_gold),
        ProjectKind("gold set, few items", "data.gold.size", "note", _small_gold),
        ProjectKind("sealed test, rows gone", "data.split.frozen", "block", _then(_gone)),
        ProjectKind("sealed test, rows changed", "data.split.frozen", "block", _then(_changed)),
        ProjectKind("sealed test, rows of its customers", "data.split.left_out", "note", _then(_mate)),
        ProjectKind("licence, not for commercial use", "data.licence.forbids_use", "block", _not_commercial),
    )
}
CODES = tuple(sorted({kind.code for kind in KINDS.values()}))


@dataclass(frozen=True)
class PlantedProject:
    """A project; `kind` is None where it is sound."""

    name: str
    kind: ProjectKind | None
    project: Project
    rng: random.Random = field(compare=False)


def corpora() -> Iterator[Corpus | str]:
    """Each corpus, or the reason why it cannot be had here."""
    yield support_triage(held_out=0)
    try:
        yield snips()
    except DataAbsentError as absent:
        yield f"skipped: {absent}"


def planted_projects(corpus: Corpus, per_kind: int, seed: int) -> Iterator[PlantedProject]:
    """For each kind so many projects, and as many sound ones, whose test is sealed and whose rows become more."""
    for number in range(per_kind):
        rng = random.Random(f"{seed} {number}")
        yield PlantedProject(f"project {number}", None, replace(_sound(rng, corpus), later=_grown), rng)
        for kind in KINDS.values():
            yield PlantedProject(f"project {number}", kind, kind.make(rng, _sound(rng, corpus)), rng)


def _sound(rng: random.Random, corpus: Corpus) -> Project:
    drawn = rng.sample(corpus.rows, ROWS + GOLD + ADDED)
    rows = [_record(rng, corpus, example, f"c{n // 2}") for n, example in enumerate(drawn[:ROWS])]
    gold = [_record(rng, corpus, example, f"g{n}") for n, example in enumerate(drawn[ROWS : ROWS + GOLD])]
    new = [_record(rng, corpus, example, f"n{n}") for n, example in enumerate(drawn[ROWS + GOLD :])]
    return Project(rows, gold, new)


def _record(rng: random.Random, corpus: Corpus, example: Example, customer: str) -> Record:
    row: Record = json.loads(as_line(corpus.system, example))
    return {"customer_id": customer, "license": rng.choice(_FREE), **row}


def _turns(row: Record) -> list[dict[str, str]]:
    turns = row["messages"]
    assert isinstance(turns, list)
    return turns


def _prompt(row: Record) -> str:
    return _turns(row)[1]["content"]


def _answer(row: Record) -> str:
    return _turns(row)[2]["content"]


def _asked(prompt: str, row: Record) -> Record:
    """The row with another question."""
    system, user, answer = _turns(row)
    return {**row, "messages": [system, {**user, "content": prompt}, answer]}
