"""Answers in another language than their prompt, where the others stay in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from truetune.core.records import Finding, TaskProfile
from truetune.stages.data.balance.languages import (
    HABIT_FRAC,
    LITTLE_WORDS_FRAC,
    MARGIN,
    SHARE_MIN,
    UNSURE,
    WORDS_MIN,
    Change,
    Languages,
    change_of,
)
from truetune.stages.data.checks.base import RowCheck, Sightings, Threshold
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows import Row
from truetune.stages.data.sensitive import excerpt

CODE = "data.balance.language"
_FIX = "translate the answer, or delete the row; where changing the language is the task, say so in the prompt or system prompt"


@dataclass(frozen=True, slots=True)
class Seen:
    """A row that changes language, and its two sides as they may be shown."""

    change: Change
    prompt: str
    answer: str


def _look(row: Row, task: TaskProfile) -> Seen | None:
    change = change_of(row) if task.shape == "text" and row.is_taught else None
    return Seen(change, excerpt(row.prompt), excerpt(row.answer)) if change else None


def _conclude(corpus: Corpus, sightings: Sightings[Seen]) -> Iterable[Finding]:
    if not corpus.rows:
        return
    languages = corpus.balance.languages
    is_habit = max(languages.crossing_frac, len(sightings) / len(corpus.rows)) > HABIT_FRAC
    for position, seen in () if is_habit else sightings:
        how = "changes language on the way" if seen.change.within else "is in another language than its prompt"
        yield Finding(
            code=CODE,
            severity="warn",
            message=f"the answer {how}: {seen.change.before}, then {seen.change.after}",
            rows=corpus.refs([position]),
            evidence={"prompt": seen.prompt, "answer": seen.answer},
            fix=_FIX,
        )
    if is_habit or sum(code != UNSURE for code, _ in languages.counts) > 1:
        yield _several(languages, is_habit)


def _several(languages: Languages, is_habit: bool) -> Finding:
    shares = ", ".join(f"{code} {n / languages.sampled:.0%}" for code, n in languages.counts)
    crossing = f"; {languages.crossing_frac:.0%} of the answers are in another language than their prompt" if is_habit else ""
    return Finding(
        code=CODE,
        severity="note",
        message=f"the rows are in several languages: {shares}{crossing}",
        evidence={"sampled_rows": languages.sampled, "rows": dict(languages.counts)},
        fix="compare the shares with the languages that the model will be asked in",
    )


CHECK = RowCheck(
    code=CODE,
    severity="warn",
    claim="Answers stay in the language of their prompt, where most of them do.",
    fix=_FIX,
    look=_look,
    conclude=_conclude,
    thresholds=(
        Threshold("nats between the two languages over the root of the bytes, on either side", MARGIN, "measured: docs/log.md"),
        Threshold("words of either side", WORDS_MIN, "measured: docs/log.md"),
        Threshold("share of little words, where the language has known ones", LITTLE_WORDS_FRAC, "measured: docs/log.md"),
        Threshold("share of the rows above which changing is the task", HABIT_FRAC, "ours"),
        Threshold("share of the rows from which a language counts (note)", SHARE_MIN, "ours"),
    ),
)
