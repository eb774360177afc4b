"""The kept rows as they will be tokenised: template checks, lengths, and examples to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from truetune.core.chat import MaskedConversation
from truetune.core.ports import ChatTokenizer, Progress
from truetune.core.records import Finding, TokenStats, TokenView
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
        masked: the rows that passed every template check.
        drops: the others, with the first reason.
        findings: one a fault.
    """

    masked: Mapping[int, MaskedConversation]
    drops: Mapping[int, Drop]
    findings: Sequence[Finding]


def tokenise(rows: Mapping[int, Row], tokenizer: ChatTokenizer, max_length: int, rules: Rules, progress: Progress) -> Tokenised:
    """Tokenise and check rows, given by position."""
    kept: dict[int, MaskedConversation] = {}
    dropped: dict[int, Drop] = {}
    findings: list[Finding] = []
    for (position, row), result in zip(rows.items(), masked_rows(list(rows.values()), tokenizer, progress), strict=True):
        faults = _faults(Rendered(row, tokenizer, max_length), result)
        findings.extend(_finding(row, fault, result) for fault in faults)
        if faults:
            dropped[position] = Drop(faults[0].code, faults[0].reason, fate_of(rules, faults[0].code))
        elif isinstance(result, MaskedConversation):
            kept[position] = result
    return Tokenised(kept, dropped, findings)


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


def token_stats(kept: Sequence[MaskedConversation], over_length: int, max_length: int) -> TokenStats | None:
    """Lengths of the kept rows; None where no row was kept. `over_length` rows were left out for their length."""
    if not kept:
        return None
    lengths = sorted(len(conversation.ids) for conversation in kept)
    return TokenStats(
        total_tokens=sum(lengths),
        trained_tokens=sum(conversation.trained_tokens for conversation in kept),
        median_tokens=int(median(lengths)),
        p95_tokens=lengths[min(len(lengths) - 1, int(0.95 * len(lengths)))],
        max_tokens=lengths[-1],
        max_length_tokens=max_length,
        rows_over_length=over_length,
    )


def token_views(rows: Sequence[tuple[Row, MaskedConversation]]) -> tuple[TokenView, ...]:
    """The first few rows, token by token."""
    return tuple(
        TokenView(row=row.ref, tokens=masked.pieces()[:_VIEW_TOKENS_MAX], trained=masked.trained[:_VIEW_TOKENS_MAX])
        for row, masked in rows[:_VIEWS]
    )
