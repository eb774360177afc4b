"""The kept rows as they will be tokenised: template checks, lengths, and examples to look at."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from truetune.core.chat import MaskedConversation, TemplateNotPrefixStable, mask_conversations
from truetune.core.config import DataConfig
from truetune.core.errors import DataError
from truetune.core.ports import ChatTokenizer, Progress
from truetune.core.records import Finding, RowRef, Severity, TokenStats, TokenView
from truetune.core.sensitive.masking import excerpt
from truetune.evidence.curated import CuratedRow
from truetune.stages.data.checks.registry import NOTICES, TEMPLATE
from truetune.stages.data.checks.template import context_length
from truetune.stages.data.checks.template.base import Notice, Rendered
from truetune.stages.data.checks.template.rendering import Unrendered, masked_rows
from truetune.stages.data.curation.policy import Drop, fate_of
from truetune.stages.data.rows.row import Row
from truetune.stages.data.rules import Rules
from truetune.stages.data.training_rows.over_length import Piece, Window, fitted

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
        pieces: what became of the rows that were too long and were made to fit; their tokens are counted with the others.
    """

    tokens: array[int]
    trained_tokens: array[int]
    drops: Mapping[int, Drop]
    findings: Sequence[Finding]
    pieces: Mapping[int, tuple[Piece, ...]]


@dataclass(frozen=True)
class Fitting:
    """What is done about rows that are too long; those from `border` on are held out and never changed."""

    config: DataConfig
    border: int
    rules: Rules


def tokenise(
    everyone: Sequence[Row], positions: Sequence[int], window: Window, fitting: Fitting, progress: Progress
) -> Tokenised:
    """Tokenise and check the rows at some positions; their tokens are counted, and forgotten."""
    tokens, trained_tokens = array("q"), array("q")
    dropped: dict[int, Drop] = {}
    findings: list[Finding] = []
    pieces: dict[int, tuple[Piece, ...]] = {}
    noticed = _Noticed(window)
    for position, (row, result) in zip(positions, masked_rows(everyone, positions, window.tokenizer, progress), strict=True):
        outcome = _outcome(row, result, window, fitting.config if position < fitting.border else None)
        severity: Severity = "warn" if outcome.pieces else "block"
        findings.extend(_finding(row, fault, result, severity) for fault in outcome.faults)
        if outcome.pieces:
            pieces[position] = outcome.pieces
        elif outcome.faults:
            first = outcome.faults[0]
            dropped[position] = Drop(first.code, first.reason, fate_of(fitting.rules, first.code))
        if isinstance(result, MaskedConversation) and not outcome.faults:
            noticed.look(row, result)
        tokens.extend(len(masked.ids) for masked in outcome.masked)
        trained_tokens.extend(masked.trained_tokens for masked in outcome.masked)
    return Tokenised(tokens, trained_tokens, dropped, [*findings, *noticed.findings()], pieces)


class _Noticed:
    """What rows show of the template, said once for all rows that show the same."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._rows = 0
        self._notices: dict[str, dict[str, Notice]] = {check.code: {} for check in NOTICES}

    def look(self, row: Row, masked: MaskedConversation) -> None:
        """One more row."""
        self._rows += 1
        rendered = Rendered(row, self._window.tokenizer, self._window.max_length)
        for check in NOTICES:
            said = check.notice(rendered, masked)
            if said is not None:
                self._notices[check.code].setdefault(said, Notice(said)).rows.append(row.ref)

    def findings(self) -> list[Finding]:
        """Those of all notices."""
        return [finding for check in NOTICES for finding in check.findings(self._notices[check.code].values(), self._rows)]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A row's tokens, or those of its pieces, where it is kept; and what was wrong with it."""

    masked: Sequence[MaskedConversation]
    faults: Sequence[Unrendered]
    pieces: tuple[Piece, ...] = ()


def _outcome(row: Row, result: MaskedConversation | Unrendered, window: Window, config: DataConfig | None) -> _Outcome:
    """`config` is None for rows that are never changed."""
    if isinstance(result, Unrendered):
        return _Outcome((), (result,))
    faults = _faults(Rendered(row, window.tokenizer, window.max_length), result)
    if not faults:
        return _Outcome((result,), ())
    if config is None or config.over_length == "drop" or [fault.code for fault in faults] != [context_length.CODE]:
        return _Outcome((), faults)
    return _made_to_fit(row, faults[0], window, config)


def _made_to_fit(row: Row, fault: Unrendered, window: Window, config: DataConfig) -> _Outcome:
    """The pieces that a row became, and in the fault's words what was done; or why nothing could be done."""
    try:
        pieces = fitted(row, window, config.over_length, config.truncate_prompt_from)
        if isinstance(pieces, str):
            return _Outcome((), (replace(fault, reason=f"{fault.reason}; {pieces}"),))
        masked = mask_conversations(window.tokenizer, [piece.row.messages for piece in pieces])
    except (TemplateNotPrefixStable, DataError) as error:
        return _Outcome(
            (), (replace(fault, reason=f"{fault.reason}; left out: the template refuses it in any shorter form: {error}"),)
        )
    for piece, conversation in zip(pieces, masked, strict=True):
        if faults := _faults(Rendered(piece.row, window.tokenizer, window.max_length), conversation):
            return _Outcome(
                (), (replace(fault, reason=f"{fault.reason}; left out: {piece.change}, but then {faults[0].reason}"),)
            )
    became = f"split into {len(pieces)} rows" if config.over_length == "split" else pieces[0].change
    return _Outcome(masked, (replace(fault, reason=f"{fault.reason}: {became}"),), pieces)


def _faults(rendered: Rendered, result: MaskedConversation) -> list[Unrendered]:
    said = [(check, check.fault(rendered, result)) for check in TEMPLATE]
    return [Unrendered(check.code, reason, check.fix) for check, reason in said if reason is not None]


def _finding(row: Row, fault: Unrendered, result: MaskedConversation | Unrendered, severity: Severity = "block") -> Finding:
    tokens = {"tokens": len(result.ids)} if isinstance(result, MaskedConversation) else {}
    return Finding(
        code=fault.code,
        severity=severity,
        message=fault.reason,
        rows=(row.ref,),
        evidence={"prompt": excerpt(row.prompt), **tokens},
        fix=fault.fix,
    )


def token_stats(tokenised: Tokenised, over_length: int, max_length: int) -> TokenStats | None:
    """Lengths of the kept rows; None where no row was kept. `over_length` rows were too long as they were given."""
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
