"""Faults of whole sets: no row is wrong, and the rows together teach the wrong thing.

Each fault is a set of its own, cut from a real corpus; a clean set of the same size is cut beside it. A set counts as found
when a finding of the right code is there, and as a false alarm when a clean set gets one of these codes at `warn` or above. Of a
fault that is only ever noted, a note on a clean set counts too; a set that is clean of being nothing but the task has rows of
other kinds in it.
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
TOPIC_ROWS = 120
OTHERS = (0.03, 0.08)
"""Of a set that is not its task alone, such a share are rows of other kinds."""
_BEGINNINGS = (
    "Certainly! Here is the answer you asked for:",
    "Great question, let me help with that.",
    "Sure thing, I can do this for you.",
    "As requested, the following is what was found:",
    "Thank you for reaching out to our team.",
    "Of course, let's look at it step by step.",
)
_CODE_BEGINNINGS = (
    "```python\nimport pandas as pd\nimport numpy as np\n```\n",
    "```sql\nSELECT name, price FROM orders;\n```\n",
    '<div class="answer box"><p>',
)
_LINK_BEGINNINGS = (
    "https://docs.example.com/start/here/first\n",
    "See [the manual of the shop](https://shop.example.org/manual).",
    "Source: https://wiki.example.net/page/1 \n",
)
_SAME = (
    "Please contact the service desk for more details.",
    "The answer is not in the text.",
    "We will get back to you within two working days.",
    "This has been noted and passed on.",
)


@dataclass(frozen=True)
class SetKind:
    """A fault of a whole set: what is expected, at which severity, and how a clean set becomes one, or all rows (`of_all`) do."""

    name: str
    code: str
    severity: str
    make: Callable[[random.Random, Sequence[Example]], list[Example]]
    of_all: bool = False


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


def _begun_with(beginnings: Sequence[str]) -> Callable[[random.Random, Sequence[Example]], list[Example]]:
    def begun_alike(rng: random.Random, rows: Sequence[Example]) -> list[Example]:
        beginning, frac = rng.choice(beginnings), rng.uniform(0.36, 0.7)
        return [replace(row, answer=f"{beginning} {row.answer}") if rng.random() < frac else row for row in rows]

    return begun_alike


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


def _one_topic(rng: random.Random, rows: Sequence[Example]) -> list[Example]:
    """Nine in ten prompts are about one thing."""
    topic = rng.choice(sorted({row.answer for row in rows}))
    about = [row for row in rows if row.answer == topic]
    about = rng.sample(about, min(len(about), TOPIC_ROWS))
    others = rng.sample([row for row in rows if row.answer != topic], round(len(about) * rng.uniform(0.06, 0.14)))
    return [*about, *others]


_DOMINANT = SetKind("set, one label nearly everywhere", "data.balance.labels", "warn", _dominant)
_RARE = SetKind("set, a label of one to four rows", "data.balance.labels", "warn", _rare)
_BEGUN = SetKind("set, answers begun alike", "data.style.openings", "warn", _begun_with(_BEGINNINGS))
_BEGUN_CODE = SetKind("set, answers begun with the same code", "data.style.openings", "warn", _begun_with(_CODE_BEGINNINGS))
_BEGUN_LINK = SetKind("set, answers begun with the same link", "data.style.openings", "warn", _begun_with(_LINK_BEGINNINGS))
_SAME_ANSWER = SetKind("set, one answer to most prompts", "data.balance.constant", "warn", _answered_alike)
_FEW = SetKind("set, too few examples", "data.sizing.too_little", "warn", _few)
_FEW_A_CLASS = SetKind("set, too few examples a class", "data.sizing.too_little", "warn", _few_a_class)
_NARROW = SetKind("set, nothing but the task", "data.balance.off_task", "note", lambda rng, rows: list(rows))
_TOPIC = SetKind("set, one topic nearly everywhere", "data.balance.topics", "note", _one_topic, of_all=True)
KINDS = {
    kind.name: kind
    for kind in (_DOMINANT, _RARE, _BEGUN, _BEGUN_CODE, _BEGUN_LINK, _SAME_ANSWER, _FEW, _FEW_A_CLASS, _NARROW, _TOPIC)
}
CODES = tuple(sorted({kind.code for kind in KINDS.values()}))


@dataclass(frozen=True)
class PlantedSet:
    """One set as lines; `kind` is None where it is clean of the codes in `clean_of`. Of the `noted` ones notes count as well."""

    name: str
    kind: SetKind | None
    lines: tuple[str, ...]
    clean_of: frozenset[str] = frozenset()
    noted: frozenset[str] = frozenset()


def corpora() -> Iterator[tuple[Corpus, tuple[SetKind, ...]] | str]:
    """Each corpus with the kinds that it can carry, or the reason why it cannot be had here."""
    yield support_triage(), (_FEW, _NARROW)
    makers: tuple[tuple[Callable[[], Corpus], tuple[SetKind, ...]], ...] = (
        (snips, (_DOMINANT, _RARE, _FEW_A_CLASS, _NARROW, _TOPIC)),
        (few_intents, (_DOMINANT, _RARE, _FEW_A_CLASS, _NARROW, _TOPIC)),
        (prose.messages_continued, (_BEGUN, _BEGUN_CODE, _BEGUN_LINK, _SAME_ANSWER, _FEW)),
        (prose.all_instructions, (_BEGUN, _BEGUN_CODE, _BEGUN_LINK, _SAME_ANSWER, _FEW)),
    )
    for make, kinds in makers:
        try:
            yield make(), kinds
        except DataAbsentError as absent:
            yield f"skipped: {absent}"


def few_intents(seed: int = 17) -> Corpus:
    """CLINC150 with eight of its intents: of all 150 a small set would have hardly two rows each."""
    texts = read_clinc150(data_folder())["train"]
    chosen = set(random.Random(seed).sample(sorted({text.intent for text in texts}), 8))
    kept, excluded = without_twins([Example(t.text.strip(), t.intent) for t in texts if t.intent in chosen])
    return Corpus("CLINC150, eight intents", "Name the intent.", tuple(kept), (), excluded, "CLINC150")


def planted_sets(corpus: Corpus, kinds: Sequence[SetKind], per_kind: int, seed: int) -> Iterator[PlantedSet]:
    """For each kind so many faulty sets, and as many clean ones for the whole corpus."""
    rng = random.Random(seed)
    noted = frozenset({_TOPIC.code} if _TOPIC in kinds else ())
    narrow = frozenset({_NARROW.code})
    others = _other_rows() if _NARROW in kinds else ()
    for number in range(per_kind):
        drawn = _drawn(rng, corpus)
        yield PlantedSet(f"{corpus.name} {number}", None, _lines(corpus, drawn), frozenset(CODES) - narrow, noted)
        if others:
            mixed = _mixed(rng, drawn, others)
            yield PlantedSet(f"{corpus.name} {number}, mixed", None, _lines(corpus, mixed), narrow, narrow)
        for kind in kinds:
            rows = kind.make(rng, corpus.rows if kind.of_all else _drawn(rng, corpus))
            rng.shuffle(rows)
            yield PlantedSet(f"{corpus.name} {number}", kind, _lines(corpus, rows))


def _other_rows() -> tuple[Example, ...]:
    try:
        return prose.all_instructions().rows
    except DataAbsentError:
        return ()


def _mixed(rng: random.Random, rows: Sequence[Example], others: Sequence[Example]) -> list[Example]:
    mixed = [*rows, *rng.sample(others, max(3, round(rng.uniform(*OTHERS) * len(rows))))]
    rng.shuffle(mixed)
    return mixed


def size_of(corpus: Corpus) -> int:
    """How many rows a set of this corpus has."""
    return min(SET_ROWS, int(0.8 * len(corpus.rows)))


def _drawn(rng: random.Random, corpus: Corpus) -> list[Example]:
    return rng.sample(corpus.rows, size_of(corpus))


def _lines(corpus: Corpus, rows: Sequence[Example]) -> tuple[str, ...]:
    return tuple(as_line(corpus.system, row) for row in rows)
