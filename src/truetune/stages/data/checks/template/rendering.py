"""Rows under the model's own chat template: one that the template refuses or rewrites cannot be trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from truetune.core.chat import GenerationPromptDiffers, MaskedConversation, TemplateNotPrefixStable, mask_conversations
from truetune.core.errors import DataError
from truetune.core.ports import ChatTokenizer, Progress
from truetune.stages.data.checks.base import NEVER_A_ROW, Described
from truetune.stages.data.rows.row import Row

PREFIX_CODE = "data.template.prefix"
REFUSED_CODE = "data.template.refused"
GENERATION_CODE = "data.template.generation"
PREFIX_FIX = (
    "train one answer a row: make each conversation end with its first assistant turn, or use a base model with another template"
)
REFUSED_FIX = "change the turns that the template does not take (often: a system turn), or use a base model with another template"
GENERATION_FIX = (
    "correct chat_template.jinja in a local copy of the model so that the generation prompt is how an answer begins, "
    "or use a base model with another template"
)
_BATCH_ROWS = 64

PREFIX = Described(
    PREFIX_CODE,
    "block",
    "The template writes each turn the same way whatever follows it, so that an answer has a place.",
    NEVER_A_ROW,
)
GENERATION = Described(
    GENERATION_CODE,
    "block",
    "The prompt that the model is asked with is how the trained conversation goes on up to the answer.",
    NEVER_A_ROW,
)
REFUSED = Described(REFUSED_CODE, "block", "The model's chat template takes every conversation.", NEVER_A_ROW)


@dataclass(frozen=True, slots=True)
class Unrendered:
    """Why a row has no tokens."""

    code: str
    reason: str
    fix: str


def masked_rows(
    everyone: Sequence[Row], positions: Sequence[int], tokenizer: ChatTokenizer, progress: Progress
) -> Iterator[tuple[Row, MaskedConversation | Unrendered]]:
    """The rows at some positions, each tokenised with its loss mask, or why it cannot be, in order."""
    for start in range(0, len(positions), _BATCH_ROWS):
        progress.update(start, len(positions), "tokenising")
        batch = [everyone[position] for position in positions[start : start + _BATCH_ROWS]]
        try:
            results: Iterable[MaskedConversation | Unrendered] = mask_conversations(tokenizer, [row.messages for row in batch])
        except (TemplateNotPrefixStable, DataError):
            # One bad row spoils a batch: only then is each row asked for by itself.
            results = (_masked(row, tokenizer) for row in batch)
        yield from zip(batch, results, strict=True)


def _masked(row: Row, tokenizer: ChatTokenizer) -> MaskedConversation | Unrendered:
    try:
        return mask_conversations(tokenizer, [row.messages])[0]
    except GenerationPromptDiffers as error:
        return Unrendered(GENERATION_CODE, f"the generation prompt is not how the answer begins: {error}", GENERATION_FIX)
    except TemplateNotPrefixStable as error:
        return Unrendered(PREFIX_CODE, f"the template rewrites earlier turns: {error}", PREFIX_FIX)
    except DataError as error:
        return Unrendered(REFUSED_CODE, f"the chat template refuses this conversation: {error.why or error.what}", REFUSED_FIX)
