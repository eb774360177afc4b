"""Answers in another language than their prompt, where the others stay in it."""

from __future__ import annotations

from collections.abc import Iterable

from truetune.core.records import Finding, TaskProfile
from truetune.core.sensitive.masking import excerpt
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
    differs_from,
)
from truetune.stages.data.checks.base import RowCheck, Sightings, Threshold
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row

CODE = "data.balance.language"
_FIX = "translate the answer, or delete the row; where changing the language is the task, say so in the prompt or system prompt"


def _look(row: Row, task: TaskProfile) -> Change | None:
    return change_of(row) if task.shape == "text" and row.is_taught else None


def _conclude(corpus: Corpus, sightings: Sightings[Change]) -> Iterable[Finding]:
    if not corpus.rows:
        return
    languages = corpus.balance.languages
    changed = list(_changed(corpus, sightings, languages.main))
    is_habit = max(languages.crossing_frac, len(changed) / len(corpus.rows)) > HABIT_FRAC
    for position, before, change in () if is_habit else changed:
        how = "changes language on the way" if change.within else "is in another language than its prompt"
        row = corpus.rows[position]
        yield Finding(
            code=CODE,
            severity="warn",
            message=f"the answer {how}: {before}, then {change.after}",
            rows=(row.ref,),
            evidence={"prompt": excerpt(row.prompt), "answer": excerpt(row.answer)},
            fix=_FIX,
        )
    if is_habit or sum(code != UNSURE for code, _ in languages.counts) > 1:
        yield _several(languages, is_habit)


def _changed(corpus: Corpus, sightings: Sightings[Change], main: str) -> Iterable[tuple[int, str, Change]]:
    """The rows that change language, with the language before; where a prompt does not tell, the other rows' language."""
    for position, change in sightings:
        if change.before:
            yield position, change.before, change
        elif main and change.after != main and differs_from(corpus.rows[position], change, main):
            yield position, main, change


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
