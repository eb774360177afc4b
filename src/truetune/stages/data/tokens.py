"""The kept rows as they will be tokenised: template checks, lengths, and examples to look at."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from truetune.core.chat import MaskedConversation, mask_conversations
from truetune.core.ports import ChatTokenizer, Progress
from truetune.core.records import Finding, RowRef, TokenStats, TokenView
from truetune.evidence.curated import CuratedRow
from truetune.stages.data.checks.registry import TEMPLATE
from truetune.stages.data.checks.rendering import Unrendered, masked_rows
from truetune.stages.data.checks.template import Rendered
from truetune.stages.data.policy import Drop, fate_of
from truetune.stages.data.rows import Row
from truetune.stages.data.rules import Rules
from truetune.stages.data.sensitive import excerpt

_VIEWS = 3
_VIEW_TOKENS_MAX = 4096


@dataclass(frozen=True)
class Tokenised:
    """Rows under the real template, by position in what was given.

    Attributes:
        tokens: how many each row has that passed every template check.
        trained_tokens: how many of them carry loss, in the same order.
        drops: the other rows, with the first reason.
        findings: one a fault.
    """

    tokens: array[int]
    trained_tokens: array[int]
    drops: Mapping[int, Drop]
    findings: Sequence[Finding]


def tokenise(
    everyone: Sequence[Row],
    positions: Sequence[int],
    tokenizer: ChatTokenizer,
    max_length: int,
    rules: Rules,
    progress: Progress,
) -> Tokenised:
    """Tokenise and check the rows at some positions; their tokens are counted, and forgotten."""
    tokens, trained_tokens = array("q"), array("q")
    dropped: dict[int, Drop] = {}
    findings: list[Finding] = []
    for position, (row, result) in zip(positions, masked_rows(everyone, positions, tokenizer, progress), strict=True):
        faults = _faults(Rendered(row, tokenizer, max_length), result)
        findings.extend(_finding(row, fault, result) for fault in faults)
        if faults:
            dropped[position] = Drop(faults[0].code, faults[0].reason, fate_of(rules, faults[0].code))
        elif isinstance(result, MaskedConversation):
            tokens.append(len(result.ids))
            trained_tokens.append(result.trained_tokens)
    return Tokenised(tokens, trained_tokens, dropped, findings)


def _faults(rendered: Rendered, result: MaskedConversation | Unrendered) -> list[Unrendered]:
    if isinstance(result, Unrendered):
        return [result]
    said = [(check, check.fault(rendered, result)) for check in TEMPLATE]
    return [Unrendered(check.code, reason, check.fix) for check, reason in said if reason is not None]


def _finding(row: Row, fault: Unrendered, result: MaskedConversation | Unrendered) -> Finding:
    tokens = {"tokens": len(result.ids)} if isinstance(result, MaskedConversation) else {}
    return Finding(
        code=fault.code,
        severity="block",
        message=fault.reason,
        rows=(row.ref,),
        evidence={"prompt": excerpt(row.prompt), **tokens},
        fix=fault.fix,
    )


def token_stats(tokenised: Tokenised, over_length: int, max_length: int) -> TokenStats | None:
    """Lengths of the kept rows; None where no row was kept. `over_length` rows were left out for their length."""
    if not tokenised.tokens:
        return None
    lengths = np.sort(np.frombuffer(tokenised.tokens, dtype=np.int64))
    return TokenStats(
        total_tokens=int(lengths.sum()),
        trained_tokens=sum(tokenised.trained_tokens),
        median_tokens=int(np.median(lengths)),
        p95_tokens=int(lengths[min(len(lengths) - 1, int(0.95 * len(lengths)))]),
        max_tokens=int(lengths[-1]),
        max_length_tokens=max_length,
        rows_over_length=over_length,
    )


def token_views(rows: Sequence[CuratedRow], tokenizer: ChatTokenizer) -> tuple[TokenView, ...]:
    """The first few rows, which passed every template check, token by token."""
    first = rows[:_VIEWS]
    return tuple(
        TokenView(
            row=RowRef(file=row.file, line=row.line),
            tokens=masked.pieces()[:_VIEW_TOKENS_MAX],
            trained=masked.trained[:_VIEW_TOKENS_MAX],
        )
        for row, masked in zip(first, mask_conversations(tokenizer, [row.messages for row in first]), strict=True)
    )
