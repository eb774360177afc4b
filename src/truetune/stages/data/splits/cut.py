"""Train, validation and test, cut once: the same rows and seed give the same sides, in whatever order the rows stand.

What belongs together (a cluster of copies, rephrasings, a customer, a conversation) goes to one side whole. Where rows have times
the newest are the test, and the newest of the rest the validation. Where they have none, and answers are labels or JSON, each
kind of answer is spread over the sides in proportion. A test that is frozen stays as it is.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np

from truetune.core.config import SplitConfig
from truetune.core.records import SplitName
from truetune.evidence.curated import CuratedRow, from_parquet
from truetune.evidence.digests import canonical_json
from truetune.stages.data.neighbours.components import connected
from truetune.stages.data.rows.keys import groups_of

TIMED_FRAC = 0.95
"""From this share of rows with a time on, `by_time: auto` cuts by time; rows without one count as old. Source: stated."""


@dataclass(frozen=True, slots=True)
class SplitRow:
    """What the split needs to know of a row.

    Attributes:
        row_id: names it.
        cluster: its cluster of copies.
        stratum: its kind of answer.
        together: more names that rows of one side share: its customer, its conversation, its question.
        time: seconds since 1970, None where it has none.
    """

    row_id: str
    cluster: str
    stratum: str
    together: tuple[str, ...] = ()
    time: float | None = None


@dataclass(frozen=True)
class Cut:
    """The side of each row id.

    `left_out` are rows that belong with a row of the frozen test: on either side they would spoil it. The value is that row's id.
    """

    sides: dict[str, SplitName] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Unit:
    """Rows that go to one side; `newest` is the time of the newest, -inf where none has one."""

    key: bytes
    stratum: str
    row_ids: tuple[str, ...]
    newest: float


def rows_digest(rows: Sequence[CuratedRow]) -> str:
    """What freezes a side: the digest of the canonical JSON of its sorted row ids with their conversations."""
    ids = [row.row_id for row in rows]
    digest = hashlib.sha256(b"[")
    for number, place in enumerate(sorted(range(len(ids)), key=ids.__getitem__)):
        digest.update(b"," * bool(number) + canonical_json([ids[place], list(rows[place].messages)]))
    digest.update(b"]")
    return "sha256:" + digest.hexdigest()


def split_digest(shard: bytes) -> str:
    """`rows_digest` of a stored shard, for whoever wants to know whether it is still the frozen one."""
    return rows_digest(from_parquet(shard))


def split_rows(rows: Sequence[SplitRow], config: SplitConfig, seed: int, frozen: Collection[str] = ()) -> Cut:
    """Cut rows into sides. Sizes are the rounded shares, short only where units are too big to fit.

    Args:
        rows: with ids that differ.
        config: shares, and whether time counts.
        seed: decides, together with the rows' content, what content alone leaves open.
        frozen: ids of the rows that are the test already; then no other row joins them.
    """
    units = _units(rows, seed)
    cut = Cut()
    left = _without_frozen(units, frozenset(frozen), cut) if frozen else units
    shares: tuple[tuple[SplitName, float], ...] = (("test", config.test_frac), ("validation", config.validation_frac))
    by_time = is_by_time(rows, config)
    for side, frac in shares[1:] if frozen else shares:
        wanted = round(frac * len(rows))
        taken = _take_newest(left, wanted) if by_time else _take(left, wanted, frac * len(rows))
        cut.sides.update({row_id: side for unit in taken for row_id in unit.row_ids})
        keys = {unit.key for unit in taken}
        left = [unit for unit in left if unit.key not in keys]
    cut.sides.update({row_id: "train" for unit in left for row_id in unit.row_ids})
    return cut


def unit_names(rows: Sequence[SplitRow]) -> dict[str, str]:
    """For each row id the name of what it belongs with: the first of the ids there are."""
    names = {}
    for together in _together(rows):
        first = min(row.row_id for row in together)
        names.update({row.row_id: first for row in together})
    return names


def is_by_time(rows: Iterable[SplitRow], config: SplitConfig) -> bool:
    """Are the newest rows the test? `auto`: where nearly all rows have a time, and not all the same."""
    if config.by_time != "auto":
        return config.by_time
    times = [row.time for row in rows]
    timed = [time for time in times if time is not None]
    return len(timed) >= TIMED_FRAC * len(times) and len(set(timed)) > 1


def _without_frozen(units: Sequence[_Unit], frozen: frozenset[str], cut: Cut) -> list[_Unit]:
    """The units that the frozen test has no part in; the others' rows are in the test, or left out."""
    free = []
    for unit in units:
        mates = [row_id for row_id in unit.row_ids if row_id in frozen]
        if not mates:
            free.append(unit)
            continue
        cut.sides.update(dict.fromkeys(mates, "test"))
        cut.left_out.update({row_id: mates[0] for row_id in unit.row_ids if row_id not in frozen})
    return free


