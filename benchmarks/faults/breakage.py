"""Rows that are not what a training row must be: unparseable, of the wrong type, with wrong roles, or empty."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

Turn = dict[str, object]
Break = Callable[[random.Random, list[Turn]], str]


def turns(system: str, prompt: str, answer: str) -> list[Turn]:
    """The conversation as it should be."""
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": answer},
    ]


def as_text(messages: object) -> str:
    """One JSON line with the given `messages`."""
    return json.dumps({"messages": messages}, ensure_ascii=False)


def malformed(rng: random.Random, messages: list[Turn]) -> str:
    """A line that no JSON parser accepts."""
    line = as_text(messages)
    return rng.choice(
        (
            line[: rng.randrange(10, len(line) - 2)],
            line[:-1],
            line[:-2] + ",]}",
            line + "}",
            line.replace('"messages"', "messages", 1),
            line.replace('"role": "user"', '"role" "user"', 1),
            repr({"messages": messages}),
            " ".join(f"{messages[1]['content']} -> {messages[2]['content']}".split()),
        )
    )


def wrong_type(rng: random.Random, messages: list[Turn]) -> str:
    """Valid JSON in which a value is not of the type that a conversation needs."""
    user, answer = messages[1], messages[2]
    return rng.choice(
        (
            as_text(f"user: {user['content']}"),
            as_text({"user": user["content"], "assistant": answer["content"]}),
            as_text([*messages[:2], {**answer, "content": rng.randrange(1000)}]),
            as_text([*messages[:2], {**answer, "content": True}]),
            as_text([messages[0], {**user, "content": [str(user["content"])]}, answer]),
            as_text([*messages[:2], {**answer, "content": {"label": answer["content"]}}]),
            as_text([messages[0], str(user["content"]), answer]),
            as_text([*messages[:2], {**answer, "role": 3}]),
            as_text([*messages[:2], {"role": "assistant"}]),
            as_text([messages[0], {"content": user["content"]}, answer]),
        )
    )


def wrong_role(rng: random.Random, messages: list[Turn]) -> str:
    """Turns whose roles are unknown, missing or in an order in which nothing can be learned."""
    system, user, answer = messages
    flipped = [system, {**user, "role": "assistant"}, {**answer, "role": "user"}]
    return rng.choice(
        (
            as_text(flipped),
            as_text([system, {**user, "role": rng.choice(("customer", "question", "User"))}, answer]),
            as_text([system, user, {**answer, "role": rng.choice(("agent", "bot", "gpt"))}]),
            as_text([system, user]),
            as_text([system, answer]),
            as_text([system, answer, user]),
            as_text([user, system, answer]),
            as_text([system, user, answer, {**user, "content": "Is that so?"}]),
            as_text([system, user, answer, answer]),
        )
    )


def empty(rng: random.Random, messages: list[Turn]) -> str:
    """A prompt or an answer in which there is nothing to read: no character, or only white space, visible or not."""
    nothing = rng.choice(("", "", " ", "\n\n", " \t ", "\u00a0", "\u200b"))
    place = rng.choice((1, 2))
    return as_text([{**turn, "content": nothing} if i == place else turn for i, turn in enumerate(messages)])
