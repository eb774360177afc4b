"""Which rows contradict each other: who is asked the same, and whose answers then differ in substance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from truetune.core.records import Severity
from truetune.core.text import words
from truetune.stages.data.checks.contradictions.json_fields import differing_fields, prose_differs, surest
from truetune.stages.data.checks.contradictions.open_questions import is_open
from truetune.stages.data.checks.contradictions.same_question import same_question
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.neighbours.prompts import by_node, near_words
from truetune.stages.data.substance import are_of_the_same_words, differences, says_the_same

MOST_ANSWERS = 12
"""Different answers of one question that are compared with each other; further ones are compared with the first only."""

OPEN_ANSWERS = 4
"""A question with so many different free answers of which most contradict each other has no one answer. Source: stated."""

_SHORT = ("labels", "json", "exact")


@dataclass(frozen=True, slots=True)
class Edge:
    """Two positions whose answers contradict each other.

    Attributes:
        a: a position.
        b: another one.
        severity: "block" where no way of putting it makes both right, "warn" where free answers differ in something plain, "note"
            where they may only be put differently.
    """

    a: int
    b: int
    severity: Severity


_ByAnswer = dict[tuple[int, int], list[int]]


def contradicting(corpus: Corpus) -> Iterator[Edge]:
    """Pairs of rows; in a group of many rows each row is paired with one that contradicts it."""
    # Two answers to one prompt contradict each other only where each is shown as the right one.
    demonstrated = [position for position, row in enumerate(corpus.rows) if row.is_demonstration]
    members = by_node(demonstrated, corpus.index.node_of)
    answers = {node: _by_answer(corpus, positions) for node, positions in members.items() if len(positions) > 1}
    for by_answer in answers.values():
        if len(by_answer) > 1:
            yield from _within(corpus, by_answer)
    if corpus.profile.shape == "exact":
        return
    for pair in corpus.index.pairs:
        left, right = members.get(pair.a), members.get(pair.b)
        if left and right and _ask_the_same(corpus, pair.a, pair.b, pair.jaccard):
            yield from _across(corpus, _by_answer(corpus, left), _by_answer(corpus, right))


def _ask_the_same(corpus: Corpus, a: int, b: int, similarity: float) -> bool:
    to_the_word = corpus.profile.shape not in _SHORT
    return same_question(corpus.index.words_of(a), corpus.index.words_of(b), similarity, to_the_word=to_the_word)


def _by_answer(corpus: Corpus, positions: Sequence[int]) -> _ByAnswer:
    """The rows by system prompt and answer: another system prompt is another task."""
    found: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    systems, answers = corpus.systems, corpus.keys.answers
    for position in positions:
        found[int(systems[position]), int(answers[position])].append(position)
    return dict(found)


def _within(corpus: Corpus, by_answer: _ByAnswer) -> Iterator[Edge]:
    groups: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for key in by_answer:
        groups[key[0]].append(key)
    for keys in groups.values():
        pairs = [*combinations(keys[:MOST_ANSWERS], 2), *((keys[0], key) for key in keys[MOST_ANSWERS:])]
        found = [(x, y, verdict) for x, y in pairs if (verdict := _verdict(corpus, by_answer[x][0], by_answer[y][0], True))]
        has_one_answer = corpus.profile.shape in _SHORT or len(keys) < OPEN_ANSWERS or 2 * len(found) <= len(pairs)
        if has_one_answer:
            for x, y, verdict in found:
                yield from _edges(by_answer[x], by_answer[y], verdict)


def _across(corpus: Corpus, left: _ByAnswer, right: _ByAnswer) -> Iterator[Edge]:
    for x, y in product(list(left)[:MOST_ANSWERS], list(right)[:MOST_ANSWERS]):
        if x[0] == y[0] and x[1] != y[1] and (verdict := _verdict(corpus, left[x][0], right[y][0], False)):
            yield from _edges(left[x], right[y], verdict)


def _edges(left: Sequence[int], right: Sequence[int], severity: Severity) -> Iterator[Edge]:
    yield from (Edge(left[0], b, severity) for b in right)
    yield from (Edge(a, right[0], severity) for a in left[1:])


def _verdict(corpus: Corpus, a: int, b: int, same_words: bool) -> Severity | None:
    """How sure it is that the answers of two rows contradict each other; None where they do not."""
    left, right = corpus.answers[a], corpus.answers[b]
    question = corpus.rows[a].prompt
    match corpus.profile.shape:
        case "labels":
            return "block"
        case "json":
            fields = differing_fields(corpus.profile, question, left, right, closed_only=not same_words)
            return surest(field.severity for field in fields)
        case "exact":
            return None if is_open(question) or _is_more_detail(left.key, right.key) else "warn"
        case _:
            return text_differs(question, corpus.rows[a].answer, corpus.rows[b].answer)


def _is_more_detail(a: str, b: str) -> bool:
    """Do two short answers say the same in figures and words, or does one hold the other and more?"""
    shorter, longer = sorted((words(a), words(b)), key=len)
    holds = any(longer[i : i + len(shorter)] == shorter for i in range(len(longer) - len(shorter) + 1))
    return (holds and not differences("", a, b)) or says_the_same(a, b)


def text_differs(question: str, a: str, b: str) -> Severity | None:
    """Do two free answers differ in substance? What may be done in many ways only where they are of nearly the same words."""
    if is_open(question) and not near_words(words(a), words(b)) and not are_of_the_same_words(a, b):
        return None
    return prose_differs(question, a, b)


def sides(corpus: Corpus, positions: Sequence[int], edges: Mapping[int, set[int]]) -> list[list[int]]:
    """The rows of a group by what they say: each with those that it does not contradict."""
    found: list[list[int]] = []
    for position in positions:
        home = next((side for side in found if _may_join(corpus, position, side, edges)), None)
        if home is None:
            found.append([position])
        else:
            home.append(position)
    return found


def _may_join(corpus: Corpus, position: int, side: Sequence[int], edges: Mapping[int, set[int]]) -> bool:
    if corpus.same_answer(position, side[0]):
        return True
    return corpus.profile.shape == "text" and not edges[position] & set(side)
