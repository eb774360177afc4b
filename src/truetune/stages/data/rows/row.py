"""A row as every check sees it, whatever format it came in."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from truetune.core.ports import Message
from truetune.core.records import RowRef
from truetune.evidence.digests import canonical_json
from truetune.stages.data.rows.metadata import NO_META, RowMeta

_ID_HEX_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Row:
    """A record that can be read as a conversation which ends with an answer.

    Attributes:
        file: the user's file, as it is named in findings.
        line: its place there, from 1.
        messages: the whole conversation.
        system: the system prompt, empty where there is none.
        prompt: the last user turn.
        context: all turns before the answer but the system prompt; equals `prompt` in a single-turn row.
        answer: the last assistant turn.
        rejected: the answer that a preference row ranks lower, None in other formats.
        desirable: what an unpaired preference row says of its answer, None in other formats.
        negatives: the texts that an embedding triplet holds apart from its positive, which is the `answer`; else empty.
        meta: what is known of it beside its words.
    """

    file: str
    line: int
    messages: tuple[Message, ...]
    system: str
    prompt: str
    context: str
    answer: str
    rejected: str | None = None
    desirable: bool | None = None
    negatives: tuple[str, ...] = ()
    meta: RowMeta = NO_META

    @property
    def is_taught(self) -> bool:
        """Is the answer one that a model is to give? Not the positive of a triplet, nor an answer that is judged bad."""
        return not self.negatives and self.desirable is not False

    @property
    def judge(self) -> str | None:
        """Who made the judgement that a preference row is, as far as it says so; None in other formats."""
        return self.meta.reviewed_by if self.rejected is not None or self.desirable is not None else None

    @property
    def is_demonstration(self) -> bool:
        """Does the row show the one answer that its prompt is to get? Preferences and triplets compare answers instead."""
        return self.rejected is None and self.desirable is None and not self.negatives

    @property
    def ref(self) -> RowRef:
        """The row's place, for a finding."""
        return RowRef(file=self.file, line=self.line)


def row_of(
    file: str,
    line: int,
    messages: Sequence[Message],
    rejected: str | None = None,
    desirable: bool | None = None,
    negatives: tuple[str, ...] = (),
    meta: RowMeta = NO_META,
) -> Row:
    """A row from a conversation that has passed the record checks (an assistant turn ends it, a user turn stands before that)."""
    system = messages[0]["content"] if messages[0]["role"] == "system" else ""
    before = [m for m in messages[:-1] if m["role"] != "system"]
    return Row(
        file=file,
        line=line,
        messages=tuple(messages),
        system=system,
        prompt=next(m["content"] for m in reversed(before) if m["role"] == "user"),
        context="\n".join(m["content"] for m in before),
        answer=messages[-1]["content"],
        rejected=rejected,
        desirable=desirable,
        negatives=negatives,
        meta=meta,
    )


def content_id(messages: Sequence[Message]) -> str:
    """The id that a conversation has wherever it stands: 16 hex digits of its SHA-256."""
    return hashlib.sha256(canonical_json(list(messages))).hexdigest()[:_ID_HEX_DIGITS]


def row_ids(rows: Iterable[Row]) -> list[str]:
    """One id a row, that of its content; the second row of the same content ends in `-2`."""
    seen: Counter[str] = Counter()
    ids = []
    for row in rows:
        digest = content_id(row.messages)
        seen[digest] += 1
        ids.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return ids
