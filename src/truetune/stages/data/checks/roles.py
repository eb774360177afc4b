"""Turns by the wrong speaker or in the wrong order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from truetune.core.ports import Message
from truetune.stages.data.checks.base import NEVER_A_ROW, Check, fault_findings

CODE = "data.record.role"
ROLES = ("system", "user", "assistant")
_FIX = "order the turns: one system turn or none, then user and assistant in turn, an assistant turn last"
_OTHER_NAMES = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant", "ai": "assistant"}


def role_fault(messages: Sequence[Message]) -> str | None:
    """What is wrong with who speaks when; None where user and assistant alternate and the assistant speaks last."""
    for number, message in enumerate(messages, start=1):
        if message["role"] not in ROLES:
            known = _OTHER_NAMES.get(message["role"].strip().lower())
            return f"turn {number} has the unknown role {message['role'][:40]!r}" + (
                f" (did you mean {known!r}?)" if known else ""
            )
        if message["role"] == "system" and number > 1:
            return f"turn {number} is a system turn; only the first may be"
    spoken = [message["role"] for message in messages if message["role"] != "system"]
    if not spoken:
        return "there is only a system turn"
    if spoken[0] != "user":
        return "the conversation starts with the assistant"
    for before, after in pairwise(spoken):
        if before == after:
            return f"two {before} turns follow each other"
    return (
        None if spoken[-1] == "assistant" else "the conversation does not end with an assistant turn: there is nothing to learn"
    )


CHECK = Check(
    code=CODE,
    severity="block",
    claim="User and assistant speak in turn, a system turn comes first if at all, and the assistant has the last word.",
    fix=_FIX,
    find=fault_findings(CODE, _FIX),
    ways=NEVER_A_ROW,
)
