"""A system prompt that the template writes where the row has none."""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import lru_cache
from typing import cast

from truetune.core.chat import MaskedConversation, shared_start
from truetune.core.errors import DataError
from truetune.core.ports import ChatTokenizer
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.template.base import Rendered, TemplateNotice

CODE = "data.template.system"
_FIX = "give every row the system prompt that the product will use (an empty one keeps some templates from writing theirs)"
_MARKS = re.compile(r"<[^<>\s]*>|<<\S+>>|\[/?[A-Z_]+\]|\b(?:system|user|developer|human)\b", re.IGNORECASE)
_WORDS_MIN = 3
"""Fewer words are a header of the template and no prompt. Source: stated."""


@lru_cache(maxsize=1)
def injected_system(tokenizer: ChatTokenizer) -> str:
    """What a template writes before the first user turn and before no later one, marks left out; empty where that is no text.

    The second user turn shows how the template opens one; whatever stands before the first one besides is its own.
    """
    asked, answered, again = "Which one is first?", "That one is.", "And which one is next?"
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}, {"role": "user", "content": again}]
    try:
        text = tokenizer.render(turns, add_generation_prompt=False)
    except DataError:
        return ""
    if any(part not in text for part in (asked, answered, again)):
        return ""
    first, later = text[: text.index(asked)], text[text.index(answered) + len(answered) : text.index(again)]
    shared = shared_start(first[::-1], later[::-1])
    words = _MARKS.sub(" ", first[: len(first) - shared]).split()
    return " ".join(words) if len(words) >= _WORDS_MIN else ""


def _notice(rendered: Rendered, masked: MaskedConversation) -> str | None:
    if rendered.row.messages[0]["role"] == "system":
        return None
    said = injected_system(cast("Hashable", rendered.tokenizer))
    return f"the template writes a system prompt that the row does not have: {excerpt(said)!r}" if said else None


CHECK = TemplateNotice(
    code=CODE,
    severity="warn",
    claim="The template adds no system prompt to rows that have none.",
    fix=_FIX,
    notice=_notice,
    of_all_rows="note",  # where other rows have one of their own, the model is trained on two ways of being asked
)
