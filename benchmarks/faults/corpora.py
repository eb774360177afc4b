"""Clean base corpora: rows in which nothing is known to be wrong, so that whatever is flagged there is a false alarm.

What counts as clean is decided here, without the data gate: a row whose text equals an earlier one once case, spacing and
punctuation are ignored is left out, and so is a row that is at most 20 % token edits away from an earlier one, because
such a pair *is* the near-duplicate fault that the benchmark plants.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults import breakage
from benchmarks.real_data import DataAbsentError, LabelledText, data_folder, read_clinc150, read_snips, system_prompt

NEAR_EDIT_FRAC = 0.2
"""Two texts are twins when their token edit distance is at most this share of the longer one."""

NEIGHBOUR_EDIT_FRAC = 0.35
"""Two texts are neighbours up to this share: too different to be taken out, too alike for "clean" to go without saying."""

SUPPORT_MESSAGES = Path(__file__).with_name("support_messages.jsonl")
SUPPORT_SYSTEM = (
    'Sort the customer message. Reply with JSON only: "queue" (billing, delivery, returns, account, technical), '
    '"priority" (high: urgent; low: no hurry, or praise; else normal), '
    '"needs_human" (true: asks for a person or a call; else false).'
)


@dataclass(frozen=True)
class Example:
    """A prompt and its right answer, under the corpus's system prompt."""

    prompt: str
    answer: str

    def line(self, system: str) -> str:
        """The row as one line of its file: here, chat messages."""
        return breakage.as_text(breakage.turns(system, self.prompt, self.answer))


@dataclass(frozen=True)
class Pair(Example):
    """A prompt with an answer and a worse one."""

    rejected: str

    def line(self, system: str) -> str:
        """A preference; it has no system prompt."""
        return _json({"prompt": self.prompt, "chosen": self.answer, "rejected": self.rejected})


@dataclass(frozen=True)
class Triplet(Example):
    """A query (`prompt`), a text that belongs to it (`answer`), and texts that do not."""

    negatives: tuple[str, ...]

    def line(self, system: str) -> str:
        """An embedding triplet; it has no system prompt."""
        negative = self.negatives[0] if len(self.negatives) == 1 else list(self.negatives)
        return _json({"query": self.prompt, "positive": self.answer, "negative": negative})


def _json(record: dict[str, object]) -> str:
    return json.dumps(record, ensure_ascii=False)


@dataclass(frozen=True)
class Corpus:
    """Clean rows and held-out rows of one source.

    `excluded` says how many natural defects were left out, by kind; `texts` whose texts they are, where the name does not say so.
    """

    name: str
    system: str
    rows: tuple[Example, ...]
    held_out: tuple[Example, ...]
    excluded: dict[str, int]
    texts: str = ""

    @property
    def origin(self) -> str:
        """Whose texts these are: two corpora that are made of the same texts count as one."""
        return self.texts or self.name


def support_triage(held_out: int = 60, seed: int = 17) -> Corpus:
    """The example's own messages, held out in proportion to their labels."""
    examples = support_examples()
    rng = random.Random(seed)
    kept, excluded = without_twins(examples)
    held = set(stratified(kept, held_out, rng))
    rows = tuple(e for e in kept if e not in held)
    return Corpus("support-triage", SUPPORT_SYSTEM, rows, tuple(e for e in kept if e in held), excluded)


def support_examples() -> list[Example]:
    """All hand-written support messages with their answers as strict compact JSON."""
    lines = SUPPORT_MESSAGES.read_text(encoding="utf-8").splitlines()
    return [Example(row.pop("message"), json.dumps(row)) for row in map(json.loads, lines)]


def stratified(examples: Sequence[Example], n: int, rng: random.Random) -> list[Example]:
    """`n` examples, each answer in proportion to how often it occurs (largest remainders first)."""
    piles: dict[str, list[Example]] = {}
    for example in examples:
        piles.setdefault(example.answer, []).append(example)
    exact = {answer: n * len(pile) / len(examples) for answer, pile in piles.items()}
    quota = {answer: int(share) for answer, share in exact.items()}
    by_remainder = sorted(exact, key=lambda a: (quota[a] - exact[a], a))
    for answer in by_remainder[: n - sum(quota.values())]:
        quota[answer] += 1
    return [example for answer in sorted(piles) for example in rng.sample(piles[answer], quota[answer])]


