"""Rows that do not survive the template and the tokenizer unchanged."""

from __future__ import annotations

from truetune.core.chat import MaskedConversation
from truetune.core.sensitive.masking import excerpt
from truetune.stages.data.checks.template.base import Rendered, TemplateCheck

CODE = "data.template.roundtrip"


def _fault(rendered: Rendered, masked: MaskedConversation) -> str | None:
    for message in rendered.row.messages:
        if message["content"].strip() not in masked.text:
            return f"the template changes the text of a {message['role']} turn"
    decoded = rendered.tokenizer.decode(masked.ids)
    if decoded == masked.text:
        return None
    pairs = enumerate(zip(decoded, masked.text, strict=False))
    place = next((i for i, (a, b) in pairs if a != b), min(len(decoded), len(masked.text)))
    before, after = excerpt(masked.text[place : place + 12], 12), excerpt(decoded[place : place + 12], 12)
    return f"the tokenizer cannot write the text back: {before!r} becomes {after!r}"


CHECK = TemplateCheck(
    code=CODE,
    claim="Every turn stands unchanged in the rendered text, and its token ids decode to that text.",
    fix="replace the characters that the tokenizer does not know, or use a base model whose vocabulary has them",
    fault=_fault,
)
