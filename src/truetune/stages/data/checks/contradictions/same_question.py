"""Do two prompts ask the same? Similarity only nominates; what the prompts differ in decides.

Two prompts count as the same question when their words are the same; or when all they differ in is words that ask for nothing
("please", "hi") or a typing error; or when they are long and differ in very little. A different number or a negation is always
another question.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from truetune.core.text import word_features
from truetune.stages.data.neighbours.prompts import LONG_WORDS

LONG_JACCARD = 0.8
"""Long prompts this similar, in the same order, ask the same. Source: measured: of 745 questions of 16 words or more in CLINC150
and SNIPS none is this similar to one with another label."""
ANY_LENGTH_JACCARD = 0.9
"""Source: measured: of 28,000 questions in CLINC150 and SNIPS none is this similar to one with another label."""
_SAME_ORDER_RATIO = 0.8

_SAYS_NOTHING = frozenset(  # split: read as a sentence, not as a column of quotes
    "a an the please pls plz kindly hi hello hey dear thanks thank thx cheers regards greetings there so well ok okay um uh "  # noqa: SIM905
    "just really very s is m am re are".split()
)
_GREETINGS = frozenset(("dear", "hi", "hello", "hey", "greetings", "good"))
_ADDRESSED = frozenset(
    "all everyone everybody folks team support sir madam or there again morning afternoon evening day".split()  # noqa: SIM905
)
_CLOSINGS = frozenset(("thanks", "thank", "thx", "cheers", "regards", "wishes", "greetings"))
_AROUND_CLOSINGS = frozenset("many kind kindest best warm you very so much a lot and in advance all the with please".split())  # noqa: SIM905
_NEGATIONS = frozenset(
    "no not never none without cannot cant dont doesnt didnt isnt wasnt wont nt neither nor nothing nobody".split()  # noqa: SIM905
)


def same_question(first: Sequence[str], second: Sequence[str], similarity: float, *, to_the_word: bool = False) -> bool:
    """Do two nominated prompts ask the same, judged by what they differ in?

    Args:
        first: the words of a prompt.
        second: those of another.
        similarity: Jaccard similarity of the two.
        to_the_word: only courtesies and typing errors may differ: in a long prompt another word may ask for another answer, and
            free answers, unlike labels, show it.
    """
    first, second = without_courtesies(first), without_courtesies(second)
    left, right = set(word_features(list(first))), set(word_features(list(second)))
    only = [sorted(feature.split("\t")[0] for feature in side) for side in (left - right, right - left)]
    differing = [*only[0], *only[1]]
    if any(word in _NEGATIONS or any(c.isdigit() for c in word) for word in differing):
        return False
    if SequenceMatcher(None, first, second, autojunk=False).ratio() < _SAME_ORDER_RATIO:
        return False
    if not to_the_word and _is_nearly_the_same(first, second, similarity):
        return True
    told = [[word for word in side if word not in _SAYS_NOTHING] for side in only]
    return len(told[0]) == len(told[1]) and all(_is_typing_error(a, b) for a, b in zip(*told, strict=True))


def _is_nearly_the_same(first: Sequence[str], second: Sequence[str], similarity: float) -> bool:
    is_long = min(len(first), len(second)) >= LONG_WORDS
    return similarity >= ANY_LENGTH_JACCARD or (is_long and similarity >= LONG_JACCARD)


def without_courtesies(tokens: Sequence[str]) -> Sequence[str]:
    """The words between "dear all" and "many thanks in advance"; a text that is nothing else stays."""
    start, end = 0, len(tokens)
    if tokens and tokens[0] in _GREETINGS:
        start = 1
        while start < end and tokens[start] in _ADDRESSED:
            start += 1
    closing = end
    while closing > start and tokens[closing - 1] in _CLOSINGS | _AROUND_CLOSINGS:
        closing -= 1
    if _CLOSINGS.intersection(tokens[closing:]):
        end = closing
    return tokens[start:end] or tokens


def _is_typing_error(a: str, b: str) -> bool:
    """Two letters swapped in a word of four letters or more; one more, less or other in a word of five or more."""
    if min(len(a), len(b)) < 4 or abs(len(a) - len(b)) > 1:
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[start:], b[start:]
    if rest_a[:2] == rest_b[:2][::-1] and rest_a[2:] == rest_b[2:]:
        return True
    return min(len(a), len(b)) >= 5 and (rest_a[1:] == rest_b[1:] or rest_a[1:] == rest_b or rest_a == rest_b[1:])
