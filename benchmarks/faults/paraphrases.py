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
import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.answers import instructions
from benchmarks.faults.breakage import as_text, turns
from benchmarks.faults.corpora import Corpus, Example, clinc150, snips
from benchmarks.faults.plant import Kind, as_line, plant
from benchmarks.faults.rephrasings import BY_HAND, rephrasings
from benchmarks.faults.run import check
from benchmarks.faults.score import Tally, wilson
from benchmarks.real_data import DataAbsentError, data_folder, read_clinc150, read_snips

RECALL_TARGET, ALARM_TARGET = 0.95, 0.01
COUNT_WITHIN = 0.2
PER_KIND = 100
CODES = ("data.duplicate.paraphrase", "data.leakage.split")

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

    return Corpus(f"{corpus.name}, answered", "Answer.", answered(corpus.rows), answered(corpus.held_out), corpus.excluded)


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


def _planted(corpus: Corpus, per_kind: int, seed: int) -> Tally:
    each = min(per_kind, len(corpus.rows) // 6, len(corpus.held_out))
    tally = Tally()
    for number in range(-(-per_kind // each)):
        planted = plant(corpus, dict.fromkeys(KINDS, each), seed + number)
        tally.add(planted, *check(planted))
    return tally


@dataclass(frozen=True)
class Count:
    """Rows, and how many different ones the command says that there are, at least and at most; `about` is what it should say."""

    name: str
    rows: int
    fewest: int
    most: int
    about: str
    is_met: bool


def _counts(seed: int) -> Iterator[Count]:
    hundred = [(r.text, r.question) for r in rephrasings(100, seed)]
    by_hand = [(text, number) for number, ways in enumerate(BY_HAND) for text in ways]
    for name, rows, questions in (("100 questions x 100 by rules", hundred, 100), ("10 questions x 6 by hand", by_hand, 10)):
        yield _count(f"{name}, a sentence each", [(t, f"All that you have to do is on sheet {q}.") for t, q in rows], questions)
        if questions == 100:
            yield _count(f"{name}, a label each", [(t, f"case_{q}") for t, q in rows], questions)
    for name, read in (("CLINC150", read_clinc150), ("SNIPS", read_snips)):
        try:
            texts = read(data_folder())["train"]
        except DataAbsentError as absent:
            print(f"skipped: {absent}")
            continue
        yield _count(f"{name}, its labels", [(t.text, t.intent) for t in texts], len(texts))
        some = random.Random(seed).sample(texts, 2_000)
        yield _count(f"{name}, 2,000 texts, one answer", [(t.text, "I am sorry, I cannot help with that.") for t in some], 2_000)


def _count(name: str, rows: Sequence[tuple[str, str]], questions: int) -> Count:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text("".join(as_text(turns("Answer.", *row)) + "\n" for row in rows), encoding="utf-8")
        command = [sys.executable, "-m", "truetune.cli.main", "check", str(path), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    stats = json.loads(done.stdout)["stats"]
    fewest, most = stats["effective_unique_range"]
    return Count(name, len(rows), fewest, most, f"{questions:,}", abs(fewest - questions) <= COUNT_WITHIN * questions)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and say whether the targets were reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--per-kind", type=int, default=PER_KIND)
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N missed of each kind")
    options = parser.parse_args(argv)
    missed = []
    print("| rows | | counted, at least | at most | questions | within 20 % |\n| --- | ---: | ---: | ---: | ---: | --- |")
    for count in _counts(options.seed):
        print(
            f"| {count.name} | {count.rows:,} | {count.fewest:,} | {count.most:,} | {count.about} | {count.is_met} |", flush=True
        )
        missed += [] if count.is_met or "by hand" in count.name else [count.name]
    print("\n| corpus | fault | planted | found | recall | 95 % interval |\n| --- | --- | ---: | ---: | ---: | --- |")
    for corpus in _plantings():
        if isinstance(corpus, str):
            print(corpus)
            continue
        tally = _planted(corpus, options.per_kind, options.seed)
        for kind, planted in tally.planted.items():
            low, high = wilson(tally.found.get(kind, 0), planted)
            recall = tally.recall(kind)
            print(f"| {corpus.name} | {kind} | {planted} | {tally.found.get(kind, 0)} | {recall:.3f} | {low:.3f} to {high:.3f} |")
            missed += [] if recall >= RECALL_TARGET else [f"{corpus.name}, {kind}"]
            for text in tally.missed.get(kind, [])[: options.show]:
                print(f"  missed: {text}")
        for code in CODES:
            flagged, clean = len(tally.alarms.get(code, ())), len(tally.clean)
            print(f"| {corpus.name} | false alarms, `{code}` | {clean} | {flagged} | {flagged / clean:.4f} | |", flush=True)
            missed += [] if flagged <= ALARM_TARGET * clean else [f"{corpus.name}, false alarms of {code}"]
    print("\n" + ("missed: " + "; ".join(missed) if missed else "every target is met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
