"""Rows that are longer than the training window, made to fit in the way that the config names. An answer is never cut.

`split` cuts a conversation at turn boundaries into several rows, each with the system prompt. `truncate_prompt` shortens the last
user turn from a stated end by as few tokens as it takes. A row that neither can help is left out with the reason.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from truetune.core.ports import ChatTokenizer, Message
from truetune.stages.data.rows.row import Row, row_of

OverLength = Literal["drop", "split", "truncate_prompt"]
"""What `data.over_length` may say; `drop` leaves the row out and never comes here."""
End = Literal["start", "end"]


@dataclass(frozen=True, slots=True)
class Piece:
    """What a row became, and how, for the lineage."""

    row: Row
    change: str


@dataclass(frozen=True, slots=True)
class Window:
    """How many tokens a row may have under a tokenizer."""

    tokenizer: ChatTokenizer
    max_length: int

    def tokens(self, messages: Sequence[Message]) -> int:
        """The conversation's length as it is trained.

        Raises:
            DataError: the template refuses the conversation.
        """
        return len(self.tokenizer.encode([self.tokenizer.render(messages, add_generation_prompt=False)])[0].ids)

    def holds(self, messages: Sequence[Message]) -> bool:
        """Does the conversation fit?"""
        return self.tokens(messages) <= self.max_length


def fitted(row: Row, window: Window, how: OverLength, cut_from: End) -> tuple[Piece, ...] | str:
    """The row as rows that fit, or why it cannot be made to fit."""
    if not row.is_demonstration:
        return "left out: answers that are compared share one prompt, which is never changed"
    return _split(row, window) if how == "split" else _truncated(row, window, cut_from)


# --- split ----------------------------------------------------------------------------------------------------------


def _split(row: Row, window: Window) -> tuple[Piece, ...] | str:
    system, exchanges = _exchanges(row.messages)
    parts: list[list[Message]] = []
    for number, exchange in enumerate(exchanges, start=1):
        if parts and window.holds([*system, *parts[-1], *exchange]):
            parts[-1] += exchange
        elif window.holds([*system, *exchange]):
            parts.append(list(exchange))
        else:
            tokens = window.tokens([*system, *exchange])
            return f"left out: exchange {number} of {len(exchanges)} alone has {tokens} tokens with the system prompt"
    return tuple(
        Piece(row_of(row.file, row.line, [*system, *part]), f"part {number} of {len(parts)}, split between turns")
        for number, part in enumerate(parts, start=1)
    )


def _exchanges(messages: Sequence[Message]) -> tuple[list[Message], list[list[Message]]]:
    """The system prompt, and the turns from each user turn up to the next user turn that follows an answer."""
    system = [m for m in messages[:1] if m["role"] == "system"]
    exchanges: list[list[Message]] = []
    for message in messages[len(system) :]:
        answered = bool(exchanges) and exchanges[-1][-1]["role"] == "assistant"
        if not exchanges or (message["role"] == "user" and answered):
            exchanges.append([])
        exchanges[-1].append(message)
    return system, exchanges


# --- truncate -------------------------------------------------------------------------------------------------------


def _truncated(row: Row, window: Window, cut_from: End) -> tuple[Piece, ...] | str:
    place = max(n for n, message in enumerate(row.messages) if message["role"] == "user")
    texts = _shorter_texts(row.messages[place]["content"], window.tokenizer, cut_from)

    def with_text(text: str) -> list[Message]:
        return [*row.messages[:place], {**row.messages[place], "content": text}, *row.messages[place + 1 :]]

    fewest = bisect_left(range(len(texts.cuts)), True, key=lambda cut: window.holds(with_text(texts.after(cut))))
    if fewest == len(texts.cuts) or not texts.after(fewest).strip():
        left = window.tokens(with_text(""))
        return f"left out: without its last user turn the row still has {left} tokens"
    text = texts.after(fewest)
    return (
        Piece(
            row_of(row.file, row.line, with_text(text)),
            f"{texts.tokens_cut(fewest)} tokens cut from the {cut_from} of the last user turn",
        ),
    )


@dataclass(frozen=True, slots=True)
class _ShorterTexts:
    """A text cut at each of its token boundaries, from one end.

    Attributes:
        cuts: where the text may be cut, nothing cut first; never within a character of several tokens.
        tokens_cut: how many tokens a cut takes away.
        after: the text that a cut leaves.
    """

    cuts: Sequence[int]
    tokens_cut: Callable[[int], int]
    after: Callable[[int], str]


def _shorter_texts(text: str, tokenizer: ChatTokenizer, cut_from: End) -> _ShorterTexts:
    offsets = tokenizer.encode([text])[0].offsets
    if cut_from == "start":
        cuts = sorted({0, *(start for start, _ in offsets)})
        return _ShorterTexts(cuts, lambda cut: sum(start < cuts[cut] for start, _ in offsets), lambda cut: text[cuts[cut] :])
    cuts = sorted({len(text), *(end for _, end in offsets)}, reverse=True)
    return _ShorterTexts(cuts, lambda cut: sum(end > cuts[cut] for _, end in offsets), lambda cut: text[: cuts[cut]])
