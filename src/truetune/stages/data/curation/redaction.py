"""Rows with typed placeholders where the rules ask for them; the user's files, and the rows as they were checked, stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import count

from truetune.core.ports import NameFinder
from truetune.core.records import Finding
from truetune.core.sensitive.masking import find_sensitive
from truetune.core.sensitive.personal import PII_ENTITIES
from truetune.core.sensitive.placeholders import Finder, Replacement, redact
from truetune.core.sensitive.spans import Span, claim
from truetune.stages.data.checks.personal import names as pii_names
from truetune.stages.data.checks.personal import secrets
from truetune.stages.data.corpus import Corpus
from truetune.stages.data.curation.policy import positions_of
from truetune.stages.data.rows.lazy import Lazy
from truetune.stages.data.rows.row import Row, row_of
from truetune.stages.data.rules import Rules


@dataclass(frozen=True)
class Redacted:
    """A row without what was found in it, and what was replaced."""

    row: Row
    replaced: tuple[Replacement, ...]

    @property
    def change(self) -> str:
        """What was done to the row, for its lineage; empty where nothing was."""
        said = ", ".join(f"{r.placeholder} {r.times} times" if r.times > 1 else r.placeholder for r in self.replaced)
        return f"redacted: {said}" if said else ""


def redact_row(row: Row, find: Finder) -> Redacted:
    """The row with placeholders, the same for the same value in the system prompt, every turn and every answer it compares."""
    texts = [message["content"] for message in row.messages]
    texts += [*([] if row.rejected is None else [row.rejected]), *row.negatives]
    changed, replaced = redact(texts, find)
    if not replaced:
        return Redacted(row, ())
    turns, others = changed[: len(row.messages)], changed[len(row.messages) :]
    messages = [{**message, "content": text} for message, text in zip(row.messages, turns, strict=True)]
    rejected, negatives = (None, others) if row.rejected is None else (others[0], others[1:])
    return Redacted(
        row_of(row.file, row.line, messages, rejected, row.desirable, tuple(negatives), row.meta),
        replaced,
    )


def redact_record(record: object, find: Finder) -> tuple[object, tuple[Replacement, ...]]:
    """A record of any format with placeholders in its texts; names of fields stay."""
    texts = list(_texts(record))
    changed, replaced = redact(texts, find)
    return (_with_texts(record, dict(zip(count(), changed, strict=False)), count()), replaced) if replaced else (record, ())


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _with_texts(value: object, texts: Mapping[int, str], number: Iterator[int]) -> object:
    if isinstance(value, str):
        return texts[next(number)]
    if isinstance(value, Mapping):
        return {key: _with_texts(part, texts, number) for key, part in value.items()}
    return [_with_texts(part, texts, number) for part in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Redaction:
    """Which rows of the sources the rules have redacted, and of which kinds of finds.

    Attributes:
        positions: in `corpus.rows`.
        kinds: of personal data, and `data.secret` for secrets of all providers.
        names: finds the names of people that are replaced too; None where they stay.
    """

    positions: AbstractSet[int]
    kinds: AbstractSet[str]
    names: NameFinder | None = None

    def find(self, text: str) -> list[Span]:
        """What is to be replaced in a text."""
        found = [
            span for span in find_sensitive(text) if (span.kind if span.kind in PII_ENTITIES else secrets.CODE) in self.kinds
        ]
        if self.names is not None:
            claim(found, self.names.find([text])[0])
        return found

    def of(self, position: int, row: Row) -> Redacted:
        """The row as it is curated."""
        return redact_row(row, self.find) if position in self.positions else Redacted(row, ())


def redaction(corpus: Corpus, findings: Sequence[Finding], rules: Rules) -> Redaction:
    """What the rules have redacted; findings as the checks gave them, before `Rules.applied`."""
    kinds = {kind for kind in PII_ENTITIES if rules.of(f"data.pii.{kind}").policy == "redact"}
    if rules.of(secrets.CODE).policy == "redact":
        kinds.add(secrets.CODE)
    names = corpus.names if rules.of(pii_names.CODE).policy == "redact" else None
    acting = [f for f in findings if rules.of(f.code).policy == "redact" and rules.of(f.code).acts_on(f)]
    return Redaction({position for finding in acting for position in positions_of(corpus, finding.rows)}, kinds, names)


class RedactedRows(Lazy[Row]):
    """Rows as they are curated, each redacted when it is asked for: no row is held twice."""

    def __init__(self, rows: Sequence[Row], redaction: Redaction) -> None:
        """`rows` begin with those of the sources; what follows is held out and never changed."""
        self._rows, self._redaction = rows, redaction

    def __len__(self) -> int:
        return len(self._rows)

    def _item(self, place: int) -> Row:
        return self._redaction.of(place, self._rows[place]).row
