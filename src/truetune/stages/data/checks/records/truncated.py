"""Answers that were cut off: a model trained on them learns to stop in the middle."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from truetune.core.records import Finding, TaskProfile
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.base import RowCheck, Sightings, Threshold
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row

CODE = "data.record.truncated"
_FIX = "complete the answer (a generator's token limit is the usual cause), or delete the row"

HABIT_FRAC = 0.1
"""What more than a tenth of the answers do is how this data is written, not damage. Source: stated; see the page of this code."""
OPEN_ENDED_FRAC = 0.05
"""Above this share without the end of a sentence, an answer without one says nothing. Source: measured: 9 % of the prose answers
of 175 hand-written general instructions are whole and have none."""
SENTENCE_WORDS = 4
"""A last line of fewer words may be a name, a title or a value. Source: stated; see the page of this code."""
PEERS_MIN = 20
"""From so many comparable answers on, their habit is known. Source: with 20 of 20 alike, at least 86 % are (95 %, one-sided)."""

_FENCE = re.compile(r"^ {0,3}(```+|~~~+)", re.MULTILINE)
_NOT_PROSE = re.compile(r"\s*(?:[-*•+|#>]|\d+[.)]|[A-Za-z][.)]\s|\w+(?: \w+){0,2}\s*(?::|->|=))|\s{4}")
_JSON_START = re.compile(r'\{\s*(?:"|$)|\[\s*(?:[\["{]|$)')
_UNPUNCTUATED = re.compile("[\u0e00-\u0eff\u1780-\u17ff]")
_OPENING_ENDS = (",", "(", "[", "–", "—")
_CANNOT_END = frozenset(("the", "an", "and", "or", "but", "my", "your", "our", "their", "because", "than", "if"))
"""Not those that end questions which are written without a question mark: "where do you come from"."""


@dataclass(frozen=True, slots=True)
class _Ending:
    """How an answer ends: `said` where it cannot be whole; is it prose, and has that prose the end of a sentence?"""

    said: str = ""
    is_prose: bool = False
    is_ended: bool = True


_ENDED_PROSE = _Ending(is_prose=True)
_OPEN_PROSE = _Ending(is_prose=True, is_ended=False)


def _look(row: Row, task: TaskProfile) -> _Ending | None:
    if task.shape not in ("text", "json") or not row.is_taught:
        return None
    said = how_it_breaks(row.answer)
    if task.shape == "json" or not _is_prose(row.answer):
        return _Ending(said) if said else None
    is_ended = _is_ended(row.answer)
    if said:
        return _Ending(said, is_prose=True, is_ended=is_ended)
    return _ENDED_PROSE if is_ended else _OPEN_PROSE


def _conclude(corpus: Corpus, endings: Sightings[_Ending]) -> Iterable[Finding]:
    counted = Counter(endings.values())
    habits = _habits(counted, len(corpus.rows))
    prose = sum(count for ending, count in counted.items() if ending.is_prose)
    without = sum(count for ending, count in counted.items() if not ending.is_ended)
    is_rare = prose >= PEERS_MIN and without <= OPEN_ENDED_FRAC * prose
    for position, ending in endings:
        if (ending.said and ending.said not in habits) or (is_rare and not ending.is_ended):
            row = corpus.rows[position]
            yield Finding(
                code=CODE,
                severity="warn",
                message=f"the answer is cut off: it ends {ending.said or 'without the end of a sentence, which its peers have'}",
                rows=(row.ref,),
                evidence={"prompt": excerpt(row.prompt), "end": excerpt(row.answer[-120:])},
                fix=_FIX,
            )


def _habits(counted: Counter[_Ending], rows: int) -> set[str]:
    """What too many answers do to be damage."""
    by_words: Counter[str] = Counter()
    for ending, count in counted.items():
        by_words[ending.said] += count
    return {said for said, count in by_words.items() if count > HABIT_FRAC * rows}


def how_it_breaks(answer: str) -> str:
    """Why an answer cannot be whole, as the end of a sentence about it; empty where nothing says so."""
    text = answer.strip()
    if _in_open_fence(text):
        return "inside an open code fence"
    if _JSON_START.match(text) and _open_brackets(text):
        return "in the middle of JSON"
    line = text.rsplit("\n", 1)[-1]
    words = line.split()
    if line.endswith(_OPENING_ENDS) or (words and words[-1].casefold() in _CANNOT_END):
        return "in the middle of a sentence" if _is_sentence(line, words) else ""
    return ""


def _is_sentence(line: str, words: Sequence[str]) -> bool:
    """Is a line long enough to be one, and no item of a list, no heading, no code and no address?"""
    if len(words) < SENTENCE_WORDS or "://" in words[-1] or "@" in words[-1]:
        return False
    return not _NOT_PROSE.match(line) and not _UNPUNCTUATED.search(line)


def _in_open_fence(text: str) -> bool:
    """Is a code fence opened that no fence of the same sign closes?"""
    if "```" not in text and "~~~" not in text:
        return False
    opened = ""
    for fence in _FENCE.finditer(text):
        if not opened:
            opened = fence[1]
        elif fence[1].startswith(opened):
            opened = ""
    return bool(opened)


def _open_brackets(text: str) -> bool:
    """Does JSON end within a string or with a bracket still open? Brackets that do not match say that it is no JSON."""
    stack: list[str] = []
    in_string = escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif in_string:
            escaped = character == "\\"
            in_string = character != '"'
        elif character == '"':
            in_string = True
        elif character in "{[":
            stack.append("}" if character == "{" else "]")
        elif character in "}]" and (not stack or stack.pop() != character):
            return False
    return bool(stack) or in_string


def _is_prose(answer: str) -> bool:
    """Is the last line a sentence or part of one, and do most of the lines before it end as sentences do?"""
    if "```" in answer or answer.lstrip().startswith(("{", "[", "<")):
        return False
    lines = [line for line in answer.strip().splitlines() if line.strip()]
    return _is_sentence(lines[-1], lines[-1].split()) and _mostly_ended(lines[:-1])


def _mostly_ended(lines: Sequence[str]) -> bool:
    return sum(map(_is_ended, lines)) * 2 >= len(lines)


def _is_ended(text: str) -> bool:
    """Does it end with a punctuation mark, a closing bracket or a sign?"""
    text = text.rstrip()
    return not text[-1:].isalnum() and not text.endswith(_OPENING_ENDS)


CHECK = RowCheck(
    code=CODE,
    severity="warn",
    claim="No answer ends in the middle of a sentence, of JSON or of a code block while the other answers do not.",
    fix=_FIX,
    look=_look,
    conclude=_conclude,
    thresholds=(
        Threshold("share of the answers above which it is a habit", HABIT_FRAC, "stated; see the page of this code"),
        Threshold("share of prose answers without the end of a sentence", OPEN_ENDED_FRAC, "measured; see the page of this code"),
        Threshold("words of a last line that is a sentence", SENTENCE_WORDS, "stated; see the page of this code"),
        Threshold("comparable answers", PEERS_MIN, "20 of 20 alike: at least 86 % are, at 95 % one-sided"),
    ),
)
