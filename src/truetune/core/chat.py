"""From a conversation to token ids and a loss mask, with the model's own template.

One place decides what is trained, so that what the data gate shows, what the trainer sees and what the evaluation
prompts with cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from truetune.core.ports import ChatTokenizer, Encoding, Message


@dataclass(frozen=True)
class MaskedConversation:
    """A tokenised conversation. `ids`, `trained`, `offsets` have the same length; offsets are characters of `text`."""

    text: str
    ids: tuple[int, ...]
    trained: tuple[bool, ...]
    offsets: tuple[tuple[int, int], ...]

    @property
    def trained_tokens(self) -> int:
        """How many tokens carry loss."""
        return sum(self.trained)

    def pieces(self) -> tuple[str, ...]:
        """Each token's own text, for showing a person what is trained."""
        return tuple(self.text[a:b] for a, b in self.offsets)


class TemplateNotPrefixStable(ValueError):
    """The template rewrites earlier turns when a later one is added, so an answer's place cannot be told from text alone."""


class GenerationPromptDiffers(TemplateNotPrefixStable):
    """What opens an answer when the model is asked is not how the conversation goes on when it is trained."""


def shared_start(a: str, b: str) -> int:
    """How many characters two texts have in common at their start."""
    return next((place for place, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def answer_spans(tokenizer: ChatTokenizer, messages: Sequence[Message]) -> tuple[str, list[tuple[int, int]]]:
    """The rendered conversation and the `[start, end)` characters of each assistant turn, its end token included.

    Raises:
        TemplateNotPrefixStable: see the class, and the one below it.
        DataError: the template refuses the conversation.
    """
    full = tokenizer.render(messages, add_generation_prompt=False)
    spans = []
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = tokenizer.render(messages[:index], add_generation_prompt=True)
        through = tokenizer.render(messages[: index + 1], add_generation_prompt=False)
        if not full.startswith(through):
            raise TemplateNotPrefixStable(f"turn {index + 1} is rendered differently once later turns follow")
        if not full.startswith(before):
            if not full.startswith(tokenizer.render(messages[:index], add_generation_prompt=False)):
                raise TemplateNotPrefixStable(f"the turns before turn {index + 1} are rendered differently once it follows")
            place = shared_start(full, before)
            raise GenerationPromptDiffers(
                f"turn {index + 1} is asked for with {before[place:][:80]!r} where the conversation has {full[place:][:80]!r}"
            )
        spans.append((len(before), len(through)))
    return full, spans


def mask_conversations(tokenizer: ChatTokenizer, conversations: Sequence[Sequence[Message]]) -> list[MaskedConversation]:
    """Tokenise conversations so that loss counts on the assistants' words and the token that ends each answer, nowhere else.

    A turn's text after its end token (SmolLM2's newline) is template, not answer: it is not trained.

    Raises:
        TemplateNotPrefixStable: for the first conversation that the template does not render turn by turn.
        DataError: the template refuses a conversation.
    """
    rendered = [answer_spans(tokenizer, messages) for messages in conversations]
    encodings = tokenizer.encode([text for text, _ in rendered])
    return [
        MaskedConversation(text, encoding.ids, _trained(encoding, spans, tokenizer.eos_token_ids), encoding.offsets)
        for (text, spans), encoding in zip(rendered, encodings, strict=True)
    ]


def prompt_ids(tokenizer: ChatTokenizer, conversations: Sequence[Sequence[Message]]) -> list[tuple[int, ...]]:
    """Token ids of each conversation up to where the next answer begins.

    Raises:
        DataError: the template refuses a conversation.
    """
    texts = [tokenizer.render(messages, add_generation_prompt=True) for messages in conversations]
    return [encoding.ids for encoding in tokenizer.encode(texts)]


def _trained(encoding: Encoding, spans: Sequence[tuple[int, int]], eos_ids: Sequence[int]) -> tuple[bool, ...]:
    trained = [False] * len(encoding.ids)
    for start, end in spans:
        inside = [i for i, (a, b) in enumerate(encoding.offsets) if a >= start and b <= end and b > a]
        ends = [i for i in inside if encoding.ids[i] in eos_ids]
        last = ends[-1] if ends else (inside[-1] if inside else -1)
        for i in inside:
            trained[i] = i <= last
    return tuple(trained)
