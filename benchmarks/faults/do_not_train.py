"""Rows that a do-not-train list forbids: by id, source, expression, hash, and as edited copies of listed texts, alone or quoted.

The list is written beside the rows, with as many entries again that forbid nothing in the file.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator

from benchmarks.faults.corpora import Corpus, Example, available
from benchmarks.faults.edits import edit_tokens
from benchmarks.faults.plant import Kind, Make, as_line

CODE = "data.do_not_train"
SHORTEST = 10
"""Words of a text whose edited copy is planted: of fewer, a fifth is one word, and one word is another request."""
PER_KIND = 60
Entry = dict[str, str]


def corpora() -> Iterator[Corpus | str]:
    """The corpora with prompts long enough, or the reason why one cannot be had here."""
    for corpus in available():
        if isinstance(corpus, str) or sum(len(e.prompt.split()) >= SHORTEST for e in corpus.rows) >= 3 * PER_KIND:
            yield corpus


def kinds(listed: list[Entry]) -> list[Kind]:
    """Each kind of entry; planting a row adds its entry, and one of the same kind that forbids nothing, to `listed`."""
    makes: dict[str, tuple[Make, int]] = {
        "id": (_with_field(listed, "id"), 1),
        "source": (_with_field(listed, "source"), 1),
        "expression": (_expression(listed), 1),
        "hash": (_hash(listed), 1),
        "text, edited": (_edited(listed, is_quoted=False), SHORTEST),
        "text, edited and quoted": (_edited(listed, is_quoted=True), SHORTEST),
    }
    return [Kind(f"do not train, {name}", CODE, "row", make, min_words=words) for name, (make, words) in makes.items()]


def _with_field(listed: list[Entry], field: str) -> Make:
    def make(rng: random.Random, example: Example, corpus: Corpus) -> str:
        value = f"{field}-{rng.randrange(10**9)}"
        listed.extend(({field: value}, {field: value[:-1]}))
        return json.dumps({**json.loads(as_line(corpus.system, example)), field: value}, ensure_ascii=False)

    return make


def _expression(listed: list[Entry]) -> Make:
    def make(rng: random.Random, example: Example, corpus: Corpus) -> str:
        number = rng.randrange(10**6)
        listed.extend(({"regex": rf"(?i)project\s+heron-{number:06d}\b"}, {"regex": rf"(?i)heronry {number:06d}$"}))
        return as_line(corpus.system, Example(f"{example.prompt} It is for Project  Heron-{number:06d}.", example.answer))

    return make


def _hash(listed: list[Entry]) -> Make:
    def make(rng: random.Random, example: Example, corpus: Corpus) -> str:
        plain = " ".join(example.prompt.lower().split())
        listed.extend({"sha256": hashlib.sha256(text.encode()).hexdigest()} for text in (plain, f"{plain} {rng.random()}"))
        return as_line(corpus.system, Example(f" {example.prompt.upper()}\n", example.answer))

    return make


def _edited(listed: list[Entry], *, is_quoted: bool) -> Make:
    def make(rng: random.Random, example: Example, corpus: Corpus) -> str:
        vocabulary = rng.choice(corpus.rows).prompt.split()
        edited = edit_tokens(rng, example.prompt, vocabulary)
        listed.extend(({"text": example.prompt}, {"text": " ".join(rng.sample(vocabulary * 3, min(len(vocabulary) * 3, 12)))}))
        before, after = (rng.choice(corpus.held_out).prompt for _ in range(2))
        return as_line(corpus.system, Example(f"{before} {edited} {after}" if is_quoted else edited, example.answer))

    return make
