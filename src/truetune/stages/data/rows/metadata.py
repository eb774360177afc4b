"""What a record says of itself beside its words: who it is, where it comes from, with whom it belongs, when it was made.

Read from the record's own further columns, by the names that people use for them or by the names that the config gives.
`sidecar` reads the same fields from a file of their own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, get_args

from truetune.core.config import KeptTogether
from truetune.core.records import MetaField, SplitName

NAMES: dict[MetaField, tuple[str, ...]] = {
    "id": ("id", "row_id", "example_id", "record_id", "uid", "uuid", "_id"),
    "source": ("source", "data_source", "dataset", "origin"),
    "group": ("group", "group_id", "customer_id", "user_id", "account_id", "client_id", "author_id", "patient_id"),
    "conversation": ("conversation_id", "conversation", "thread_id", "dialogue_id", "dialog_id", "session_id", "conv_id"),
    "time": ("timestamp", "time", "created_at", "datetime", "date", "created"),
    "licence": ("licence", "license", "spdx"),
    "reviewed_by": ("reviewed_by", "reviewer", "annotator", "annotated_by"),
    "contains_pii": ("contains_pii", "has_pii", "pii"),
    "split": ("split",),
    "task": ("task", "task_type", "task_name"),
}
"""The names under which each field is looked for, the surest first. Source: ours, from the columns of published data sets."""

_NESTED = ("metadata", "meta")
"""A record may keep its fields in one table of this name."""

_MOST_CHARACTERS = 200
"""A longer value, or one of several lines, is text and not metadata: `source` is a whole text in translation sets."""

_SPLITS: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
}
_TRUE, _FALSE = frozenset({"true", "yes", "y", "1"}), frozenset({"false", "no", "n", "0"})

_EPOCH_UNITS = ((1e8, 1e11, 1.0), (1e11, 1e14, 1e3), (1e14, 1e17, 1e6), (1e17, 1e20, 1e9))
"""(from, below, units a second): a number is a time only from 1973 on, in s, ms, µs or ns by its size."""
_COMPACT_DATE = re.compile(r"(?:19|20)\d{6}")


@dataclass(frozen=True, slots=True)
class RowMeta:
    """What is known of a row beside its words; None where nothing says it.

    Attributes:
        id: the user's own name for the row.
        source: where it comes from.
        group: who or what it belongs to (a customer, an author): rows of one group resemble each other.
        conversation: which conversation it was cut from.
        time: when it was made, in seconds since 1970 UTC.
        licence: under which licence, as written.
        reviewed_by: who looked at it.
        contains_pii: whether somebody said that it holds personal data.
        split: the side that the user put it on.
        task: which task it is of.
        unread: fields that are there and say nothing that can be read.
        conflicts: fields of which the record says one thing and the sidecar another.
    """

    id: str | None = None
    source: str | None = None
    group: str | None = None
    conversation: str | None = None
    time: float | None = None
    licence: str | None = None
    reviewed_by: str | None = None
    contains_pii: bool | None = None
    split: SplitName | None = None
    task: str | None = None
    unread: tuple[MetaField, ...] = ()
    conflicts: tuple[MetaField, ...] = ()

    def packed(self) -> dict[str, object] | None:
        """What is known, as plain values for JSON; None where nothing is."""
        return None if self is NO_META else {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}

    @staticmethod
    def unpacked(values: dict[str, Any] | None) -> RowMeta:
        """What `packed` gave."""
        if values is None:
            return NO_META
        for name in _SHARED & values.keys():
            values[name] = sys.intern(values[name])
        return RowMeta(**{**values, "unread": tuple(values["unread"]), "conflicts": tuple(values["conflicts"])})

    def together(self, field: KeptTogether) -> str | None:
        """The value of a field that may keep rows on one side."""
        return {"group": self.group, "conversation": self.conversation, "source": self.source}[field]

    def get(self, field: MetaField) -> str | float | bool | None:
        """One field by its name."""
        value: str | float | bool | None = getattr(self, field)
        return value


NO_META = RowMeta()
"""Nothing is known; one object for all such rows."""

META_FIELDS: tuple[MetaField, ...] = get_args(MetaField)
_SHARED: frozenset[MetaField] = frozenset({"source", "group", "conversation", "licence", "reviewed_by", "task"})
"""Fields whose values many rows share: each value is kept in memory once."""


class Columns:
    """Which column of a record holds which field; picklable, so that worker processes can have it."""

    def __init__(self, named: Mapping[MetaField, str] | None = None) -> None:
        """`named` counts before the known names: a field that is named is looked for under that name only."""
        self.named: dict[MetaField, str] = dict(named or {})
        self._known: dict[str, tuple[MetaField, int]] = {}
        for field, names in NAMES.items():
            for rank, name in enumerate((self.named[field],) if field in self.named else names):
                self._known[name.lower()] = (field, rank)
        # A column that the config gives to one field is not also another's by its common name.
        for field, name in self.named.items():
            self._known[name.lower()] = (field, 0)

    def of(self, record: Mapping[str, object]) -> RowMeta:
        """The fields of a record; what is not there, too long or no plain value is not known."""
        found = self._found(record)
        for name in _NESTED:
            if isinstance(inside := record.get(name), dict):
                found = self._found(inside) | found
        return _meta({field: value for field, (_, value) in found.items()}) if found else NO_META

    def _found(self, record: Mapping[str, object]) -> dict[MetaField, tuple[int, object]]:
        found: dict[MetaField, tuple[int, object]] = {}
        for name, value in record.items():
            known = self._known.get(name.lower())
            if known is None or not _is_plain(value):
                continue
            field, rank = known
            if field not in found or rank < found[field][0]:
                found[field] = (rank, value)
        return found


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return bool(value.strip()) and len(value) <= _MOST_CHARACTERS and "\n" not in value.strip()
    return isinstance(value, bool | int | float | date)


def _meta(values: Mapping[MetaField, object]) -> RowMeta:
    read = {field: _READERS.get(field, _text)(value) for field, value in values.items()}
    for field in _SHARED & read.keys():
        if isinstance(value := read[field], str):
            read[field] = sys.intern(value)
    unread = tuple(field for field in META_FIELDS if field in read and read[field] is None)
    return RowMeta(**read, unread=unread)  # type: ignore[arg-type]


def merged(record: RowMeta, sidecar: RowMeta) -> RowMeta:
    """What both say together. Where they differ the sidecar counts, which somebody wrote to say just this, and it is noted."""
    if record is NO_META:
        return sidecar
    values: dict[str, object] = {}
    conflicts = []
    for field in META_FIELDS:
        own, theirs = record.get(field), sidecar.get(field)
        values[field] = own if theirs is None else theirs
        if own is not None and theirs is not None and own != theirs:
            conflicts.append(field)
    unread = tuple(field for field in META_FIELDS if field in record.unread or field in sidecar.unread)
    return RowMeta(**values, unread=unread, conflicts=tuple(conflicts))  # type: ignore[arg-type]


def read_time(value: object) -> float | None:
    """Seconds since 1970 UTC, from ISO 8601, an e-mail's date, or a number of (milli-, micro-, nano-)seconds; else None.

    A time without a zone is taken as UTC. Day and month in the order of a country ("03/04/2024") are not guessed.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, datetime):
        return _seconds(value)
    if isinstance(value, date):
        return _seconds(datetime(value.year, value.month, value.day))
    if isinstance(value, int | float):
        return _epoch(float(value)) if not _COMPACT_DATE.fullmatch(str(value)) else read_time(str(value))
    return _written_time(value.strip()) if isinstance(value, str) else None


def _written_time(text: str) -> float | None:
    try:
        return _seconds(datetime.fromisoformat(text))
    except ValueError:
        pass
    try:
        return _epoch(float(text))
    except ValueError:
        pass
    try:
        return _seconds(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _seconds(moment: datetime) -> float | None:
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError):
        return None


def _epoch(number: float) -> float | None:
    return next((number / unit for low, high, unit in _EPOCH_UNITS if low <= number < high), None)


def written_day(seconds: float) -> str:
    """The day of a moment, as findings name it."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _text(value: object) -> str | None:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() or None


def _truth(value: object) -> bool | None:
    word = str(value).strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _split(value: object) -> SplitName | None:
    return _SPLITS.get(str(value).strip().lower())


_READERS: dict[MetaField, Callable[[object], object]] = {"time": read_time, "contains_pii": _truth, "split": _split}
