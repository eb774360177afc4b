"""Turns by the wrong speaker or in the wrong order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from truetune.core.ports import Message
from truetune.stages.data.checks.base import NEVER_A_ROW, Check, fault_findings

CODE = "data.record.role"
ROLES = ("system", "user", "assistant", "tool")
_MAY_FOLLOW = {"user": ("assistant",), "assistant": ("user", "tool"), "tool": ("assistant", "tool")}
_FIX = (
    "order the turns: one system turn or none, then user and assistant in turn (tool turns between two assistant turns), "
    "an assistant turn last"
)
_OTHER_NAMES = {
    "human": "user",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "function": "tool",
    "observation": "tool",
}


def role_fault(messages: Sequence[Message]) -> str | None:
    """What is wrong with who speaks when; None where user and assistant alternate and the assistant speaks last.

    Tool turns stand between two assistant turns: the one that asked for them and the one that uses them.
    """
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
        return "the conversation starts with the assistant" if spoken[0] == "assistant" else "the conversation starts with a tool"
    for before, after in pairwise(spoken):
        if after not in _MAY_FOLLOW[before]:
            return f"two {before} turns follow each other" if before == after else f"a {after} turn follows a {before} turn"
    return (
        None if spoken[-1] == "assistant" else "the conversation does not end with an assistant turn: there is nothing to learn"
    )


CHECK = Check(
    code=CODE,
    severity="block",
    claim="User and assistant (with its tools) speak in turn, a system turn comes first if at all, and the assistant ends.",
    fix=_FIX,
    find=fault_findings(CODE, _FIX),
    ways=NEVER_A_ROW,
)
