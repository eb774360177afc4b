"""Does the model have a chat template, and can answers be told from prompts in what it writes?"""

from __future__ import annotations

from truetune.core.chat import TemplateNotPrefixStable, mask_conversations
from truetune.core.errors import DataError
from truetune.core.ports import ChatTokenizer, Message
from truetune.core.records import Finding

_USER: Message = {"role": "user", "content": "What is the capital of France?"}
_ANSWER: Message = {"role": "assistant", "content": "Paris."}
_SYSTEM: Message = {"role": "system", "content": "Answer in one word."}


def check_template(tokenizer: ChatTokenizer) -> list[Finding]:
    """Findings from rendering one short conversation, with and without a system message."""
    if tokenizer.template_digest is None:
        return [_missing()]
    try:
        (masked,) = mask_conversations(tokenizer, [[_USER, _ANSWER]])
    except DataError as error:
        return [_unusable(f"the chat template refuses a plain question and answer: {error.what}")]
    except TemplateNotPrefixStable:
        return [_unusable("the chat template writes an answer differently from how it opens one: what is trained cannot be told")]
    trained = {i for i, counts in zip(masked.ids, masked.trained, strict=True) if counts}
    if not trained:
        return [_unusable("the chat template leaves nothing of the answer to train")]
    return [*_no_end(tokenizer, trained), *_no_system(tokenizer)]


def _missing() -> Finding:
    return Finding(
        code="base.template.missing",
        severity="block",
        message="the model has no chat template: it was not made for conversations",
        fix="name the model's instruct or chat variant as `base`, or add chat_template.jinja to a local copy",
    )


def _unusable(message: str) -> Finding:
    return Finding(
        code="base.template.unusable",
        severity="block",
        message=message,
        fix="name a newer revision of the model, or correct chat_template.jinja in a local copy",
    )


def _no_end(tokenizer: ChatTokenizer, trained: set[int]) -> list[Finding]:
    """Without an end token in what is trained, the tuned model never learns to stop. Source: TRL #3083."""
    if trained & set(tokenizer.eos_token_ids):
        return []
    return [
        Finding(
            code="base.template.no_end",
            severity="warn",
            message="the chat template ends an answer without an end token: the tuned model may not learn to stop",
            evidence={"end_token_ids": [*tokenizer.eos_token_ids]},
            fix="add the end token after assistant turns in chat_template.jinja of a local copy",
        )
    ]


def _no_system(tokenizer: ChatTokenizer) -> list[Finding]:
    try:
        text = tokenizer.render([_SYSTEM, _USER], add_generation_prompt=True)
    except DataError:
        text = ""
    if _SYSTEM["content"] in text:
        return []
    return [
        Finding(
            code="base.template.no_system",
            severity="note",
            message="the chat template does not take system messages",
            fix="put instructions into the user's message",
        )
    ]
