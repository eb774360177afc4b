"""Turns without any text."""

from __future__ import annotations

from collections.abc import Sequence

from truetune.core.ports import Message
from truetune.stages.data.checks.base import NEVER_A_ROW, Check, fault_findings
from truetune.stages.data.text import is_blank

CODE = "data.record.empty"
_FIX = "fill in the text, or delete the row"


def empty_fault(messages: Sequence[Message], rejected: str | None = None) -> str | None:
    """Which turn has nothing to read; None where each user and assistant turn has text."""
    last = len(messages)
    for number, message in enumerate(messages, start=1):
        if message["role"] != "system" and is_blank(message["content"]):
            name = (
                "the answer" if number == last and message["role"] == "assistant" else f"turn {number} ({message['role'][:20]})"
            )
            return f"{name} is empty" if not message["content"] else f"{name} is only white space"
    if rejected is not None and is_blank(rejected):
        return "the rejected answer is empty"
    return None


CHECK = Check(
    code=CODE,
    severity="block",
    claim="Every prompt and every answer has text in it.",
    fix=_FIX,
    find=fault_findings(CODE, _FIX),
    ways=NEVER_A_ROW,
)
