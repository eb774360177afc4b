"""Preference pairs that style alone decides: a reward learned from them looks at the bullets and not at what is said."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from truetune.core.records import Finding
from truetune.core.sensitive.masking import excerpt
from truetune.core.text import normalise, words
from truetune.stages.data.checks.base import NO_ROWS, Check, Threshold
from truetune.stages.data.checks.preferences.sign_test import sign_test_p
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row

CODE = "data.preference.style"
_FIX = (
    "add pairs in which the answer of the other style is the better one, or have both sides of a pair written in one style; "
    "the features named are where the sides differ"
)

STYLE_AUC = 0.75
"""Source: stated, as the place from which style decides three pairs of four; see the page of this code."""
PAIRS_MIN = 50
"""Source: stated: fewer pairs are too few to learn style from and to hold it against the rest."""
P_MAX = 0.01
"""Source: stated: a sign test, so that fifty pairs do not warn by chance."""
PAIRS_MAX = 4000
"""Of more pairs so many are looked at, evenly spread: the interval of the AUC is then below 0.02 to each side."""
_FOLDS = 5
_RIDGE = 1.0
_PHRASES = 12
"""So many of the commonest first words of an answer, and of its last sentence, are features."""
_SHOWN_PAIRS, _SHOWN_FEATURES = 10, 4

Floats = npt.NDArray[np.float64]

_PER_WORD: dict[str, re.Pattern[str]] = {
    "bold or italic type": re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__|(?<!\*)\*[^*\s][^*\n]*\*(?!\*)"),
    "code marks": re.compile(r"`"),
    "links": re.compile(r"https?://|\]\("),
    "emoji": re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]"),
    "exclamation marks": re.compile("!"),
    "question marks": re.compile(r"\?"),
    "colons": re.compile(":"),
    "semicolons": re.compile(";"),
    "dashes": re.compile("[\u2013\u2014]| - "),
    "brackets": re.compile(r"[()\[\]]"),
    "quotation marks": re.compile('["\u201c\u201d\u00ab\u00bb]'),
    "commas": re.compile(","),
    "digits": re.compile(r"\d"),
    "words in capitals": re.compile(r"\b[A-Z]{2,}\b"),
    "contractions": re.compile(r"\w['\u2019](?:s|t|re|ve|ll|d|m)\b", re.IGNORECASE),
    "I and we": re.compile(r"\b(?:I|me|my|we|us|our)\b", re.IGNORECASE),
    "you": re.compile(r"\byour?\b", re.IGNORECASE),
}
_PER_LINE: dict[str, re.Pattern[str]] = {
    "list items": re.compile(r"^\s*(?:[-*\u2022+]|\d+[.)])\s"),
    "headings": re.compile(r"^\s*#{1,6}\s|^\s*\*\*[^*]+\*\*:?\s*$"),
    "tables": re.compile(r"^\s*\|"),
    "empty lines": re.compile(r"^\s*$"),
}
_OTHERS = ("length of words", "length of sentences", "ends with a full stop", "starts with a small letter")
_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]+(?:\s+|$)|\n+")
_LOOKED_AT_CHARACTERS = 20_000
"""Style shows in the first pages; one huge answer must not take all the time."""


def _find(corpus: Corpus) -> Iterable[Finding]:
    positions = corpus.rows.pairs
    if len(positions) < PAIRS_MIN:
        return
    step = max(1.0, len(positions) / PAIRS_MAX)
    pairs = [corpus.rows[positions[int(n * step)]] for n in range(int(len(positions) / step))]
    judged = judge_style(pairs)
    wins, losses = int((judged.margins > 0).sum()), int((judged.margins < 0).sum())
    if judged.auc < STYLE_AUC or sign_test_p(wins, losses) > P_MAX:
        return
    clearest = sorted(range(len(pairs)), key=lambda n: (-judged.margins[n], n))[:_SHOWN_PAIRS]
    yield Finding(
        code=CODE,
        severity="warn",
        message=f"style alone tells which answer was preferred (AUC {judged.auc:.2f} on {len(pairs)} pairs that the style was "
        f"not learned from): the chosen ones have {'; '.join(judged.leanings)}",
        rows=tuple(pairs[n].ref for n in sorted(clearest)),
        evidence={
            "pairs": len(pairs),
            "auc": round(judged.auc, 3),
            "leanings": list(judged.leanings),
            "chosen": excerpt(pairs[clearest[0]].answer),
            "rejected": excerpt(pairs[clearest[0]].rejected or ""),
        },
        fix=_FIX,
    )


@dataclass(frozen=True)
class StyleVerdict:
    """How well style alone ranks the sides.

    Attributes:
        auc: share of the pairs that a model of the others ranks rightly, ties as half.
        margins: each pair's score for its chosen side less that for its rejected one, (pairs,).
        leanings: the features that weigh most, in words.
    """

    auc: float
    margins: Floats
    leanings: tuple[str, ...]


def judge_style(pairs: Sequence[Row]) -> StyleVerdict:
    """The out-of-fold ranking of pairs by a linear model of style features; pairs under one prompt stay in one fold.

    The model is ridge regression on the differences chosen - rejected with target 1 and no intercept, so that it treats both
    sides alike. The paired AUC is the share of held-out pairs with a positive margin.
    """
    folds = np.array([zlib.crc32(normalise(row.context).encode("utf-8", "replace")) % _FOLDS for row in pairs])
    fixed = np.array([fixed_style(row.answer) - fixed_style(row.rejected or "") for row in pairs])
    margins = np.zeros(len(pairs))
    for fold in range(_FOLDS):
        learned, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if len(learned) and len(held):
            names = _phrases([pairs[n] for n in learned.tolist()])
            both = np.hstack([fixed, _phrase_differences(pairs, names)])
            weights, scale = _fit(both[learned])
            margins[held] = _standard(both[held], scale) @ weights
    auc = float(((margins > 0) + (margins == 0) / 2).mean())
    names = _phrases(pairs)
    weights, _ = _fit(np.hstack([fixed, _phrase_differences(pairs, names)]))
    return StyleVerdict(auc, margins, _leanings(weights, names))


def _fit(differences: Floats) -> tuple[Floats, Floats]:
    """Weights of the standardised differences (pairs, features), and the scale of each feature."""
    scale = np.sqrt((differences**2).mean(axis=0))
    scale[scale == 0] = 1.0
    standard = _standard(differences, scale)
    weights = np.linalg.solve(standard.T @ standard + _RIDGE * np.eye(standard.shape[1]), standard.sum(axis=0))
    return weights, scale


def _standard(differences: Floats, scale: Floats) -> Floats:
    """In units of the usual difference, cut at three: one answer full of digits must not decide what digits mean."""
    cut: Floats = np.clip(differences / scale, -3.0, 3.0)
    return cut


def fixed_style(text: str) -> Floats:
    """The style of a text as numbers that do not depend on its length, (features,)."""
    text = text.strip()[:_LOOKED_AT_CHARACTERS]
    said = words(text)
    lines = text.splitlines() or [""]
    sentences = [part for part in _SENTENCE_END.split(text) if part.strip()]
    count = max(len(said), 1)
    per_word = [len(mark.findall(text)) / count for mark in _PER_WORD.values()]
    per_line = [sum(bool(mark.match(line)) for line in lines) / len(lines) for mark in _PER_LINE.values()]
    shape = [sum(map(len, said)) / count, count / max(len(sentences), 1), text.endswith("."), text[:1].islower()]
    return np.array([*per_word, *per_line, *shape], dtype=np.float64)


def _first_words(text: str) -> str:
    return " ".join(words(text[:200])[:2])


def _last_sentence(text: str) -> str:
    sentences = [part for part in _SENTENCE_END.split(text[-_LOOKED_AT_CHARACTERS:]) if part.strip()]
    return _first_words(sentences[-1]) if len(sentences) > 1 else ""


_Phrases = tuple[tuple[str, ...], tuple[str, ...]]


def _phrases(pairs: Sequence[Row]) -> _Phrases:
    """The commonest openings, and openings of the last sentence."""
    sides = [text for row in pairs for text in (row.answer, row.rejected or "")]
    opening, closing = Counter(map(_first_words, sides)), Counter(map(_last_sentence, sides))
    del closing[""]
    return tuple(p for p, _ in opening.most_common(_PHRASES)), tuple(p for p, _ in closing.most_common(_PHRASES))


def _phrase_differences(pairs: Sequence[Row], phrases: _Phrases) -> Floats:
    return np.array([_has(row.answer, phrases) - _has(row.rejected or "", phrases) for row in pairs])


def _has(text: str, phrases: _Phrases) -> Floats:
    opening, closing = _first_words(text), _last_sentence(text)
    return np.array([*(opening == p for p in phrases[0]), *(closing == p for p in phrases[1])], dtype=np.float64)


def _leanings(weights: Floats, phrases: _Phrases) -> tuple[str, ...]:
    names = [
        *_PER_WORD,
        *_PER_LINE,
        *_OTHERS,
        *(f"the opening {excerpt(p)!r}" for p in phrases[0]),
        *(f"a last sentence that starts {excerpt(p)!r}" for p in phrases[1]),
    ]
    order = sorted(range(len(names)), key=lambda n: -abs(weights[n]))[:_SHOWN_FEATURES]
    return tuple(f"{'more' if weights[n] > 0 else 'less'} of: {names[n]}" for n in order)


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="Style alone (marks, lists, exclamations, openings, with length left out) does not tell which answer was preferred.",
    fix=_FIX,
    find=_find,
    ways=NO_ROWS,
    thresholds=(
        Threshold("out-of-fold AUC of style", STYLE_AUC, "stated; see the page of this code"),
        Threshold("pairs", PAIRS_MIN, "stated: fewer are too few to learn style from and to test it on"),
        Threshold("largest p of a sign test", P_MAX, "stated: fifty pairs must not warn by chance"),
    ),
)
