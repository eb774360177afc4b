"""Faults of whole sets: no row is wrong, and the rows together teach the wrong thing.

Each fault is a set of its own, cut from a real corpus; a clean set of the same size is cut beside it. A set counts as found
when a finding of the right code is there, and as a false alarm when a clean set gets one of these codes at `warn` or above.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from benchmarks.faults import prose
from benchmarks.faults.corpora import Corpus, Example, snips, support_triage, without_twins
from benchmarks.faults.plant import as_line
from benchmarks.real_data import DataAbsentError, data_folder, read_clinc150

SET_ROWS = 240
_BEGINNINGS = (
    "Certainly! Here is the answer you asked for:",
    "Great question, let me help with that.",
    "Sure thing, I can do this for you.",
    "As requested, the following is what was found:",
    "Thank you for reaching out to our team.",
    "Of course, let's look at it step by step.",
)
_SAME = (
    "Please contact the service desk for more details.",
    "The answer is not in the text.",
    "We will get back to you within two working days.",
    "This has been noted and passed on.",
)


@dataclass(frozen=True)
class SetKind:
    """A fault of a whole set: what is expected, at which severity, and how a clean set becomes one."""

    name: str
    code: str
    severity: str
    make: Callable[[random.Random, Sequence[Example]], list[Example]]


def _dominant(rng: random.Random, rows: Sequence[Example]) -> list[Example]:
    """One label has 92 to 98 % of the rows."""
    most = rng.choice(sorted({row.answer for row in rows}))
    frac = rng.uniform(0.92, 0.98)
    return [replace(row, answer=most) if rng.random() < frac else row for row in rows]


def _rare(rng: random.Random, rows: Sequence[Example]) -> list[Example]:
    """Of one label only one to four rows are left."""
    rare = rng.choice(sorted({row.answer for row in rows}))
    having = [row for row in rows if row.answer == rare]
    return [row for row in rows if row.answer != rare] + having[: rng.randint(1, 4)]


def _begun_alike(rng: random.Random, rows: Sequence[Example]) -> list[Example]:
    beginning, frac = rng.choice(_BEGINNINGS), rng.uniform(0.36, 0.7)
    return [replace(row, answer=f"{beginning} {row.answer}") if rng.random() < frac else row for row in rows]


def _answered_alike(rng: random.Random, rows: Sequence[Example]) -> list[Example]:
    answer, frac = rng.choice(_SAME), rng.uniform(0.58, 0.9)
    return [replace(row, answer=answer) if rng.random() < frac else row for row in rows]


def _few(rng: random.Random, rows: Sequence[Example]) -> list[Example]:
    return list(rows[: rng.randint(12, 45)])


def _few_a_class(rng: random.Random, rows: Sequence[Example]) -> list[Example]:
    most = rng.randint(3, 6)
    kept: dict[str, list[Example]] = {}
    for row in rows:
        if len(kept.setdefault(row.answer, [])) < most:
            kept[row.answer].append(row)
    return [row for pile in kept.values() for row in pile]


_DOMINANT = SetKind("set, one label nearly everywhere", "data.balance.labels", "warn", _dominant)
_RARE = SetKind("set, a label of one to four rows", "data.balance.labels", "warn", _rare)
_BEGUN = SetKind("set, answers begun alike", "data.style.openings", "warn", _begun_alike)
_SAME_ANSWER = SetKind("set, one answer to most prompts", "data.balance.constant", "warn", _answered_alike)
_FEW = SetKind("set, too few examples", "data.sizing.too_little", "warn", _few)
_FEW_A_CLASS = SetKind("set, too few examples a class", "data.sizing.too_little", "warn", _few_a_class)
_NARROW = SetKind("set, nothing but the task", "data.balance.off_task", "note", lambda rng, rows: list(rows))
KINDS = {kind.name: kind for kind in (_DOMINANT, _RARE, _BEGUN, _SAME_ANSWER, _FEW, _FEW_A_CLASS, _NARROW)}
CODES = tuple(sorted({kind.code for kind in KINDS.values()}))


@dataclass(frozen=True)
class PlantedSet:
    """One set as lines; `kind` is None where it is clean."""

    name: str
    kind: SetKind | None
    lines: tuple[str, ...]


def corpora() -> Iterator[tuple[Corpus, tuple[SetKind, ...]] | str]:
    """Each corpus with the kinds that it can carry, or the reason why it cannot be had here."""
    yield support_triage(), (_FEW, _NARROW)
    makers: tuple[tuple[Callable[[], Corpus], tuple[SetKind, ...]], ...] = (
        (snips, (_DOMINANT, _RARE, _FEW_A_CLASS, _NARROW)),
        (_few_intents, (_DOMINANT, _RARE, _FEW_A_CLASS, _NARROW)),
        (prose.messages_continued, (_BEGUN, _SAME_ANSWER, _FEW)),
        (prose.all_instructions, (_BEGUN, _SAME_ANSWER, _FEW)),
    )
    for make, kinds in makers:
        try:
            yield make(), kinds
        except DataAbsentError as absent:
            yield f"skipped: {absent}"


def _few_intents(seed: int = 17) -> Corpus:
    """CLINC150 with eight of its intents: of all 150 a small set would have hardly two rows each."""
    texts = read_clinc150(data_folder())["train"]
    chosen = set(random.Random(seed).sample(sorted({text.intent for text in texts}), 8))
    kept, excluded = without_twins([Example(t.text.strip(), t.intent) for t in texts if t.intent in chosen])
    return Corpus("CLINC150, eight intents", "Name the intent.", tuple(kept), (), excluded)


def planted_sets(corpus: Corpus, kinds: Sequence[SetKind], per_kind: int, seed: int) -> Iterator[PlantedSet]:
    """For each kind so many faulty sets, and as many clean ones for the whole corpus."""
    rng = random.Random(seed)
    for number in range(per_kind):
        yield PlantedSet(f"{corpus.name} {number}", None, _lines(corpus, _drawn(rng, corpus)))
        for kind in kinds:
            rows = kind.make(rng, _drawn(rng, corpus))
            rng.shuffle(rows)
            yield PlantedSet(f"{corpus.name} {number}", kind, _lines(corpus, rows))


def size_of(corpus: Corpus) -> int:
    """How many rows a set of this corpus has."""
    return min(SET_ROWS, int(0.8 * len(corpus.rows)))


def _drawn(rng: random.Random, corpus: Corpus) -> list[Example]:
    return rng.sample(corpus.rows, size_of(corpus))


def _lines(corpus: Corpus, rows: Sequence[Example]) -> tuple[str, ...]:
    return tuple(as_line(corpus.system, row) for row in rows)
