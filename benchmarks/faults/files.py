"""Files that are not UTF-8, whole or in some of their lines, made of real texts with words from other languages in them."""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.faults.corpora import Corpus, Example, clinc150, snips, support_triage
from benchmarks.faults.plant import as_line
from benchmarks.real_data import DataAbsentError

CODE = "data.encoding"
FILE_ROWS = 60
_WORDS = ("café", "Müller", "naïve", "Straße", "jalapeño", "São Paulo", "smörgåsbord", "crème brûlée", "20 °C", "£5", "garçon")
_WINDOWS = ("don’t", "“well”", "€9", "wait… what", "2019–2021", "Œuvre")
"""What Windows-1252 has and latin-1 has not."""
_ANY = (*_WORDS, *_WINDOWS, "привет", "日本語", "Ελλάδα", "👍", "Łódź")


@dataclass(frozen=True)
class PlantedFile:
    """A file's bytes; `kind` is empty where they are sound, `lines` are those that must be named."""

    name: str
    kind: str
    content: bytes
    lines: frozenset[int]


def _with_word(rng: random.Random, example: Example, words: tuple[str, ...]) -> Example:
    tokens = example.prompt.split(" ")
    tokens.insert(rng.randrange(len(tokens) + 1), rng.choice(words))
    return Example(" ".join(tokens), example.answer)


def _drawn(rng: random.Random, corpus: Corpus, words: tuple[str, ...], frac: float) -> tuple[list[str], list[int]]:
    """The lines of a file of which some have such a word, and their numbers."""
    rows = [example for example in rng.sample(corpus.rows, 2 * FILE_ROWS) if example.prompt.isascii()][:FILE_ROWS]
    having = sorted(rng.sample(range(len(rows)), max(1, int(frac * len(rows)))))
    texts = [as_line(corpus.system, _with_word(rng, e, words) if n in having else e) for n, e in enumerate(rows)]
    return texts, [n + 1 for n in having]


def _in_lines(rng: random.Random, corpus: Corpus, words: tuple[str, ...], encoding: str) -> tuple[bytes, frozenset[int]]:
    texts, having = _drawn(rng, corpus, words, rng.choice((0.01, 0.1, 0.4)))
    spoiled = frozenset(rng.sample(having, rng.randint(1, len(having))))
    lines = [text.encode(encoding if n in spoiled else "utf-8") for n, text in enumerate(texts, 1)]
    return b"\n".join(lines) + b"\n", spoiled


def _latin(rng: random.Random, corpus: Corpus) -> tuple[bytes, frozenset[int]]:
    """Some or all of the lines with a word from elsewhere are latin-1."""
    return _in_lines(rng, corpus, _WORDS, "latin-1")


def _windows(rng: random.Random, corpus: Corpus) -> tuple[bytes, frozenset[int]]:
    """Some or all of the lines with a word from elsewhere are Windows-1252."""
    return _in_lines(rng, corpus, (*_WORDS, *_WINDOWS), "cp1252")


def _wide(rng: random.Random, corpus: Corpus) -> tuple[bytes, frozenset[int]]:
    """The whole file is UTF-16 with its byte order mark, as a spreadsheet saves it."""
    texts, _ = _drawn(rng, corpus, _ANY, 0.1)
    mark, encoding = rng.choice(((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")))
    return mark + "".join(f"{text}\n" for text in texts).encode(encoding), frozenset()


KINDS: dict[str, Callable[[random.Random, Corpus], tuple[bytes, frozenset[int]]]] = {
    "file, lines in latin-1": _latin,
    "file, lines in Windows-1252": _windows,
    "file, UTF-16": _wide,
}


def _sound(rng: random.Random, corpus: Corpus) -> bytes:
    """UTF-8 with words from anywhere; in one of three files with the mark that some editors write first."""
    texts, _ = _drawn(rng, corpus, _ANY, rng.choice((0.01, 0.1, 0.4)))
    mark = codecs.BOM_UTF8 if rng.random() < 1 / 3 else b""
    return mark + "".join(f"{text}\n" for text in texts).encode()


def corpora() -> Iterator[Corpus | str]:
    """Each corpus, or the reason why it cannot be had here."""
    yield support_triage()
    for make in (snips, clinc150):
        try:
            yield make()
        except DataAbsentError as absent:
            yield f"skipped: {absent}"


def planted_files(corpus: Corpus, per_kind: int, seed: int) -> Iterator[PlantedFile]:
    """For each kind so many files, and as many sound ones."""
    for number in range(per_kind):
        rng = random.Random(f"{seed} {number}")
        yield PlantedFile(f"file {number}", "", _sound(rng, corpus), frozenset())
        for kind, make in KINDS.items():
            yield PlantedFile(f"file {number}", kind, *make(rng, corpus))
