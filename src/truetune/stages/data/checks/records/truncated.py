"""Answers that were cut off: a model trained on them learns to stop in the middle."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from truetune.core.records import Finding, TaskProfile
from truetune.core.sensitive.masking import excerpt
from truetune.core.text import words
from truetune.stages.data.balance.languages import LITTLE_WORDS, LITTLE_WORDS_FRAC
from truetune.stages.data.checks.base import RowCheck, Sightings, Threshold
from truetune.stages.data.checks.records.open_ends import is_whole
from truetune.stages.data.checks.records.placeholders import PLACEHOLDER_CHARACTERS, is_placeholder
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.rows.row import Row

CODE = "data.record.truncated"
_FIX = "complete the answer (a generator's token limit is the usual cause), or delete the row"

HABIT_FRAC = 0.1
"""What more than a tenth of the answers do is how this data is written, not damage. Source: stated; see the page of this code."""
OPEN_ENDED_FRAC = {"words": 0.05, "one sentence": 0.1, "several sentences": 0.1, "an item": 0.1}
"""Above this share without the end of a sentence, an answer of the same form without one says nothing. Source: measured: of whole
answers to 427 general instructions 6 of 25 that are mere words have none, 3 of 55 single sentences, and 1 of 100 of several;
of 441 last items of lists whose other items have one, 3."""
SENTENCE_WORDS = 4
"""A last line of fewer words may be a name, a title or a value. Source: stated; see the page of this code."""
CLAUSE_WORDS = 2.5
"""Where there are on average fewer words from comma to comma, a line enumerates. Source: stated; see the page of this code."""
TITLE_WORD_CHARACTERS = 4
"""Titles write words of fewer letters small. Source: stated; Chicago and APA style do so for prepositions and articles."""
ITEMS_MIN = 2
"""So many items before the last one show how the items of a list end. Source: stated; see the page of this code."""
PEERS_MIN = 20
"""From so many comparable answers on, their habit is known. Source: with 20 of 20 alike, at least 86 % are (95 %, one-sided)."""

_FENCE = re.compile(r"^ {0,3}(```+|~~~+)", re.MULTILINE)
_ITEM = re.compile(r"\s*(?:[-*•+|#>]|\d+[.)]|[A-Za-z][.)]\s)|\s{4}")
_LABEL = re.compile(r"\s*\w+(?: \w+){0,2}\s*(?::|->|=)")
_JSON_START = re.compile(r'\{\s*(?:"|$)|\[\s*(?:[\["{]|$)')
_UNPUNCTUATED = re.compile("[\u0e00-\u0eff\u1780-\u17ff]")
_LINE_CHARACTERS = 200
_ENDED_BEFORE = re.compile(r"[.!?](?<=[^\W\d_]{2}.)[\"'”’)]*\s+[\"'“‘(]*[^\W_]")
"""A sentence ends in the middle of a line."""
_SENTENCE_ENDS = (".", "!", "?", '."', ".”", "?”", '?"', ".)")
_OPENING_ENDS = (",", "(", "[", "–", "—")
_CANNOT_END = frozenset(("the", "an", "and", "or", "but", "my", "your", "our", "their", "because", "than", "if"))
"""Not those that end questions which are written without a question mark: "where do you come from"."""


_Form = Literal["", "words", "one sentence", "several sentences", "an item"]


@dataclass(frozen=True, slots=True)
class _Ending:
    """How an answer ends: `said` where it cannot be whole; its form, where it is prose; has it the end of a sentence?"""

    said: str = ""
    form: _Form = ""
    is_ended: bool = True


def _look(row: Row, task: TaskProfile) -> _Ending | None:
    if task.shape not in ("text", "json") or not row.is_taught:
        return None
    said = how_it_breaks(row.answer)
    form = _form(row.answer) if task.shape == "text" else ""
    is_ended = not form or _is_ended(row.answer)
    if not form or (not is_ended and is_whole(row.prompt, row.answer)):
        return _Ending(said) if said else None
    return _Ending(said, form, is_ended)


def _conclude(corpus: Corpus, endings: Sightings[_Ending]) -> Iterable[Finding]:
    counted = Counter(endings.values())
    habits = _habits(counted, len(corpus.rows))
    rare = {form for form, most in OPEN_ENDED_FRAC.items() if _is_open_end_rare(counted, form, most)}
    for position, ending in endings:
        if (ending.said and ending.said not in habits) or (ending.form in rare and not ending.is_ended):
            row = corpus.rows[position]
            yield Finding(
                code=CODE,
                severity="warn",
                message=f"the answer is cut off: it ends {ending.said or 'without the end of a sentence, which its peers have'}",
                rows=(row.ref,),
                evidence={"prompt": excerpt(row.prompt), "end": excerpt(row.answer[-120:])},
                fix=_FIX,
            )


def _is_open_end_rare(counted: Counter[_Ending], form: str, most_frac: float) -> bool:
    """Do answers of this form nearly all end as sentences do? Where there are few of them, all prose is looked at."""
    for forms in ((form,), tuple(OPEN_ENDED_FRAC)):
        prose = sum(count for ending, count in counted.items() if ending.form in forms)
        if prose >= PEERS_MIN:
            without = sum(count for ending, count in counted.items() if ending.form in forms and not ending.is_ended)
            return without <= most_frac * prose
    return False


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
    told = line.split()
    if line.endswith(_OPENING_ENDS) or (told and told[-1].casefold() in _CANNOT_END):
        return "in the middle of a sentence" if _is_sentence(line, told) else ""
    return ""


def _is_sentence(line: str, words: Sequence[str]) -> bool:
    """Is a line long enough to be one, and no item of a list, no heading, no code and no address?"""
    if len(words) < SENTENCE_WORDS or "://" in words[-1] or "@" in words[-1]:
        return False
    return not _ITEM.match(line) and not _LABEL.match(line) and not _UNPUNCTUATED.search(line)


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


def _form(answer: str) -> _Form:
    """What the last line is, whole or cut, where most lines before it end as sentences do; empty where no end is due."""
    if "```" in answer or answer.lstrip().startswith(("{", "[", "<")) or _is_unwritten(answer):
        return ""
    *before, last = [line for line in answer.strip().splitlines() if line.strip()]
    if _ITEM.match(last):
        return "an item" if _items_are_ended(before) else ""
    return _form_of_line(last) if _mostly_ended(before) else ""


def _form_of_line(line: str) -> _Form:
    told = line.split()
    if told[-1].startswith("#"):
        return ""
    if _ENDED_BEFORE.search(line):
        return "several sentences"
    if not _is_sentence(line, told) or _is_title(told) or _is_enumeration(line):
        return ""
    return "one sentence" if told[0][0].isupper() and _little_frac(line) >= LITTLE_WORDS_FRAC else "words"


def _items_are_ended(before: Sequence[str]) -> bool:
    """Do the items of the list, of which the last line is one, end as sentences do, all of them?"""
    items = [line.rstrip() for line in before if _ITEM.match(line)]
    return len(items) >= ITEMS_MIN and all(item.endswith(_SENTENCE_ENDS) for item in items)


def _is_unwritten(answer: str) -> bool:
    return len(answer) <= PLACEHOLDER_CHARACTERS and is_placeholder(answer, no_value_is_an_answer=False)


def _is_title(told: Sequence[str]) -> bool:
    """Have all its longer words but the little ones a capital ("The Godfather by Mario Puzo")?"""
    for word in told:  # in a sentence one of the first few decides
        if word[0].islower() and len(word) >= TITLE_WORD_CHARACTERS and word not in LITTLE_WORDS:
            return False
    return any(word[0].isupper() for word in told)


def _little_frac(line: str) -> float:
    said = words(line[:_LINE_CHARACTERS])
    return sum(word in LITTLE_WORDS for word in said) / max(1, len(said))


def _is_enumeration(line: str) -> bool:
    """Are its parts between commas too short to be clauses ("China, US, Brazil")?"""
    parts = line.count(",") + 1
    return parts > 1 and len(line.split()) < CLAUSE_WORDS * parts


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
        *(
            Threshold(f"share without the end of a sentence, of answers that are {form}", most, "measured: docs/log.md")
            for form, most in OPEN_ENDED_FRAC.items()
        ),
        Threshold("words of a last line that is a sentence", SENTENCE_WORDS, "stated; see the page of this code"),
        Threshold("words from comma to comma, below which a line enumerates", CLAUSE_WORDS, "stated; see the page of this code"),
        Threshold("items before the last one that show how a list's items end", ITEMS_MIN, "stated; see the page of this code"),
        Threshold("comparable answers", PEERS_MIN, "20 of 20 alike: at least 86 % are, at 95 % one-sided"),
    ),
)
