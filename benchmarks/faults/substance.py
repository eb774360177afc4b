"""Answers that contradict each other in substance, and answers that only put the same thing differently.

    python -m benchmarks.faults.substance             # the tables; exit 1 where a target is missed
    python -m benchmarks.faults.substance --show 10   # and some of what was missed or wrongly flagged

Two sources of truth: `faq.jsonl`, fictional questions with a right answer, the same answer in other words, and wrong answers,
all written by hand; and the free answers of public data, edited by rule (`rewording.py`). Every pair is planted once: the first
answer as a clean row, the second as another row that asks the same. Nothing here reads the data gate or shares a list with it.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from benchmarks.faults import rewording
from benchmarks.faults.answers import instructions, replies
from benchmarks.faults.breakage import as_text, turns
from benchmarks.faults.corpora import Corpus, Example, clinc150, snips, support_triage
from benchmarks.faults.gate import check
from benchmarks.faults.measured import CONTRADICTION as CODE
from benchmarks.faults.measured import IN_OTHERS_WORDS, Section, misses, section
from benchmarks.faults.plant import Fault, Planted
from benchmarks.faults.score import ALARMING, Tally, wilson
from benchmarks.faults.tables import in_markdown
from benchmarks.real_data import DataAbsentError

FAQ = Path(__file__).with_name("faq.jsonl")
BY_HAND = ("seen", "unseen", "unseen again")
"""The parts of `faq.jsonl` that the rules were written with."""
BY_OTHERS = ("new", "fresh", "more", "further", "held", "last")
"""Those of six authors who had seen neither the rules nor each other's list. Each was read after its first look (docs/log.md has
what that gave) and rules were mended on it, on "last" only how "an hour and twenty minutes" is read. No recall is asked of these:
how people put an opposite or a denial has no end, and the six lists differ more from each other than rules do from rules
(docs/adr/0015). That nothing clean is warned of is asked of all."""
PER_KIND = 120
VARIANTS = 3
"""Of one answer so many edits of a kind are planted at most."""
_OWN = "fictional questions"
_SYSTEM = "Answer the question."


@dataclass(frozen=True)
class Pair:
    """Two answers to one question; `kind` says what they differ in, and is empty where both say the same."""

    question: str
    first: str
    second: str
    kind: str
    way: str


@dataclass(frozen=True)
class Source:
    """Pairs of one corpus, and its rows that stay alone; `origin` says whose texts they are, `made` how the pairs came about."""

    name: str
    pairs: tuple[Pair, ...]
    alone: tuple[Example, ...]
    origin: str
    made: str = ""


def handwritten(part: str) -> Source:
    """The questions of one part (`BY_HAND`, `BY_OTHERS`; docs/log.md has what each gave at first look)."""
    pairs: list[Pair] = []
    alone = []
    for row in map(json.loads, FAQ.read_text(encoding="utf-8").splitlines()):
        if row["part"] != part:
            continue
        right = [row["answer"], *row["same"]]
        alone.append(Example(row["question"], row["answer"]))
        pairs += [Pair(row["question"], a, b, "", "in other words") for a, b in combinations(right, 2)]
        way = IN_OTHERS_WORDS if part in BY_OTHERS else "written by hand"
        for kind, wrong in row["wrong"].items():
            pairs += [Pair(row["question"], a, wrong, kind, way) for a in right]
    made = (
        "; by an author who had seen no rule (docs/log.md has the first look)"
        if part in BY_OTHERS
        else "; rules were written on them"
    )
    return Source(f"fictional questions, {part}", tuple(pairs), tuple(alone), _OWN, made)


def relations(seed: int) -> Source:
    """Statements in which two things have changed places, which no bag of words can see, and the same statements moved about."""
    rng = random.Random(seed)
    people = ("the tenant", "the landlord", "the buyer", "the seller", "the school", "the council", "the driver", "the owner")
    places = ("Lisbon", "Porto", "Cork", "Leeds", "Turin", "Lyon", "Ghent", "Basel", "Graz", "Malmo")
    deeds = ("pays", "informs", "writes to", "must call", "has to wait for", "sends the form to", "is responsible for", "insures")
    pairs = []
    for _ in range(PER_KIND):
        a, b = rng.sample(people, 2)
        deed, month = rng.choice(deeds), rng.choice(("May", "June", "October"))
        whom = f"Who {deed} whom, {a} or {b}, in {month} {rng.randrange(2000)}?"
        told = f"In {month} {a} {deed} {b}."
        pairs.append(Pair(whom, told, f"In {month} {b} {deed} {a}.", "order", "changed places"))
        pairs.append(Pair(whom, told, f"{a[0].upper()}{a[1:]} {deed} {b} in {month}.", "", "moved about"))
        x, y = rng.sample(places, 2)
        way = f"Where does train {rng.randrange(10_000)} run?"
        pairs.append(Pair(way, f"It runs from {x} to {y}.", f"It runs from {y} to {x}.", "order", "changed places"))
        pairs.append(Pair(way, f"It runs daily from {x} to {y}.", f"It runs from {x} to {y} daily.", "", "moved about"))
    return Source("relations", tuple(pairs), (), "relations")


def edited(name: str, origin: str, examples: Sequence[Example], seed: int) -> Source:
    """Free answers with one thing in them changed by rule, or one thing put differently."""
    rng = random.Random(seed)
    pairs = []
    for kinds, is_fault in ((rewording.FAULTS, True), (rewording.SAME, False)):
        for kind, edit in kinds.items():
            shuffled = [e for _ in range(VARIANTS) for e in rng.sample(examples, len(examples))]
            made = {(e, again): None for e in shuffled if (again := edit(rng, e.answer)) not in (None, e.answer)}
            for example, again in list(made)[:PER_KIND]:
                pairs.append(
                    Pair(example.prompt, example.answer, str(again), kind if is_fault else "", "edited" if is_fault else kind)
                )
    return Source(name, tuple(pairs), tuple(examples), origin)


def closed(corpus: Corpus, seed: int) -> Source:
    """Rows of a label or JSON task, asked a second time: another label, or one field with another of its values."""
    rng = random.Random(seed)
    answers = sorted({example.answer for example in corpus.rows})
    pairs: list[Pair] = []
    for example in rng.sample(corpus.rows, 2 * PER_KIND):
        is_json = example.answer.startswith("{")
        if len(pairs) >= PER_KIND:
            same = json.dumps(json.loads(example.answer), indent=1) if is_json else example.answer.upper()
            pairs.append(Pair(example.prompt, example.answer, same, "", "spacing and capitals"))
        elif is_json:
            pairs.append(Pair(example.prompt, example.answer, _other_field(rng, example.answer, answers), "JSON field", "edited"))
        else:
            other = rng.choice([answer for answer in answers if answer != example.answer])
            pairs.append(Pair(example.prompt, example.answer, other, "label", "edited"))
    return Source(corpus.name, tuple(pairs), corpus.rows, corpus.origin)


def _other_field(rng: random.Random, answer: str, answers: Sequence[str]) -> str:
    fields = json.loads(answer)
    name = rng.choice(sorted(fields))
    fields[name] = rng.choice(sorted({json.loads(a)[name] for a in answers} - {fields[name]}))
    return json.dumps(fields)


def sources(seed: int) -> Iterator[Source | str]:
    """Every corpus, or the reason why it cannot be had here."""
    yield from map(handwritten, (*BY_HAND, *BY_OTHERS))
    everything = map(json.loads, FAQ.read_text(encoding="utf-8").splitlines())
    yield edited("fictional questions, edited", _OWN, [Example(row["question"], row["answer"]) for row in everything], seed)
    yield relations(seed)
    yield closed(support_triage(), seed)
    for make in (snips, clinc150, instructions, replies):
        try:
            corpus = make()
        except DataAbsentError as absent:
            yield f"skipped: {absent}"
            continue
        is_free = make in (instructions, replies)
        yield edited(corpus.name, corpus.origin, (*corpus.rows, *corpus.held_out), seed) if is_free else closed(corpus, seed)


def planted(source: Source, seed: int) -> tuple[Planted, dict[int, Pair]]:
    """All pairs in one file, and the pair of each planted line.

    A question that is in several pairs is asked under a system prompt of its own each time, which makes it another task.
    """
    rng = random.Random(seed)
    times: Counter[str] = Counter()
    rows: list[tuple[str, Example, Pair | None, bool]] = []
    for pair in source.pairs:
        times[pair.question] += 1
        system = f"{_SYSTEM} This is part {times[pair.question]} of the work."
        rows.append((system, Example(pair.question, pair.first), pair, False))
        rows.append((system, Example(pair.question, pair.second), pair, True))
    rows += [(_SYSTEM, example, None, False) for example in source.alone]
    rng.shuffle(rows)
    return _numbered(rows)


def _numbered(rows: Sequence[tuple[str, Example, Pair | None, bool]]) -> tuple[Planted, dict[int, Pair]]:
    faults, clean, pair_of = [], {}, {}
    excused: dict[int, tuple[str, ...]] = {}
    for line, (_, example, pair, second) in enumerate(rows, 1):
        if second and pair is not None:
            pair_of[line] = pair
            faults.append(Fault(f"{pair.kind}, {pair.way}", CODE if pair.kind else "", line))
        elif pair is None or not pair.kind:
            clean[line] = Example(f"{example.prompt}\n{example.answer}", example.answer)  # a row is a question with its answer
            excused[line] = ("data.duplicate",)
    lines = tuple(as_text(turns(system, example.prompt, example.answer)) for system, example, _, _ in rows)
    return Planted(lines, (), tuple(faults), clean, excused), pair_of


@dataclass
class Measured:
    """What was found in one source.

    Attributes:
        tally: faults found, at any severity, and clean rows flagged at `warn` or above.
        warned: of each kind of fault, whether each is found at `warn` or above; a note asks to look, and raises nothing.
        same: of each way in which answers say the same, the severity of the finding on each, or nothing.
        wrong: the pairs that were missed, or flagged though both say the same.
    """

    tally: Tally
    warned: dict[str, list[bool]]
    same: dict[str, list[str]]
    wrong: list[Pair]


def measure(source: Source, seed: int) -> Measured:
    """Plant every pair, check, and count the findings of this code."""
    measured = Measured(Tally(), {}, {}, [])
    file, pair_of = planted(source, seed)
    found, cpu_s = check(file)
    flags = [flag for flag in found if flag.code == CODE]
    measured.tally.add(file, flags, cpu_s)
    flagged = {flag.line: flag.severity for flag in flags}
    for line, pair in pair_of.items():
        if pair.kind:
            measured.warned.setdefault(pair.kind, []).append(flagged.get(line) in ALARMING)
        else:
            measured.same.setdefault(pair.way, []).append(flagged.get(line, ""))
        if (line in flagged) != bool(pair.kind):
            measured.wrong.append(pair)
    return measured


def told(source: Source, measured: Measured) -> Section:
    """The figures of one source."""
    same = ["| answers that say the same | planted | warned of | rate | 95 % interval | noted |"]
    same.append("| --- | ---: | ---: | ---: | --- | ---: |")
    for way, severities in sorted(measured.same.items()):
        warned, n = sum(s in ALARMING for s in severities), len(severities)
        low, high = wilson(warned, n)
        same.append(f"| {way} | {n} | {warned} | {warned / n:.3f} | {low:.3f} to {high:.3f} | {severities.count('note')} |")
    if any(not all(found) for found in measured.warned.values()):
        same.append(
            f"\nWarned of, of what is planted: {_shares(measured.warned)}. The rest of what is found is noted, as worth a look."
        )
    what = f"{len(source.pairs)} pairs of answers to one question, and {len(source.alone)} rows that stay alone{source.made}"
    made = section(f"{source.name}, contradictions", source.origin, what, measured.tally)
    return replace(made, more=("\n".join(same),))


def _shares(warned: dict[str, list[bool]]) -> str:
    return ", ".join(f"{kind} {sum(found)} of {len(found)}" for kind, found in warned.items())


def sections(seed: int) -> Iterator[Section | str]:
    """Every source, or the reason why it cannot be had here."""
    for source in sources(seed):
        yield source if isinstance(source, str) else told(source, measure(source, seed))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and say whether the targets were reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults.substance", description="Contradictions of free answers.")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N pairs of each source that went wrong")
    options = parser.parse_args(argv)
    missed = []
    for source in sources(options.seed):
        if isinstance(source, str):
            print(source)
            continue
        measured = measure(source, options.seed)
        made = told(source, measured)
        print(f"\n{in_markdown(made)}", flush=True)
        for pair in measured.wrong[: options.show]:
            print(f"  {'missed' if pair.kind else 'flagged'} {pair.kind or pair.way}: {pair.question!r}")
            print(f"    {pair.first!r}\n    {pair.second!r}")
        missed += misses(made)
    print("\n".join(missed) if missed else "every target is met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
