"""How many different questions there are, by the public command; and rephrasings of real texts, planted and looked for.

    python -m benchmarks.faults.paraphrases               # the tables; exit 1 where a target is missed
    python -m benchmarks.faults.paraphrases --seed 9001 --show 5

*Counts*: `rephrasings.py` (a hundred questions, a hundred ways each, by rules, and ten questions in six ways by hand), answered
with a sentence or with a label each; those by hand are no target, for they seldom share a word. Against them the texts of
CLINC150 and SNIPS with their own labels, and with one answer for all.

*Planted*: texts of CLINC150, SNIPS and the general instructions, each with an answer of its own; some stand again in other words
with the same answer, among the training rows or as a held-out row. Nothing here reads the data gate or shares a list with it.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence

from benchmarks.faults.answers import instructions
from benchmarks.faults.breakage import as_text, turns
from benchmarks.faults.corpora import Corpus, Example, clinc150, snips
from benchmarks.faults.gate import check, report_on
from benchmarks.faults.measured import COUNT_TARGET, Count, Section, misses, section
from benchmarks.faults.plant import Kind, Planted, as_line, plant
from benchmarks.faults.rephrasings import BY_HAND, rephrasings
from benchmarks.faults.score import Tally
from benchmarks.faults.tables import in_markdown
from benchmarks.real_data import DataAbsentError, data_folder, read_clinc150, read_snips

from truetune import wiring
from truetune.core.config import DataConfig
from truetune.core.ports import NO_READERS, Readers

PER_KIND = 100
CODE = "data.duplicate.paraphrase"
CODES = (CODE, "data.leakage.split")

_FRAMES = (
    "I have got a request for you. {text}",
    "{text} That is all that I would like to find out.",
    "Somebody in my family keeps on asking me this: {text}",
    "hello there, may I trouble you with this? {text}",
    "{text} Whatever you can say about it is welcome.",
    "this is what it is about today: {text}",
    "Sorry to bother you. {text} I hope that this is the right place.",
)
_OTHERWISE = {
    "what's": "what is", "i'm": "i am", "i'd": "i would", "don't": "do not", "can't": "cannot", "it's": "it is", "big": "large",
    "show": "display", "start": "begin", "buy": "purchase", "get": "obtain", "want": "wish", "find": "look for", "fast": "quick",
    "help": "assist", "write": "compose", "make": "create", "give": "offer", "movie": "film", "song": "track", "need": "require",
}  # fmt: skip
_TAIL = re.compile(r"^(?P<head>\w.*\w) (?P<tail>(?:in|on|at|for|from|with|about|to) [^,.?!\n]+)(?P<end>[.?!]*)$")


def _in_other_words(rng: random.Random, text: str) -> str:
    """The text with its end before its beginning where it has such an end, some words replaced, and something said around it."""
    match = _TAIL.match(text)
    if match and rng.random() < 0.6:
        text = f"{match['tail']}, {match['head']}{match['end']}"
    words = [_OTHERWISE.get(word.lower(), word) if rng.random() < 0.7 else word for word in text.split(" ")]
    return rng.choice(_FRAMES).format(text=" ".join(words))


def _again(rng: random.Random, example: Example, corpus: Corpus) -> str:
    return as_line(corpus.system, Example(_in_other_words(rng, example.prompt), example.answer))


_DUPLICATE = ("data.duplicate",)
KINDS = (
    Kind("rephrased", "data.duplicate", "copy", _again, _DUPLICATE),
    Kind("leak, rephrased", "data.leakage.split", "held_out", _again),
)
"""A rephrasing that leaves nearly all words in their order is found as a near-duplicate, which is as good."""


def _answered(corpus: Corpus) -> Corpus:
    """The corpus with an answer for each text that fits no other one."""

    def answered(examples: Sequence[Example]) -> tuple[Example, ...]:
        return tuple(
            Example(e.prompt, f"What {e.prompt.split()[-1]} has to do with is told on sheet {_name(e.prompt)}.") for e in examples
        )

    rows, held_out = answered(corpus.rows), answered(corpus.held_out)
    return Corpus(f"{corpus.name}, answered", "Answer.", rows, held_out, corpus.excluded, corpus.origin)


def _name(text: str) -> str:
    rng = random.Random(text)
    return "".join(rng.choice("bcdfghklmnprst") + rng.choice("aeiou") for _ in range(5))


def _plantings() -> Iterator[Corpus | str]:
    makers: tuple[Callable[[], Corpus], ...] = (lambda: _answered(clinc150()), lambda: _answered(snips()), instructions)
    for make in makers:
        try:
            yield make()
        except DataAbsentError as absent:
            yield f"skipped: {absent}"


def _planted(corpus: Corpus, per_kind: int, seed: int) -> tuple[Section, Tally]:
    each = min(per_kind, len(corpus.rows) // 6, len(corpus.held_out))
    rounds = -(-per_kind // each)
    tally = Tally()
    for number in range(rounds):
        planted = plant(corpus, dict.fromkeys(KINDS, each), seed + number)
        tally.add(planted, *check(planted))
    tally.keep_alarms(CODES)
    what = (
        f"{len(corpus.rows)} rows; {each} of a kind in each of {rounds} plantings; of the alarms those of {' and '.join(CODES)}"
    )
    return section(f"{corpus.name}, rephrased", corpus.origin, what, tally, {"data.duplicate": CODE}), tally


def counted(seed: int, readers: Readers = NO_READERS) -> Section:
    """How many different questions are counted, where that is known; `readers` are the models that read the data."""
    what = "rephrasings by rule and by hand (these are no target: they seldom share a word), and public texts as they are"
    title = f"questions counted{', by meaning too' if readers.meanings else ''}"
    return Section(title, what, counts=tuple(_counts(seed, readers)), is_aided=readers.meanings is not None)


def _counts(seed: int, readers: Readers) -> Iterator[Count]:
    hundred = [(r.text, r.question) for r in rephrasings(100, seed)]
    by_hand = [(text, number) for number, ways in enumerate(BY_HAND) for text in ways]
    rules, hand = "100 questions x 100 by rules", "10 questions x 6 by hand"
    for name, rows, questions in ((rules, hundred, 100), (hand, by_hand, 10)):
        goal = COUNT_TARGET if name == rules else None
        yield _count(
            readers,
            f"{name}, a sentence each",
            [(t, f"All that you have to do is on sheet {q}.") for t, q in rows],
            questions,
            goal,
        )
        if name == rules:
            yield _count(readers, f"{name}, a label each", [(t, f"case_{q}") for t, q in rows], questions, goal)
    for name, read in (("CLINC150", read_clinc150), ("SNIPS", read_snips)):
        try:
            texts = read(data_folder())["train"]
        except DataAbsentError:
            continue
        yield _count(readers, f"{name}, its labels", [(t.text, t.intent) for t in texts], len(texts), COUNT_TARGET)
        some = random.Random(seed).sample(texts, 2_000)
        one_answer = [(t.text, "I am sorry, I cannot help with that.") for t in some]
        yield _count(readers, f"{name}, 2,000 texts, one answer", one_answer, 2_000, COUNT_TARGET)


def _count(readers: Readers, name: str, rows: Sequence[tuple[str, str]], questions: int, goal: float | None) -> Count:
    lines = tuple(as_text(turns("Answer.", *row)) for row in rows)
    report, _ = report_on(Planted(lines, (), (), {}, {}), readers=readers)
    fewest, most = report.stats.effective_unique_range or (0, 0)
    return Count(CODE, name, len(rows), questions, fewest, most, goal)


def sections(per_kind: int, seed: int) -> Iterator[Section | str]:
    """The counts, then each corpus with rephrasings in it, or why it cannot be had here."""
    yield counted(seed)
    for corpus in _plantings():
        yield corpus if isinstance(corpus, str) else _planted(corpus, per_kind, seed)[0]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and say whether the targets were reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--sentence-model", metavar="SPEC", help="a model that says what texts mean takes part")
    parser.add_argument("--per-kind", type=int, default=PER_KIND)
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N missed of each kind")
    options = parser.parse_args(argv)
    counts = counted(options.seed, wiring.readers(DataConfig(sources=(), sentence_model=options.sentence_model)))
    print(in_markdown(counts), flush=True)
    missed = misses(counts)
    for corpus in _plantings():
        if isinstance(corpus, str):
            print(corpus)
            continue
        made, tally = _planted(corpus, options.per_kind, options.seed)
        print(f"\n{in_markdown(made)}", flush=True)
        missed += misses(made)
        for texts in tally.missed.values():
            print("".join(f"  missed: {text}\n" for text in texts[: options.show]), end="")
    print("\n" + ("\n".join(missed) if missed else "every target is met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
