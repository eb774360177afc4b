"""What a template check is: a fault of one row as it will be tokenised, given by code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from truetune.core.chat import MaskedConversation
from truetune.core.ports import ChatTokenizer
from truetune.core.records import Finding, RowRef, Severity
from truetune.core.units import plural
from truetune.stages.data.rows.row import Row


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


@dataclass(slots=True)
class Notice:
    """What is to be said of the template, and the rows that it is said of."""

    said: str
    rows: list[RowRef] = field(default_factory=list)


@dataclass(frozen=True)
class TemplateNotice:
    """Something about the template that rows show and that keeps none of them from being trained on.

    Attributes:
        code: stable.
        severity: of its findings.
        claim: what it finds, in one sentence.
        fix: what the user can do.
        notice: what a row shows, None for nothing. Rows of which the same is said are one finding.
        of_all_rows: the severity where it is said of every row, if that is another one.
    """

    code: str
    severity: Severity
    claim: str
    fix: str
    notice: Callable[[Rendered, MaskedConversation], str | None]
    of_all_rows: Severity | None = None

    def findings(self, notices: Iterable[Notice], rows: int) -> list[Finding]:
        """One finding for each thing that was noticed; `rows` were looked at."""
        return [
            Finding(
                code=self.code,
                severity=self.severity if len(notice.rows) < rows else self.of_all_rows or self.severity,
                message=f"{notice.said} ({len(notice.rows):,} of {plural(rows, 'row')})",
                rows=tuple(notice.rows),
                fix=self.fix,
            )
            for notice in notices
        ]
