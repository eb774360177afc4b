"""Does a difficulty that is read off the prompts alone say which rows a model gets wrong?

    python -m benchmarks.difficulty

A ridge regression on the words learns the labels of four fifths of the rows and names those of the last fifth, five times; the
area under the curve says how well each measure ranks the rows that it gets wrong above the others (0.5: not at all).
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from benchmarks.faults.corpora import SUPPORT_MESSAGES
from benchmarks.real_data import DataAbsentError, data_folder, read_clinc150, read_snips
from scipy.stats import rankdata

from truetune.core.text import words
from truetune.stages.data.balance.difficulty import novelty

ROWS, FOLDS, PENALTY = 3000, 5, 0.3
Floats = npt.NDArray[np.float64]


def wrong_out_of_fold(tokens: Sequence[Sequence[str]], labels: Sequence[str], seed: int) -> npt.NDArray[np.bool_]:
    """Which rows a model that was fitted without them gets wrong."""
    points = _points(tokens)
    names, given = np.unique(np.array(labels), return_inverse=True)
    wanted = np.eye(len(names))[given]
    fold = np.random.default_rng(seed).integers(0, FOLDS, len(tokens))
    named = np.zeros(len(tokens), dtype=np.int64)
    for number in range(FOLDS):
        seen, held = points[fold != number], points[fold == number]
        weights = np.linalg.solve(seen.T @ seen + PENALTY * np.eye(points.shape[1]), seen.T @ wanted[fold != number])
        named[fold == number] = (held @ weights).argmax(axis=1)
    found: npt.NDArray[np.bool_] = named != given
    return found


def _points(tokens: Sequence[Sequence[str]]) -> Floats:
    frequency = Counter(word for text in tokens for word in set(text))
    column = {word: place for place, word in enumerate(word for word, n in frequency.items() if n > 1)}
    points = np.zeros((len(tokens), len(column)))
    for row, text in enumerate(tokens):
        for word in text:
            if word in column:
                points[row, column[word]] = np.log(len(tokens) / frequency[word])
    return points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)


def area(score: Floats, wrong: npt.NDArray[np.bool_]) -> float:
    """The chance that a row that is wrong scores higher than one that is right."""
    n = int(wrong.sum())
    return float((rankdata(score)[wrong].sum() - n * (n + 1) / 2) / (n * (len(wrong) - n)))


def measures(tokens: Sequence[Sequence[str]]) -> Mapping[str, Floats]:
    """What may say how hard a prompt is."""
    counts = Counter(word for text in tokens for word in text)
    bits = {word: np.log2(counts.total() / n) for word, n in counts.items()}
    total = np.array([sum(bits[word] for word in text) for text in tokens])
    length = np.array([float(len(text)) for text in tokens])
    rare = np.array([np.mean([counts[word] <= 5 for word in text]) if text else 0.0 for text in tokens])
    return {
        "novelty": novelty(tokens),
        "word rarity": total,
        "word rarity a word": total / np.maximum(length, 1.0),
        "share of rare words": rare,
        "length": length,
    }


def tasks(seed: int) -> Iterator[tuple[str, list[str], list[str]]]:
    """Texts and labels of each task that can be had here."""
    rows = [json.loads(line) for line in SUPPORT_MESSAGES.read_text(encoding="utf-8").splitlines()]
    for field in ("queue", "priority"):
        yield f"support {field}", [row["message"] for row in rows], [row[field] for row in rows]
    for name, read in (("CLINC150", read_clinc150), ("SNIPS", read_snips)):
        try:
            drawn = random.Random(seed).sample(list(read(data_folder())["train"]), ROWS)
        except DataAbsentError as absent:
            print(f"skipped: {absent}")
            continue
        yield name, [text.text for text in drawn], [text.intent for text in drawn]


def main(seed: int = 3) -> int:
    """Print a table."""
    for name, texts, labels in tasks(seed):
        tokens = [words(text) for text in texts]
        wrong = wrong_out_of_fold(tokens, labels, seed)
        said = ", ".join(f"{what} {area(score, wrong):.2f}" for what, score in measures(tokens).items())
        print(f"{name}: {wrong.sum()} of {len(wrong)} wrong; {said}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
