"""Rows longer than the training window: reported, and handled as `data.over_length` says. An answer is never cut."""

from __future__ import annotations

from truetune.core.chat import MaskedConversation
from truetune.stages.data.checks.template.base import Rendered, TemplateCheck

CODE = "data.length.context"


def _fault(rendered: Rendered, masked: MaskedConversation) -> str | None:
    tokens = len(masked.ids)
    if tokens <= rendered.max_length:
        return None
    return (
        f"{tokens} tokens under the model's template, {tokens - rendered.max_length} more than max_length ({rendered.max_length})"
    )


CHECK = TemplateCheck(
    code=CODE,
    claim="Every row fits into max_length under the model's own template; what does not is handled as data.over_length says.",
    fix="shorten or split the row (data.over_length can), or raise train.max_length as far as the model's context allows",
    fault=_fault,
)