def _units(rows: Sequence[SplitRow], seed: int) -> list[_Unit]:
    """Rows that belong together, in an order that only their content and the seed decide."""
    units = []
    for together in _together(rows):
        ids = tuple(sorted(row.row_id for row in together))
        strata = Counter(row.stratum for row in together)
        stratum = min(strata, key=lambda name: (-strata[name], name))
        key = hashlib.sha256(f"{seed}:{ids[0]}".encode()).digest()
        newest = max((row.time for row in together if row.time is not None), default=float("-inf"))
        units.append(_Unit(key, stratum, ids, newest))
    return sorted(units, key=lambda unit: unit.key)


def _together(rows: Sequence[SplitRow]) -> Iterator[list[SplitRow]]:
    """The rows of each unit: they are linked by their cluster and by each name that they share."""
    clusters: dict[str, int] = {}
    shared: dict[str, int] = {}
    earlier, later = array("q"), array("q")
    for position, row in enumerate(rows):
        earlier.append(clusters.setdefault(row.cluster, position))
        earlier.extend(shared.setdefault(name, position) for name in row.together)
        later.extend(repeat(position, 1 + len(row.together)))
    numbers = connected(len(rows), np.array(earlier, dtype=np.int64), np.array(later, dtype=np.int64))
    del clusters, shared, earlier, later
    for positions in groups_of(numbers.astype(np.uint64)):
        yield [rows[position] for position in positions.tolist()]


def _take_newest(units: Sequence[_Unit], rows_wanted: int) -> list[_Unit]:
    """The newest units that fit, without a gap: only what could never fit is passed over, else an older row would overtake it."""
    taken, missing = [], rows_wanted
    for unit in sorted(units, key=lambda unit: (-unit.newest, unit.key)):
        size = len(unit.row_ids)
        if size > rows_wanted:
            continue
        if size > missing:
            break
        taken.append(unit)
        missing -= size
    return taken


def _take(units: Sequence[_Unit], rows_wanted: int, exact: float) -> list[_Unit]:
    """Units of about `rows_wanted` rows, each stratum in proportion; what does not fit is made up from any stratum."""
    available = sum(len(unit.row_ids) for unit in units)
    if not rows_wanted or not available:
        return []
    quotas = _quotas(units, rows_wanted, min(1.0, exact / available))
    taken, filled = [], Counter[str]()
    for unit in units:
        if filled[unit.stratum] + len(unit.row_ids) <= quotas[unit.stratum]:
            taken.append(unit)
            filled[unit.stratum] += len(unit.row_ids)
    missing = rows_wanted - sum(filled.values())
    keys = {unit.key for unit in taken}
    for unit in units:
        if unit.key not in keys and len(unit.row_ids) <= missing:
            taken.append(unit)
            missing -= len(unit.row_ids)
    return taken


def _quotas(units: Sequence[_Unit], rows_wanted: int, share: float) -> Mapping[str, int]:
    """Rows a stratum gives: its share rounded down, then the largest remainders until the sum is right."""
    sizes: Counter[str] = Counter()
    for unit in units:
        sizes[unit.stratum] += len(unit.row_ids)
    quotas = {stratum: int(share * size) for stratum, size in sizes.items()}
    by_remainder = sorted(sizes, key=lambda stratum: (-(share * sizes[stratum] - quotas[stratum]), stratum))
    for stratum in by_remainder[: max(0, rows_wanted - sum(quotas.values()))]:
        quotas[stratum] += 1
    return quotas
