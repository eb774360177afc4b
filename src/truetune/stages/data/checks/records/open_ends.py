"""Texts that are whole although no sentence ends where they end: quotations, signatures, code, results, items, titles."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SIGNED = re.compile(r"[.!?\"”’»'*)][\"”’»')]*\s+[-–—~]\s*[^\W\d_][^!?]{1,60}$")
"""After a quotation or a sentence, and a dash, who said so."""
_CLOSING = re.compile(r"(?:^|[.!?][\"”’)]*\s+)[A-Z][\w’' ]{2,50}[,:]\s+(?:[^\W\da-z_][\w.’'-]*(?:\s+|$)){1,4}$")
"""After the last sentence a letter's closing and a name: "Yours in hope, Ada King"."""
_RESULT = re.compile(r"(?:=|≈|→|⇒|->)\s*\S+(?: \S+)?$")
"""What a formula comes to."""
_CODE = re.compile(
    r"[;{}]\s*$|\w\([^)]*\)|^(?: {2,}|\t)\s*\S|^\s*(?:#|//|import |return\b|def |let |var |const )|\s(?:#|//)\s|"
    r"^\s*\w[\w.\[\]]*\s*[-+*/]?=\s"
)
"""What many lines of code have, and few lines of prose."""
_CODE_FRAC = 0.5
_SHELL = re.compile(r"(?:^|\s)--?\w+\s|\s\|\s|&&|\|\||[<>=]=")
"""A command or a condition on one line."""
_ITEM = re.compile(r"(?:^|\s)\d{1,2}[.)]\s+")
_PARTS_MIN = 4
"""Three items within a line make a list, with what stands before the first."""
_SENTENCE_END = (".", "!", "?", ":")
_AROUND_WORDS = ",;:.!?()\"'“”‘’«»"
_WORDS_FRAC = 0.5
_LINE_WORDS = 4
"""An item or a line of fewer words may be a name or a heading, which has no end either. Source: stated."""
_LINE_CHARACTERS = 300
"""Of a longer line the end is looked at. Source: stated."""
_AFTER_A_QUOTED_PART = re.compile(r"[^\w\s]|\s*(?:\n|$)|\s+[^\w\s]")
_ASKED_CHARACTERS = 400
"""The instruction stands at the start of a prompt, or at its end. Source: stated."""
_SHORT_WORDS = 12
"""Titles, names and commands are short. Source: stated; APA style asks for titles of at most twelve words."""
_ASKS = re.compile(
    r"\b(?:give|write|generate|create|suggest|come up with|find|think of|add|name|list|make|provide|propose|what|"
    r"convert|change|complete)s?\b[^.!?\n]{0,60}?"
    r"\b(?:titles?|headlines?|subjects?|subject lines?|headings?|names?|slogans?|taglines?|mottos?|captions?|phrases?|"
    r"keywords?|quotes?|quotations?|lists?|commands?|expressions?|synonyms?|paraphrases|hashtags?)\b",
    re.IGNORECASE,
)
"""What is asked for has no end of a sentence."""


def is_whole(prompt: str, answer: str) -> bool:
    """Can a text without the end of a sentence be whole, because of what it is or of what was asked for?"""
    *before, last = [line[-_LINE_CHARACTERS:] for line in answer.strip().splitlines() if line.strip()]
    return (
        bool(_SIGNED.search(last) or _CLOSING.search(last) or _RESULT.search(last))
        or _is_notation(last)
        or _is_code(before, last)
        or _is_item(before, last)
        or _is_quoted(prompt, last.strip())
        or (not before and _is_short(last) and _asks_for_no_sentence(prompt))
    )


def _is_notation(line: str) -> bool:
    """Are less than half of what stands between spaces words: a position in chess, times, an address?"""
    parts = line.split()
    return sum(part.strip(_AROUND_WORDS).isalpha() for part in parts) < _WORDS_FRAC * len(parts)


def _is_short(line: str) -> bool:
    return len(line.split()) <= _SHORT_WORDS and not any(f"{mark} " in line for mark in _SENTENCE_END)


def _asks_for_no_sentence(prompt: str) -> bool:
    """Does a prompt ask for a title, a name, a list?"""
    asked = prompt if len(prompt) <= 2 * _ASKED_CHARACTERS else f"{prompt[:_ASKED_CHARACTERS]}\n{prompt[-_ASKED_CHARACTERS:]}"
    return bool(_ASKS.search(asked))


def _is_code(before: Sequence[str], last: str) -> bool:
    if not before:
        return bool(_CODE.search(last) or _SHELL.search(last))
    return sum(bool(_CODE.search(line)) for line in before) >= _CODE_FRAC * len(before)


def _is_item(before: Sequence[str], last: str) -> bool:
    """Does the item before it, in the line or as a line, have no end either?"""
    parts = _ITEM.split(last)
    if len(parts) >= _PARTS_MIN:
        return not parts[-2].rstrip(" ,;").endswith(_SENTENCE_END) and len(parts[-2].split()) < _LINE_WORDS
    return bool(before) and before[-1].rstrip()[-1].isalnum() and len(before[-1].split()) >= _LINE_WORDS


def _is_quoted(prompt: str, line: str) -> bool:
    """Does the line stand in the prompt, up to the end of a line, of a sentence or of a quotation?"""
    at = prompt.casefold().find(line.casefold())
    return at >= 0 and bool(_AFTER_A_QUOTED_PART.match(prompt, at + len(line)))
