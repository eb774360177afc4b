"""The same question, answered differently: decided on the answers, for answers that can be compared (labels, JSON, short facts).

Similarity only nominates. Two prompts count as the same question when their words are the same; or when all they differ in is
words that ask for nothing ("please", "hi") or a typing error; or when they are long and differ in very little. A different
number or a negation is always another question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

from truetune.core.records import Finding, RowRef, Severity
from truetune.stages.data.checks.base import DROPPED, Check, Threshold
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.profile import field_text
from truetune.stages.data.sensitive import excerpt
from truetune.stages.data.similarity import LONG_WORDS, by_node, components
from truetune.stages.data.text import word_features

CODE = "data.contradiction"
_FIX = "decide which answer is right and correct or delete the others (`truetune run` leaves the whole group out)"

LONG_JACCARD = 0.8
"""Long prompts this similar, in the same order, ask the same. Source: measured: of 745 questions of 16 words or more in CLINC150
and SNIPS none is this similar to one with another label."""
ANY_LENGTH_JACCARD = 0.9
"""Source: measured: of 28,000 questions in CLINC150 and SNIPS none is this similar to one with another label."""
_SAME_ORDER_RATIO = 0.8
_OPEN_TEXT_WORDS = 6
"""A JSON text of more words is prose, which may be put in two ways."""

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


def _find(corpus: Corpus) -> Iterable[Finding]:
    if corpus.profile.shape == "text":
        return
    edges = list(_contradicting(corpus))
    component = components(len(corpus.rows), edges)
    groups: defaultdict[int, set[int]] = defaultdict(set)
    for a, b in edges:
        groups[component[a]].update((a, b))
    for positions in groups.values():
        yield _finding(corpus, sorted(positions))


def _contradicting(corpus: Corpus) -> Iterator[tuple[int, int]]:
    """Pairs of positions; in a group of many rows each row is paired with one that contradicts it."""
    # Two answers to one prompt contradict each other only where each is shown as the right one.
    shown = [position for position, row in enumerate(corpus.rows) if row.is_demonstration]
    members = by_node(shown, corpus.index.node_of)
    for positions in members.values():
        yield from _across(corpus, positions, positions, same_question=True)
    if corpus.profile.shape == "exact":
        return
    for pair in corpus.index.pairs:
        left, right = members.get(pair.a), members.get(pair.b)
        if left and right and same_question(corpus.index.words_of(pair.a), corpus.index.words_of(pair.b), pair.jaccard):
            yield from _across(corpus, left, right, same_question=False)


def _across(corpus: Corpus, left: Sequence[int], right: Sequence[int], *, same_question: bool) -> Iterator[tuple[int, int]]:
    for a in _one_an_answer(corpus, left):
        for b in right:
            if a != b and corpus.systems[a] == corpus.systems[b] and _differs(corpus, a, b, same_question=same_question):
                yield a, b


def _one_an_answer(corpus: Corpus, positions: Sequence[int]) -> list[int]:
    """The first row of each (system prompt, answer): enough to find every row that contradicts one of the others."""
    firsts: dict[tuple[str, str], int] = {}
    for position in positions:
        firsts.setdefault((corpus.systems[position], corpus.answers[position].key), position)
    return list(firsts.values())


def same_question(first: Sequence[str], second: Sequence[str], similarity: float) -> bool:
    """Do two nominated prompts ask the same, judged by what they differ in?"""
    first, second = without_courtesies(first), without_courtesies(second)
    left, right = set(word_features(list(first))), set(word_features(list(second)))
    only = [sorted(feature.split("\t")[0] for feature in side) for side in (left - right, right - left)]
    differing = [*only[0], *only[1]]
    if any(word in _NEGATIONS or any(c.isdigit() for c in word) for word in differing):
        return False
    if SequenceMatcher(None, first, second, autojunk=False).ratio() < _SAME_ORDER_RATIO:
        return False
    if similarity >= ANY_LENGTH_JACCARD or (similarity >= LONG_JACCARD and min(len(first), len(second)) >= LONG_WORDS):
        return True
    told = [[word for word in side if word not in _SAYS_NOTHING] for side in only]
    return len(told[0]) == len(told[1]) and all(_is_typing_error(a, b) for a, b in zip(*told, strict=True))


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


def _differs(corpus: Corpus, a: int, b: int, *, same_question: bool) -> bool:
    if corpus.answers[a].key == corpus.answers[b].key:
        return False
    return corpus.profile.shape != "json" or bool(differing_fields(corpus, a, b, closed_only=not same_question))


def differing_fields(corpus: Corpus, a: int, b: int, *, closed_only: bool) -> dict[str, tuple[str, str]]:
    """The fields in which two JSON answers disagree in substance; prose that is merely put differently is not among them."""
    left, right = corpus.answers[a].fields, corpus.answers[b].fields
    if left is None or right is None:
        return {}
    found = {}
    for name in [*left, *(key for key in right if key not in left)]:
        x, y = (field_text(side[name]) if name in side else "(missing)" for side in (left, right))
        closed = bool(corpus.profile.json_fields.get(name))
        prose = max(len(x.split()), len(y.split())) > _OPEN_TEXT_WORDS
        if x != y and (closed or not (closed_only or prose)):
            found[name] = (x, y)
    return found


def _finding(corpus: Corpus, positions: Sequence[int]) -> Finding:
    sides: defaultdict[str, list[int]] = defaultdict(list)
    for position in positions:
        sides[corpus.answers[position].key].append(position)
    groups: tuple[tuple[RowRef, ...], ...] = tuple(corpus.refs(side) for side in sides.values())
    firsts = [side[0] for side in sides.values()]
    # In an "exact" task two answers may both be right (two titles of one text), so there it is only worth a look.
    severity: Severity = "warn" if corpus.profile.shape == "exact" else "block"
    return Finding(
        code=CODE,
        severity=severity,
        message=f"{len(positions)} rows ask the same and get {len(sides)} different answers{_in_fields(corpus, firsts)}",
        rows=corpus.refs(positions),
        groups=groups,
        evidence={
            "prompts": [excerpt(corpus.rows[p].prompt) for p in firsts[:4]],
            "answers": [excerpt(corpus.rows[p].answer) for p in firsts[:4]],
            "differs_in": {name: list(values) for name, values in _field_values(corpus, firsts).items()},
        },
        fix=_FIX,
    )


def _field_values(corpus: Corpus, positions: Sequence[int]) -> dict[str, tuple[str, ...]]:
    values: defaultdict[str, list[str]] = defaultdict(list)
    for other in positions[1:]:
        for name, pair in differing_fields(corpus, positions[0], other, closed_only=False).items():
            values[name].extend(value for value in map(excerpt, pair) if value not in values[name])
    return {name: tuple(found) for name, found in values.items()}


def _in_fields(corpus: Corpus, positions: Sequence[int]) -> str:
    names = ", ".join(repr(name) for name in _field_values(corpus, positions))
    return f" in {names}" if names else ""


CHECK = Check(
    code=CODE,
    severity="block",
    claim="No question has two different answers, where answers can be compared: labels, JSON fields, short facts.",
    fix=_FIX,
    find=_find,
    ways=DROPPED,
    thresholds=(
        Threshold("same question from Jaccard similarity", ANY_LENGTH_JACCARD, "measured on CLINC150 and SNIPS"),
        Threshold(f"the same for prompts of {LONG_WORDS} words or more", LONG_JACCARD, "measured on CLINC150 and SNIPS"),
    ),
)
