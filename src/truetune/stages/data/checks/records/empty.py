"""Turns without any text."""

from __future__ import annotations

from truetune.core.text import is_blank
from truetune.stages.data.checks.base import NEVER_A_ROW, Check, fault_findings
from truetune.stages.data.reading.formats import Conversation

CODE = "data.record.empty"
_FIX = "fill in the text, or delete the row"


def empty_fault(conversation: Conversation) -> str | None:
    """Which text has nothing to read; None where every turn but the system prompt, and every other text of the row, has some."""
    last = len(conversation.messages)
    for number, message in enumerate(conversation.messages, start=1):
        if message["role"] != "system" and is_blank(message["content"]):
            name = _name(number, message["role"], last, is_triplet=bool(conversation.negatives))
            return f"{name} is empty" if not message["content"] else f"{name} is only white space"
    if conversation.rejected is not None and is_blank(conversation.rejected):
        return "the rejected answer is empty"
    for number, negative in enumerate(conversation.negatives, start=1):
        if is_blank(negative):
            return f"negative {number} is empty" if len(conversation.negatives) > 1 else "the negative is empty"
    return None


def _name(number: int, role: str, last: int, *, is_triplet: bool) -> str:
    if is_triplet:
        return "the positive" if number == last else "the query"
    return "the answer" if number == last and role == "assistant" else f"turn {number} ({role[:20]})"


CHECK = Check(
    code=CODE,
    severity="block",
    claim="Every prompt, every answer and every text of a triplet has something to read in it.",
    fix=_FIX,
    find=fault_findings(CODE, _FIX),
    ways=NEVER_A_ROW,
)
