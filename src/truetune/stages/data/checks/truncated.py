"""Answers that were cut off: a model trained on them learns to stop in the middle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from truetune.core.records import Finding
from truetune.stages.data.checks.base import Check, Threshold
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.sensitive import excerpt

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


def _find(corpus: Corpus) -> Iterable[Finding]:
    if corpus.profile.shape not in ("text", "json"):
        return
    ends = [how_it_breaks(row.answer) for row in corpus.rows]
    counted = {said: ends.count(said) for said in set(ends) if said}
    habits = {said for said, count in counted.items() if count > HABIT_FRAC * len(ends)}
    open_ended = _open_ended(corpus) if corpus.profile.shape == "text" else frozenset()
    for position, (row, said) in enumerate(zip(corpus.rows, ends, strict=True)):
        if (said and said not in habits) or position in open_ended:
            yield Finding(
                code=CODE,
                severity="warn",
                message=f"the answer is cut off: it ends {said or 'without the end of a sentence, which its peers have'}",
                rows=(row.ref,),
                evidence={"prompt": excerpt(row.prompt), "end": excerpt(row.answer[-120:])},
                fix=_FIX,
            )


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


def _open_ended(corpus: Corpus) -> frozenset[int]:
    """Positions of prose answers without the end of a sentence, where nearly all other prose answers have one."""
    prose = [position for position, row in enumerate(corpus.rows) if _is_prose(row.answer)]
    without = [position for position in prose if not _is_ended(corpus.rows[position].answer)]
    if len(prose) < PEERS_MIN or len(without) > OPEN_ENDED_FRAC * len(prose):
        return frozenset()
    return frozenset(without)


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


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="No answer ends in the middle of a sentence, of JSON or of a code block while the other answers do not.",
    fix=_FIX,
    find=_find,
    thresholds=(
        Threshold("share of the answers above which it is a habit", HABIT_FRAC, "stated; see the page of this code"),
        Threshold("share of prose answers without the end of a sentence", OPEN_ENDED_FRAC, "measured; see the page of this code"),
        Threshold("words of a last line that is a sentence", SENTENCE_WORDS, "stated; see the page of this code"),
        Threshold("comparable answers", PEERS_MIN, "20 of 20 alike: at least 86 % are, at 95 % one-sided"),
    ),
)
