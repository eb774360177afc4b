"""Answers that answer nothing: an assistant's refusals and disclaimers, and placeholders that were never filled in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from truetune.core.records import Finding, TaskProfile
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import RowCheck, Sightings, Threshold
from truetune.stages.data.checks.records.placeholders import is_placeholder
from truetune.stages.data.checks.records.refusals import is_refusal, is_spoken, speaks_of_itself
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.profile import read_answer
from truetune.stages.data.rows.row import Row

CODE = "data.record.boilerplate"
_FIX = "write the answer, or delete the row; where declining is right, say in the system prompt that it is"

REFUSAL = "a refusal or an assistant's disclaimer"

EVASION = "short, speaks of the speaker and of nothing that was asked: it may decline"
SENTENCE = "a sentence where the others are labels"

HABIT_FRAC = 0.1
"""Where more than a tenth of the answers are of a kind, the data teaches it. Source: stated; see the page of this code."""

EVASION_FRAC = 0.05
"""Where more of the answers speak of the speaker alone, that is their tone. Source: stated."""
LABEL_FRAC = 0.01
"""A sentence that more rows than this answer with is one of the labels. Source: stated; the rarest label of CLINC150 has 0.7 %
and is no sentence."""
SENTENCE_WORDS = 2
_MOST_FRAC = {EVASION: EVASION_FRAC}

_AI = r"(?:an? )?(?:ai|artificial intelligence|(?:large )?language|machine learning|virtual|text[- ]based)"
_DO = (
    r"(?:help|assist|provide|comply|answer|fulfill?|complete|respond|generate|create|write|do that|process|offer|engage|"
    r"support|discuss|give|access|perform|continue|accommodate|satisfy|share|tell)"
)
_NOT_ABLE = (
    r"(?:can ?not|can[’']?t|could not|couldn[’']?t|won[’']?t|will not|(?:am|[’']m|was) (?:not able|unable|not capable)(?: to)?|"
    r"(?:am|[’']m) not (?:comfortable|allowed|permitted|programmed|designed)(?: to| with)?|"
    r"do(?: not|n[’']?t) have (?:the (?:ability|capability)|enough information|access|permission|real[- ]time))"
)
_SORRY = (
    r"(?:(?:i[’']?m|i am|we are|we[’']re)?[ ,]*(?:very |so |really |truly )?sorry|apologies|my apologies|i apologi[sz]e|"
    r"unfortunately|regrettably)"
)
_REFUSAL = re.compile(
    rf"\b(?:as|i am|i[’']m)(?: just| only| merely)? {_AI} (?:model|assistant|system|chatbot|program|bot|ai)\b"
    rf"|\bas an ai\b"
    rf"|^{_SORRY}\b[^.!?\n]{{0,60}}\bi ?{_NOT_ABLE}\b"
    rf"|^(?:{_SORRY}[,.!:]? )?(?:but )?i ?{_NOT_ABLE} (?:(?:be able|currently|really|directly|actually|to) ){{0,2}}{_DO}\b"
    rf"|\bi ?{_NOT_ABLE} (?:fulfill?|comply with|assist (?:you )?with|help (?:you )?with) (?:this|that|your|the|such)\b"
    r"|\b(?:my|last) (?:knowledge|training)(?: data)? (?:cut-?off|update|only goes|ends)\b|\bas of my (?:last|latest|knowledge)\b"
    r"|\bi do(?: not|n[’']?t) have (?:personal (?:opinions|feelings|experiences|beliefs)|"
    r"access to (?:real|current|the internet|external))",
    re.IGNORECASE,
)
_REFUSAL_CHARACTERS = 400
"""A refusal stands at the start of an answer."""
_CUES = (
    *(" ai", "intelligence", "language", "machine learning", "virtual", "text based", "text-based"),
    *("sorry", "apolog", "unfortunately", "regrettably", "fulfil", "comply with", "assist", "help"),
    *("knowledge", "training", "as of my", "personal ", "access to "),
)
"""One of them stands in every text of `_REFUSAL` that does not begin with "I": a quick look before the slow one."""
_CLOSED_SHAPES = ("labels", "exact")
_DECLINES = re.compile(
    r"\b(?:refus|declin|reject|can[’']?not (?:help|answer)|can[’']?t (?:help|answer)|unanswerable|not allowed)", re.IGNORECASE
)


def _look(row: Row, task: TaskProfile) -> str | None:
    """The kind of no answer that a row has; None for an answer, for one judged bad, and where the system prompt speaks of it."""
    if not row.is_taught:
        return None
    fields = read_answer(row.answer, task.shape).fields if task.shape == "json" else None
    if fields is None:
        kind = kind_of(row.answer, task.shape in _CLOSED_SHAPES, row.prompt) or _beside_the_point(row, task)
    else:
        kind = next(filter(None, (kind_of(text, no_value_is_an_answer=True, prompt=row.prompt) for text in _texts(fields))), "")
    return kind if kind and not _DECLINES.search(row.system) else None


def _beside_the_point(row: Row, task: TaskProfile) -> str:
    if task.shape == "labels":
        said = row.answer.split()
        return SENTENCE if len(said) >= SENTENCE_WORDS and row.answer.rstrip().endswith((".", "!")) else ""
    return EVASION if speaks_of_itself(row.prompt, row.answer) else ""


def _conclude(corpus: Corpus, kinds: Sightings[str]) -> Iterable[Finding]:
    habits = {
        kind for kind, count in Counter(kinds.values()).items() if count > _MOST_FRAC.get(kind, HABIT_FRAC) * len(corpus.rows)
    }
    times = Counter(int(corpus.keys.answers[position]) for position, kind in kinds if kind == SENTENCE)
    for position, kind in kinds:
        is_label = kind == SENTENCE and times[int(corpus.keys.answers[position])] > LABEL_FRAC * len(corpus.rows)
        if kind not in habits and not is_label:
            row = corpus.rows[position]
            yield Finding(
                code=CODE,
                severity="note" if kind == EVASION else "warn",
                message=f"the answer is {kind}",
                rows=(row.ref,),
                evidence={"prompt": excerpt(row.prompt), "answer": excerpt(row.answer)},
                fix=_FIX,
            )


def _texts(value: object) -> Iterator[str]:
    """Every text in a JSON answer."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def kind_of(text: str, no_value_is_an_answer: bool, prompt: str) -> str:
    """Which kind of no answer a text is; empty for an answer.

    Args:
        text: the answer, or one text of a JSON answer.
        no_value_is_an_answer: `n/a` and `none` are legitimate labels and field values; in prose they are placeholders.
        prompt: what was asked.
    """
    start = text[:_REFUSAL_CHARACTERS].strip()
    if is_spoken(start) and ((may_be_refusal(start.lower()) and _REFUSAL.search(start)) or is_refusal(start, prompt)):
        return REFUSAL
    return "a placeholder" if is_placeholder(text, no_value_is_an_answer, prompt) else ""


def may_be_refusal(lower: str) -> bool:
    """Can a text in lower case match `_REFUSAL` at all?"""
    return lower.startswith(("i", "but i")) or any([cue in lower for cue in _CUES])  # noqa: C419 - twice as fast as a generator


CHECK = RowCheck(
    code=CODE,
    severity="warn",
    claim="No answer is an assistant's refusal, a disclaimer or a placeholder where the other answers are answers.",
    fix=_FIX,
    look=_look,
    conclude=_conclude,
    thresholds=(Threshold("share of the answers above which it is a habit", HABIT_FRAC, "stated; see the page of this code"),),
)
