"""Prompts that give the answer away: "… (label: billing)".

A label is also an ordinary word ("a billing question"), so the word alone proves nothing: it has to be announced as the answer.
A prompt that lists the labels to choose from is the task, not a leak; so is a field that most prompts carry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from truetune.core.records import Finding, TaskProfile
from truetune.core.sensitive.masking import excerpt
from truetune.core.text import normalise
from truetune.stages.data.checks.base import RowCheck, Sightings, Threshold
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.profile import field_text, read_answer
from truetune.stages.data.rows.row import Row

CODE = "data.leakage.answer"
_FIX = "take the answer out of the prompt, or delete the row"
TASK_FRAC = 0.5
"""Where most prompts announce a value the same way, it is an input of the task. Source: stated; "most" is more than half."""
_ANNOUNCERS = (
    "answer|label|class|category|intent|output|response|result|expected|gold|target|solution|hint|tag|prediction|"
    "ground truth|truth|correct"
)
_GAP = r"(?:\s+\w+){0,3}?[\s\"'*`_]{0,4}(?:is|are|was|should be|must be|=>|->|→|=|:)[\s\"'*`\[(<{]{0,5}"
_ARROW = r"(?:=>|->|→)[\s\"'*`\[(<{]{0,5}"
_VERBS = (
    r"(?:classif(?:y|ied)|label(?:l?ed)?|tag(?:ged)?|categori[sz]ed?|mark(?:ed)?)\s+(?:this\s+|it\s+)?(?:as|with)"
    r"[\s\"'*`:\[(<]{1,4}"
)
_END = r"(?![\w-])"


def _look(row: Row, task: TaskProfile) -> str | None:
    """What gives a row's answer away; None for nothing."""
    if task.shape == "labels":
        return _label_place(row, _labels(task.labels))
    return _json_place(row, task) if task.shape == "json" else None


def _conclude(corpus: Corpus, found: Sightings[str]) -> Iterable[Finding]:
    if len(found) > TASK_FRAC * len(corpus.rows):
        return
    for position, what in found:
        row = corpus.rows[position]
        yield Finding(
            code=CODE,
            severity="warn",
            message=f"the prompt gives the answer away: {excerpt(what, 80)}",
            rows=(row.ref,),
            evidence={"prompt": excerpt(row.prompt), "answer": excerpt(row.answer), "given_away_by": excerpt(what, 80)},
            fix=_FIX,
        )


@dataclass(frozen=True, slots=True)
class _Labels:
    """A task's labels in comparable form, longest first; how they are announced; and those that are names.

    A label that no one says in a sentence (`credit_limit`, `AddToPlaylist`) gives itself away without being announced.
    """

    ordered: tuple[str, ...]
    announced: re.Pattern[str]
    names: frozenset[str]


@lru_cache(maxsize=4)
def _labels(labels: tuple[str, ...]) -> _Labels:
    ordered = sorted({normalise(label) for label in labels}, key=lambda label: (-len(label), label))
    announced = re.compile(rf"(?:\b(?:{_ANNOUNCERS})\b{_GAP}|{_VERBS}|{_ARROW})({'|'.join(map(re.escape, ordered))}){_END}")
    return _Labels(tuple(ordered), announced, frozenset(normalise(label) for label in labels if _is_identifier(label)))


def _label_place(row: Row, labels: _Labels) -> str | None:
    prompt, answer = normalise(row.context), normalise(row.answer)
    if answer not in prompt or _lists_choices(prompt, labels.ordered, answer):
        return None
    match = next((m for m in labels.announced.finditer(prompt) if m.group(1) == answer), None)
    if match:
        return match.group()
    is_name = answer in labels.names and re.search(rf"(?<![\w-]){re.escape(answer)}{_END}", prompt)
    return answer if is_name or _alone(row.context, answer) else None


def _is_identifier(label: str) -> bool:
    return "_" in label or bool(re.search(r"[a-z][A-Z]", label))


def _alone(prompt: str, answer: str) -> bool:
    """Does the label stand alone on a line of a longer prompt, or in brackets at its start or end?"""
    lines = [normalise(line) for line in prompt.splitlines() if line.strip()]
    if len(lines) > 1 and answer in (lines[0], lines[-1]):
        return True
    text = normalise(prompt)
    return any(text.startswith(a + answer + b) or text.endswith(a + answer + b) for a, b in ("[]", "()", "<>", "{}"))


def _lists_choices(prompt: str, labels: Sequence[str], answer: str) -> bool:
    """Does the prompt name other labels too, near enough to be a list to choose from?"""
    around = prompt.find(answer)
    near = prompt[max(0, around - 200) : around + 200 + len(answer)].replace(answer, " ")
    others = sum(
        bool(re.search(rf"(?<!\w){re.escape(label)}{_END}", near)) for label in labels if label != answer and label in near
    )
    return others >= min(2, len(labels) - 1)


def _json_place(row: Row, task: TaskProfile) -> str | None:
    fields = read_answer(row.answer, task.shape).fields
    if not fields:
        return None
    if "{" in row.context and _squeezed(row.answer) in _squeezed(row.context):
        return row.answer
    prompt = normalise(row.context)
    for name in (name for name, values in task.json_fields.items() if values):
        match = _announced_value(prompt, name, normalise(field_text(fields.get(name))))
        if match and not _lists_choices(prompt, [normalise(v) for v in task.json_fields[name]], match[1]):
            return match[0]
    return None


def _announced_value(prompt: str, name: str, value: str) -> tuple[str, str] | None:
    if not value or value not in prompt:
        return None
    spoken = re.escape(normalise(name)).replace("_", "[_ -]?")
    match = re.search(rf"(?:\b(?:{spoken}|{_ANNOUNCERS})\b{_GAP}|{_VERBS}|{_ARROW}){re.escape(value)}{_END}", prompt)
    return (match.group(), value) if match else None


def _squeezed(text: str) -> str:
    return "".join(text.casefold().split())


CHECK = RowCheck(
    code=CODE,
    severity="warn",
    claim="No prompt announces its own answer, where answers are labels or JSON.",
    fix=_FIX,
    look=_look,
    conclude=_conclude,
    thresholds=(
        Threshold("part of the task above this share of rows", TASK_FRAC, "stated: more than half is the task's own input"),
    ),
)
