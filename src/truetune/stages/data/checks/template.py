"""What a template check is: a fault of one row as it will be tokenised, given by code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from truetune.core.chat import MaskedConversation
from truetune.core.ports import ChatTokenizer
from truetune.stages.data.rows import Row


@dataclass(frozen=True, slots=True)
class Rendered:
    """A row, the tokenizer that rendered it, and the window it has to fit into."""

    row: Row
    tokenizer: ChatTokenizer
    max_length: int


@dataclass(frozen=True)
class TemplateCheck:
    """One fault of a row under the real template. `fault` says what is wrong, or None. All block and take the row out."""

    code: str
    claim: str
    fix: str
    fault: Callable[[Rendered, MaskedConversation], str | None]
