"""Answers and texts that were damaged on the way: cut off, never written, or decoded the wrong way."""

from __future__ import annotations

import random

_DECLINED = (
    "I'm sorry, but I can't help with that.",
    "I am sorry, but I cannot assist with this request.",
    "As an AI language model, I do not have the means to judge this.",
    "As an AI, I don't hold views about that kind of thing.",
    "I apologize, but I'm unable to provide an answer to this.",
    "Sorry, I can't do that.",
    "Unfortunately, I am not able to respond to this message.",
    "I cannot fulfill your request.",
    "I'm just an AI assistant and have no way to know.",
    "My knowledge cutoff is in the past, so things may have changed since.",
    "I do not have access to real-time information about this.",
    "I can’t comply with that request because it goes against my guidelines.",
    "I'm really sorry, however I won't be able to continue this conversation.",
)
_UNWRITTEN = (
    "TODO",
    "todo: write this",
    "TBD",
    "[insert answer here]",
    "Lorem ipsum dolor sit amet, consectetur",
    "FIXME",
    "xxxx",
)
_FOREIGN = (
    "café",
    "Müller",
    "naïve",
    "Straße",
    "jalapeño",
    "coração",
    "smörgåsbord",
    "Łódź",
    "don’t",
    "“well”",
    "£20",
    "€9",
    "20 °C",
    "wait… what",
    "2019–2021",
    "привет",
    "日本語",
    "Ελλάδα",
    "👍",
    "œuvre",
)
_STRAY = tuple(map(chr, (0, 1, 2, 7, 8, 11, 12, 14, 27, 28, 31, 127)))


def cut_text(rng: random.Random, answer: str) -> str:
    """The answer up to a place in its middle, after a word or within one, but never at the end of a sentence."""
    while True:
        cut = answer[: int(len(answer) * rng.uniform(0.35, 0.95))].rstrip()
        if len(cut.split()) >= 5 and (cut[-1].isalnum() or cut[-1] == ","):
            return cut


def cut_json(rng: random.Random, answer: str) -> str:
    """A JSON object that stops anywhere before its end."""
    return answer[: rng.randrange(1, len(answer))]


def open_fence(rng: random.Random, answer: str) -> str:
    """The answer, followed by a code block that stops in the middle."""
    code = rng.choice(("def total(items):\n    return sum(", "SELECT name, price\nFROM", '{\n  "queue":', "for i in range(10):"))
    return f"{answer}\n\n```{rng.choice(('', 'python', 'sql', 'json'))}\n{code}"


def no_answer(rng: random.Random) -> str:
    """A refusal, a disclaimer, or what stands where an answer was to be written."""
    return rng.choice(rng.choice((_DECLINED, _UNWRITTEN)))


def misread(rng: random.Random, text: str) -> str:
    """The text with a word in it that was UTF-8 and was read as another encoding, or with a character lost."""
    word = rng.choice(_FOREIGN)
    encoded = word.encode("utf-8")
    way = rng.randrange(3)
    if way == 0:
        read = encoded.decode("latin-1")
    elif way == 1:
        read = "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in encoded)
    else:
        read = encoded.decode("ascii", "replace")
    return _inserted(rng, text, f" {read} ")


def with_control(rng: random.Random, text: str) -> str:
    """The text with a control character somewhere inside."""
    return _inserted(rng, text, rng.choice(_STRAY))


def _inserted(rng: random.Random, text: str, what: str) -> str:
    place = rng.choice([i for i, c in enumerate(text) if c == " "] or [len(text)])
    return text[:place] + what + text[place:]
