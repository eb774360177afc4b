"""A corpus of texts with planted copies, streamed from a seed, in which everything that is not planted is a hard negative.

Nothing here is shared with the engine under test: words are split at blanks, and common words are counted with `Counter`.

- *Short* (half of the rows; 3 to 12 words, which is what label data looks like): sentence shapes with slots from SNIPS, filled
  anew, and sentences of CLINC150 with content words replaced. Rows of one shape differ in content words and numbers; a row that
  shares 80 % of its words with an earlier one of its shape is drawn again.
- *Long* (the other half; about 1.3 kB): an instruction, then one of a few boilerplates (30 to 50 % of the text), then sentences
  that other rows use too.
- *Planted*: 10 % exact copies (half of them in other case, spacing or final punctuation); 10 % near copies with 5 to 20 % of
  their words edited (substituted by a word of the corpus or by a slip of the pen, deleted, inserted, swapped with the next), at
  least one edit, so texts under five words are never sources of near copies: one word of four is more than 20 %; 2 % paraphrases
  by rules (frames, synonyms), which are reported and not counted.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.real_data import DataAbsentError, data_folder

EXACT_FRAC, NEAR_FRAC, PARAPHRASE_FRAC = 0.10, 0.10, 0.02
LARGEST_EDIT_FRAC, SMALLEST_EDIT_FRAC = 0.20, 0.05
_FAMILY_CAP = 60
_LONG_WORDS = 240
_BOILERPLATES, _BOILERPLATE_FRAC = 40, (0.30, 0.50)

Shape = Sequence[str | tuple[str]]
"""A sentence: fixed words as strings, slots as one-tuples that name what fills them."""


@dataclass(frozen=True)
class Row:
    """One text: what it is (`base`, `exact`, `near`, `paraphrase`), the number of its source, and its share of edited words."""

    text: str
    kind: str
    group: int
    edit_frac: float = 0.0


@dataclass(frozen=True)
class Seeds:
    """What sentences are made from.

    Attributes:
        name: which seeds these are, for the report.
        shapes: sentence shapes with slots.
        fillers: what fills each slot.
        sentences: whole sentences, for long texts.
        instructions: what long texts begin with.
        words: words to substitute and insert.
    """

    name: str
    shapes: Sequence[Shape]
    fillers: dict[str, list[str]]
    sentences: Sequence[str]
    instructions: Sequence[str]
    words: Sequence[str]


@dataclass
class _Family:
    """Rows of one shape so far, so that no two of them are near copies by accident."""

    bags: list[Counter[str]] = field(default_factory=list)

    def admits(self, words: Sequence[str]) -> bool:
        """Is the text no near copy of an earlier one of its shape? Then it is one of them from now on."""
        bag = Counter(words)
        size = len(words)
        if any((bag & other).total() >= 0.8 * max(size, other.total()) for other in self.bags):
            return False
        self.bags.append(bag)
        return True


def available_seeds() -> Seeds:
    """Sentences of the public data sets if they are on this machine, and a made-up language of the same shape if not."""
    try:
        return _real_seeds(data_folder())
    except (DataAbsentError, FileNotFoundError):
        return _synthetic_seeds(random.Random(0))


def corpus(rows: int, seed: int, seeds: Seeds) -> list[Row]:
    """So many rows in an order in which a source always comes before its copies."""
    rng = random.Random(seed)
    planted = {
        kind: int(share * rows) for kind, share in (("exact", EXACT_FRAC), ("near", NEAR_FRAC), ("paraphrase", PARAPHRASE_FRAC))
    }
    base = _base_rows(rng, seeds, rows - sum(planted.values()))
    groups: list[list[Row]] = [[row] for row in base]
    for kind, count in planted.items():
        for source in rng.sample(_sources(base, kind), count):
            groups[source.group].append(_copy(rng, seeds, source, kind))
    places = list(range(rows))
    rng.shuffle(places)
    placed: list[Row | None] = [None] * rows
    for group in groups:
        mine = sorted(places.pop() for _ in group)
        for place, row in zip(mine, group, strict=True):
            placed[place] = row
    return [row for row in placed if row is not None]


def _sources(base: Sequence[Row], kind: str) -> list[Row]:
    if kind == "exact":
        return list(base)
    if kind == "near":
        return [row for row in base if len(row.text.split()) >= round(1 / LARGEST_EDIT_FRAC)]
    return [row for row in base if 5 <= len(row.text.split()) <= 40]


def _base_rows(rng: random.Random, seeds: Seeds, count: int) -> list[Row]:
    short = _short_texts(rng, seeds)
    long = _long_texts(rng, seeds)
    return [Row(next(short) if number % 2 else next(long), "base", number) for number in range(count)]


def _short_texts(rng: random.Random, seeds: Seeds) -> Iterator[str]:
    families: dict[str, _Family] = {}
    while True:
        shape = rng.choice(seeds.shapes)
        fixed = " ".join(sorted(word.lower() for part in shape if isinstance(part, str) for word in part.split()))
        family = families.setdefault(fixed, _Family())
        if len(family.bags) >= _FAMILY_CAP:
            continue
        for _ in range(8):
            words = [word for part in shape for word in _said(rng, seeds, part)]
            if 3 <= len(words) <= 12 and family.admits([word.lower() for word in words]):
                yield " ".join(words)
                break


def _said(rng: random.Random, seeds: Seeds, part: str | tuple[str]) -> list[str]:
    return part.split() if isinstance(part, str) else rng.choice(seeds.fillers[part[0]]).split()


def _long_texts(rng: random.Random, seeds: Seeds) -> Iterator[str]:
    boilerplates = []
    for _ in range(_BOILERPLATES):
        size = int(rng.uniform(*_BOILERPLATE_FRAC) * _LONG_WORDS)
        words: list[str] = []
        while len(words) < size:
            words += rng.choice(seeds.sentences).split()
        boilerplates.append(words[:size])
    while True:
        words = [*rng.choice(seeds.instructions).split()[:30], *rng.choice(boilerplates), f"#{rng.randrange(10**6)}"]
        length = rng.randint(int(0.8 * _LONG_WORDS), int(1.2 * _LONG_WORDS))
        while len(words) < max(length, 1):
            words += rng.choice(seeds.sentences).split()
        yield " ".join(words)


def _copy(rng: random.Random, seeds: Seeds, source: Row, kind: str) -> Row:
    if kind == "exact":
        text = source.text
        if rng.random() < 0.5:
            text = rng.choice([text.upper(), text + " ", text.replace(" ", "  "), text.rstrip(".?!") + "!"])
        return Row(text, kind, source.group)
    if kind == "paraphrase":
        return Row(_paraphrased(rng, source.text), kind, source.group)
    words = source.text.split()
    edits = rng.randint(max(1, -(-int(SMALLEST_EDIT_FRAC * 100) * len(words) // 100)), int(LARGEST_EDIT_FRAC * len(words) + 1e-9))
    edited = _edited(rng, seeds, words, edits)
    return Row(" ".join(edited), kind, source.group, edits / len(words))


def _edited(rng: random.Random, seeds: Seeds, words: Sequence[str], edits: int) -> list[str]:
    """The words with so many of them edited, each place at most once."""
    result = list(words)
    for place in sorted(rng.sample(range(len(words)), edits), reverse=True):
        operation = rng.choice(("substitute", "slip", "delete", "insert", "swap"))
        if operation == "substitute":
            result[place] = rng.choice(seeds.words)
        elif operation == "slip":
            result[place] = _slip(rng, result[place])
        elif operation == "delete":
            del result[place]
        elif operation == "insert":
            result.insert(place, rng.choice(seeds.words))
        elif place + 1 < len(result):
            result[place], result[place + 1] = result[place + 1], result[place]
    return result


def _slip(rng: random.Random, word: str) -> str:
    """The word with one letter missing, doubled or wrong."""
    place = rng.randrange(len(word))
    return word[:place] + rng.choice(("", word[place] * 2, rng.choice("aeionrst"))) + word[place + 1 :]


_FRAMES = (
    "could you {}",
    "i would like you to {}",
    "{} please",
    "hey, {} for me",
    "what i need is this: {}",
    "is it possible to {}",
)
_OPENINGS = re.compile(r"^(can you|could you|please|i want to|i need to|i'd like to|would you|will you|hey)\s+", re.IGNORECASE)
_SYNONYMS = {
    "find": "look up", "show": "display", "tell": "inform", "play": "put on", "add": "put", "book": "reserve", "my": "the",
    "need": "require", "movie": "film", "song": "track", "weather": "forecast", "restaurant": "place to eat", "get": "obtain",
    "buy": "purchase", "big": "large", "help": "assist", "start": "begin", "rate": "score", "give": "award", "make": "create",
    "how's": "how is", "i'm": "i am", "don't": "do not", "currently": "right now", "want": "would like", "check": "look at",
}  # fmt: skip


def _paraphrased(rng: random.Random, text: str) -> str:
    bare = _OPENINGS.sub("", text)
    said = " ".join(_SYNONYMS.get(word.lower(), word) for word in bare.split())
    return rng.choice(_FRAMES).format(said)


def _real_seeds(folder: Path) -> Seeds:
    shapes, fillers = _snips_shapes(folder)
    clinc = json.loads((folder / "clinc150_oos" / "data_full.json").read_text(encoding="utf-8"))
    sentences = [text for split in clinc.values() for text, _ in split]
    tasks = [
        json.loads(line) for line in (folder / "alpaca_seed_tasks" / "seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    outputs = [instance["output"] for task in tasks for instance in task["instances"]]
    passages = [part.strip() for output in outputs for part in re.split(r"(?<=[.!?])\s+", output) if 4 <= len(part.split()) <= 40]
    words = sorted({word for sentence in sentences for word in sentence.split()})
    nouns = [word for word in words if len(word) > 4]
    shapes += [_opened(sentence, random.Random(sentence)) for sentence in sentences[::4]]
    fillers["any"] = nouns
    return Seeds(
        "SNIPS, CLINC150, alpaca seeds", shapes, fillers, sentences + 8 * passages, [task["instruction"] for task in tasks], words
    )


def _snips_shapes(folder: Path) -> tuple[list[Shape], dict[str, list[str]]]:
    shapes: list[Shape] = []
    fillers: dict[str, set[str]] = {}
    files = sorted((folder / "snips_nlu").glob("train_*_full.json"))
    if not files:
        raise DataAbsentError(folder / "snips_nlu")
    for path in files:
        for rows in json.loads(path.read_bytes().decode("utf-8", errors="replace")).values():
            for row in rows:
                shape = [(part["entity"],) if "entity" in part else part["text"] for part in row["data"]]
                for part in row["data"]:
                    if "entity" in part:
                        fillers.setdefault(part["entity"], set()).add(part["text"].strip())
                if sum(isinstance(part, tuple) for part in shape) > 1:
                    shapes.append(shape)
    return shapes[::10], {slot: sorted(texts) for slot, texts in fillers.items()}


def _opened(sentence: str, rng: random.Random) -> Shape:
    """A sentence with a third of its words, content words first, turned into slots."""
    words = sentence.split()
    open_places = set(
        sorted(range(len(words)), key=lambda place: (len(words[place]) < 4, rng.random()))[: max(1, -(-len(words) // 3))]
    )
    return [("any",) if place in open_places else word for place, word in enumerate(words)]


def _synthetic_seeds(rng: random.Random) -> Seeds:
    syllables = [onset + vowel + coda for onset in "bdfgklmnprstv" for vowel in "aeiou" for coda in ("", "n", "r", "s")]
    words = sorted({"".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(9_000)})
    rng.shuffle(words)
    weights = [1 / (rank + 3) for rank in range(len(words))]
    sentences = [" ".join(rng.choices(words, weights, k=rng.randint(5, 14))) for _ in range(6_000)]
    fillers = {"any": words[300:], "number": [str(number) for number in range(2, 999)]}
    shapes = [[*_opened(sentence, rng), ("number",)] for sentence in sentences[:3_000]]
    return Seeds("synthetic", shapes, fillers, sentences, sentences[:150], words)
