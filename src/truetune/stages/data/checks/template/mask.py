"""Rows of which nothing would be trained, or of which the end would not be learned."""

from __future__ import annotations

from truetune.core.chat import MaskedConversation
from truetune.stages.data.checks.template.base import Rendered, TemplateCheck

CODE = "data.template.mask"


def _fault(rendered: Rendered, masked: MaskedConversation) -> str | None:
    last = max((place for place, trained in enumerate(masked.trained) if trained), default=-1)
    if last < 0:
        return "no token of the row is trained: the loss mask is empty"
    if masked.ids[last] not in rendered.tokenizer.eos_token_ids:
        shown = masked.text[slice(*masked.offsets[last])]
        return (
            f"the token that ends the answer is not trained, so the model would not learn to stop: the last trained is {shown!r}"
        )
    return None


CHECK = TemplateCheck(
    code=CODE,
    claim="Every row trains its answer and the token that ends it.",
    fix="use a base model whose chat template ends each answer with its end token",
    fault=_fault,
)
