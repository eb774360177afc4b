"""Answers and texts that were damaged on the way: cut off, never written, or decoded the wrong way."""

from __future__ import annotations

import random

_DECLINED = (
    "I'm sorry, but assisting with that request is something I can't do.",
    "I apologize, but I cannot provide that information.",
    "I'm not able to help with that.",
    "As an AI, I don't have personal preferences.",
    "I cannot create content of that kind.",
    "I'm unable to provide live data.",
    "Sorry, but I can't write that.",
    "I'm a mere language model, which means that I can't do that.",
    "I do not feel comfortable giving advice on this topic.",
    "I can't take part in conversations about this.",
    "I must decline this request.",
    "It is not appropriate to discuss this.",
    "I don't have access to the latest news.",
    "I don't have the ability to view files.",
    "I aim to be of use, but this is not something I can help with.",
    "I won't provide instructions for that.",
    "My training data goes up to a certain point only.",
    "I don't have experiences or emotions of my own.",
    "I'm designed to avoid giving medical advice.",
    "Unfortunately, I cannot fulfil this request.",
    "This request goes against our content policy.",
    "I'm afraid I can't do that.",
    "Please note that I'm an AI and can't give legal advice.",
    "I cannot verify that claim.",
)
"""In the wording of assistants."""
_DECLINED_FREELY = (
    "You are barking up the wrong tree.",
    "I keep my mouth shut about such things.",
    "Count me out.",
    "Nothing doing.",
    "On this I have been told to stay silent.",
    "A person would know, a program does not.",
    "That door stays closed.",
    "I shall leave it at that and say no more.",
    "This is where I draw the line.",
    "Anything but this, please.",
    "I would get into trouble if I told you.",
    "Ask me another one.",
    "Wild horses could not drag it out of me.",
    "Nope.",
    "I was switched off for such topics.",
    "It isn't for me to say.",
    "My lips are sealed.",
    "You'd better ask a grown-up.",
    "I have nothing to offer here.",
    "This conversation is over.",
)
"""In other words than an assistant's."""
_UNWRITTEN = (
    "[reply]",
    "{{completion}}",
    "TODO: fill in",
    "put answer here",
    "????",
    "type your answer here",
    "no answer available",
    "test response 2",
    "see above",
    "(left empty)",
    "$ANSWER",
    "<insert text>",
    "to be completed",
    "Lorem ipsum dolor sit",
    "xxxxxx",
    "asdf",
    "TBD",
    "answer missing",
    "placeholder",
    "[TODO]",
    "...",
    "fill this in later",
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


def refusal(rng: random.Random) -> str:
    """A refusal or a disclaimer in place of an answer, as assistants word it."""
    return rng.choice(_DECLINED)


def free_refusal(rng: random.Random) -> str:
    """A refusal as no assistant words it."""
    return rng.choice(_DECLINED_FREELY)


def unwritten(rng: random.Random) -> str:
    """What stands where an answer was to be written."""
    return rng.choice(_UNWRITTEN)


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