def snips(rows: int = 2400, held_out: int = 300, seed: int = 17) -> Corpus:
    """SNIPS utterances (short commands, 7 labels).

    Raises:
        DataAbsentError: the data set is not on this machine.
    """
    return _labelled("SNIPS", read_snips(data_folder())["train"], rows + held_out, held_out, seed)


def clinc150(rows: int = 2400, held_out: int = 300, seed: int = 17) -> Corpus:
    """CLINC150 utterances (short questions, 150 labels, many of them words of the question).

    Raises:
        DataAbsentError: the data set is not on this machine.
    """
    return _labelled("CLINC150", read_clinc150(data_folder())["train"], rows + held_out, held_out, seed)


def available() -> Iterator[Corpus | str]:
    """Each corpus, or the reason why it cannot be had here."""
    makers: tuple[Callable[[], Corpus], ...] = (support_triage, snips, clinc150)
    for maker in makers:
        try:
            yield maker()
        except DataAbsentError as absent:
            yield f"skipped: {absent}"


def without_twins(examples: Sequence[Example]) -> tuple[list[Example], dict[str, int]]:
    """The examples that resemble no earlier one, and how many were left out and why."""
    kept: list[Example] = []
    having: dict[str, list[list[str]]] = {}
    seen: set[str] = set()
    excluded: Counter[str] = Counter()
    plain_texts = [plain_text(example.prompt) for example in examples]
    frequency = Counter(word for plain in plain_texts for word in set(plain.split()))
    for example, plain in zip(examples, plain_texts, strict=True):
        tokens = plain.split()
        if plain in seen:
            excluded["same text"] += 1
        elif any(near(tokens, other) for word in _telling(tokens, frequency) for other in having.get(word, ())):
            excluded["near twin"] += 1
        else:
            kept.append(example)
            for word in set(tokens):
                having.setdefault(word, []).append(tokens)
        seen.add(plain)
    return kept, dict(excluded)


def _telling(tokens: Sequence[str], frequency: Mapping[str, int]) -> list[str]:
    """The rarest words of a text, so many that a twin has one of them: it lacks one token fewer than that at most."""
    longest_twin = len(tokens) / (1 - NEAR_EDIT_FRAC)
    return sorted(tokens, key=lambda word: (frequency[word], word))[: int(NEAR_EDIT_FRAC * longest_twin) + 1]


def plain_text(text: str) -> str:
    """The text's letters and digits in lower case, one space between words."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def with_neighbour(prompts: Iterable[str], corpus: Corpus) -> set[str]:
    """Those of the prompts that have a neighbour in the corpus, held-out rows included."""
    texts = [(e.prompt, plain_text(e.prompt).split()) for e in (*corpus.rows, *corpus.held_out)]
    wanted = {prompt: plain_text(prompt).split() for prompt in prompts}
    return {
        prompt
        for prompt, tokens in wanted.items()
        if any(other != prompt and near(tokens, theirs, NEIGHBOUR_EDIT_FRAC) for other, theirs in texts)
    }


def near(left: Sequence[str], right: Sequence[str], most: float = NEAR_EDIT_FRAC) -> bool:
    """Whether the token edit distance is at most that share of the longer text."""
    allowed = int(most * max(len(left), len(right)))
    if abs(len(left) - len(right)) > allowed:
        return False
    shared = (Counter(left) & Counter(right)).total()
    return max(len(left), len(right)) - shared <= allowed and edit_distance(left, right) <= allowed


def edit_distance(left: Sequence[str], right: Sequence[str]) -> int:
    """How many tokens must be inserted, deleted or replaced to make one text the other (Levenshtein)."""
    previous = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        current = [i]
        for j, b in enumerate(right, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (a != b)))
        previous = current
    return previous[-1]


def _labelled(name: str, texts: Sequence[LabelledText], wanted: int, held_out: int, seed: int) -> Corpus:
    rng = random.Random(seed)
    drawn = rng.sample(list(texts), wanted)
    examples, excluded = without_twins([Example(t.text.strip(), t.intent) for t in drawn])
    system = system_prompt(sorted({t.intent for t in drawn}))
    return Corpus(name, system, tuple(examples[held_out:]), tuple(examples[:held_out]), excluded)
