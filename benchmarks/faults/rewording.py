"""Answers edited by rule: so that they say something else, or so that they say the same in another way."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Edit = Callable[[random.Random, str], str | None]

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January February March April June July August September October November December".split()  # noqa: SIM905 - "May" is also a verb
)
_PLACES = ("Tallinn", "Valencia", "Cardiff", "Gdansk", "Nairobi", "Quito", "Adelaide", "Halifax", "Kyoto", "Bergen")
_VERBS = re.compile(r"\b(is|are|was|were|can|will|should|must|does|do|has|have|could|would|may)\b(?! not\b|n't)(?=\s+[a-z])")
_DENIED = re.compile(r"\b(is|are|was|were|can|will|should|must|does|do|could|would|may)(?:n't| not)\b(?! only)", re.IGNORECASE)
_FIGURE = re.compile(r"(?<![\w.,:/-])\d{1,6}(?:[.,]\d+)?(?![\w:/-])(?![.,]\d)(?!\. )")
_CAPITAL = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}(?![\w'’-])(?! [A-Z])")
_TURNED = (
    ("before", "after"), ("above", "below"), ("left", "right"), ("increase", "decrease"), ("first", "last"), ("more", "less"),
    ("inside", "outside"), ("high", "low"), ("minimum", "maximum"), ("always", "never"), ("always", "never"), ("top", "bottom"),
)  # fmt: skip


def other_number(rng: random.Random, text: str) -> str | None:
    """One number of the text becomes another one, at least half as large again or smaller by a third."""
    match = _one(rng, _FIGURE, text)
    if match is None:
        return None
    written = match.group()
    whole = re.sub(r"\D.*", "", written)
    changed = str(int(int(whole) * rng.choice((0.5, 1.5, 2, 3))) + rng.choice((0, 1, 7)))
    changed = changed if changed != whole else str(int(whole) + 3)
    return text[: match.start()] + changed + written[len(whole) :] + text[match.end() :]


def other_date(rng: random.Random, text: str) -> str | None:
    """One month or day of the week becomes another one."""
    for names in rng.sample([_DAYS, tuple(_MONTHS)], 2):
        match = _one(rng, re.compile(rf"\b(?:{'|'.join(names)})\b"), text)
        if match:
            return text[: match.start()] + rng.choice([n for n in names if n != match.group()]) + text[match.end() :]
    return None


def negated(rng: random.Random, text: str) -> str | None:
    """One verb gets a "not", or loses it."""
    match = _one(rng, _DENIED, text)
    if match and rng.random() < 0.8:
        return f"{text[: match.start()]}{'can' if match[1] == 'ca' else match[1]}{text[match.end() :]}"
    match = _one(rng, _VERBS, text)
    return f"{text[: match.end()]} not{text[match.end() :]}" if match else None


def other_name(rng: random.Random, text: str) -> str | None:
    """One word with a capital in the middle of a sentence becomes a place that has nothing to do with it."""
    names = [m for m in _CAPITAL.finditer(text) if m.group().rstrip("s") not in (*_DAYS, *_MONTHS)]
    if not names:
        return None
    match = rng.choice(names)
    return re.sub(rf"\b{match.group()}\b", rng.choice([p for p in _PLACES if p not in text]), text)


def other_direction(rng: random.Random, text: str) -> str | None:
    """One word becomes its contrary."""
    pairs = [(a, b) for x, y in _TURNED for a, b in ((x, y), (y, x)) if re.search(rf"\b{a}\b", text)]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    return re.sub(rf"\b{a}\b", b, text, count=1)


def other_head(rng: random.Random, text: str) -> str | None:
    """An answer that begins with yes begins with no, or the other way round."""
    match = re.match(r"(yes|no)\b(?=[,.! ])", text, re.IGNORECASE)
    if match is None:
        return None
    turned = "No" if match.group().lower() == "yes" else "Yes"
    return turned + text[match.end() :]


def same_number(rng: random.Random, text: str) -> str | None:
    """One number is written in another way: with or without a mark for the thousands, small ones in words."""
    words = "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
    match = _one(rng, re.compile(r"(?<![\w.,:/#$€£-])(?:\d{1,3},\d{3}|\d{1,2}|\d{4,6})(?![\w.,:/%)-])(?=\s+[a-z])"), text)
    if match is None:
        return None
    figures = match.group().replace(",", "")
    if "," in match.group():
        written = figures
    elif len(figures) > 3:
        written = f"{int(figures):,}"
    elif int(figures) < len(words):
        written = words[int(figures)]
    else:
        return None
    return text[: match.start()] + written + text[match.end() :]


def contracted(rng: random.Random, text: str) -> str | None:
    """Turn "do not" into "don't", "it is" into "it's", or the other way round."""
    del rng
    pairs = (
        ("do not", "don't"), ("does not", "doesn't"), ("is not", "isn't"), ("are not", "aren't"), ("cannot", "can't"),
        ("It is", "It's"), ("it is", "it's"), ("will not", "won't"), ("I am", "I'm"), ("you are", "you're"),
        ("would not", "wouldn't"),
    )  # fmt: skip
    for long, short in pairs:
        for a, b in ((long, short), (short, long)):
            if re.search(rf"\b{a}\b", text):
                return re.sub(rf"\b{a}\b", b, text)
    return None


_MORE = (
    "Please ask if anything is unclear.",
    "I hope that this is of use to you.",
    "There is more about it in the handbook, on the first pages.",
    "This has been so for many years.",
    "Feel free to write to us again at any time.",
)


def more_detail(rng: random.Random, text: str) -> str | None:
    """The answer with another sentence after it."""
    return f"{text.rstrip()} {rng.choice(_MORE)}" if text.rstrip().endswith((".", "!", "?")) else None


_ALIKE = (
    ("help", "assist"), ("begin", "start"), ("big", "large"), ("quick", "fast"), ("buy", "purchase"), ("needs", "requires"),
    ("need", "require"), ("many", "numerous"), ("important", "essential"), ("use", "employ"), ("show", "display"),
    ("people", "persons"), ("often", "frequently"), ("such as", "for example"), ("however", "nevertheless"), ("also", "as well"),
    ("because", "since"), ("about", "regarding"), ("job", "occupation"), ("children", "kids"), ("home", "house"),
    ("good", "fine"),
)  # fmt: skip


def synonyms(rng: random.Random, text: str) -> str | None:
    """One or two words become others that mean the same."""
    pairs = [(a, b) for a, b in _ALIKE if re.search(rf"\b{a}\b", text)]
    for a, b in rng.sample(pairs, min(2, len(pairs))):
        text = re.sub(rf"\b{a}\b", b, text, count=1)
    return text if pairs else None


FAULTS: dict[str, Edit] = {
    "number": other_number,
    "date": other_date,
    "negation": negated,
    "name": other_name,
    "opposite": other_direction,
    "yes/no": other_head,
}
SAME: dict[str, Edit] = {
    "number in another form": same_number,
    "contraction": contracted,
    "more detail": more_detail,
    "synonyms": synonyms,
}


def _one(rng: random.Random, pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = list(pattern.finditer(text))
    return rng.choice(found) if found else None
