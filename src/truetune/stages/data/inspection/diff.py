"""Two states of the data, row by row: what came, what went, what became another, and what that did to the findings.

A row that stands word for word on both sides is unchanged, wherever it stands. Of the others two are one row that changed where
they have the same id, or else the same question (system prompt and turns before the answer); all else came or went.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
import numpy.typing as npt

from truetune.core.ports import Message, NameFinder
from truetune.core.records import DataDiff, DataRecord, DataStats, RowChange, RowRef, SplitName
from truetune.core.sensitive.masking import excerpt, mask_names
from truetune.evidence.curated import read_split
from truetune.evidence.digests import canonical_json
from truetune.evidence.store import ObjectStore
from truetune.stages.data.rows.row import Row

_KEY_BYTES = 16
_NAMED_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Content:
    """A row as far as it is compared; `compared` is what its answer is held against, in preferences and triplets."""

    ref: RowRef
    id: str | None
    messages: Sequence[Message]
    compared: Sequence[str] = ()

    @property
    def words(self) -> str:
        """The turns after the system prompt, in a line."""
        turns = [m["content"] for m in self.messages if m["role"] != "system"]
        return " → ".join([*turns, *(f"(not: {text})" for text in self.compared)])


@dataclass(frozen=True)
class State:
    """One side: its name, its rows, what was found in it, and the numbers."""

    name: str
    rows: Sequence[Content]
    findings_by_code: Mapping[str, int]
    stats: DataStats


@dataclass(frozen=True)
class Difference:
    """What differs, and the rows of which a person reads in it."""

    record: DataDiff
    read: Sequence[Content]


def diff(a: State, b: State, names: NameFinder | None = None) -> Difference:
    """What `b` has that `a` has not, and the other way round; names of people are masked in it where `names` finds them."""
    left, right, unchanged = _unmatched(a.rows, b.rows)
    read = [*(a.rows[i] for i in left), *(b.rows[j] for j in right)]
    pairs = [*_paired(left, right, a.rows, b.rows, _id_of), *_paired(left, right, a.rows, b.rows, _question_of)]
    changes = [
        *(_change("changed", a.rows[i], b.rows[j]) for i, j in sorted(pairs)),
        *(_change("removed", a.rows[i], None) for i in sorted(left)),
        *(_change("added", None, b.rows[j]) for j in sorted(right)),
    ]
    codes = sorted({*a.findings_by_code, *b.findings_by_code})
    counts = {code: (a.findings_by_code.get(code, 0), b.findings_by_code.get(code, 0)) for code in codes}
    record = DataDiff(
        a=a.name,
        b=b.name,
        unchanged=unchanged,
        changes=tuple(changes if names is None else _without_names(changes, names)),
        findings={code: pair for code, pair in counts.items() if pair[0] != pair[1]},
        stats_a=a.stats,
        stats_b=b.stats,
    )
    return Difference(record, read)


def _unmatched(a: Sequence[Content], b: Sequence[Content]) -> tuple[set[int], set[int], int]:
    """Places of rows that the other side does not have word for word, each as often as it stands there; and how many it has."""
    keys = np.concatenate([_keys(a), _keys(b)])
    side = np.repeat([0, 1], [len(a), len(b)])
    order = np.lexsort((side, keys[:, 1], keys[:, 0]))
    content = np.zeros(len(order), dtype=np.int64)
    content[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1).cumsum()
    # Of rows with one content, as many as both sides have are the same, the first ones of each side.
    on = np.bincount(content * 2 + side[order], minlength=2 * (int(content[-1]) + 1) if len(order) else 0)
    starts = np.concatenate([[0], np.cumsum(on)[:-1]]) if len(order) else on
    number = np.arange(len(order)) - starts[content * 2 + side[order]]
    spare = order[number >= np.minimum(on[0::2], on[1::2])[content]]
    left = {int(place) for place in spare[spare < len(a)]}
    right = {int(place) - len(a) for place in spare[spare >= len(a)]}
    return left, right, len(b) - len(right)


def _keys(rows: Sequence[Content]) -> npt.NDArray[np.uint64]:
    """Two numbers for each row, (rows, 2): equal numbers, equal contents."""
    joined = bytearray()
    for row in rows:
        joined += _key(list(row.messages), list(row.compared))
    return np.frombuffer(bytes(joined), dtype=np.uint64).reshape(-1, 2)


def _paired(
    left: set[int], right: set[int], a: Sequence[Content], b: Sequence[Content], name: Callable[[Content], bytes | None]
) -> list[tuple[int, int]]:
    """Rows of both sides that have the same name, in order; they are taken out of `left` and `right`."""
    named: defaultdict[bytes, deque[int]] = defaultdict(deque)
    for place in sorted(left):
        key = name(a[place])
        if key is not None:
            named[key].append(place)
    pairs = []
    for place in sorted(right):
        key = name(b[place])
        if key is not None and named.get(key):
            pairs.append((named[key].popleft(), place))
    left.difference_update(i for i, _ in pairs)
    right.difference_update(j for _, j in pairs)
    return pairs


def _id_of(row: Content) -> bytes | None:
    return None if row.id is None else row.id.encode("utf-8", "surrogatepass")


def _question_of(row: Content) -> bytes:
    return _key(list(row.messages[:-1]))


def _key(*parts: Iterable[object]) -> bytes:
    return hashlib.blake2b(canonical_json(list(map(list, parts))), digest_size=_KEY_BYTES).digest()


def _change(kind: Literal["added", "removed", "changed"], a: Content | None, b: Content | None) -> RowChange:
    either = a or b
    return RowChange(
        kind=kind,
        id=either.id if either else None,
        a=a.ref if a else None,
        b=b.ref if b else None,
        before=excerpt(a.words) if a else "",
        after=excerpt(b.words) if b else "",
    )


def _without_names(changes: Sequence[RowChange], names: NameFinder) -> Iterator[RowChange]:
    for start in range(0, len(changes), _NAMED_AT_ONCE):
        some = changes[start : start + _NAMED_AT_ONCE]
        found = names.find([text for change in some for text in (change.before, change.after)])
        for number, change in enumerate(some):
            before, after = (mask_names(t, s) for t, s in zip((change.before, change.after), found[2 * number :], strict=False))
            yield change.model_copy(update={"before": before, "after": after})


class _Mapped(Sequence[Content]):
    """Rows as contents, made when they are asked for: a million of them stay where they are."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Content: ...
    @overload
    def __getitem__(self, index: slice) -> list[Content]: ...
    def __getitem__(self, index: int | slice) -> Content | list[Content]:
        return [_content(row) for row in self._rows[index]] if isinstance(index, slice) else _content(self._rows[index])

    def __iter__(self) -> Iterator[Content]:
        return map(_content, self._rows)


def _content(row: Row) -> Content:
    judged = [] if row.desirable is None else [f"judged {'good' if row.desirable else 'bad'}"]
    return Content(row.ref, row.meta.id, row.messages, [*([row.rejected] if row.rejected else []), *row.negatives, *judged])


def of_rows(rows: Sequence[Row]) -> Sequence[Content]:
    """Rows of files."""
    return _Mapped(rows)


def of_curated(data: DataRecord, store: ObjectStore) -> list[Content]:
    """The rows that a run trains and is tested on.

    Raises:
        EvidenceError: a shard is not in the store.
    """
    sides: tuple[SplitName, ...] = ("train", "validation", "test")
    rows = (row for side in sides for row in read_split(store, data.curated, side))
    return [Content(RowRef(file=row.file, line=row.line), row.id, row.messages) for row in rows]
