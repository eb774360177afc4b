"""Ways of writing the same thing: a style put over an answer, the words left as they are."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Restyle = Callable[[random.Random, str], str]


def _parts(text: str) -> list[str]:
    """Sentences or lines; a long sentence falls apart at its commas."""
    parts = [part.strip() for part in re.split(r"(?<=[.;])\s+|\n+", text) if part.strip()]
    return parts if len(parts) > 1 else [part.strip() for part in text.split(", ") if part.strip()]


def _bullets(rng: random.Random, text: str) -> str:
    return "\n".join(f"- {part}" for part in _parts(text))


def _numbers(rng: random.Random, text: str) -> str:
    return "\n".join(f"{n}. {part}" for n, part in enumerate(_parts(text), 1))


def _heading(rng: random.Random, text: str) -> str:
    return f"## {rng.choice(('Answer', 'In short', 'Overview'))}\n\n{text}"


def _bold(rng: random.Random, text: str) -> str:
    words = text.split(" ")
    for place in rng.sample(range(len(words)), max(1, len(words) // 8)):
        words[place] = f"**{words[place]}**"
    return " ".join(words)


def _shouting(rng: random.Random, text: str) -> str:
    return text.replace(".", "!") if "." in text else f"{text}!"


def _eager(rng: random.Random, text: str) -> str:
    return f"{rng.choice(('Certainly!', 'Great question!', 'Absolutely!', 'With pleasure!'))} {text}"


def _wishing(rng: random.Random, text: str) -> str:
    return f"{text} {rng.choice(('Do write again if you need more.', 'Hopefully that is of use.', 'Have a lovely day.'))}"


def _smiling(rng: random.Random, text: str) -> str:
    return f"{text} {rng.choice('😊🎉👍🙏')}"


def _small(rng: random.Random, text: str) -> str:
    return text.lower().rstrip(".")


_STYLES: tuple[Restyle, ...] = (_bullets, _numbers, _heading, _bold, _shouting, _eager, _wishing, _smiling, _small)


def style(rng: random.Random) -> Restyle:
    """One way of writing, or two of them together."""
    chosen = rng.sample(_STYLES, rng.choice((1, 2)))

    def restyle(rng: random.Random, text: str) -> str:
        for change in chosen:
            text = change(rng, text)
        return text

    return restyle
