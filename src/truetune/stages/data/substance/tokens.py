"""A text as words and written values with their places, so that "don't" is "do not" and "£1,000" is one thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

TokenKind = Literal["word", "number", "code", "link", "mail", "date", "clock", "ordinal", "symbol", "break", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """A word (case folded, contractions spelled out), a value as it is written, or where a clause (`break`) or sentence ends."""

    kind: TokenKind
    norm: str
    written: str
    start: int
    end: int


_PATTERN = re.compile(
    r"""
      (?P<mail>[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})
    | (?P<link>(?:https?://|www\.)[^\s<>"')\]]+
              |\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.(?:com|org|net|io|dev|gov|edu|info|eu|uk|de|fr|example|test)\b(?:/[^\s<>"')\]]*)?
              |\b[\w-]{2,63}(?:\.[\w-]{2,63}){0,4}\.[a-z]{2,12}/[^\s<>"')\]]+)
    | (?P<path>(?<![\w/.])(?:~|\.{1,2})?(?:/[\w.-]{0,63}\w){2,16}/?)
    | (?P<file>\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}
        \.(?:json|ya?ml|toml|ini|cfg|conf|txt|csv|log|xml|md|py|sh|exe|pdf|docx?|xlsx?|zip|html?)\b(?!/))
    | (?P<date>\b\d{4}-\d{1,2}-\d{1,2}\b|\b\d{1,2}(?P<between>[./-])\d{1,2}(?P=between)(?:\d{4}|\d{2})\b
              |\b(?:0[1-9]|[12]\d|3[01])/(?:0[1-9]|[12]\d|3[01])\b(?!/))
    | (?P<clock>\b\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?\s?m\b\.?)?
               |\b\d{1,2}(?:[.]\d{2})?\s?(?:[ap]\.m\.|[ap]m\b)
               |\b\d{1,2}\s?o['’]clock\b)
    | (?P<phone>(?<![\w.,+])(?:\+\d{1,3}|\(?0\d{1,4}\)?)(?:[ -]\d{2,}){1,4}(?!\w))
    | (?P<ordinal>\b\d+(?:st|nd|rd|th)\b)
    | (?P<number>(?<![\w.,])\d{1,3}(?:[,.'’\u00a0\u202f ]\d{3})+(?:[.,]\d+)?(?!\w)|(?<![\w])\d+(?:[.,]\d+)?(?!\w))
    | (?P<glued>(?<!\w)\d+(?:[.,]\d+)?
        (?:[kKmM]|bn|[km]?g|lbs?|oz|[mck]m|[mc]?l|L|h|hrs?|mins?|s|secs?|ms|d|[KkMGT]B|k?Wh?|k?V|[kMG]?Hz|mph|px|ft)(?!\w))
    | (?P<code>\b(?=[\w/_-]{0,99}\d)(?=[\w/_-]{0,99}[^\W\d_])[^\W_]+(?:[-_/][^\W_]+)*)
    | (?P<identifier>\b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\b)
    | (?P<option>(?<![\w:;.,–—-])--?[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*(?![\w-]))
    | (?P<digits>\d+(?:[.,]\d+)?)
    | (?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*(?:-free\b)?)
    | (?P<stop>[.!?。！？]+(?=["'”’)]*(?:\s|$))|\n+)
    | (?P<pause>[,;:()–—…]|\s-\s)
    | (?P<symbol>[%€$£¥°&+<>=~±])
    """,
    re.VERBOSE,
)
_LIST_MARKER = re.compile(r"(?m)^[ \t]*(?:\d{1,3}[.)]|[-*•])[ \t]+")
_ABBREVIATION = re.compile(r"\b(Mr|Ms|Mrs|Dr|Prof|St|vs|etc|approx|No(?=\.\s\d))\.(?=\s)")
_WHOLE_WORDS = {
    "cannot": ("can", "not"),
    "can't": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    "ain't": ("is", "not"),
    "let's": ("let", "us"),
    **{
        f"{verb}nt": (verb, "not") for verb in ("do", "does", "did", "is", "are", "was", "were", "has", "have", "should", "could")
    },
    "wont": ("will", "not"),
    "cant": ("can", "not"),
}
_ENDINGS = {"'s": "", "'re": "are", "'ll": "will", "'ve": "have", "'d": "would", "'m": "am"}


@lru_cache(maxsize=8)  # a question and its answers are read several times in a row
def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a text in order; the number or bullet in front of a list item is not one."""
    marked = _LIST_MARKER.sub(lambda match: " " * len(match.group()), text)
    return tuple(_tokens(_ABBREVIATION.sub(lambda match: f"{match[1]} ", marked)))


def _tokens(text: str) -> Iterator[Token]:
    for match in _PATTERN.finditer(text):
        group = match.lastgroup or ""
        written, start, end = match.group(), match.start(), match.end()
        if group == "word":
            for norm in _spelled_out(written):
                yield Token("word", norm, written, start, end)
        elif group == "link":
            bare = written.rstrip(".,;:!?")
            yield Token("link", _link(bare), bare, start, start + len(bare))
        elif group == "phone":
            yield Token("code", re.sub(r"\D", "", written)[-_PHONE_DIGITS:], written, start, end)
        elif group == "glued":
            split = start + len(written.rstrip(_LETTERS))
            yield Token("number", text[start:split], text[start:split], start, split)
            yield Token("word", text[split:end].casefold(), text[split:end], split, end)
        else:
            yield Token(_KINDS.get(group, group), written.casefold(), written, start, end)  # type: ignore[arg-type]


_PHONE_DIGITS = 7
"""A telephone number with its country's code and one without end alike. Source: subscriber numbers have seven digits or more."""
_LETTERS = "abcdefghijklmnopqrstuvwxyzBGHKLMTVW"
_KINDS = {
    "path": "link",
    "file": "code",
    "identifier": "code",
    "option": "code",
    "digits": "number",
    "stop": "end",
    "pause": "break",
}


def _link(written: str) -> str:
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", written.casefold()).rstrip("/")


def _spelled_out(written: str) -> tuple[str, ...]:
    word = written.casefold().replace("’", "'")
    if word in _WHOLE_WORDS:
        return _WHOLE_WORDS[word]
    if word.endswith("n't"):
        return (word[:-3], "not")
    stem, quote, ending = word.rpartition("'")
    if quote and f"'{ending}" in _ENDINGS:
        meant = _ENDINGS[f"'{ending}"]
        return (stem, meant) if meant else (stem,)
    return (word,)
